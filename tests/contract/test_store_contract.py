"""The store's contract: the same for a folder, a folder that machines share, and a bucket."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers.moto import moto
from toolsync.model.errors import Damaged, SetupError, TryAgain
from toolsync.model.release import Blob
from toolsync.system.fleetstore import open_store
from toolsync.system.store import Store

ABSENT = Blob(name="absent", sha256="0" * 64, size=3)


@pytest.fixture(scope="module")
def endpoint() -> Iterator[str]:
    """Return the address of a server of buckets, which boto3's keys are for."""
    if "CI" not in os.environ:
        pytest.importorskip("boto3", reason="make test installs it")
    import boto3

    with pytest.MonkeyPatch.context() as patch, moto() as address:
        patch.setenv("AWS_ACCESS_KEY_ID", "k")
        patch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        patch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        boto3.session.Session().client("s3", endpoint_url=address).create_bucket(Bucket="fleet")
        yield address


Open = Callable[..., Store]


@pytest.fixture(params=["folder", "shared", "bucket"])
def kind(request: pytest.FixtureRequest) -> str:
    found: str = request.param
    return found


@pytest.fixture
def opened(kind: str, tmp_path: Path, request: pytest.FixtureRequest) -> Open:
    """Return a function that opens the store on one machine or another."""

    def open_on(machine: str = "one", cache: int = 0) -> Store:
        if kind == "folder":
            return open_store(tmp_path / "store")
        here = tmp_path / machine
        if kind == "bucket":
            url = f"s3://fleet/{tmp_path.name}"
            return open_store(here, url, request.getfixturevalue("endpoint"), cache)
        (tmp_path / "shared").mkdir(exist_ok=True)
        return open_store(here, f"file://{tmp_path}/shared", "", cache)

    return open_on


def test_what_is_kept_is_had_on_every_machine(opened: Open, tmp_path: Path) -> None:
    blob = opened("one").add_bytes(b"abc", "a.txt")
    assert (blob.name, blob.size) == ("a.txt", 3)
    other = opened("two")
    assert other.has(blob)
    assert other.path(blob).read_bytes() == b"abc"
    (tmp_path / "out").mkdir()
    assert other.copy_to(blob, tmp_path / "out").read_bytes() == b"abc"
    third = opened("three")
    assert third.copy_to(blob, tmp_path / "out", "b").read_bytes() == b"abc"
    assert list(third.files()) == [(blob.sha256, 3)]


def test_what_is_not_there_is_told(opened: Open) -> None:
    store = opened()
    assert not store.has(ABSENT)
    with pytest.raises(Damaged, match="is gone"):
        store.path(ABSENT)
    store.drop(ABSENT.sha256)


def test_the_same_bytes_twice_are_kept_once(opened: Open, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"abc")
    store = opened()
    assert store.add_file(tmp_path / "f", "x") == store.add_bytes(b"abc", "x")
    assert opened("two").add_bytes(b"abc", "y").sha256 == store.add_bytes(b"abc", "x").sha256
    assert len(list(store.files())) == 1


def test_what_is_dropped_is_gone_everywhere(opened: Open) -> None:
    store = opened()
    blob = store.add_bytes(b"abc", "a")
    store.drop(blob.sha256)
    assert not opened("two").has(blob)
    assert list(store.files()) == []


def test_what_was_just_kept_is_not_for_a_clean_up_where_others_may_be_about_to_name_it(
    opened: Open, kind: str
) -> None:
    store = opened()
    blob = store.add_bytes(b"abc", "a")
    assert list(store.settled({blob.sha256})) == ([blob.sha256] if kind == "folder" else [])


def test_a_block_that_fails_leaves_nothing(opened: Open) -> None:
    store = opened()

    def fail() -> None:
        with store.writing("x") as sink:
            sink.write(b"half")
            raise ValueError

    with pytest.raises(ValueError):
        fail()
    assert list(store.files()) == []


def test_other_bytes_are_refused_and_can_be_put_right(
    opened: Open, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    blob = opened().add_bytes(b"abc", "a")
    spoil(kind, blob, b"abX", tmp_path, request)
    store = opened("two")
    with pytest.raises(Damaged, match="other bytes"):
        store.digest_again(blob)
    store.put_aside(blob.sha256)
    store.add_bytes(b"abc", "a")
    opened("three").require(blob)


def test_an_endless_file_is_not_read_to_its_end(
    opened: Open, kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    blob = opened().add_bytes(b"abc", "a")
    spoil(kind, blob, b"a" * 5_000_000, tmp_path, request)
    if kind != "folder":
        with pytest.raises(Damaged, match=r"other bytes \(sha256 \w+, 4\)"):
            opened("two").path(blob)


def spoil(
    kind: str, blob: Blob, data: bytes, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Put other bytes in the place of a blob's."""
    name = f"sha256/{blob.sha256[:2]}/{blob.sha256}"
    if kind == "bucket":
        import boto3

        client = boto3.session.Session().client(
            "s3", endpoint_url=request.getfixturevalue("endpoint")
        )
        client.put_object(Bucket="fleet", Key=f"{tmp_path.name}/{name}", Body=data)
    else:
        (tmp_path / {"folder": "store", "shared": "shared"}[kind] / name).write_bytes(data)


def test_a_cache_has_a_size(opened: Open, kind: str, tmp_path: Path) -> None:
    store = opened("one", 1000)
    blobs = [store.add_bytes(bytes([n]) * 400, str(n)) for n in range(4)]
    store.sweep()
    here = len(list((tmp_path / ("store" if kind == "folder" else "one")).rglob("?" * 64)))
    assert here == (4 if kind == "folder" else 2)
    for blob in blobs:
        store.require(blob)


def test_a_file_goes_in_parts_and_an_upload_that_fails_leaves_none(
    endpoint: str, tmp_path: Path
) -> None:
    from toolsync.system.bucket import Bucket

    part = 5 * 1024 * 1024
    bucket = Bucket("fleet", "parts/", endpoint, part)
    (tmp_path / "f").write_bytes(os.urandom(2 * part + 1))
    for _ in range(2):
        bucket.put("a" * 64, tmp_path / "f")
    assert bucket.size("a" * 64) == 2 * part + 1
    with (tmp_path / "g").open("wb") as out:
        assert bucket.get("a" * 64, out, 10**9)
    assert (tmp_path / "g").read_bytes() == (tmp_path / "f").read_bytes()
    (tmp_path / "f").write_bytes(b"other")
    with pytest.raises(SetupError, match="has 10485761 bytes"):
        bucket.put("a" * 64, tmp_path / "f")


def test_a_bucket_that_is_away_or_not_ours_is_told(endpoint: str, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="refuses us"):
        open_store(tmp_path / "a", "s3://nobodys", endpoint).add_bytes(b"a", "a")
    away = open_store(tmp_path / "b", "s3://fleet", "http://127.0.0.1:9")
    with pytest.raises(TryAgain, match="cannot be reached"):
        away.add_bytes(b"a", "a")


def test_a_shared_folder_that_is_not_mounted_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="is no folder"):
        open_store(tmp_path / "a", f"file://{tmp_path}/absent")
    with pytest.raises(SetupError, match="wanted s3://"):
        open_store(tmp_path / "a", "ftp://x/y")

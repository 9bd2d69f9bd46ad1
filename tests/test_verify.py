"""Each way in which a release is proved or refused, with real keys and the real gpgv."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.keys import AFTER, BEFORE, Keys, throwaway_keys
from toolsync.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.errors import SetupError, Unverified
from toolsync.licensing import LicensePolicy
from toolsync.model import Blob, Fetched, Finding, Release
from toolsync.system.store import Store
from toolsync.verify.stage import METHODS, verify

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ARCHIVE = b"the release's bytes\n" * 50
DIGEST = hashlib.sha256(ARCHIVE).hexdigest()
NAME = "foo-2.0.tar.gz"


@dataclass
class Bench:
    """A tool's folder, a store and one fetched release."""

    folder: Path
    store: Store
    keys: Keys

    def tool(
        self, method: str, *, keys: Sequence[str] = (), pins: Mapping[str, str] | None = None
    ) -> Tool:
        return Tool(
            name="foo",
            folder=self.folder / "foo",
            summary="",
            homepage="",
            watch=Watch(kind="html"),
            verify=Verify(method=method, keys=tuple(keys), pins=dict(pins or {})),
            license=LicensePolicy(),
            compat=CompatPolicy(),
            source="foo",
            series=(),
        )

    def ring(self, *fingerprints: str, name: str = "upstream") -> None:
        self.keys.export(self.folder / "foo" / "keys" / f"{name}.asc", *fingerprints)

    def item(self, archive: bytes = ARCHIVE, *, sha256: str = "", **extras: bytes) -> Fetched:
        blobs = [self.store.add_bytes(data, role) for role, data in extras.items()]
        return Fetched(
            release=Release(
                tool="foo",
                version="2.0",
                raw_version="2.0",
                url=f"http://127.0.0.1/{NAME}",
                filename=NAME,
                page="http://127.0.0.1/",
                sha256=sha256,
            ),
            archive=self.store.add_bytes(archive, NAME),
            final_url=f"http://127.0.0.1/{NAME}",
            extras=tuple(replace(blob, name=blob.name.replace("_", "-")) for blob in blobs),
        )

    def signature(
        self,
        *fingerprints: str,
        over: bytes = ARCHIVE,
        at: str = BEFORE,
        how: Sequence[str] = ("--armor", "--detach-sign"),
        options: Sequence[str] = (),
    ) -> bytes:
        data = self.folder / "to-sign"
        data.write_bytes(over)
        out = self.folder / "signed"
        return self.keys.sign(
            data, out, *fingerprints, at=at, how=how, options=options
        ).read_bytes()


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with throwaway_keys() as made:
        yield made


@pytest.fixture(scope="module")
def owner(keys: Keys) -> str:
    return keys.make("Foo Release Team")


@pytest.fixture(scope="module")
def stranger(keys: Keys) -> str:
    return keys.make("Some Stranger")


@pytest.fixture
def bench(tmp_path: Path, keys: Keys) -> Bench:
    return Bench(tmp_path, Store(tmp_path / "store"), keys)


def refusal(item: Fetched, tool: Tool, bench: Bench, now: datetime = NOW) -> Unverified:
    with pytest.raises(Unverified) as caught:
        verify(item, tool=tool, store=bench.store, now=now)
    assert caught.value.resolution
    assert caught.value.exit_status == 3
    return caught.value


def codes(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in findings]


# openpgp


def test_signed_by_the_pinned_key(bench: Bench, owner: str) -> None:
    bench.ring(owner)
    item = bench.item(signature=bench.signature(owner))
    done = verify(item, tool=bench.tool("openpgp", keys=[owner]), store=bench.store, now=NOW)
    assert (done.fetched, done.method, done.fingerprint) == (item, "openpgp", owner)
    assert done.statement == f"signed by {owner} (Foo Release Team) on 2024-01-01"
    assert done.signed_at == "2024-01-01T00:00:00Z"
    assert done.findings == ()


@pytest.mark.parametrize("pin", ["primary", "subkey"])
def test_a_pin_names_the_primary_key_or_the_subkey(bench: Bench, pin: str) -> None:
    primary = bench.keys.make(f"Pinned By {pin}")
    subkey = bench.keys.add_subkey(primary)
    bench.ring(primary)
    item = bench.item(signature=bench.signature(primary))
    tool = bench.tool("openpgp", keys=[primary if pin == "primary" else subkey])
    assert verify(item, tool=tool, store=bench.store, now=NOW).fingerprint == primary


def test_a_pinned_subkey_does_not_let_its_primary_sign(bench: Bench) -> None:
    primary = bench.keys.make("Primary Signs")
    item_signature = bench.signature(primary)
    subkey = bench.keys.add_subkey(primary)
    bench.ring(primary)
    error = refusal(
        bench.item(signature=item_signature), bench.tool("openpgp", keys=[subkey]), bench
    )
    assert "another key" in str(error)


def test_missing_signature(bench: Bench, owner: str) -> None:
    bench.ring(owner)
    error = refusal(bench.item(), bench.tool("openpgp", keys=[owner]), bench)
    assert "missing signature" in str(error)
    assert owner in str(error)


def test_bad_signature(bench: Bench, owner: str) -> None:
    bench.ring(owner)
    item = bench.item(ARCHIVE + b"!", signature=bench.signature(owner))
    error = refusal(item, bench.tool("openpgp", keys=[owner]), bench)
    assert "bad signature" in str(error)
    assert "Foo Release Team" in str(error)


def test_signature_over_another_file(bench: Bench, owner: str) -> None:
    bench.ring(owner)
    item = bench.item(signature=bench.signature(owner, over=b"foo-1.0"))
    error = refusal(item, bench.tool("openpgp", keys=[owner]), bench)
    assert "over another file" in str(error)


def test_signed_by_an_unknown_key(bench: Bench, owner: str, stranger: str) -> None:
    bench.ring(owner)
    item = bench.item(signature=bench.signature(stranger))
    error = refusal(item, bench.tool("openpgp", keys=[owner]), bench)
    assert f"another key: {stranger}, not by {owner}" in str(error)


def test_a_key_that_lies_there_unpinned_never_counts(
    bench: Bench, owner: str, stranger: str
) -> None:
    bench.ring(owner, stranger)
    item = bench.item(signature=bench.signature(stranger))
    error = refusal(item, bench.tool("openpgp", keys=[owner]), bench)
    assert f"another key: {stranger} (Some Stranger), not by {owner}" in str(error)


def test_an_expired_key_of_a_stranger_is_a_strangers(bench: Bench, owner: str) -> None:
    other = bench.keys.make("Late Stranger", at=BEFORE, expire="20240301T000000")
    bench.ring(owner, other)
    item = bench.item(signature=bench.signature(other))
    assert "another key" in str(refusal(item, bench.tool("openpgp", keys=[owner]), bench))


def test_expired_signature(bench: Bench, owner: str) -> None:
    bench.ring(owner)
    signature = bench.signature(owner, options=["--default-sig-expire", "1d"])
    error = refusal(bench.item(signature=signature), bench.tool("openpgp", keys=[owner]), bench)
    assert "expired signature" in str(error)
    assert "2024-01-02" in str(error)


def test_expired_key_that_gpg_lets_pass(bench: Bench) -> None:
    short = bench.keys.make("Short Lived", at=BEFORE, expire="20240301T000000")
    bench.ring(short)
    item = bench.item(signature=bench.signature(short))
    archive, signature = bench.store.path(item.archive), bench.store.path(item.extras[0])
    bench.keys.gpg("--verify", str(signature), str(archive))  # asserts exit status 0
    error = refusal(item, bench.tool("openpgp", keys=[short]), bench)
    assert "expired key" in str(error)
    assert "2024-03-01" in str(error)
    assert "extended" in error.resolution
    assert str(bench.folder / "foo" / "keys") in error.resolution


def test_redated_key_works_once_it_is_refreshed(bench: Bench) -> None:
    name = bench.keys.make("Re Dated", at=BEFORE, expire="20240301T000000")
    bench.ring(name)
    bench.keys.extend(name, at="20240215T000000")
    item = bench.item(signature=bench.signature(name, at=AFTER))
    tool = bench.tool("openpgp", keys=[name])
    assert "expired key" in str(refusal(item, tool, bench))
    bench.ring(name)
    assert verify(item, tool=tool, store=bench.store, now=NOW).fingerprint == name


def test_revoked_key(bench: Bench) -> None:
    name = bench.keys.make("Taken Back")
    signature = bench.signature(name)
    bench.keys.revoke(name)
    bench.ring(name)
    error = refusal(bench.item(signature=signature), bench.tool("openpgp", keys=[name]), bench)
    assert "revoked key" in str(error)


def test_weak_hash(bench: Bench) -> None:
    name = bench.keys.make("Old Habits", kind="rsa2048")
    bench.ring(name)
    signature = bench.signature(name, options=["--digest-algo", "SHA1"])
    error = refusal(bench.item(signature=signature), bench.tool("openpgp", keys=[name]), bench)
    assert "weak hash" in str(error)
    assert "SHA1" in str(error)


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"<html>404</html>", "HTML"),
        (b"", "empty"),
        (b"zzz", "no OpenPGP"),
        (b"-" * 10**6, "large"),
    ],
    ids=["html", "empty", "garbage", "large"],
)
def test_what_is_no_signature(bench: Bench, owner: str, content: bytes, word: str) -> None:
    bench.ring(owner)
    error = refusal(bench.item(signature=content), bench.tool("openpgp", keys=[owner]), bench)
    assert word in str(error)


def test_one_known_signer_among_two_is_enough(bench: Bench, owner: str, stranger: str) -> None:
    bench.ring(owner)
    item = bench.item(signature=bench.signature(stranger, owner))
    tool = bench.tool("openpgp", keys=[owner])
    assert verify(item, tool=tool, store=bench.store, now=NOW).fingerprint == owner


def test_of_two_refused_the_pinned_one_is_explained(bench: Bench, stranger: str) -> None:
    name = bench.keys.make("Taken Back Too")
    signature = bench.signature(stranger, name)
    bench.keys.revoke(name)
    bench.ring(name, stranger)
    item = bench.item(signature=signature)
    assert "revoked key" in str(refusal(item, bench.tool("openpgp", keys=[name]), bench))


def test_a_pin_without_its_key_is_a_setup_error(bench: Bench, owner: str, stranger: str) -> None:
    bench.ring(owner)
    item = bench.item(signature=bench.signature(owner))
    with pytest.raises(SetupError, match=f"pins {stranger}") as caught:
        verify(item, tool=bench.tool("openpgp", keys=[owner, stranger]), store=bench.store, now=NOW)
    assert ".asc" in caught.value.resolution


def test_a_key_that_ends_soon_is_a_finding(bench: Bench) -> None:
    end = NOW + timedelta(days=3650)
    name = bench.keys.make("Ends Soon", expire=f"{end:%Y%m%dT%H%M%S}")
    bench.ring(name)
    item, tool = bench.item(signature=bench.signature(name)), bench.tool("openpgp", keys=[name])

    def at(days: int) -> Sequence[Finding]:
        moment = end - timedelta(days=days)
        return verify(item, tool=tool, store=bench.store, now=moment).findings

    assert at(31) == ()
    assert codes(at(29)) == [("key-expires-soon", "risky")]
    assert "in 29 days" in at(29)[0].message
    assert "expired key" in str(refusal(item, tool, bench, now=end))


def test_a_subkey_that_ends_soon_is_a_finding(bench: Bench) -> None:
    end = NOW + timedelta(days=3650)
    name = bench.keys.make("Subkey Ends")
    subkey = bench.keys.add_subkey(name, expire=f"{end:%Y%m%dT%H%M%S}")
    bench.ring(name)
    item, tool = bench.item(signature=bench.signature(name)), bench.tool("openpgp", keys=[name])
    done = verify(item, tool=tool, store=bench.store, now=end - timedelta(days=5))
    assert codes(done.findings) == [("key-expires-soon", "risky")]
    assert subkey in done.findings[0].message


# checksums


def test_unsigned_sums_are_told(bench: Bench) -> None:
    item = bench.item(checksums=f"{DIGEST}  {NAME}\n".encode())
    done = verify(item, tool=bench.tool("checksums"), store=bench.store, now=NOW)
    assert done.statement == "sha256 as stated by upstream's unsigned checksum file"
    assert (done.fingerprint, codes(done.findings)) == ("", [("checksums-unsigned", "risky")])


@pytest.mark.parametrize("form", ["detached", "clear-signed"])
def test_signed_sums(bench: Bench, owner: str, form: str) -> None:
    bench.ring(owner)
    sums = f"{DIGEST}  {NAME}\n".encode()
    if form == "detached":
        item = bench.item(checksums=sums, checksums_signature=bench.signature(owner, over=sums))
    else:
        item = bench.item(checksums=bench.signature(owner, over=sums, how=["--clear-sign"]))
    tool = bench.tool("checksums", keys=[owner])
    done = verify(item, tool=tool, store=bench.store, now=NOW)
    assert (done.method, done.fingerprint, done.findings) == ("checksums", owner, ())
    assert f"checksum file signed by {owner}" in done.statement


def test_sums_must_be_signed_where_a_key_is_pinned(bench: Bench, owner: str) -> None:
    bench.ring(owner)
    item = bench.item(checksums=f"{DIGEST}  {NAME}\n".encode())
    error = refusal(item, bench.tool("checksums", keys=[owner]), bench)
    assert f"checksum file of {NAME} has a missing signature" in str(error)


@pytest.mark.parametrize("form", ["detached", "clear-signed"])
def test_sums_signed_by_another_key(bench: Bench, owner: str, stranger: str, form: str) -> None:
    bench.ring(owner, stranger)
    sums = f"{DIGEST}  {NAME}\n".encode()
    if form == "detached":
        item = bench.item(checksums=sums, checksums_signature=bench.signature(stranger, over=sums))
    else:
        item = bench.item(checksums=bench.signature(stranger, over=sums, how=["--clear-sign"]))
    assert "another key" in str(refusal(item, bench.tool("checksums", keys=[owner]), bench))


def test_only_signed_text_counts(bench: Bench, owner: str) -> None:
    # Attack: a line for the bad file stands outside the signed part of a genuine list.
    bench.ring(owner)
    good = hashlib.sha256(b"good").hexdigest()
    signed = bench.signature(owner, over=f"{good}  {NAME}\n".encode(), how=["--clear-sign"])
    line = f"{DIGEST}  {NAME}\n".encode()
    tool = bench.tool("checksums", keys=[owner])
    for sums in (line + signed, signed + line, line + signed + line):
        error = refusal(bench.item(checksums=sums), tool, bench)
        assert "does not match its checksum file" in str(error)
    done = verify(
        bench.item(b"good", checksums=line + signed), tool=tool, store=bench.store, now=NOW
    )
    assert done.fingerprint == owner


def test_changed_sums(bench: Bench, owner: str) -> None:
    bench.ring(owner)
    sums = f"{DIGEST}  {NAME}\n".encode()
    item = bench.item(
        checksums=sums + b"# more\n", checksums_signature=bench.signature(owner, over=sums)
    )
    error = refusal(item, bench.tool("checksums", keys=[owner]), bench)
    assert "checksum file" in str(error)
    assert "bad signature" in str(error)


def test_no_checksum_file(bench: Bench) -> None:
    assert "no checksum file" in str(refusal(bench.item(), bench.tool("checksums"), bench))


def test_sums_of_other_files(bench: Bench) -> None:
    item = bench.item(checksums=f"{DIGEST}  foo-1.0.tar.gz\n".encode())
    error = refusal(item, bench.tool("checksums"), bench)
    assert f"does not list {NAME}" in str(error)
    assert "other files" in str(error)


def test_a_redirect_cannot_choose_the_name(bench: Bench) -> None:
    # Attack: foo-1.0 and its genuine sums are served for foo-2.0 by way of a redirect.
    item = bench.item(checksums=f"{DIGEST}  foo-1.0.tar.gz\n".encode())
    item = replace(item, final_url="http://127.0.0.1/foo-1.0.tar.gz")
    assert "does not list" in str(refusal(item, bench.tool("checksums"), bench))


# pins and index


def test_pinned(bench: Bench) -> None:
    tool = bench.tool("pins", pins={"2.0": DIGEST})
    done = verify(bench.item(), tool=tool, store=bench.store, now=NOW)
    assert done.method == "pins"
    assert done.statement == f"sha256 {DIGEST} as pinned for version 2.0"


def test_no_pin_gives_the_line_to_add(bench: Bench) -> None:
    error = refusal(bench.item(), bench.tool("pins", pins={"1.0": DIGEST}), bench)
    assert DIGEST in str(error)
    assert error.resolution.splitlines()[-1] == f'"2.0" = "{DIGEST}"'
    assert str(bench.folder / "foo" / "tool.toml") in error.resolution


def test_not_the_pinned_file(bench: Bench) -> None:
    error = refusal(bench.item(b"other"), bench.tool("pins", pins={"2.0": DIGEST}), bench)
    assert f"wanted {DIGEST}" in str(error)


def test_index(bench: Bench) -> None:
    item = bench.item(sha256=DIGEST.upper())
    done = verify(item, tool=bench.tool("index"), store=bench.store, now=NOW)
    assert (done.method, done.statement) == ("index", "sha256 as stated by the package index")


def test_an_index_that_states_nothing(bench: Bench) -> None:
    error = refusal(bench.item(), bench.tool("index"), bench)
    assert "states no sha256" in str(error)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_stated_digest_binds_every_method(bench: Bench, owner: str, method: str) -> None:
    bench.ring(owner)
    item = bench.item(
        sha256="0" * 64,
        signature=bench.signature(owner),
        checksums=f"{DIGEST}  {NAME}\n".encode(),
    )
    keys = [owner] if method == "openpgp" else []
    tool = bench.tool(method, keys=keys, pins={"2.0": DIGEST})
    error = refusal(item, tool, bench)
    assert f"its sha256 is {DIGEST}, wanted {'0' * 64}" in str(error)


# every method


def test_no_method_declared(bench: Bench) -> None:
    error = refusal(bench.item(), bench.tool(""), bench)
    assert "declares no method" in str(error)
    assert 'method = "openpgp"' in error.resolution
    assert f'"2.0" = "{DIGEST}"' in error.resolution


@pytest.mark.parametrize("method", ["pins", "index"])
def test_a_pinned_key_always_means_verify(bench: Bench, owner: str, method: str) -> None:
    tool = bench.tool(method, keys=[owner], pins={"2.0": DIGEST})
    with pytest.raises(SetupError, match="looks at no signature"):
        verify(bench.item(sha256=DIGEST), tool=tool, store=bench.store, now=NOW)


def test_stored_bytes_are_never_trusted_unread(bench: Bench) -> None:
    item = bench.item()
    bench.store.path(item.archive).write_bytes(b"changed on disk")
    tool = bench.tool("pins", pins={"2.0": DIGEST})
    assert "was changed or lost" in str(refusal(item, tool, bench))
    lost = replace(item, archive=Blob(name=NAME, sha256="1" * 64, size=5))
    assert "was changed or lost" in str(refusal(lost, tool, bench))

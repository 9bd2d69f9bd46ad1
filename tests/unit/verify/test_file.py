"""One file and what lies beside it: the five verdicts of ``toolsync verify`` and ``fetch``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.keys import AFTER, BEFORE, Keys, throwaway_keys
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.verify.file import verify_file, verify_signed

NOW = datetime(2026, 11, 21, tzinfo=UTC)


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with throwaway_keys() as made:
        yield made


@pytest.fixture(scope="module")
def owner(keys: Keys) -> str:
    return keys.make("The Owner")


@pytest.fixture(scope="module")
def stranger(keys: Keys) -> str:
    return keys.make("Some Stranger")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "foo-2.0.tar.gz"
    path.write_bytes(b"the release's bytes\n")
    return path


@pytest.fixture
def ring(keys: Keys, owner: str, tmp_path: Path) -> Path:
    return keys.export(tmp_path / "debian" / "signing-key.asc", owner)


def tool(folder: Path, **verify: object) -> Tool:
    return Tool(
        name="foo",
        folder=folder,
        summary="",
        homepage="",
        watch=Watch(kind="html"),
        verify=Verify(**verify),  # type: ignore[arg-type]
        license=LicensePolicy(),
        compat=CompatPolicy(),
        source="foo",
        series=(),
    )


@pytest.mark.parametrize("suffix", [".asc", ".sig", ".sign", ".gpg"])
def test_good(keys: Keys, owner: str, file: Path, ring: Path, suffix: str) -> None:
    keys.sign(file, file.with_name(file.name + suffix), owner)
    done = verify_file(file, now=NOW, keyring=[ring])
    assert (done.verdict, done.fingerprint) == ("good", owner)
    assert f"signed by {owner} (The Owner) on 2024-01-01" in done.sentence


def test_bad(keys: Keys, owner: str, file: Path, ring: Path) -> None:
    keys.sign(file, file.with_name(f"{file.name}.asc"), owner)
    file.write_bytes(b"other bytes")
    done = verify_file(file, now=NOW, keyring=[ring])
    assert (done.verdict, done.fingerprint) == ("bad", "")
    assert "bad signature" in done.sentence


def test_another_key(keys: Keys, stranger: str, file: Path, ring: Path) -> None:
    signature = keys.sign(file, file.with_name("elsewhere"), stranger)
    done = verify_file(file, now=NOW, keyring=[ring], signature=signature)
    assert (done.verdict, "another key" in done.sentence) == ("bad", True)


def test_missing_signature(file: Path, ring: Path) -> None:
    done = verify_file(file, now=NOW, keyring=[ring])
    assert (done.verdict, "missing signature" in done.sentence) == ("missing-signature", True)


def test_no_keyring(keys: Keys, owner: str, file: Path) -> None:
    keys.sign(file, file.with_name(f"{file.name}.asc"), owner)
    assert verify_file(file, now=NOW).verdict == "no-keyring"


def test_a_keyring_without_a_key_is_none(keys: Keys, owner: str, file: Path) -> None:
    keys.sign(file, file.with_name(f"{file.name}.asc"), owner)
    empty = file.with_name("empty.asc")
    empty.write_text("no key\n")
    assert verify_file(file, now=NOW, keyring=[empty]).verdict == "no-keyring"


def test_unchecked(file: Path) -> None:
    done = verify_file(file, now=NOW)
    assert (done.verdict, "unchecked" in done.sentence) == ("unchecked", True)


def test_signed_before_its_key_expired_is_good_with_a_word(
    keys: Keys, file: Path, tmp_path: Path
) -> None:
    name = keys.make("Short Lived", at=BEFORE, expire="20240301T000000")
    ring = keys.export(tmp_path / "short.asc", name)
    signature = keys.sign(file, tmp_path / "sig", name)
    done = verify_file(file, now=NOW, keyring=[ring], signature=signature)
    assert (done.verdict, "expired since" in done.sentence) == ("good", True)
    pinned = tool(tmp_path / "foo", method="openpgp", keys=(name,))
    keys.export(tmp_path / "foo" / "keys" / "short.asc", name)
    strict = verify_file(file, now=NOW, tool=pinned, signature=signature)
    assert (strict.verdict, "expired key" in strict.sentence) == ("bad", True)


def test_signed_after_its_key_expired_is_bad(keys: Keys, file: Path, tmp_path: Path) -> None:
    name = keys.make("Too Late", at=BEFORE, expire="20240301T000000")
    ring = keys.export(tmp_path / "late.asc", name)
    keys.extend(name, at="20240215T000000")
    signature = keys.sign(file, tmp_path / "sig", name, at=AFTER)
    done = verify_file(file, now=NOW, keyring=[ring], signature=signature)
    assert (done.verdict, "expired key" in done.sentence) == ("bad", True)


def test_an_expired_key_with_a_weak_hash_is_bad(keys: Keys, file: Path, tmp_path: Path) -> None:
    name = keys.make("Old And Weak", at=BEFORE, expire="20240301T000000", kind="rsa2048")
    ring = keys.export(tmp_path / "weak.asc", name)
    signature = keys.sign(file, tmp_path / "sig", name, options=["--digest-algo", "SHA1"])
    assert verify_file(file, now=NOW, keyring=[ring], signature=signature).verdict == "bad"


def test_a_tools_unpinned_key_never_counts(
    keys: Keys, owner: str, stranger: str, file: Path, tmp_path: Path
) -> None:
    keys.export(tmp_path / "foo" / "keys" / "both.asc", owner, stranger)
    signature = keys.sign(file, tmp_path / "sig", stranger)
    pinned = tool(tmp_path / "foo", method="openpgp", keys=(owner,))
    assert verify_file(file, now=NOW, tool=pinned, signature=signature).verdict == "bad"
    none = tool(tmp_path / "foo", method="index")
    assert verify_file(file, now=NOW, tool=none, signature=signature).verdict == "no-keyring"


def test_a_tools_pins(file: Path, tmp_path: Path) -> None:
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    pinned = tool(tmp_path / "foo", method="pins", pins={"2.0": digest})
    done = verify_file(file, now=NOW, tool=pinned)
    assert (done.verdict, "foo 2.0" in done.sentence) == ("good", True)
    file.write_bytes(b"other bytes")
    assert verify_file(file, now=NOW, tool=pinned).verdict == "bad"


def sums_of(file: Path, data: bytes, name: str = "foo-2.0.tar.gz") -> Path:
    path = file.with_name("SHA256SUMS")
    path.write_text(f"{hashlib.sha256(data).hexdigest()}  {name}\n")
    return path


def test_sums_signed_and_not(keys: Keys, owner: str, file: Path, ring: Path) -> None:
    sums = sums_of(file, file.read_bytes())
    proof = keys.sign(sums, file.with_name("SHA256SUMS.asc"), owner)
    done = verify_file(file, now=NOW, keyring=[ring], checksums=sums, checksums_signature=proof)
    assert (done.verdict, done.fingerprint) == ("good", owner)
    unsigned = verify_file(file, now=NOW, keyring=[ring], checksums=sums)
    assert unsigned.verdict == "missing-signature"
    keyless = verify_file(file, now=NOW, checksums=sums)
    assert (keyless.verdict, "nobody is known to have signed" in keyless.sentence) == ("good", True)


def test_sums_of_another_file_and_wrong_sums(file: Path) -> None:
    other = verify_file(file, now=NOW, checksums=sums_of(file, b"x", "foo-1.0.tar.gz"))
    assert (other.verdict, "does not list" in other.sentence) == ("missing-signature", True)
    wrong = verify_file(file, now=NOW, checksums=sums_of(file, b"x"))
    assert (wrong.verdict, "does not match" in wrong.sentence) == ("bad", True)


def test_a_file_that_carries_its_signature(
    keys: Keys, owner: str, stranger: str, file: Path, ring: Path, tmp_path: Path
) -> None:
    into = tmp_path / "into"
    signed = keys.sign(file, tmp_path / "foo.gpg", owner, how=["--sign"])
    done = verify_signed(signed, into=into, keyring=[ring], now=NOW, limit=10**6)
    assert (done.verdict, into.read_bytes()) == ("good", file.read_bytes())
    keys.sign(file, signed, stranger, how=["--sign"])
    done = verify_signed(signed, into=into, keyring=[ring], now=NOW, limit=10**6)
    assert (done.verdict, into.exists()) == ("bad", False)
    assert verify_signed(signed, into=into, keyring=[], now=NOW, limit=9).verdict == "no-keyring"

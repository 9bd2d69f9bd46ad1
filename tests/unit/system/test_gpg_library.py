"""What python-gnupg reads of keys and signatures, beside what our gateway reads: a second opinion.

Where the library tells less than a release needs (ADR 0049), a test shows it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import gnupg
import pytest

from tests.support.keys import AFTER, Keys, throwaway_keys
from toolsync.system.gpg import check_detached, inspect_keys


@pytest.fixture(scope="module")
def keys() -> Iterator[Keys]:
    with throwaway_keys() as made:
        yield made


@pytest.fixture
def data(tmp_path: Path) -> Path:
    path = tmp_path / "foo-2.0.tar.gz"
    path.write_bytes(b"the release's bytes\n" * 50)
    return path


@pytest.fixture
def library(tmp_path: Path) -> gnupg.GPG:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    return gnupg.GPG(gnupghome=str(home), options=["--no-autostart"])


def verified(library: gnupg.GPG, signature: Path, data: Path) -> gnupg.Verify:
    with signature.open("rb") as source:
        return library.verify_file(source, str(data))


def test_keys_are_read_alike(keys: Keys, library: gnupg.GPG, tmp_path: Path) -> None:
    plain = keys.make("Plain Key")
    with_subkey = keys.make("Key With Subkey", expire="2040-01-01")
    keys.add_subkey(with_subkey, expire="2039-01-01")
    revoked = keys.make("Revoked Key")
    keys.revoke(revoked)
    ring = keys.export(tmp_path / "ring.asc", plain, with_subkey, revoked)
    library.import_keys(ring.read_text())
    listed = {key["fingerprint"]: key for key in library.list_keys()}
    ours = inspect_keys([ring])
    assert (
        [key.fingerprint for key in ours] == sorted(listed) == sorted((plain, with_subkey, revoked))
    )
    for key in ours:
        other = listed[key.fingerprint]
        assert tuple(other["uids"]) == key.user_ids
        assert datetime.fromtimestamp(int(other["date"]), UTC) == key.created
        ends = other["expires"]
        assert key.expires == (datetime.fromtimestamp(int(ends), UTC) if ends else None)
        assert (other["trust"] == "r") == key.revoked
        assert tuple(sub[2] for sub in other["subkeys"]) == key.fingerprints[1:]


@pytest.mark.parametrize("change", ["", "other bytes", "expired signature", "stranger"])
def test_one_signature_is_judged_alike(
    keys: Keys, library: gnupg.GPG, data: Path, tmp_path: Path, change: str
) -> None:
    owner, stranger = keys.make(f"Owner {change}"), keys.make(f"Stranger {change}")
    expiring = ("--default-sig-expire", "2024-02-01") if change == "expired signature" else ()
    signer = stranger if change == "stranger" else owner
    signature = keys.sign(data, tmp_path / "sig", signer, options=expiring)
    ring = keys.export(tmp_path / "ring.asc", owner)
    library.import_keys(ring.read_text())
    if change == "other bytes":
        data.write_bytes(data.read_bytes() + b"!")
    theirs = verified(library, signature, data)
    (ours,) = check_detached(signature, data, [ring])
    assert (ours.status == "good") == bool(theirs.valid) == (change == "")
    if not change:
        assert theirs.pubkey_fingerprint == ours.primary == owner
        assert ours.created == datetime.fromtimestamp(int(theirs.sig_timestamp), UTC)


def test_of_two_signatures_the_library_tells_one_verdict(
    keys: Keys, library: gnupg.GPG, data: Path, tmp_path: Path
) -> None:
    owner, stranger = keys.make("First Of Two"), keys.make("Second Of Two", at=AFTER)
    ring = keys.export(tmp_path / "ring.asc", owner)
    library.import_keys(ring.read_text())
    signature = keys.sign(data, tmp_path / "sig", owner, stranger, at=AFTER)
    ours = {one.fingerprint: one.status for one in check_detached(signature, data, [ring])}
    assert ours == {owner: "good", stranger: "unknown-key"}
    theirs = verified(library, signature, data)
    assert (theirs.valid, theirs.fingerprint) == (False, stranger)

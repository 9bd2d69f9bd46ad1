"""Each signature that a stranger might hand in, judged by the real gpgv."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.support.keys import AFTER, BEFORE, Keys, throwaway_keys
from toolsync.model.errors import SetupError
from toolsync.system.gpg import (
    KeyInfo,
    Signature,
    SigningHome,
    check_detached,
    inspect_keys,
    is_clear_signed,
    open_signed,
)
from toolsync.system.gpgstatus import parse_status
from toolsync.system.run import run


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
def data(tmp_path: Path) -> Path:
    path = tmp_path / "foo-2.0.tar.gz"
    path.write_bytes(b"the release's bytes\n" * 50)
    return path


def only(found: tuple[Signature, ...]) -> Signature:
    assert len(found) == 1
    return found[0]


def test_good(keys: Keys, owner: str, data: Path, tmp_path: Path) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    found = only(check_detached(keys.sign(data, tmp_path / "sig", owner), data, [ring]))
    assert (found.status, found.fingerprint, found.primary) == ("good", owner, owner)
    assert found.created == datetime(2024, 1, 1, tzinfo=UTC)
    assert found.hash in ("SHA256", "SHA512")


def test_binary_signature_under_any_name(
    keys: Keys, owner: str, data: Path, tmp_path: Path
) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    signature = keys.sign(data, tmp_path / "foo.asc", owner, how=["--detach-sign"])
    assert only(check_detached(signature, data, [ring])).status == "good"


def test_relative_paths_and_a_leading_dash(
    keys: Keys, owner: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    odd = data.rename(tmp_path / "-foo")
    keys.sign(odd, tmp_path / "sig", owner)
    monkeypatch.chdir(tmp_path)
    assert only(check_detached(Path("sig"), Path("-foo"), [ring])).status == "good"


def test_signing_subkey_tells_its_primary(keys: Keys, data: Path, tmp_path: Path) -> None:
    primary = keys.make("With Subkey")
    subkey = keys.add_subkey(primary)
    ring = keys.export(tmp_path / "sub.asc", primary)
    found = only(check_detached(keys.sign(data, tmp_path / "sig", primary), data, [ring]))
    assert (found.status, found.fingerprint, found.primary) == ("good", subkey, primary)


def test_revoked_primary_spoils_its_subkey(keys: Keys, data: Path, tmp_path: Path) -> None:
    primary = keys.make("Revoked Above")
    keys.add_subkey(primary)
    signature = keys.sign(data, tmp_path / "sig", primary)
    keys.revoke(primary)
    ring = keys.export(tmp_path / "sub.asc", primary)
    assert only(check_detached(signature, data, [ring])).status == "revoked-key"


def test_changed_bytes_are_bad(keys: Keys, owner: str, data: Path, tmp_path: Path) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    signature = keys.sign(data, tmp_path / "sig", owner)
    data.write_bytes(data.read_bytes() + b"!")
    found = only(check_detached(signature, data, [ring]))
    assert (found.status, found.primary) == ("bad", owner)


def test_unknown_key(keys: Keys, owner: str, stranger: str, data: Path, tmp_path: Path) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    found = only(check_detached(keys.sign(data, tmp_path / "sig", stranger), data, [ring]))
    assert (found.status, found.fingerprint) == ("unknown-key", stranger)


def test_empty_keyring_knows_nobody(keys: Keys, owner: str, data: Path, tmp_path: Path) -> None:
    signature = keys.sign(data, tmp_path / "sig", owner)
    assert only(check_detached(signature, data, [])).status == "unknown-key"


def test_expired_signature(keys: Keys, owner: str, data: Path, tmp_path: Path) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    brief = ["--default-sig-expire", "1d"]
    signature = keys.sign(data, tmp_path / "sig", owner, options=brief)
    found = only(check_detached(signature, data, [ring]))
    assert found.status == "expired-signature"
    assert found.expires == datetime(2024, 1, 2, tzinfo=UTC)


def test_expired_key_is_told_though_gpg_is_content(keys: Keys, data: Path, tmp_path: Path) -> None:
    short = keys.make("Short Lived", at=BEFORE, expire="20240301T000000")
    signature = keys.sign(data, tmp_path / "sig", short)
    ring = keys.export(tmp_path / "short.asc", short)
    assert " EXPKEYSIG " in keys.gpg("--verify", str(signature), str(data))  # exit status 0
    assert only(check_detached(signature, data, [ring])).status == "expired-key"


def test_redated_key_counts_again_even_beside_its_old_block(
    keys: Keys, data: Path, tmp_path: Path
) -> None:
    name = keys.make("Re Dated", at=BEFORE, expire="20240301T000000")
    old = keys.export(tmp_path / "a-old.asc", name)
    keys.extend(name, at="20240215T000000")
    new = keys.export(tmp_path / "b-new.asc", name)
    signature = keys.sign(data, tmp_path / "sig", name, at=AFTER)
    assert only(check_detached(signature, data, [old])).status == "expired-key"
    assert only(check_detached(signature, data, [new])).status == "good"
    assert only(check_detached(signature, data, [old, new])).status == "good"


def test_revoked_key_counts_nowhere_even_beside_its_old_block(
    keys: Keys, data: Path, tmp_path: Path
) -> None:
    name = keys.make("Taken Back")
    signature = keys.sign(data, tmp_path / "sig", name)
    old = keys.export(tmp_path / "a-old.asc", name)
    keys.revoke(name)
    new = keys.export(tmp_path / "b-new.asc", name)
    assert only(check_detached(signature, data, [old])).status == "good"
    assert only(check_detached(signature, data, [new])).status == "revoked-key"
    assert only(check_detached(signature, data, [old, new])).status == "revoked-key"


@pytest.mark.parametrize("digest", ["SHA1", "RIPEMD160", "MD5"])
def test_weak_hashes_are_not_good(keys: Keys, data: Path, tmp_path: Path, digest: str) -> None:
    name = keys.make(f"Old Habits {digest}", kind="rsa2048")
    ring = keys.export(tmp_path / "rsa.asc", name)
    weak = ["--allow-weak-digest-algos", "--digest-algo", digest]
    signature = keys.sign(data, tmp_path / "sig", name, options=weak)
    found = only(check_detached(signature, data, [ring]))
    assert (found.status, found.hash, found.weak) == ("error", digest, True)


@pytest.mark.parametrize("joined", ["one block", "two blocks"])
def test_several_signatures(
    keys: Keys, owner: str, stranger: str, data: Path, tmp_path: Path, joined: str
) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    signature = tmp_path / "sig"
    if joined == "one block":
        keys.sign(data, signature, stranger, owner)
    else:
        first = keys.sign(data, tmp_path / "one", stranger).read_bytes()
        signature.write_bytes(first + keys.sign(data, tmp_path / "two", owner).read_bytes())
    found = check_detached(signature, data, [ring])
    assert [(one.status, one.fingerprint) for one in found] == [
        ("unknown-key", stranger),
        ("good", owner),
    ]


def test_one_broken_block_spoils_no_other(
    keys: Keys, owner: str, stranger: str, data: Path, tmp_path: Path
) -> None:
    ring = keys.export(tmp_path / "ring.asc", owner)
    whole = ring.read_text()
    lines = keys.export(tmp_path / "other.asc", stranger).read_text().splitlines()
    lines[3] = "A" * 30 + "!" * 34
    cut = "\n".join(lines[:5]) + "\n"
    ring.write_text("\n".join(lines) + "\n" + cut + whole + cut)
    signature = keys.sign(data, tmp_path / "sig", owner)
    assert only(check_detached(signature, data, [ring])).status == "good"
    assert [key.fingerprint for key in inspect_keys([ring])] == [owner]


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "empty"),
        (b"<!DOCTYPE html>\n<html><body>Not found</body></html>", "HTML"),
        (b"\n <?xml version='1.0'?><Error><Code>AccessDenied</Code></Error>", "XML"),
        (b"no such file\n", "no OpenPGP signature"),
        (bytes(range(256)) * 4, "no OpenPGP signature"),
        (b"x" * 300_000, "too large"),
    ],
)
def test_what_is_no_signature_is_named(data: Path, content: bytes, word: str) -> None:
    signature = data.with_name("sig")
    signature.write_bytes(content)
    found = only(check_detached(signature, data, []))
    assert found.status == "error"
    assert word in found.note


def test_truncated(keys: Keys, owner: str, data: Path, tmp_path: Path) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    signature = keys.sign(data, tmp_path / "sig", owner)
    signature.write_bytes(signature.read_bytes()[:-60])
    found = only(check_detached(signature, data, [ring]))
    assert (found.status, "cut off" in found.note) == ("error", True)
    keys.sign(data, signature, owner, how=["--detach-sign"])
    signature.write_bytes(signature.read_bytes()[:-20])
    assert only(check_detached(signature, data, [ring])).status == "error"


def test_text_around_an_armored_signature_is_ignored(
    keys: Keys, owner: str, data: Path, tmp_path: Path
) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    signature = keys.sign(data, tmp_path / "sig", owner)
    signature.write_bytes(b"Signature:\n\n" + signature.read_bytes() + b"\nthank you\n")
    assert only(check_detached(signature, data, [ring])).status == "good"


def test_what_gpg_calls_an_armored_file_is_read_as_what_it_is(
    keys: Keys, owner: str, data: Path, tmp_path: Path
) -> None:
    # As in the debian/upstream of some packages: uscan runs gpg --dearmor over it.
    plain = tmp_path / "plain"
    keys.gpg("--output", str(plain), "--export", owner)
    signature = keys.sign(data, tmp_path / "sig", owner, how=["--detach-sign"])
    for path in (plain, signature):
        keys.gpg("--output", f"{path}.asc", "--enarmor", str(path))
    ring = Path(f"{plain}.asc")
    assert b"PGP ARMORED FILE" in ring.read_bytes()
    assert only(check_detached(Path(f"{signature}.asc"), data, [ring])).status == "good"


@pytest.mark.parametrize("how", [["--sign"], ["--armor", "--sign"], ["--clear-sign"]])
def test_a_signed_message_proves_nothing_about_another_file(
    keys: Keys, owner: str, data: Path, tmp_path: Path, how: list[str]
) -> None:
    # Attack: an old signed message is served as the "detached signature" of a new file.
    ring = keys.export(tmp_path / "owner.asc", owner)
    message = tmp_path / "message"
    message.write_text("something else that the owner once signed\n")
    signature = keys.sign(message, tmp_path / "sig", owner, how=how)
    assert {one.status for one in check_detached(signature, data, [ring])} <= {"bad", "error"}


def test_clear_signed_text_only(keys: Keys, owner: str, tmp_path: Path) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    message = tmp_path / "message"
    message.write_text("- inside\n")
    signed = keys.sign(message, tmp_path / "signed", owner, how=["--clear-sign"])
    signed.write_bytes(b"outside before\n" + signed.read_bytes() + b"outside after\n")
    assert is_clear_signed(signed)
    found = only(open_signed(signed, [ring], tmp_path / "text"))
    assert (found.status, found.primary) == ("good", owner)
    assert (tmp_path / "text").read_text() == "- inside\n"


def test_two_clear_signed_texts_in_one_file(keys: Keys, owner: str, tmp_path: Path) -> None:
    # Attack: a genuine message lends its good signature to a forged one beside it.
    ring = keys.export(tmp_path / "owner.asc", owner)
    message = tmp_path / "message"
    message.write_text("genuine\n")
    genuine = keys.sign(message, tmp_path / "one", owner, how=["--clear-sign"]).read_text()
    both = tmp_path / "both"
    for text in (
        genuine + genuine.replace("genuine", "forged"),
        genuine.replace("genuine", "forged") + genuine,
    ):
        both.write_text(text)
        (tmp_path / "text").unlink(missing_ok=True)
        found = open_signed(both, [ring], tmp_path / "text")
        good = all(one.status == "good" for one in found)
        assert not good or (tmp_path / "text").read_text() == "genuine\n"


def test_compressed_text_is_bounded(keys: Keys, owner: str, tmp_path: Path) -> None:
    ring = keys.export(tmp_path / "owner.asc", owner)
    message = tmp_path / "message"
    message.write_bytes(bytes(3_000_000))
    signed = keys.sign(message, tmp_path / "signed", owner, how=["--sign"])
    assert signed.stat().st_size < 100_000
    found = only(open_signed(signed, [ring], tmp_path / "text", limit=1_000_000))
    assert (found.status, (tmp_path / "text").exists()) == ("error", False)
    assert only(open_signed(signed, [ring], tmp_path / "text", limit=4_000_000)).status == "good"


FULL = "A" * 40


@pytest.mark.parametrize(
    "lines",
    [
        f"NEWSIG\nGOODSIG {FULL[:16]} x",
        f"NEWSIG\nGOODSIG {'B' * 16} x\nVALIDSIG {FULL} 2024-01-01 1704067200 0 4 0 1 8 00 {FULL}",
        f"NEWSIG\nGOODSIG {FULL[:16]} x\nGOODSIG {FULL[:16]} x\n"
        f"VALIDSIG {FULL} 2024-01-01 1704067200 0 4 0 1 8 00 {FULL}",
        f"NEWSIG\nGOODSIG {FULL[:16]} x\nVALIDSIG {FULL} 2024-01-01 1704067200 0 4 0 1 8 00",
        f"NEWSIG\nGOODSIG {FULL[:16]} x\nVALIDSIG {FULL} 2024-01-01 1704067200 0 4 0 1 8 10 {FULL}",
        f"NEWSIG\nGOODSIG {FULL[:16]} x\nVALIDSIG {FULL} 2024-01-01 170 0 4 0 1 99 00 {FULL}",
        f"NEWSIG\nPLAINTEXT 62 0 \nGOODSIG {FULL[:16]} x\n"
        f"VALIDSIG {FULL} 2024-01-01 1704067200 0 4 0 1 8 00 {FULL}",
        "NEWSIG",
        "NODATA 4",
        "",
    ],
)
def test_incomplete_status_is_an_error(lines: str) -> None:
    text = "".join(f"[GNUPG:] {line}\n" for line in lines.splitlines())
    assert only(parse_status(text, inline=False)).status == "error"


def test_an_inline_signature_stands_over_one_text() -> None:
    valid = f"GOODSIG {FULL[:16]} x\n[GNUPG:] VALIDSIG {FULL} 2024-01-01 17 0 4 0 1 8 00 {FULL}\n"
    one = f"[GNUPG:] PLAINTEXT 74 0 \n[GNUPG:] NEWSIG\n[GNUPG:] {valid}"
    assert only(parse_status(one, inline=True)).status == "good"
    two = "[GNUPG:] PLAINTEXT 74 0 \n" + one
    assert "more than one text" in only(parse_status(two, inline=True)).note


def test_what_gpgv_says_elsewhere_is_not_believed() -> None:
    text = f"gpgv: Good signature\nGOODSIG {FULL[:16]} x\n [GNUPG:] GOODSIG {FULL[:16]} x\n"
    assert only(parse_status(text, inline=False)).status == "error"


def test_inspect_keys(keys: Keys, tmp_path: Path) -> None:
    name = keys.make("Short: Lived", at=BEFORE, expire="20240301T000000")
    subkey = keys.add_subkey(name, at=BEFORE, expire="20240201T000000")
    gone = keys.make("Gone")
    keys.revoke(gone)
    found = {
        key.fingerprint: key for key in inspect_keys([keys.export(tmp_path / "k", name, gone)])
    }
    assert found[gone].revoked
    assert not found[name].revoked
    assert found[name].user_ids == ("Short: Lived <short:-lived@keys.invalid>",)
    assert found[name].created == datetime(2024, 1, 1, tzinfo=UTC)
    assert found[name].expires == datetime(2024, 3, 1, tzinfo=UTC)
    assert found[name].fingerprints == (name, subkey)
    assert found[name].end_of(subkey) == datetime(2024, 2, 1, tzinfo=UTC)


def test_no_keys_in_garbage(tmp_path: Path) -> None:
    (tmp_path / "a.asc").write_text("<html>not found</html>")
    (tmp_path / "b.asc").write_bytes(b"")
    assert inspect_keys([tmp_path / "a.asc", tmp_path / "b.asc"]) == ()
    assert inspect_keys([]) == ()


def agents(path: Path) -> list[str]:
    """Return the command lines of living processes whose words or environment name ``path``."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                words = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if b"gpg-agent" in words and os.fsencode(path) in words:
                found.append(words.decode())
    return found


def test_signing_key_is_made_once(tmp_path: Path) -> None:
    home = SigningHome(tmp_path / "gnupg")
    first = home.ensure_key("toolsync archive <toolsync@localhost>")
    assert home.ensure_key("another name") == first
    assert (tmp_path / "gnupg").stat().st_mode & 0o777 == 0o700
    assert [path.name for path in tmp_path.iterdir()] == ["gnupg"]
    key = only_key(home, tmp_path)
    assert (key.fingerprint, key.expires) == (first, None)
    assert key.user_ids == ("toolsync archive <toolsync@localhost>",)


def only_key(home: SigningHome, folder: Path) -> KeyInfo:
    public = folder / "public.asc"
    fingerprint = home.ensure_key("unused")
    public.write_text(home.public_key(fingerprint))
    (key,) = inspect_keys([public])
    return key


def test_signing_in_a_deep_home_leaves_no_agent(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 60) / ("e" * 60) / "gnupg"  # a socket's name has 108 bytes at most
    home = SigningHome(deep)
    fingerprint = home.ensure_key("toolsync archive")
    (tmp_path / "data").write_text("to be signed\n")
    with home.opened() as environment:
        subprocess.run(
            ["gpg", "--batch", "-u", fingerprint, "-o", tmp_path / "sig", "-b", tmp_path / "data"],
            env={**os.environ, **environment},
            check=True,
            capture_output=True,
        )
        assert agents(Path(environment["GNUPGHOME"]))
    assert not Path(environment["GNUPGHOME"]).exists()
    assert not agents(Path(environment["GNUPGHOME"]))
    (tmp_path / "public.asc").write_text(home.public_key(fingerprint))
    found = check_detached(tmp_path / "sig", tmp_path / "data", [tmp_path / "public.asc"])
    assert only(found).primary == fingerprint
    assert not list(deep.glob("S.*"))


def test_public_key_of_a_stranger(tmp_path: Path) -> None:
    home = SigningHome(tmp_path / "gnupg")
    home.ensure_key("toolsync archive")
    with pytest.raises(SetupError, match="there is no key"):
        home.public_key("0" * 40)


def test_a_home_with_other_things_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "gnupg").mkdir()
    (tmp_path / "gnupg" / "letter").write_text("dear")
    with pytest.raises(SetupError, match="no key that can sign, but other files"):
        SigningHome(tmp_path / "gnupg").ensure_key("toolsync archive")
    assert (tmp_path / "gnupg" / "letter").read_text() == "dear"


def test_an_expired_signing_key_is_told(tmp_path: Path) -> None:
    home = tmp_path / "gnupg"
    home.mkdir(mode=0o700)
    with throwaway_keys() as made:
        name = made.make("Old", at=BEFORE, expire="20240301T000000")
        subprocess.run(["cp", "-a", f"{made.home}/.", home], check=True)
    with pytest.raises(SetupError, match=f"expired or revoked is {name}"):
        SigningHome(home).ensure_key("toolsync archive")


@pytest.mark.parametrize("name", ["", " ", "two\nlines"])
def test_a_key_needs_a_name(tmp_path: Path, name: str) -> None:
    with pytest.raises(SetupError, match="cannot name a key"):
        SigningHome(tmp_path / "gnupg").ensure_key(name)


def test_killed_while_the_key_is_made(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from toolsync.system.gpg import SigningHome;"
        "SigningHome(Path(sys.argv[1])).ensure_key('toolsync archive')"
    )
    home = tmp_path / "gnupg"
    seen: set[str] = set()
    for delay in (0.05, 0.12, 0.16, 0.2, 0.24, 0.28, 0.32, 0.4):
        process = subprocess.Popen([sys.executable, "-c", code, str(home)], start_new_session=True)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if home.exists():
            seen.add(SigningHome(home).ensure_key("toolsync archive"))
    seen.add(SigningHome(home).ensure_key("toolsync archive"))
    assert len(seen) == 1
    assert len(list((home / "private-keys-v1.d").iterdir())) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["gnupg"]


def test_short_names_of_killed_runs_are_swept(tmp_path: Path) -> None:
    signing = SigningHome(tmp_path / "gnupg")
    signing.ensure_key("toolsync archive")
    with signing.opened() as env:
        left = Path(env["GNUPGHOME"]).parent
        name = left.name.rpartition("-")[0]
    again = Path(tempfile.mkdtemp(prefix=f"{name}-", dir="/tmp"))
    (again / "h").symlink_to(tmp_path / "gone")
    other = Path(tempfile.mkdtemp(prefix="toolsync-home-another-", dir="/tmp"))
    signing.sweep()
    assert not left.exists()
    assert not again.exists()
    other.rmdir()  # another state's name was left alone


def test_two_at_once_make_one_key(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from toolsync.system.gpg import SigningHome;"
        "print(SigningHome(Path(sys.argv[1])).ensure_key('toolsync archive'))"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "gnupg")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    names = {process.communicate(timeout=60)[0].strip() for process in both}
    assert len(names) == 1
    assert len(names.pop()) == 40


@pytest.mark.parametrize("name", ["gnupg_spawn_agent_sentinel.lock", "pubring.kbx.lock"])
def test_a_lock_that_a_killed_gpg_has_left_holds_up_nobody(tmp_path: Path, name: str) -> None:
    """The number in it is that of a living process, as it mostly is in a namespace."""
    home = SigningHome(tmp_path / "gnupg")
    key = home.ensure_key("Archive <archive@vendors.test>")
    lock = home.path / name
    lock.write_text(f"{1:10d}\n{socket.gethostname()}\n")
    (home.path / f".#lk0x00005500.{socket.gethostname()}.2").touch()
    ten_seconds_ago = time.time() - 10
    for path in (lock, *home.path.glob(".#lk*")):
        os.utime(path, (ten_seconds_ago, ten_seconds_ago))
    (tmp_path / "text").write_text("signed\n")
    words = ("gpg", "--batch", "--local-user", key, "--clearsign", tmp_path / "text")
    with home.opened() as env:
        run(*words, env=env, timeout=20)
    assert "SIGNATURE" in (tmp_path / "text.asc").read_text()
    assert not list(home.path.glob(".#lk*"))
    assert not lock.exists()

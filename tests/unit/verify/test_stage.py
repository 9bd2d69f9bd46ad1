"""Each way in which a release is proved or refused, with real keys and the real gpgv."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.keys import AFTER, BEFORE, Keys, throwaway_keys
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.config.settings import Limits
from toolsync.model.errors import Damaged, SetupError, Unverified
from toolsync.model.release import Blob, Fetched, Finding, Release, Verified
from toolsync.system.store import Store
from toolsync.verify.methods import METHODS
from toolsync.verify.stage import verify as verify_release

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ARCHIVE = b"the release's bytes\n" * 50
DIGEST = hashlib.sha256(ARCHIVE).hexdigest()
NAME = "foo-2.0.tar.gz"


def verify(item: Fetched, *, tool: Tool, store: Store, now: datetime) -> Verified:
    return verify_release(item, tool=tool, store=store, now=now, limits=Limits())


@dataclass
class Context:
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
def context(tmp_path: Path, keys: Keys) -> Context:
    return Context(tmp_path, Store(tmp_path / "store"), keys)


def refusal(item: Fetched, tool: Tool, context: Context, now: datetime = NOW) -> Unverified:
    with pytest.raises(Unverified) as caught:
        verify(item, tool=tool, store=context.store, now=now)
    assert caught.value.resolution
    assert caught.value.exit_status == 3
    return caught.value


def codes(findings: Sequence[Finding]) -> list[tuple[str, str]]:
    return [(finding.code, finding.severity) for finding in findings]


# openpgp


def test_signed_by_the_pinned_key(context: Context, owner: str) -> None:
    context.ring(owner)
    item = context.item(signature=context.signature(owner))
    done = verify(
        item,
        tool=context.tool("openpgp", keys=[owner]),
        store=context.store,
        now=NOW,
    )
    assert (done.fetched, done.method, done.fingerprint) == (item, "openpgp", owner)
    assert done.statement == f"signed by {owner} (Foo Release Team) on 2024-01-01"
    assert done.signed_at == "2024-01-01T00:00:00Z"
    assert done.findings == ()


@pytest.mark.parametrize("pin", ["primary", "subkey"])
def test_a_pin_names_the_primary_key_or_the_subkey(context: Context, pin: str) -> None:
    primary = context.keys.make(f"Pinned By {pin}")
    subkey = context.keys.add_subkey(primary)
    context.ring(primary)
    item = context.item(signature=context.signature(primary))
    tool = context.tool("openpgp", keys=[primary if pin == "primary" else subkey])
    assert verify(item, tool=tool, store=context.store, now=NOW).fingerprint == primary


def test_a_pinned_subkey_does_not_let_its_primary_sign(context: Context) -> None:
    primary = context.keys.make("Primary Signs")
    item_signature = context.signature(primary)
    subkey = context.keys.add_subkey(primary)
    context.ring(primary)
    error = refusal(
        context.item(signature=item_signature), context.tool("openpgp", keys=[subkey]), context
    )
    assert "another key" in str(error)


def test_missing_signature(context: Context, owner: str) -> None:
    context.ring(owner)
    error = refusal(context.item(), context.tool("openpgp", keys=[owner]), context)
    assert "missing signature" in str(error)
    assert owner in str(error)


def test_bad_signature(context: Context, owner: str) -> None:
    context.ring(owner)
    item = context.item(ARCHIVE + b"!", signature=context.signature(owner))
    error = refusal(item, context.tool("openpgp", keys=[owner]), context)
    assert "bad signature" in str(error)
    assert "Foo Release Team" in str(error)


def test_signature_over_another_file(context: Context, owner: str) -> None:
    context.ring(owner)
    item = context.item(signature=context.signature(owner, over=b"foo-1.0"))
    error = refusal(item, context.tool("openpgp", keys=[owner]), context)
    assert "over another file" in str(error)


def test_signed_by_an_unknown_key(context: Context, owner: str, stranger: str) -> None:
    context.ring(owner)
    item = context.item(signature=context.signature(stranger))
    error = refusal(item, context.tool("openpgp", keys=[owner]), context)
    assert f"another key: {stranger}, not by {owner}" in str(error)


def test_a_key_that_lies_there_unpinned_never_counts(
    context: Context, owner: str, stranger: str
) -> None:
    context.ring(owner, stranger)
    item = context.item(signature=context.signature(stranger))
    error = refusal(item, context.tool("openpgp", keys=[owner]), context)
    assert f"another key: {stranger} (Some Stranger), not by {owner}" in str(error)


def test_an_expired_key_of_a_stranger_is_a_strangers(context: Context, owner: str) -> None:
    other = context.keys.make("Late Stranger", at=BEFORE, expire="20240301T000000")
    context.ring(owner, other)
    item = context.item(signature=context.signature(other))
    assert "another key" in str(refusal(item, context.tool("openpgp", keys=[owner]), context))


def test_expired_signature(context: Context, owner: str) -> None:
    context.ring(owner)
    signature = context.signature(owner, options=["--default-sig-expire", "1d"])
    error = refusal(
        context.item(signature=signature), context.tool("openpgp", keys=[owner]), context
    )
    assert "expired signature" in str(error)
    assert "2024-01-02" in str(error)


def test_expired_key_that_gpg_lets_pass(context: Context) -> None:
    short = context.keys.make("Short Lived", at=BEFORE, expire="20240301T000000")
    context.ring(short)
    item = context.item(signature=context.signature(short))
    archive, signature = context.store.path(item.archive), context.store.path(item.extras[0])
    context.keys.gpg("--verify", str(signature), str(archive))  # asserts exit status 0
    error = refusal(item, context.tool("openpgp", keys=[short]), context)
    assert "expired key" in str(error)
    assert "2024-03-01" in str(error)
    assert "extended" in error.resolution
    assert str(context.folder / "foo" / "keys") in error.resolution


def test_redated_key_works_once_it_is_refreshed(context: Context) -> None:
    name = context.keys.make("Re Dated", at=BEFORE, expire="20240301T000000")
    context.ring(name)
    context.keys.extend(name, at="20240215T000000")
    item = context.item(signature=context.signature(name, at=AFTER))
    tool = context.tool("openpgp", keys=[name])
    assert "expired key" in str(refusal(item, tool, context))
    context.ring(name)
    assert verify(item, tool=tool, store=context.store, now=NOW).fingerprint == name


def test_revoked_key(context: Context) -> None:
    name = context.keys.make("Taken Back")
    signature = context.signature(name)
    context.keys.revoke(name)
    context.ring(name)
    error = refusal(
        context.item(signature=signature), context.tool("openpgp", keys=[name]), context
    )
    assert "revoked key" in str(error)


def test_a_revoked_subkey_is_not_called_the_primary(context: Context) -> None:
    name = context.keys.make("Still Fine")
    subkey = context.keys.add_subkey(name)
    signature = context.signature(name)
    context.keys.revoke_subkey(name)
    context.ring(name)
    item, tool = context.item(signature=signature), context.tool("openpgp", keys=[name])
    said = str(refusal(item, tool, context))
    assert (
        f"signed by a revoked subkey: its owner has declared {subkey}, a subkey of {name}" in said
    )


def test_an_expired_subkey_is_not_called_the_primary(context: Context) -> None:
    name = context.keys.make("Good For Ever")
    subkey = context.keys.add_subkey(name, expire="20250101T000000")
    signature = context.signature(name)
    context.ring(name)
    item, tool = context.item(signature=signature), context.tool("openpgp", keys=[name])
    said = str(refusal(item, tool, context))
    assert f"an expired subkey: {subkey}, a subkey of {name}" in said
    assert "ended on 2025-01-01" in said


def test_a_signature_from_the_future_is_a_finding(context: Context, owner: str) -> None:
    context.ring(owner)
    item = context.item(signature=context.signature(owner, at="20400101T000000"))
    tool = context.tool("openpgp", keys=[owner])
    done = verify(item, tool=tool, store=context.store, now=NOW)
    assert codes(done.findings) == [("signed-in-future", "risky")]
    assert "2040-01-01" in done.findings[0].message


def test_weak_hash(context: Context) -> None:
    name = context.keys.make("Old Habits", kind="rsa2048")
    context.ring(name)
    signature = context.signature(name, options=["--digest-algo", "SHA1"])
    error = refusal(
        context.item(signature=signature), context.tool("openpgp", keys=[name]), context
    )
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
def test_what_is_no_signature(context: Context, owner: str, content: bytes, word: str) -> None:
    context.ring(owner)
    error = refusal(context.item(signature=content), context.tool("openpgp", keys=[owner]), context)
    assert word in str(error)


def test_one_known_signer_among_two_is_enough(context: Context, owner: str, stranger: str) -> None:
    context.ring(owner)
    item = context.item(signature=context.signature(stranger, owner))
    tool = context.tool("openpgp", keys=[owner])
    assert verify(item, tool=tool, store=context.store, now=NOW).fingerprint == owner


@pytest.mark.parametrize("how", ["armored", "binary", "one armor"])
@pytest.mark.parametrize("first", ["good", "other"])
@pytest.mark.parametrize("beside", ["over other bytes", "of a text", "of version 6", "unknown"])
def test_one_good_signature_counts_beside_any_other(
    context: Context, owner: str, stranger: str, how: str, first: str, beside: str
) -> None:
    context.ring(owner)
    binary = ["--detach-sign"]
    good = context.signature(owner, how=binary)
    other = {
        "over other bytes": lambda: context.signature(owner, over=b"x", how=binary),
        "of a text": lambda: context.signature(owner, how=["--textmode", *binary]),
        "of version 6": lambda: good[:2] + b"\x06" + good[3:],
        "unknown": lambda: context.signature(stranger, how=binary),
    }[beside]()
    pair = (good, other) if first == "good" else (other, good)
    if how == "binary":
        given = b"".join(pair)
    else:
        given = b"".join(armor(part) for part in (pair if how == "armored" else [b"".join(pair)]))
    tool = context.tool("openpgp", keys=[owner])
    item = context.item(signature=given)
    assert verify(item, tool=tool, store=context.store, now=NOW).fingerprint == owner


def armor(data: bytes) -> bytes:
    text = base64.encodebytes(data)
    return b"-----BEGIN PGP SIGNATURE-----\n\n" + text + b"-----END PGP SIGNATURE-----\n"


def test_a_signature_that_gpgv_cannot_read_is_told(context: Context, owner: str) -> None:
    context.ring(owner)
    good = context.signature(owner, how=["--detach-sign"])
    item = context.item(signature=armor(good[:2] + b"\x06" + good[3:]))
    said = str(refusal(item, context.tool("openpgp", keys=[owner]), context))
    assert "is a signature of OpenPGP version 6 (RFC 9580), which gpgv cannot read" in said


def indented(text: str) -> bytes:
    return "".join(f"\t  {line}\n" for line in text.splitlines()).encode()


FORMS: Mapping[str, Callable[[str], bytes]] = {
    "UTF-8 with a mark": lambda text: text.encode("utf-8-sig"),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, CRLF": lambda text: text.replace("\n", "\r\n").encode("utf-16"),
    "big-endian UTF-16": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "indented": indented,
    "CR alone": lambda text: text.replace("\n", "\r").encode(),
}


@pytest.mark.parametrize("form", FORMS)
def test_armor_in_odd_forms_is_read(context: Context, owner: str, form: str) -> None:
    context.ring(owner)
    ring = context.folder / "foo" / "keys" / "upstream.asc"
    ring.write_bytes(FORMS[form](ring.read_text()))
    signature = FORMS[form](context.signature(owner).decode())
    tool = context.tool("openpgp", keys=[owner])
    done = verify(context.item(signature=signature), tool=tool, store=context.store, now=NOW)
    assert done.fingerprint == owner


def key_packet(version: int, algorithm: int, rest: bytes = bytes(32)) -> bytes:
    body = bytes([version, 0x63, 0x87, 0x7F, 0xE3, algorithm]) + rest
    return bytes([0xC6, len(body)]) + body


def key_armor(data: bytes) -> bytes:
    return armor(data).replace(b"SIGNATURE", b"PUBLIC KEY BLOCK")


HELD = {
    "version 6": (key_packet(6, 27), "a key of OpenPGP version 6 (RFC 9580) of the algorithm Ed25"),
    "Ed448": (key_packet(4, 28), "a key of the algorithm Ed448"),
    "Ed448 of GnuPG": (
        key_packet(5, 22, b"\0\0\0\x3f\x03\x2b\x65\x71" + bytes(57)),
        "a key of OpenPGP version 5 of the algorithm Ed448",
    ),
    "a page": (b"<html>not here</html>", "is an HTML or XML page and no key"),
    "an SSH key": (b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA x\n", "holds an SSH key"),
    "nothing": (b"", "is an empty file"),
    "words": (b"see our wiki\n", "holds no OpenPGP key"),
    "cut off": (b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n", "is cut off"),
    "a bare key": (key_packet(4, 22), "no user id"),
}


@pytest.mark.parametrize("case", HELD)
def test_a_key_file_that_gives_no_key_is_told(context: Context, owner: str, case: str) -> None:
    data, words = HELD[case]
    file = context.folder / "foo" / "keys" / "upstream.asc"
    file.parent.mkdir(parents=True)
    file.write_bytes(key_armor(data) if data[:1] == b"\xc6" else data)
    item = context.item(signature=context.signature(owner))
    with pytest.raises(SetupError) as caught:
        verify(item, tool=context.tool("openpgp", keys=[owner]), store=context.store, now=NOW)
    assert words in str(caught.value)
    assert str(file) in str(caught.value)


def test_of_two_refused_the_pinned_one_is_explained(context: Context, stranger: str) -> None:
    name = context.keys.make("Taken Back Too")
    signature = context.signature(stranger, name)
    context.keys.revoke(name)
    context.ring(name, stranger)
    item = context.item(signature=signature)
    assert "revoked key" in str(refusal(item, context.tool("openpgp", keys=[name]), context))


def test_a_pin_without_its_key_is_a_setup_error(
    context: Context, owner: str, stranger: str
) -> None:
    context.ring(owner)
    item = context.item(signature=context.signature(owner))
    with pytest.raises(SetupError, match=f"pins {stranger}") as caught:
        verify(
            item,
            tool=context.tool("openpgp", keys=[owner, stranger]),
            store=context.store,
            now=NOW,
        )
    assert ".asc" in caught.value.resolution


def test_a_key_that_ends_soon_is_a_finding(context: Context) -> None:
    end = NOW + timedelta(days=3650)
    name = context.keys.make("Ends Soon", expire=f"{end:%Y%m%dT%H%M%S}")
    context.ring(name)
    item, tool = (
        context.item(signature=context.signature(name)),
        context.tool("openpgp", keys=[name]),
    )

    def at(days: int) -> Sequence[Finding]:
        moment = end - timedelta(days=days)
        return verify(item, tool=tool, store=context.store, now=moment).findings

    assert at(31) == ()
    assert codes(at(29)) == [("key-expires-soon", "risky")]
    assert "in 29 days" in at(29)[0].message
    assert "expired key" in str(refusal(item, tool, context, now=end))


def test_a_subkey_that_ends_soon_is_a_finding(context: Context) -> None:
    end = NOW + timedelta(days=3650)
    name = context.keys.make("Subkey Ends")
    subkey = context.keys.add_subkey(name, expire=f"{end:%Y%m%dT%H%M%S}")
    context.ring(name)
    item, tool = (
        context.item(signature=context.signature(name)),
        context.tool("openpgp", keys=[name]),
    )
    done = verify(item, tool=tool, store=context.store, now=end - timedelta(days=5))
    assert codes(done.findings) == [("key-expires-soon", "risky")]
    assert subkey in done.findings[0].message


# checksums


def test_unsigned_sums_are_told(context: Context) -> None:
    item = context.item(checksums=f"{DIGEST}  {NAME}\n".encode())
    done = verify(item, tool=context.tool("checksums"), store=context.store, now=NOW)
    assert done.statement == "sha256 as stated by upstream's unsigned checksum file"
    assert (done.fingerprint, codes(done.findings)) == ("", [("checksums-unsigned", "risky")])
    assert "unsigned = true and a reason" in done.findings[0].message
    plain = context.tool("checksums")
    known = replace(plain, verify=replace(plain.verify, own={"unsigned": True, "reason": "why"}))
    done = verify(item, tool=known, store=context.store, now=NOW)
    assert codes(done.findings) == [("checksums-unsigned", "info")]
    assert done.findings[0].message.endswith("as is known: why")


@pytest.mark.parametrize("form", ["detached", "clear-signed"])
def test_signed_sums(context: Context, owner: str, form: str) -> None:
    context.ring(owner)
    sums = f"{DIGEST}  {NAME}\n".encode()
    if form == "detached":
        item = context.item(checksums=sums, checksums_signature=context.signature(owner, over=sums))
    else:
        item = context.item(checksums=context.signature(owner, over=sums, how=["--clear-sign"]))
    tool = context.tool("checksums", keys=[owner])
    done = verify(item, tool=tool, store=context.store, now=NOW)
    assert (done.method, done.fingerprint, done.findings) == ("checksums", owner, ())
    assert f"checksum file signed by {owner}" in done.statement


def test_sums_must_be_signed_where_a_key_is_pinned(context: Context, owner: str) -> None:
    context.ring(owner)
    item = context.item(checksums=f"{DIGEST}  {NAME}\n".encode())
    error = refusal(item, context.tool("checksums", keys=[owner]), context)
    assert f"checksum file of {NAME} has a missing signature" in str(error)


@pytest.mark.parametrize("form", ["detached", "clear-signed"])
def test_sums_signed_by_another_key(context: Context, owner: str, stranger: str, form: str) -> None:
    context.ring(owner, stranger)
    sums = f"{DIGEST}  {NAME}\n".encode()
    if form == "detached":
        item = context.item(
            checksums=sums, checksums_signature=context.signature(stranger, over=sums)
        )
    else:
        item = context.item(checksums=context.signature(stranger, over=sums, how=["--clear-sign"]))
    assert "another key" in str(refusal(item, context.tool("checksums", keys=[owner]), context))


def test_only_signed_text_counts(context: Context, owner: str) -> None:
    # Attack: a line for the bad file stands outside the signed part of a genuine list.
    context.ring(owner)
    good = hashlib.sha256(b"good").hexdigest()
    signed = context.signature(owner, over=f"{good}  {NAME}\n".encode(), how=["--clear-sign"])
    line = f"{DIGEST}  {NAME}\n".encode()
    tool = context.tool("checksums", keys=[owner])
    for sums in (line + signed, signed + line, line + signed + line):
        error = refusal(context.item(checksums=sums), tool, context)
        assert "does not match its checksum file" in str(error)
    done = verify(
        context.item(b"good", checksums=line + signed),
        tool=tool,
        store=context.store,
        now=NOW,
    )
    assert done.fingerprint == owner


def test_changed_sums(context: Context, owner: str) -> None:
    context.ring(owner)
    sums = f"{DIGEST}  {NAME}\n".encode()
    item = context.item(
        checksums=sums + b"# more\n", checksums_signature=context.signature(owner, over=sums)
    )
    error = refusal(item, context.tool("checksums", keys=[owner]), context)
    assert "checksum file" in str(error)
    assert "bad signature" in str(error)


def test_no_checksum_file(context: Context) -> None:
    assert "no checksum file" in str(refusal(context.item(), context.tool("checksums"), context))


def test_sums_of_other_files(context: Context) -> None:
    item = context.item(checksums=f"{DIGEST}  foo-1.0.tar.gz\n".encode())
    error = refusal(item, context.tool("checksums"), context)
    assert f"does not list {NAME}" in str(error)
    assert "other files" in str(error)


def test_a_redirect_cannot_choose_the_name(context: Context) -> None:
    # Attack: foo-1.0 and its genuine sums are served for foo-2.0 by way of a redirect.
    item = context.item(checksums=f"{DIGEST}  foo-1.0.tar.gz\n".encode())
    item = replace(item, final_url="http://127.0.0.1/foo-1.0.tar.gz")
    assert "does not list" in str(refusal(item, context.tool("checksums"), context))


# pins and index


def test_pinned(context: Context) -> None:
    tool = context.tool("pins", pins={"2.0": DIGEST})
    done = verify(context.item(), tool=tool, store=context.store, now=NOW)
    assert done.method == "pins"
    assert done.statement == f"sha256 {DIGEST} as pinned for version 2.0"


def test_no_pin_gives_the_line_to_add(context: Context) -> None:
    error = refusal(context.item(), context.tool("pins", pins={"1.0": DIGEST}), context)
    assert DIGEST in str(error)
    assert error.resolution.splitlines()[-1] == f'"2.0" = "{DIGEST}"'
    assert str(context.folder / "foo" / "tool.toml") in error.resolution


def test_not_the_pinned_file(context: Context) -> None:
    error = refusal(context.item(b"other"), context.tool("pins", pins={"2.0": DIGEST}), context)
    assert f"wanted {DIGEST}" in str(error)


def test_index(context: Context) -> None:
    item = context.item(sha256=DIGEST.upper())
    done = verify(item, tool=context.tool("index"), store=context.store, now=NOW)
    assert (done.method, done.statement) == ("index", "sha256 as stated by the package index")


def test_an_index_that_states_a_sha512(context: Context) -> None:
    item = context.item()
    right = item.release._replace(sha512=hashlib.sha512(ARCHIVE).hexdigest())
    done = verify(
        replace(item, release=right), tool=context.tool("index"), store=context.store, now=NOW
    )
    assert (done.method, done.statement) == ("index", "sha512 as stated by the package index")
    wrong = replace(item, release=item.release._replace(sha512="0" * 128))
    assert "its sha512 is" in str(refusal(wrong, context.tool("index"), context))


def test_an_index_that_states_nothing(context: Context) -> None:
    error = refusal(context.item(), context.tool("index"), context)
    assert "states no sha256" in str(error)


@pytest.mark.parametrize("method", list(METHODS))
def test_a_stated_digest_binds_every_method(context: Context, owner: str, method: str) -> None:
    context.ring(owner)
    item = context.item(
        sha256="0" * 64,
        signature=context.signature(owner),
        checksums=f"{DIGEST}  {NAME}\n".encode(),
    )
    keys = [owner] if method == "openpgp" else []
    tool = context.tool(method, keys=keys, pins={"2.0": DIGEST})
    error = refusal(item, tool, context)
    assert f"its sha256 is {DIGEST}, wanted {'0' * 64}" in str(error)


# every method


def test_no_method_declared(context: Context) -> None:
    error = refusal(context.item(), context.tool(""), context)
    assert "declares no method" in str(error)
    assert 'method = "openpgp"' in error.resolution
    assert f'"2.0" = "{DIGEST}"' in error.resolution


@pytest.mark.parametrize("method", ["pins", "index"])
def test_a_pinned_key_always_means_verify(context: Context, owner: str, method: str) -> None:
    tool = context.tool(method, keys=[owner], pins={"2.0": DIGEST})
    with pytest.raises(SetupError, match="looks at no signature"):
        verify(context.item(sha256=DIGEST), tool=tool, store=context.store, now=NOW)


def test_stored_bytes_are_never_trusted_unread(context: Context) -> None:
    item = context.item()
    context.store.path(item.archive).write_bytes(b"changed on disk")
    tool = context.tool("pins", pins={"2.0": DIGEST})
    with pytest.raises(Damaged, match="has other bytes"):
        refusal(item, tool, context)
    lost = replace(item, archive=Blob(name=NAME, sha256="1" * 64, size=5))
    with pytest.raises(Damaged, match="is gone"):
        refusal(lost, tool, context)

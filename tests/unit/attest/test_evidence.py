"""Signed evidence: it stands for an untouched release, and each tampering is named by its place."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.servers.web import Web
from tests.support.keys import Keys, throwaway_keys
from tests.support.released import deliver_on_paper, open_bench, signed_tool, take
from tests.support.rig import Rig
from tests.support.tiny import archive
from toolsync.attest.audit import archive_key, audit, in_folder, in_store, passes, take_away
from toolsync.attest.check import Check, check_envelope
from toolsync.attest.envelope import Envelope, pae, read_envelope, sealed
from toolsync.attest.keep import attest, gather
from toolsync.attest.statement import payload
from toolsync.config.definition import Tool
from toolsync.model.errors import Unverified, UsageError
from toolsync.model.values import Blob
from toolsync.pipeline.archivekey import evidence_key
from toolsync.pipeline.context import Context
from toolsync.pipeline.transparency import proof_of, publish_log
from toolsync.system.gpg import SigningHome
from toolsync.system.signing import Signer


@dataclass(frozen=True)
class Published:
    """A state in which one release was published, and its evidence signed."""

    rig: Rig
    envelope: Path
    key: Path
    vendor: Keys

    def audit(self, *, find: Any = None, key: Path | None = None) -> list[Check]:
        with open_bench(self.rig) as context:
            checks, _ = audit(
                self.envelope,
                keys=(key or self.key,),
                find=find or in_store(context.store),
                prove=partial(proof_of, context),
                config=context.config,
                workshop=context.workshop,
            )
        return checks

    @property
    def statement(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(read_envelope(self.envelope.read_bytes()).payload)
        return found

    def outer(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.envelope.read_bytes())
        return found

    def sign_again(self, said: dict[str, Any]) -> None:
        """Sign another statement with the archive's own key, as whoever holds the state could."""
        home = SigningHome(self.rig.state / "gnupg")
        signer = Signer(home, key=home.usable_key())
        path = self.rig.root / "pae"
        path.write_bytes(pae(payload(said)))
        with signer.opened() as env:
            signature = signer.detach_sign(path, env)
        made = Envelope(payload=payload(said), signature=signature, keyid=home.usable_key())
        self.envelope.write_bytes(sealed(made))

    def stored(self, digest: str) -> Path:
        return self.rig.state / "store" / "sha256" / digest[:2] / digest


def signed(context: Context, tool: Tool, version: str) -> Blob:
    return attest(
        tool,
        version,
        journal=context.journal,
        store=context.store,
        config=context.config,
        workshop=context.workshop,
        key=lambda: evidence_key(context),
    )


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Published]:
    root = tmp_path_factory.mktemp("published")
    rig = Rig(root)
    with throwaway_keys() as keys, Web() as web, open_bench(rig) as context:
        tool = signed_tool(rig, web, keys, root)
        deliver_on_paper(context, take(context, tool))
        blob = signed(context, tool, "1.0")
        publish_log(context)
        envelope = context.store.copy_to(blob, root)
        key = archive_key(context.config, root)
        assert key is not None
        yield Published(rig=rig, envelope=envelope, key=key, vendor=keys)


@pytest.fixture
def published(original: Published, tmp_path: Path) -> Published:
    """A copy that may be tampered with."""
    root = tmp_path / "copy"
    shutil.copytree(original.rig.root, root, ignore=shutil.ignore_patterns("S.*", "work"))
    rig = Rig.__new__(Rig)
    rig.__dict__.update(original.rig.__dict__)
    rig.root, rig.state, rig.file = root, root / "state", root / "conf" / "toolsync.toml"
    return replace(
        original,
        rig=rig,
        envelope=root / original.envelope.name,
        key=root / original.key.name,
    )


def test_it_stands_for_an_untouched_release(original: Published) -> None:
    checks = original.audit()
    assert passes(checks), [c for c in checks if c.verdict != "good"]
    places = [check.place for check in checks]
    for place in ("envelope.signatures[0]", "predicate", "predicate.fetch.archive"):
        assert place in places
    stages = ("verify", "unpack", "binding", "license")
    assert places[-4:] == [f"predicate.{stage}" for stage in stages]


def test_the_statement_answers_an_auditor(original: Published) -> None:
    said = original.statement
    assert said["_type"] == "https://in-toto.io/Statement/v1"
    roles = {s["name"]: s["annotations"]["role"] for s in said["subject"]}
    assert sorted(roles.values()) == ["deb", "dsc", "orig", "upstream"]
    told = said["predicate"]
    assert told["fetch"]["archive"]["sha256"] == told["accepted"]["sha256"]
    assert told["release"]["url"].endswith("/dl/hello-1.0.tar.gz")
    assert told["verify"]["fingerprint"] in told["policy"]["verify"]["keys"]
    assert told["license"]["judgment"]["verdict"] == "silent"
    assert told["series"]["bookworm"]["local"]["publish"]["where"] == "file:/archive"


def test_the_same_record_is_signed_once(original: Published) -> None:
    with open_bench(original.rig) as context:
        from toolsync.setup.tools import load_tool

        tool = load_tool(original.rig.tools / "hello")
        first = signed(context, tool, "1.0")
        assert first == signed(context, tool, "1.0")
        other = replace(tool, license=replace(tool.license, expression="LicenseRef-another"))
        assert signed(context, other, "1.0") != first
        with pytest.raises(UsageError, match="was never taken"):
            gather(context.journal, tool, "9")


def test_an_auditor_needs_nothing_but_the_folder(original: Published, tmp_path: Path) -> None:
    with open_bench(original.rig) as context:
        record = original.statement["predicate"]
        names = set(take_away(record, context.store, tmp_path))
    assert {"hello-1.0.tar.gz", "hello_1.0-0debian1~ppa1~deb12.1_all.deb"} <= names
    assert passes(original.audit(find=in_folder(tmp_path)))
    (tmp_path / "hello_1.0-0debian1~ppa1~deb12.1_all.deb").write_bytes(b"other")
    (wrong,) = [c for c in original.audit(find=in_folder(tmp_path)) if c.verdict != "good"]
    assert wrong.verdict == "bad"
    assert "_all.deb has sha256" in wrong.sentence
    with pytest.raises(UsageError, match="holds no files"):
        in_folder(original.rig.root / "nothing")


# Twenty-odd tamperings: each with the place that the check must name first.

Tampering = Callable[[Published], None]
TAMPERINGS: list[tuple[str, Tampering]] = []


def tampering(place: str) -> Callable[[Tampering], Tampering]:
    def add(spoil: Tampering) -> Tampering:
        TAMPERINGS.append((place, spoil))
        return spoil

    return add


def change(published: Published, **changed: Any) -> None:
    published.envelope.write_text(json.dumps(published.outer() | changed))


@tampering("envelope.signatures[0]")
def payload_changed(p: Published) -> None:
    said = p.statement
    said["predicate"]["page"]["url"] = "https://elsewhere.example/"
    change(p, payload=base64.b64encode(payload(said)).decode())


@tampering("envelope.signatures[0]")
def space_added_to_the_payload(p: Published) -> None:
    data = read_envelope(p.envelope.read_bytes()).payload
    change(p, payload=base64.b64encode(data + b" ").decode())


@tampering("envelope.payload")
def payload_is_no_base64(p: Published) -> None:
    change(p, payload=p.outer()["payload"][:-3] + "?!=")


@tampering("envelope.payloadType")
def another_type(p: Published) -> None:
    change(p, payloadType="text/plain")


@tampering("envelope.signatures")
def no_signature(p: Published) -> None:
    change(p, signatures=[])


@tampering("envelope.signatures")
def two_signatures(p: Published) -> None:
    change(p, signatures=p.outer()["signatures"] * 2)


@tampering("envelope.signatures[0]")
def signature_changed(p: Published) -> None:
    (one,) = p.outer()["signatures"]
    data = bytearray(base64.b64decode(one["sig"]))
    data[-5] ^= 1
    change(p, signatures=[one | {"sig": base64.b64encode(data).decode()}])


@tampering("envelope.signatures[0]")
def another_key_named(p: Published) -> None:
    (one,) = p.outer()["signatures"]
    change(p, signatures=[one | {"keyid": "0" * 40}])


@tampering("envelope.signatures[0]")
def signed_by_somebody_else(p: Published) -> None:
    said = payload(p.statement)
    path = p.rig.root / "pae"
    path.write_bytes(pae(said))
    other = p.vendor.make("Somebody Else")
    signature = p.vendor.sign(path, p.rig.root / "sig", other, how=("--detach-sign",))
    made = Envelope(payload=said, signature=signature.read_bytes(), keyid=other)
    p.envelope.write_bytes(sealed(made))


@tampering("envelope")
def cut_off(p: Published) -> None:
    p.envelope.write_bytes(p.envelope.read_bytes()[:-40])


@tampering("envelope")
def a_key_twice(p: Published) -> None:
    text = p.envelope.read_text()
    p.envelope.write_text(text.replace('"payload":', '"payload": "e30=",\n "payload":', 1))


@tampering("envelope")
def more_than_dsse_knows(p: Published) -> None:
    change(p, note="all was well")


def file_of(p: Published, *path: str) -> Path:
    part: Any = p.statement["predicate"]
    for name in path:
        part = part[int(name)] if isinstance(part, list) else part[name]
    return p.stored(part["sha256"])


@tampering("predicate.fetch.archive")
def upstream_file_changed(p: Published) -> None:
    file_of(p, "fetch", "archive").write_bytes(archive("1.0", extra={"evil": "x"}))


@tampering("predicate.fetch.extras[0]")
def upstream_signature_changed(p: Published) -> None:
    path = file_of(p, "fetch", "extras", "0")
    path.write_bytes(path.read_bytes().replace(b"=", b"+"))


@tampering("predicate.series.bookworm.build.files[0]")
def dsc_changed(p: Published) -> None:
    file_of(p, "series", "bookworm", "package", "files", "0").write_bytes(b"Format: 1.0\n")


@tampering("predicate.series.bookworm.build.files[3]")
def deb_changed_by_one_byte(p: Published) -> None:
    path = file_of(p, "series", "bookworm", "build", "files", "3")
    path.write_bytes(path.read_bytes()[:-1] + b"!")


@tampering("predicate.series.bookworm.build.log")
def build_log_removed(p: Published) -> None:
    file_of(p, "series", "bookworm", "build", "log").unlink()


@tampering("policy file keys/vendor.asc")
def vendor_key_exchanged(p: Published) -> None:
    path = file_of(p, "policy", "files", "0")
    p.vendor.export(path, p.vendor.make("Another Vendor"))


# From here on the archive's own key signs what the state says, and the state was tampered with.


def resigned(p: Published, act: Callable[[dict[str, Any]], None]) -> None:
    said = p.statement
    act(said)
    p.sign_again(said)


@tampering("statement._type")
def another_kind_of_statement(p: Published) -> None:
    resigned(p, lambda said: said.update(_type="https://in-toto.io/Statement/v0.1"))


@tampering("statement.subject[0]")
def subject_exchanged(p: Published) -> None:
    resigned(p, lambda said: said["subject"][0]["digest"].update(sha256="0" * 64))


@tampering("statement.subject")
def subject_left_out(p: Published) -> None:
    resigned(p, lambda said: said["subject"].pop())


@tampering("predicate.accepted.sha256")
def accepted_under_another_digest(p: Published) -> None:
    resigned(p, lambda said: said["predicate"]["accepted"].update(sha256="0" * 64))


@tampering("predicate.verify.method")
def verified_by_nothing(p: Published) -> None:
    resigned(p, lambda said: said["predicate"]["verify"].update(method=""))


@tampering("predicate.verify")
def signed_by_another_vendor(p: Published) -> None:
    resigned(p, lambda said: said["predicate"]["verify"].update(fingerprint="A" * 40))


@tampering("predicate.license.judgment")
def terms_that_nobody_approved(p: Published) -> None:
    judgment = {"verdict": "block"}
    resigned(p, lambda said: said["predicate"]["license"]["judgment"].update(judgment))


@tampering("predicate.series.bookworm.compat.judgment")
def an_approval_over_something_else(p: Published) -> None:
    def act(said: dict[str, Any]) -> None:
        told = said["predicate"]
        told["series"]["bookworm"]["compat"]["judgment"]["verdict"] = "breaking"
        told["decisions"] = [
            {
                "stage": "compat",
                "version": "1.0",
                "verdict": "approved",
                "subject": "0" * 64,
                "who": "joe",
            }
        ]

    resigned(p, act)


@tampering("predicate.license")
def rejected_by_a_person(p: Published) -> None:
    def act(said: dict[str, Any]) -> None:
        told = said["predicate"]
        subject = told["license"]["judgment"]["subject"]
        decision = {"stage": "license", "version": "1.0", "verdict": "rejected"}
        told["decisions"] = [{**decision, "subject": subject}]

    resigned(p, act)


@tampering("predicate.series.bookworm.local.confirm")
def served_other_bytes_than_built(p: Published) -> None:
    def act(said: dict[str, Any]) -> None:
        place = said["predicate"]["series"]["bookworm"]
        (deb,) = [b for b in place["local"]["confirm"]["served"] if b["name"].endswith(".deb")]
        deb["sha256"] = "0" * 64
        said["subject"].append({"name": deb["name"], "digest": {"sha256": "0" * 64}})

    resigned(p, act)


@tampering("predicate.series.bookworm.package")
def packaged_from_another_orig(p: Published) -> None:
    def act(said: dict[str, Any]) -> None:
        place = said["predicate"]["series"]["bookworm"]
        for part in (place["package"], place["build"], place["local"]["confirm"]):
            files = part.get("files", part.get("served"))
            (orig,) = [blob for blob in files if ".orig." in blob["name"]]
            orig["sha256"] = place["package"]["files"][0]["sha256"]

    resigned(p, act)


@tampering("predicate.verify")
def a_page_that_named_nothing(p: Published) -> None:
    """It is read where upstream's proof is tried again, and nowhere before."""
    resigned(p, lambda said: said["predicate"]["page"].pop("named"))


@tampering("predicate.policy")
def a_policy_that_lacks_a_part(p: Published) -> None:
    resigned(p, lambda said: said["predicate"]["policy"].pop("compat"))


@tampering("predicate.unpack")
def an_orig_that_upstream_did_not_make(p: Published) -> None:
    """Every digest agrees, and only making the orig tarball again can tell."""
    with open_bench(p.rig) as context:
        evil = context.store.add_bytes(archive("1.0", extra={"evil": "x"}), "o")
    text = json.dumps(p.statement)
    orig = p.statement["predicate"]["unpack"]["orig"]
    said = json.loads(text)

    def exchange(part: Any) -> None:
        if isinstance(part, dict) and part.get("name") == orig["name"]:
            if "digest" in part:
                part["digest"]["sha256"] = evil.sha256
            else:
                part.update(sha256=evil.sha256, size=evil.size)
        for item in part.values() if isinstance(part, dict) else part:
            if isinstance(item, dict | list):
                exchange(item)

    exchange(said)
    p.sign_again(said)


@pytest.mark.parametrize(("place", "spoil"), TAMPERINGS, ids=lambda v: getattr(v, "__name__", ""))
def test_a_tampering_is_named_by_its_place(
    published: Published, place: str, spoil: Tampering
) -> None:
    spoil(published)
    checks = published.audit()
    wrong = [check for check in checks if check.verdict != "good" and check.place != "log"]
    assert wrong
    assert wrong[0].place == place, wrong
    assert wrong[0].sentence


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(place=st.floats(0, 1, exclude_max=True), byte=st.integers(0, 255))
def test_no_byte_can_be_changed_unseen(
    original: Published, tmp_path: Path, place: float, byte: int
) -> None:
    data = bytearray(original.envelope.read_bytes())
    data[int(place * len(data))] = byte
    checks, said = check_envelope(bytes(data), [original.key], tmp_path)
    if checks[0].verdict == "good":  # a blank of the outer JSON, at most
        assert said == original.statement
    else:
        assert said == {}


def test_there_are_at_least_twenty() -> None:
    assert len(TAMPERINGS) >= 20


def test_a_ppa_makes_binaries_of_its_own(published: Published) -> None:
    def act(said: dict[str, Any]) -> None:
        place = said["predicate"]["series"]["bookworm"]
        told = place["ppa:them/theirs"] = json.loads(json.dumps(place["local"]))
        (deb,) = [b for b in told["confirm"]["served"] if b["name"].endswith(".deb")]
        deb["sha256"] = "1" * 64
        said["subject"].append({"name": deb["name"], "digest": {"sha256": "1" * 64}})

    resigned(published, act)
    checks = [check for check in published.audit() if check.place != "log"]
    assert passes(checks), checks
    assert [c.verdict for c in checks if c.verdict != "good"] == ["elsewhere"]


def test_what_is_signed_again_is_in_no_log(published: Published) -> None:
    """Attack: with the archive's key, other evidence is signed, which agrees with itself."""
    resigned(published, lambda said: said["predicate"]["page"].update(url="https://evil.example"))
    (wrong,) = [check for check in published.audit() if check.verdict != "good"]
    assert (wrong.place, wrong.verdict) == ("log", "missing")


def test_a_stranger_s_key_does_not_do(original: Published, tmp_path: Path) -> None:
    other = original.vendor.export(tmp_path / "other.asc", original.vendor.make("Other"))
    (check,) = original.audit(key=other)
    assert (check.place, check.verdict) == ("envelope.signatures[0]", "bad")


def test_an_envelope_is_bounded_and_read_strictly() -> None:
    for data in (b"", b"[]", b"\xff", b"[" * 100_000, b'{"payload": 1}'):
        with pytest.raises(Unverified, match=r"^envelope"):
            read_envelope(data)


def test_a_file_s_name_leads_nowhere_else() -> None:
    from toolsync.attest.audit import safe_name

    assert safe_name(Blob(name="../../etc/passwd", sha256="0" * 64, size=1)) == "_.._etc_passwd"
    assert safe_name(Blob(name="..", sha256="0" * 64, size=1)) == "0" * 64


def test_the_command_checks_and_gives_away(original: Published, tmp_path: Path) -> None:
    rig, out = original.rig, tmp_path / "out"
    with open_bench(rig) as context:
        publish_log(context)
    rig.run("evidence", "hello", "1.0", "--output", out)
    file, key = out / "hello_1.0.intoto.json", out / "archive-key.asc"
    told = rig.run("evidence", "--verify", file, "--key", key, "--files", out).stdout
    assert "It stands" in told
    assert "log: leaf 1 of the 2 of launchpad.net/toolsync/log/" in told
    bill = (out / "hello_1.0.cdx.json").read_bytes()
    said = json.loads(read_envelope(file.read_bytes()).payload)
    assert hashlib.sha256(bill).hexdigest() == said["predicate"]["sbom"]["sha256"]
    assert rig.run("evidence", "hello", "--sbom").stdout.encode() == bill
    rig.run("page", "--output", tmp_path / "page")
    (served,) = (tmp_path / "page" / "evidence").glob("*.cdx.json")
    assert served.read_bytes() == bill
    assert f'href="../evidence/{served.name}"' in (tmp_path / "page/tools/hello.html").read_text()
    (out / "hello-1.0.tar.gz").write_bytes(archive("1.0", extra={"evil": "x"}))
    found = rig.json("evidence", "--verify", file, "--files", out, status=3)
    assert found["passes"] is False
    assert [c["place"] for c in found["checks"] if c["verdict"] == "bad"] == [
        "predicate.fetch.archive"
    ]

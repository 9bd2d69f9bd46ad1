"""The gate over releases: classes, acceptances, approvals, first and later releases."""

from __future__ import annotations

import gzip
import hashlib
import json
import lzma
import resource
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support import mutations
from tests.support.archives import Item, gz, tar
from toolsync.attest.again import run_again  # noqa: F401 (what judges again imports this gate)
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import Accepted, Bundled, Classes, LicensePolicy, license_policy
from toolsync.config.settings import Config, Limits
from toolsync.gate.record import Asked
from toolsync.license.gate import judge
from toolsync.model.judgment import Judgment
from toolsync.model.release import Fetched, Release, Unpacked, Verified
from toolsync.system.store import Store
from toolsync.system.work import Workshop

BASE = {"LICENSE": mutations.MIT, "pkg/a.py": "x = 1\n"}
AMAZON = "LicenseRef-Amazon-Software-License"
ACCEPTED = Accepted(expression="LicenseRef-vendor", by="Jane", when="2026-01-01", why="it is fine")


class Gatekeeper:
    """One tool before the gate."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = Store(root / "store")
        self.limits = Limits()
        self.policy = LicensePolicy()
        self.classes = Classes()
        self.last: Judgment | None = None
        self.version = ""
        self.adopted = False

    def judge(
        self, files: Mapping[str, str | bytes], *approved: str, version: str = "1.0"
    ) -> Judgment:
        """Judge a release against the one before."""
        items = [
            Item(name=f"tool-1/{path}", data=mutations.as_bytes(data))
            for path, data in files.items()
        ]
        orig = self.store.add_bytes(gz(tar(items)), "tool_1.orig.tar.gz")
        release = Release(
            tool="tool", version=version, raw_version=version, url="", filename="", page=""
        )
        fetched = Fetched(release=release, archive=orig, final_url="")
        verified = Verified(fetched=fetched, method="pins", statement="")
        said = judge(
            Asked(
                item=Unpacked(verified=verified, orig=orig, untouched=True, members=len(items)),
                tool=self._tool(),
                config=Config(
                    file=self.root,
                    state=self.root,
                    tool_folders=(),
                    license=self.classes,
                    limits=self.limits,
                ),
                store=self.store,
                workshop=Workshop(self.root, self.root),
                before=self.last.kept if self.last else None,
                before_version=self.version,
                approved=frozenset(approved),
                adopted=self.adopted,
            )
        )
        assert said.stage == "license"
        return said

    def accept(self, said: Judgment, version: str = "1.0") -> None:
        """Take a judgment's release as the last accepted."""
        self.last, self.version = said, version

    def report(self, said: Judgment) -> str:
        """Return what a person is shown."""
        assert said.report is not None
        return self.store.path(said.report).read_text()

    def _tool(self) -> Tool:
        return Tool(
            name="tool", folder=self.root, summary="", homepage="", watch=Watch(kind="html"),
            verify=Verify(), license=self.policy, compat=CompatPolicy(), source="tool", series=(),
        )  # fmt: skip


@pytest.fixture
def gate(tmp_path: Path) -> Gatekeeper:
    return Gatekeeper(tmp_path)


def codes(said: Judgment) -> set[str]:
    return {finding.code for finding in said.findings if finding.severity != "info"}


def test_an_allowed_license_passes_at_once(gate: Gatekeeper) -> None:
    said = gate.judge(BASE)
    assert said.verdict == "silent"
    assert said.passes
    assert said.summary == "license terms: MIT, nothing of note (first release judged)"


def test_unknown_terms_want_a_review_and_name_their_fingerprint(gate: Gatekeeper) -> None:
    said = gate.judge({"LICENSE": mutations.VENDOR})
    assert (said.verdict, codes(said)) == ("review", {"unknown-terms"})
    assert said.carries[0] in gate.report(said) or said.carries[1] in gate.report(said)


def test_a_second_main_text_must_be_allowed_too(gate: Gatekeeper) -> None:
    said = gate.judge({**BASE, "EULA.txt": mutations.VENDOR})
    assert said.verdict == "review"


def test_no_license_file_wants_a_review(gate: Gatekeeper) -> None:
    assert codes(gate.judge({"a.py": "x\n"})) == {"no-license-file"}


def test_an_acceptance_lets_exactly_its_text_pass(gate: Gatekeeper) -> None:
    held = gate.judge({"LICENSE": mutations.VENDOR})
    fingerprint = next(c for c in held.carries if c in gate.report(held))
    gate.policy = LicensePolicy(accepted=(replace(ACCEPTED, fingerprints=(fingerprint,)),))
    said = gate.judge({"LICENSE": mutations.VENDOR})
    assert said.verdict == "silent"
    assert "accepted for this tool by Jane on 2026-01-01: it is fine" in said.findings[0].message
    assert said.subject != held.subject
    assert gate.judge({"LICENSE": mutations.VENDOR + "Pay."}).verdict == "review"


def test_classes_are_the_operators(gate: Gatekeeper) -> None:
    gate.classes = Classes(denied=("MIT",))
    said = gate.judge(BASE)
    assert (said.verdict, codes(said)) == ("block", {"denied"})
    gate.classes = Classes(allowed=(), needs_acceptance=("MIT",))
    assert codes(gate.judge(BASE)) == {"needs-acceptance"}
    gate.classes = Classes(allowed=())
    assert codes(gate.judge(BASE)) == {"unknown-terms"}
    gate.policy = LicensePolicy(accepted=(replace(ACCEPTED, expression="MIT"),))
    assert gate.judge(BASE).verdict == "silent"


def test_the_same_terms_again_are_silent_and_other_terms_block(gate: Gatekeeper) -> None:
    gate.accept(gate.judge(BASE))
    said = gate.judge(
        {**BASE, "pkg/a.py": "x = 2\n", "LICENSE": mutations.MIT.replace("2020", "2026")}
    )
    assert (said.verdict, said.before) == ("silent", "1.0")
    said = gate.judge({**BASE, "LICENSE": mutations.MIT + "\nNo commercial use.\n"})
    assert said.verdict == "block"
    assert "{+no commercial use+}" in gate.report(said)
    assert "compared with 1.0" in said.summary


def test_an_approval_carries_to_the_same_terms_and_to_no_others(gate: Gatekeeper) -> None:
    gate.accept(gate.judge(BASE))
    changed = {**BASE, "LICENSE": mutations.VENDOR, "pkg/_vendor/six.py": "x\n"}
    held = gate.judge(changed)
    assert held.verdict == "block"
    later = {**changed, "pkg/a.py": "x = 3\n"}
    said = gate.judge(later, *held.carries)
    assert said.verdict == "silent", said.findings
    assert all("approved earlier" in f.message for f in said.findings)
    other = {**later, "LICENSE": mutations.VENDOR + "Pay.\n"}
    assert gate.judge(other, *held.carries).verdict == "block"
    more = {**later, "pkg/_vendor/left.py": "y\n"}
    assert gate.judge(more, *held.carries).verdict == "review"


def test_a_part_that_the_definition_names_is_silent(gate: Gatekeeper) -> None:
    gate.accept(gate.judge(BASE))
    vendored = {**BASE, "pkg/_vendor/six.py": "x\n"}
    assert gate.judge(vendored).verdict == "review"
    gate.policy = LicensePolicy(component=(Bundled(path="pkg/_vendor", expression="MIT"),))
    assert gate.judge(vendored).verdict == "silent"
    gate.policy = LicensePolicy(component=(Bundled(path="pkg/_vendor", expression="SSPL-1.0"),))
    assert gate.judge(vendored).verdict == "review"
    gate.policy = LicensePolicy(component=(Bundled(path="pkg/_ven", expression="MIT"),))
    assert gate.judge(vendored).verdict == "review"


def test_nested_texts_of_a_first_release_must_be_allowed_or_named(gate: Gatekeeper) -> None:
    assert gate.judge({**BASE, "x/LICENSE": (mutations.COMMON / "GPL-3").read_text()}).passes
    nested = {**BASE, "x/LICENSE": mutations.VENDOR}
    assert codes(gate.judge(nested)) == {"bundled-license"}
    gate.policy = LicensePolicy(
        component=(Bundled(path="x", expression="LicenseRef-vendor"),), accepted=(ACCEPTED,)
    )
    assert gate.judge(nested).passes


def test_a_tool_may_want_a_person_every_time(gate: Gatekeeper) -> None:
    gate.policy = LicensePolicy(never_auto=True)
    first = gate.judge(BASE)
    assert codes(first) == {"never-automatic"}
    assert not gate.judge({**BASE, "b.py": "y\n"}, *first.carries).passes


def test_terms_kept_are_the_same_whatever_was_known_before(gate: Gatekeeper) -> None:
    first = gate.judge(BASE)
    odd = {**BASE, "pkg/b.py": '"""Use of this is by permission of the licensor."""\n'}
    alone = gate.judge(odd)
    gate.accept(first)
    after = gate.judge(odd)
    assert alone.kept is not None
    assert after.kept is not None
    kept = [json.loads(gate.store.path(blob).read_bytes()) for blob in (alone.kept, after.kept)]
    for terms in kept:
        terms.pop("told")
    assert kept[0] == kept[1]


def test_kept_terms_of_another_version_count_as_none(gate: Gatekeeper) -> None:
    old = gate.judge(BASE)
    blob = gate.store.add_bytes(b'{"rules": 0}', "terms.json")
    gate.accept(replace(old, kept=blob))
    assert gate.judge(BASE).before == ""


def test_a_policy_says_where_the_package_belongs() -> None:
    raw: dict[str, Any] = {
        "accepted": [
            {
                "expression": AMAZON, "by": "Jane", "when": "2026-01-01", "why": "2.1 and 3.1",
                "field_of_use": "with Amazon's services", "must_ship": ["license.txt"],
            }
        ]
    }  # fmt: skip
    policy = license_policy(raw)
    assert policy.area == "non-free"
    assert policy.must_ship == ("license.txt",)
    assert "public PPA" in policy.warnings[0]
    assert (LicensePolicy().area, LicensePolicy().warnings) == ("main", ())


@pytest.mark.parametrize(
    ("script", "word"),
    [
        ("exit 3", "ended with status 3"),
        ("kill -9 $$", "ended with status"),
        ("sleep 60", "was stopped after"),
        ("yes nonsense", "wrote more than"),
        ("echo '<<nonsense>>'", "answered for 0 of 1 files"),
        ("head -c 1000 /dev/urandom", "answered for 0 of 1 files"),
        ("true", "answered for 0 of 1 files"),
    ],
)
def test_a_detector_that_fails_is_unknown(script: str, word: str, tmp_path: Path) -> None:
    from toolsync.license.detect import Detector

    program = tmp_path / "licensecheck"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    (tmp_path / "file").write_text("x\n")
    detector = Detector(
        workshop=Workshop(tmp_path, tmp_path), program=str(program), seconds=0.5,
        cache=tmp_path / "cache.json",
    )  # fmt: skip
    assert detector.look({"ab" * 16: tmp_path / "file"}) == {}
    assert word in detector.problems[0]
    assert not (tmp_path / "cache.json").exists()


def test_licensecheck_is_asked_once_for_each_content(tmp_path: Path) -> None:
    from toolsync.license.detect import Detector

    path, digest = tmp_path / "file.c", "ab" * 16
    path.write_text(
        "/* You can redistribute it under the terms of the GNU General Public License as\n"
        " * published by the Free Software Foundation; version 2. */\n"
    )
    first = Detector(workshop=Workshop(tmp_path, tmp_path), cache=tmp_path / "cache.json")
    told = first.look({digest: path})
    assert "GPL" in told[digest][0]
    second = Detector(
        workshop=Workshop(tmp_path, tmp_path), cache=tmp_path / "cache.json", program="/bin/false"
    )
    assert second.look({digest: path}) == told
    assert second.problems == []


PROPRIETARY = "You may not use or distribute this software. All rights are ours alone. " * 20
PADDED = PROPRIETARY + "\n" + " pad" * 700_000
"""2.8 MB: more than is read of a license text."""


@pytest.mark.parametrize(
    ("name", "data", "why"),
    [
        ("vendor-license-agreement", PADDED.encode(), "has more than 2097152 bytes"),
        ("pkg/our.license.txt", PADDED.encode(), "has more than 2097152 bytes"),
        ("my_eula.dat", bytes(range(256)) * 40, "is no text"),
        ("agreement.pdf", b"%PDF-1.4\n" + bytes(5000), "is no text"),
        ("LICENSE.vendor", PADDED.encode("utf-16"), "has more than 2097152 bytes"),
        ("list-licenses.rst", PADDED.encode(), "has more than 2097152 bytes"),
        ("LICENSE.gz", gzip.compress(PROPRIETARY.encode(), mtime=0), "is no text"),
        ("vendor-license.txt.xz", lzma.compress(PROPRIETARY.encode()), "is no text"),
        ("vendor-license", " ".join(PROPRIETARY).encode(), "is in a script or a spelling"),
        ("vendor-license", "\u672a\u7ecf\u8bb8\u53ef ".encode() * 40, "is in a script"),
        ("vendor-license", b"\xff\xfe" + bytes(5000), "is no text"),
    ],
)
def test_a_text_that_cannot_be_read_is_unknown_and_held(
    gate: Gatekeeper, name: str, data: bytes, why: str
) -> None:
    for before in (False, True):
        if before:
            gate.accept(gate.judge(BASE))
        said = gate.judge({**BASE, name: data}, version="1.1")
        assert not said.passes
        found = [f for f in said.findings if f.severity == "unknown" and f.code == "unreadable"]
        assert [why in f.message and name in f.message for f in found] == [True]


@pytest.mark.parametrize(
    "name",
    [
        "LICENSES/SSPL-1.0.txt",
        "LICENSES/Vendor-2.0",
        "licenses/vendor",
        "lib/x/licence/foo.md",
        "LIZENZ.txt",
        "LICENCIA",
    ],
)
def test_a_folder_or_another_language_names_a_text_of_terms(gate: Gatekeeper, name: str) -> None:
    gate.accept(gate.judge(BASE))
    said = gate.judge({**BASE, name: PROPRIETARY}, version="1.1")
    assert not said.passes
    assert any(name in finding.message for finding in said.findings), said.findings
    quiet = {"licenses/__init__.py": "x = 1\n", "licenses/data.db": PROPRIETARY}
    assert gate.judge({**BASE, **quiet}, version="1.2").passes


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("vendor-license", PROPRIETARY.encode("utf-32")),
        ("vendor-license", b"#!terms\n" + PROPRIETARY.encode()),
        ("vendor-license", "\u200b".join(PROPRIETARY).encode()),
        ("\uff2c\uff29\uff23\uff25\uff2e\uff33\uff25", PROPRIETARY.encode()),
        ("LI\u0421ENSE-vendor", PROPRIETARY.encode()),
        ("LIC\u200bENSE", PROPRIETARY.encode()),
    ],
    ids=["UTF-32", "no program", "hidden characters", "wide name", "alike name", "hidden in name"],
)
def test_a_text_that_hides_is_read_as_it_looks(gate: Gatekeeper, name: str, data: bytes) -> None:
    gate.accept(gate.judge(BASE))
    said = gate.judge({**BASE, name: data}, version="1.1")
    assert "main-added" in codes(said)


def test_programs_and_data_that_are_named_after_licenses_are_quiet(gate: Gatekeeper) -> None:
    gate.accept(gate.judge(BASE))
    said = gate.judge(
        {
            **BASE,
            "tools/check-license": "#!/bin/sh\n# Licensed under the MIT license, as is.\nexit 0\n",
            "tools/license-list.tar.gz": gzip.compress(b"x" * 99, mtime=0),
            "tools/licenses.json.gz": gzip.compress(b"x" * 99, mtime=0),
            "docs/copyright-holders.txt": "Jane Doe\nJohn Roe\n" * 9,
        },
        version="1.1",
    )
    assert said.passes, said.findings


def test_an_approval_of_what_could_not_be_read_is_for_those_bytes(gate: Gatekeeper) -> None:
    gate.accept(gate.judge(BASE))
    held = gate.judge({**BASE, "vendor-license": PADDED}, version="1.1")
    assert gate.judge({**BASE, "vendor-license": PADDED}, *held.carries, version="1.2").passes
    other = gate.judge({**BASE, "vendor-license": PADDED + " more"}, *held.carries, version="1.2")
    assert not other.passes


def test_problems_beyond_those_that_are_told_are_counted(gate: Gatekeeper) -> None:
    many = {f"d{n}/LICENSE": bytes([0, 0, 1, n % 250]) * 40 for n in range(230)}
    gate.accept(gate.judge(BASE))
    held = gate.judge({**BASE, **many}, version="1.1")
    assert any("has 30 more files that could not be read" in f.message for f in held.findings)
    many["d229/LICENSE"] += b"\0"
    assert not gate.judge({**BASE, **many}, *held.carries, version="1.2").passes


def test_a_line_of_forty_thousand_blanks_takes_no_time(gate: Gatekeeper) -> None:
    text = mutations.MIT + "\n" + " " * 40_000 + "x\n" + "\t" * 40_000 + "#" * 40_000 + "x\n"
    start = time.monotonic()
    assert not gate.judge({**BASE, "LICENSE": text}).passes
    assert time.monotonic() - start < 5


@pytest.mark.slow
def test_four_thousand_license_files_take_seconds(gate: Gatekeeper) -> None:
    gate.accept(gate.judge(BASE))
    many = {f"d{n}/LICENSE": f"{mutations.MIT}\nword{n}\n" for n in range(4_000)}
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert not gate.judge({**BASE, **many}, version="1.1").passes
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 30


def test_a_gate_that_is_given_up_holds_with_its_reason(gate: Gatekeeper) -> None:
    gate.limits = Limits(gate_seconds=0)
    said = gate.judge(BASE)
    assert not said.passes
    told = [f.message for f in said.findings if f.severity == "unknown"]
    assert any("was given up: it had not ended after 0 s" in message for message in told)
    gate.accept(said)
    gate.limits = Limits()
    assert not gate.judge(BASE, version="1.1").passes  # nothing is known of the one before
    other = {**BASE, "LICENSE": PROPRIETARY}
    gate.limits = Limits(gate_seconds=0)
    assert not gate.judge(other, *said.carries, version="1.2").passes  # nor is it approved


def test_what_a_distribution_has_in_main_is_no_review_again(gate: Gatekeeper) -> None:
    odd = {**BASE, "LICENSE": "Do as you like, and be kind to whales.\n"}
    assert gate.judge(odd).verdict == "review"
    gate.accept(gate.judge(odd))
    gate.adopted = True
    said = gate.judge({**odd, "pkg/b.py": "y = 2\n"}, version="1.1")
    assert (said.verdict, "compared with 1.0" in said.summary) == ("silent", True)
    other = gate.judge({**odd, "LICENSE": "Do as you like on Mondays.\n"}, version="1.2")
    assert other.verdict != "silent"
    gate.accept(gate.judge(BASE))
    gate.classes = Classes(denied=("MIT",))
    assert gate.judge(BASE, version="1.3").verdict == "block"


def test_only_an_empty_file_below_the_top_passes_as_the_empty_text_that_was_accepted(
    gate: Gatekeeper,
) -> None:
    empty = hashlib.sha256(b"").hexdigest()
    with_empty = {**BASE, "build/LICENSE": ""}
    gate.accept(gate.judge(BASE))
    gate.adopted = True
    assert "unreadable" in codes(gate.judge(with_empty))
    gate.policy = LicensePolicy(accepted=(replace(ACCEPTED, fingerprints=(empty,)),))
    said = gate.judge(with_empty)
    assert codes(said) == set()
    assert "build/LICENSE has no words (accepted by Jane" in gate.report(said)
    assert "unreadable" in codes(gate.judge({**BASE, "build/LICENSE": b"\n--\n"})), "not empty"
    assert "unreadable" in codes(gate.judge({**BASE, "LICENSE": ""})), "the top says nothing"

"""The compatibility gate over releases, and what it reads of a built package."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.support.archives import Item, gz, tar
from tests.support.releases import Files, lay, model, parser
from tests.support.rig import Rig
from tests.support.tiny_packages import consent
from toolsync.compat.deb import surface_of_deb
from toolsync.compat.gate import judge
from toolsync.compat.surface import Surface
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.config.settings import Config, Limits
from toolsync.gate.record import Asked
from toolsync.model.judgment import Judgment
from toolsync.model.release import (
    Blob,
    Built,
    Fetched,
    Licensed,
    Package,
    Release,
    SourcePackage,
    Unpacked,
    Verified,
    dump,
    load,
)
from toolsync.system.store import Store
from toolsync.system.work import Workshop

TWO: Files = {"bin/a": parser("'--x'", "'--y'"), "bin/b": parser("'--z'")}
ONE: Files = {"bin/a": parser("'--x'", "'--y'")}
DATA = "tool/data/{}/2016-11-15/service-2.json"


class Workers:
    """Looks at releases elsewhere; what it says of their surface was read before."""

    def __init__(self, surface: Surface) -> None:
        self.told, self.asked = surface, 0

    def terms(self, item: Unpacked, before: Blob | None) -> None:
        """Do nothing: this gate asks for surfaces."""

    def surface(self, item: Package, tool: Tool, installed: bool) -> bytes:
        self.asked += 1
        return replace(self.told, installed=installed).to_json()


class Gatekeeper:
    """One tool before the gate."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.store = Store(root / "store")
        self.adopted = False
        self.limits = Limits()
        self.elsewhere: Workers | None = None

    def judge(
        self,
        files: Files,
        before: Blob | None = None,
        *,
        probe: bool = False,
        debs: Sequence[Path] = (),
        approved: Sequence[str] = (),
        **policy: object,
    ) -> Judgment:
        """Judge a release, or what was built of it, against what was kept of one."""
        items = [
            Item(
                name=f"tool-1/{path}",
                data=data if isinstance(data, bytes) else data.encode(),
                mode=0o755,
            )
            for path, data in files.items()
        ]
        orig = self.store.add_bytes(gz(tar(items)), "tool_1.orig.tar.gz")
        release = Release(
            tool="tool", version="2.0", raw_version="2.0", url="", filename="", page=""
        )
        fetched = Fetched(release=release, archive=orig, final_url="")
        verified = Verified(fetched=fetched, method="pins", statement="")
        unpacked = Unpacked(verified=verified, orig=orig, untouched=True, members=len(items))
        compat = CompatPolicy(probe=probe, **policy)  # type: ignore[arg-type]
        tool = Tool(
            name="tool", folder=self.root, summary="", homepage="", watch=Watch(kind="html"),
            verify=Verify(), license=LicensePolicy(), compat=compat, source="tool", series=(),
        )  # fmt: skip
        source = SourcePackage(
            licensed=Licensed(unpacked=unpacked, passed=(consent("license"),)),
            series="bookworm",
            name="tool",
            version="2.0-1",
            content="",
            revision=1,
            files=(orig,),
        )
        built = Built(
            source=source,
            changes=orig,
            files=tuple(self.store.add_bytes(deb.read_bytes(), deb.name) for deb in debs),
            builder="",
            tests="",
            log=orig,
        )
        return judge(
            Asked(
                item=built if debs else source,
                tool=tool,
                config=Config(file=self.root, state=self.root, tool_folders=(), limits=self.limits),
                store=self.store,
                workshop=Workshop(self.root, self.root),
                before=before,
                before_version="1.0" if before else "",
                approved=frozenset(approved),
                adopted=self.adopted,
                elsewhere=self.elsewhere,
            )
        )


@pytest.fixture
def gate(tmp_path: Path) -> Gatekeeper:
    return Gatekeeper(tmp_path)


def test_a_first_release_passes_and_is_kept(gate: Gatekeeper) -> None:
    first = gate.judge(TWO)
    assert (first.passes, first.before) == (True, "")
    assert "2 command" in first.summary
    assert first.kept is not None
    assert load(Judgment, dump(first)) == first
    assert not gate.judge(TWO, first="hold").passes


def test_the_same_release_is_the_same_and_another_is_told(gate: Gatekeeper) -> None:
    first = gate.judge(TWO)
    again = gate.judge(TWO, first.kept)
    assert (again.verdict, again.findings, again.before) == ("same", (), "1.0")
    less = gate.judge(ONE, first.kept)
    assert less.verdict == "breaking"
    assert "since 1.0: breaking: 1 command (" in less.summary
    assert [(f.code, f.severity) for f in less.findings] == [("command", "breaking")]
    assert less.report is not None
    assert "command b" in gate.store.path(less.report).read_text()


def test_what_a_worker_read_counts_where_it_is_of_these_files(gate: Gatekeeper) -> None:
    two, one = gate.judge(TWO), gate.judge(ONE)
    assert two.kept is not None
    assert one.kept is not None
    here = gate.judge(ONE, two.kept)
    surfaces = [
        Surface.from_json(gate.store.path(kept).read_bytes()) for kept in (one.kept, two.kept)
    ]
    for surface in surfaces:  # the second is of other files, so it is read here
        gate.elsewhere = Workers(surface)
        assert gate.judge(ONE, two.kept) == here
        assert gate.elsewhere.asked == 1
    told = replace(surfaces[0], names={**surfaces[0].names, "environment": {"SEEN_THERE": ""}})
    gate.elsewhere = Workers(told)
    assert "SEEN_THERE" in gate.store.path(gate.judge(ONE).kept or two.kept).read_text()


def test_a_tree_is_not_needed_to_try_what_vanished(gate: Gatekeeper) -> None:
    first = gate.judge(TWO, probe=True)
    less = gate.judge({**TWO, "bin/a": parser("'--x'")}, first.kept, probe=True)
    assert less.findings[0].message.startswith("a --y: `a --y")
    assert less.verdict == "breaking"


@pytest.mark.parametrize(
    ("policy", "verdict"),
    [
        ({}, "breaking"),
        ({"commands": ("a",)}, "same"),
        ({"commands": ("a", "b*")}, "breaking"),
        ({"risky": "pass", "unknown": "pass", "waive": ("command",)}, "breaking"),
    ],
)
def test_policy_names_the_commands_that_matter(
    gate: Gatekeeper, policy: dict[str, Any], verdict: str
) -> None:
    first = gate.judge(TWO)
    later = gate.judge(ONE, first.kept, **policy)
    assert later.verdict == verdict
    assert later.findings  # waived is shown


def test_policy_names_the_services_that_matter(gate: Gatekeeper) -> None:
    both: Files = {DATA.format("ec2"): model("Run a:string"), DATA.format("sms"): model("Go")}
    first = gate.judge(both)
    gone: Files = {DATA.format("ec2"): model("Run a:string b:string")}
    assert gate.judge(gone, first.kept).verdict == "breaking"
    assert gate.judge(gone, first.kept, services=("ec2",)).verdict == "additive"
    worse: Files = {DATA.format("ec2"): model("Run")}
    assert gate.judge(worse, first.kept, services=("ec2",)).verdict == "breaking"


@pytest.mark.parametrize(
    ("policy", "passes"),
    [({}, False), ({"waive": ("dependency",)}, True), ({"risky": "pass"}, True)],
)
def test_risky_is_held_unless_policy_lets_it_pass(
    gate: Gatekeeper, policy: dict[str, Any], passes: bool
) -> None:
    first = gate.judge({**ONE, "setup.cfg": "[options]\ninstall_requires =\n  a>=1\n"})
    risky: Files = {**ONE, "setup.cfg": "[options]\ninstall_requires =\n  a>=2\n"}
    assert gate.judge(risky, first.kept, **policy).passes is passes


def test_what_cannot_be_examined_is_unknown_unless_policy_lets_it_pass(gate: Gatekeeper) -> None:
    first = gate.judge({"bin/t": "#!/usr/bin/nolang\n"}, probe=True)
    other: Files = {"bin/t": "#!/usr/bin/nolang\n#\n"}
    assert gate.judge(other, first.kept, probe=True, commands=("u",)).verdict == "same"
    assert gate.judge(other, first.kept, probe=True).verdict == "unknown"
    assert gate.judge(other, first.kept, probe=True, unknown="pass").verdict == "same"


def test_what_cannot_be_examined_of_what_a_distribution_serves_is_no_news(gate: Gatekeeper) -> None:
    first = gate.judge({"bin/t": "#!/usr/bin/nolang\n"}, probe=True)
    other: Files = {"bin/t": "#!/usr/bin/nolang\n#\n"}
    gate.adopted = True
    assert gate.judge(other, first.kept, probe=True).verdict == "same"
    new = {**other, "bin/u": "#!/usr/bin/nolang\n#\n"}
    assert gate.judge(new, first.kept, probe=True).verdict == "unknown"


def test_what_was_kept_and_is_no_surface_is_unknown(gate: Gatekeeper) -> None:
    blob = gate.store.add_bytes(b"{}", "surface.json")
    assert gate.judge(ONE, blob).verdict == "unknown"


def test_a_decision_holds_for_one_surface_policy_and_predecessor(gate: Gatekeeper) -> None:
    first = gate.judge(TWO)
    one = gate.judge(ONE, first.kept)
    assert gate.judge(ONE, first.kept).subject == one.subject
    others = [
        gate.judge(ONE),
        gate.judge(ONE, one.kept),
        gate.judge(ONE, first.kept, reason="another"),
        gate.judge({**ONE, "bin/a": parser("'--x'")}, first.kept),
    ]
    assert len({one.subject, *(other.subject for other in others)}) == 5


def deb(folder: Path, files: Files, depends: str, conffiles: str = "") -> Path:
    """Build a binary package without debhelper."""
    top = lay(folder / "deb", files)
    control = "Package: t\nVersion: 1\nArchitecture: all\nMaintainer: T <t@t.invalid>\n"
    lay(top, {"DEBIAN/control": f"{control}Depends: {depends}\nDescription: t\n"})
    if conffiles:
        lay(top, {"DEBIAN/conffiles": conffiles})
    built = folder / "t.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "-Znone", "--build", top, built],
        check=True,
        capture_output=True,
    )
    return built


INSTALLED: Files = {
    "usr/bin/t": "#!/usr/bin/python3\nfrom tee import cli\n",
    "usr/lib/python3/dist-packages/tee/__init__.py": "",
    "usr/lib/python3/dist-packages/tee/cli.py": parser("'--x'"),
    "usr/share/t/table.csv": "1",
    "usr/share/doc/t/README": "1",
    "etc/t.conf": "1",
    "etc/t/made-by-postinst": "1",
}


def test_a_package_tells_commands_options_conffiles_paths_and_dependencies(tmp_path: Path) -> None:
    path = deb(tmp_path, INSTALLED, "python3 (>= 3.9), aa | bb", "/etc/t.conf\n")
    found = surface_of_deb(path, workshop=Workshop(tmp_path, tmp_path / "work"), limits=Limits())
    assert found.of("command") == {"t": "usr/bin/t"}
    assert set(found.of("option")) == {"t --x"}
    assert set(found.of("conffile")) == {"etc/t.conf"}
    assert set(found.of("path")) == {"usr/share/t/table.csv"}
    assert found.of("dependency") == {"deb python3": ">=3.9", "deb aa": ""}
    assert found.gaps == ()


def test_two_packages_are_compared_by_the_command(rig: Rig, tmp_path: Path) -> None:
    less = {name: data for name, data in INSTALLED.items() if "table" not in name}
    old = deb(tmp_path / "old", INSTALLED, "aa (>= 1)", "/etc/t.conf\n")
    new = deb(tmp_path / "new", less, "aa (>= 2), cc", "/etc/t.conf\n")
    answer = rig.json("compat", old, new, status=3)
    found = {(c["severity"], c["kind"], c["name"]) for c in answer["changes"]}
    assert found == {
        ("breaking", "path", "usr/share/t/table.csv"),
        ("risky", "dependency", "deb aa"),
        ("risky", "dependency", "deb cc"),
    }


def test_a_look_that_is_given_up_holds_and_so_does_the_next(gate: Gatekeeper) -> None:
    known = gate.judge(TWO)
    gate.limits = Limits(gate_seconds=-600)  # with the seconds for its runs there are none
    for before in (None, known.kept):
        said = gate.judge(TWO, before)
        assert (said.passes, said.verdict) == (False, "unknown")
        assert "was given up: it had not ended after 0 s" in said.findings[-1].message
        assert said.kept is not None
    gate.limits = Limits()
    assert gate.judge(TWO, said.kept).verdict == "unknown"


@pytest.mark.parametrize(
    ("path", "data", "why"),
    [
        ("bin/a", b"#!/usr/bin/python3\n#" + b"x" * (4 << 20), "it has more than 4194304 bytes"),
        ("bin/a", b"#!/bin/sh\n#" + b"x" * (4 << 20), "it has more than 4194304 bytes"),
        ("lib/tool.rb", b"#" * (5 << 20), "it has more than 4194304 bytes"),
    ],
)
def test_a_source_that_is_too_long_is_told(
    gate: Gatekeeper, path: str, data: bytes, why: str
) -> None:
    known = gate.judge(TWO)
    said = gate.judge({**TWO, path: data}, known.kept)
    told = [f.message for f in said.findings if f.severity == "unknown" and f.code == "file"]
    assert told == [f"{path}: {why}"]


def test_every_subcommand_counts_however_many_there_are(gate: Gatekeeper) -> None:
    listing = "\n".join(f"  sub{n:03}  does it" for n in range(120))
    script = "#!/bin/sh\ncat <<END\nusage: a --x\n\ncommands:\n{}\nEND\n"
    known = gate.judge({"bin/a": script.format(listing)}, probe=True)
    fewer = listing.replace("  sub110  does it\n", "")
    said = gate.judge({"bin/a": script.format(fewer)}, known.kept, probe=True)
    assert "a sub110" in " ".join(f.message for f in said.findings if f.severity == "breaking")

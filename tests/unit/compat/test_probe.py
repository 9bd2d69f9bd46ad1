"""What commands say of themselves when they are run, and what is made of it when they cannot be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.releases import Files, jar, lay, parser, ruby, said
from tests.support.rig import Rig
from toolsync.compat.change import Change
from toolsync.compat.compare import compare
from toolsync.compat.options import Option
from toolsync.compat.probe import Prober
from toolsync.compat.reading import Release, read_tree
from toolsync.compat.verdict import verdict_of
from toolsync.system.sandbox import Confinement, Sandbox

SHELL = """#!/bin/sh
case "$1" in
  --help) echo "usage: t [--all] {}"; exit 0 ;;
  --version) echo "t {}"; exit 0 ;;
  --all{}) exit 0 ;;
  "") exit {} ;;
  *) echo "t: unknown option $1" >&2; exit {} ;;
esac
"""


def probed(top: Path, files: Files, **limits: float) -> tuple[Release, Prober]:
    release = read_tree(lay(top, files))
    confined = Confinement(**{"seconds": 20.0, **limits})  # type: ignore[arg-type]
    prober = Prober(release, Sandbox(release.tree.root, limits=confined))
    prober.examine()
    return release, prober


def changes(tmp_path: Path, old: Files, new: Files) -> list[Change]:
    was, _ = probed(tmp_path / "old", old)
    now, prober = probed(tmp_path / "new", new)
    return list(compare(was.surface(), now.surface(), prober=prober.vanished))


def test_python_and_ruby_refuse_what_is_gone(tmp_path: Path) -> None:
    old = {"bin/p": parser("'--x'", "'--gone'", "'NAME'"), "bin/r": ruby("'--x'", "'--gone V'")}
    new = {"bin/p": parser("'--x'", "'NAME'"), "bin/r": ruby("'--x'")}
    found = changes(tmp_path, old, new)
    assert said(found) == {("breaking", "option", f"{name} --gone") for name in "pr"}
    assert all("is refused" in change.proof for change in found)


def test_what_the_help_hides_and_the_program_takes_is_risky(tmp_path: Path) -> None:
    old = {"bin/t": SHELL.format("--old", 1, "|--old", 0, 2)}
    hidden = SHELL.format("", 1, "|--o*", 0, 2)
    found = changes(tmp_path, old, {"bin/t": hidden})
    assert ("risky", "option", "t --old") in said(found)
    assert "still accepted" in found[0].proof


def test_exit_codes_and_version_shapes_are_compared(tmp_path: Path) -> None:
    old, new = SHELL.format("", "1.0", "", 0, 2), SHELL.format("", "2.0 beta", "", 1, 64)
    assert said(changes(tmp_path, {"bin/t": old}, {"bin/t": new})) == {
        ("risky", "exit-code", "t (no arguments)"),
        ("risky", "exit-code", "t (unknown option)"),
        ("risky", "version-output", "t"),
    }


ECHO = """#!/bin/sh
# asks for a device, and knows no --version
echo "{}${{1##*n}}"
"""


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (ECHO.format("_NS_ID="), ECHO.format("NAMESPACE=")),
        (ECHO.format("device: "), ECHO.format("disk ")),
        ('#!/bin/sh\necho "1 file: $1"\n', '#!/bin/sh\necho "one of 1: $1"\n'),
        ("#!/bin/sh\necho ready\n", "#!/bin/sh\necho done\n"),
        ('#!/bin/sh\necho "file 1: ${1#--}"\n', '#!/bin/sh\necho "item 1: ${1#--}"\n'),
        ('#!/bin/sh\necho "0 of [$*]"\n', '#!/bin/sh\necho "0 in [$*]"\n'),
    ],
)
def test_an_answer_without_a_version_number_is_no_version(
    old: str, new: str, tmp_path: Path
) -> None:
    assert changes(tmp_path, {"bin/t": old}, {"bin/t": new}) == []


@pytest.mark.parametrize("number", ["1.0", "v2", "v1.2.3", "590", "20251126", "0.9rc1"])
def test_a_version_may_stand_below_other_lines(number: str, tmp_path: Path) -> None:
    script = '#!/bin/sh\necho "{}"\necho "{} {}"\n'
    old, new = script.format("Tool", "tool", number), script.format("A tool", "tool", number)
    assert changes(tmp_path / "a", {"bin/t": old}, {"bin/t": new}) == []
    other = script.format("Tool", "release", number)
    assert said(changes(tmp_path / "b", {"bin/t": old}, {"bin/t": other})) == {
        ("risky", "version-output", "t")
    }


def test_a_new_version_of_the_same_is_the_same(tmp_path: Path) -> None:
    old, new = SHELL.format("", "1.0", "", 0, 2), SHELL.format("", "2.11", "", 0, 2)
    assert changes(tmp_path, {"bin/t": old}, {"bin/t": new}) == []


def test_help_is_read_below_subcommands(tmp_path: Path) -> None:
    head = "import argparse\np = argparse.ArgumentParser()\ns = p.add_subparsers()\n"
    loop = "for n in ('go', 'stop'):\n    s.add_parser(n).add_argument('--' + n + '-fast')\n"
    files = {"bin/t": f"#!/usr/bin/python3\n{head}{loop}p.parse_args()\n"}
    release, prober = probed(tmp_path / "t", files)
    assert {"t go", "t stop"} <= set(release.draft.of("subcommand"))
    assert {"t go --go-fast", "t stop --stop-fast"} <= set(release.draft.of("option"))
    verdict = prober.vanished("t go", "--none", Option(name="--none"))
    assert verdict is not None
    assert verdict[0] == "breaking"


def test_entry_points_are_run_without_being_installed(tmp_path: Path) -> None:
    files = {
        "pyproject.toml": "[project]\nname = 't'\nscripts = {t = 'pkg.main:run'}\n",
        "pkg/__init__.py": "",
        "pkg/main.py": "def run():\n    print('usage: t [--from-entry]')\n",
    }
    release, _ = probed(tmp_path / "t", files)
    assert "t --from-entry" in release.draft.of("option")


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        ("#!/usr/bin/nolang\n", "nolang is not on this machine"),
        ("#!/usr/bin/python\nprint 'two'\n", "python2 is not on this machine"),
        ("#!/usr/bin/python3\nimport outside_of_everything\n", "No module named"),
        ("#!/usr/bin/ruby\nrequire 'outside/of/everything'\n", "cannot load such file"),
        ("#!/bin/sh\nexec no-such-program-anywhere\n", "status 127"),
        ("#!/bin/sh\nkill -SEGV $$\n", "status 139"),
        ("\x7fELF and then nothing", "status 1"),
    ],
)
def test_what_cannot_be_run_is_unknown_with_its_reason(
    tmp_path: Path, program: str, reason: str
) -> None:
    found = changes(tmp_path, {"bin/t": program}, {"bin/t": program + "# new\n"})
    assert verdict_of(found) == "unknown"
    assert reason in " ".join(change.proof for change in found)


@pytest.mark.parametrize(
    ("program", "reason"),
    [
        (
            "while :; do echo xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx; done",
            "wrote more",
        ),
        ("head -c 100000000 /dev/zero | tr '\\0' x", "wrote more"),
        ("trap '' TERM INT HUP; sleep 60", "had not ended"),
    ],
)
def test_a_hostile_help_is_unknown(tmp_path: Path, program: str, reason: str) -> None:
    release, prober = probed(tmp_path / "t", {"bin/t": f"#!/bin/sh\n{program}\n"}, seconds=2.0)
    assert [reason in gap.reason for gap in release.draft.gaps] == [True]
    assert prober.vanished("t", "--x", Option(name="--x")) is None


def test_a_program_that_waits_for_input_gets_none(tmp_path: Path) -> None:
    release, _ = probed(tmp_path / "t", {"bin/t": "#!/bin/sh\nread x\necho '--all' $x\n"})
    assert release.draft.of("exit-code")["t (no arguments)"] == "0"
    assert not release.draft.gaps


def test_an_answer_that_names_nothing_is_unknown(tmp_path: Path) -> None:
    text = "#!/bin/sh\necho 'usage: t {}'\nexit 1\n"
    found = changes(tmp_path, {"bin/t": text.format("--a --b")}, {"bin/t": text.format("--a")})
    assert said(found) == {("unknown", "option", "t --b")}


def test_the_command_probes_archives(rig: Rig) -> None:
    old = lay(rig.root / "old", {"bin/t": parser("'--x'", "'--y'"), "a.jar": jar({})})
    new = lay(rig.root / "new", {"bin/t": parser("'--x'"), "a.jar": jar({})})
    answer = rig.json("compat", old, new, status=3)
    assert [change["name"] for change in answer["changes"]] == ["t --y"]
    assert "is refused" in answer["changes"][0]["proof"]
    assert rig.leftovers() == []
    assert "is refused" not in rig.run("compat", "--no-probe", old, new, status=3).stdout

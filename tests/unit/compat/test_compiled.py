"""What the gate sees of built C packages: libraries, symbols, headers, commands."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.support.releases import lay
from tests.unit.compat.test_gate import Gatekeeper
from toolsync.model.judgment import Judgment

LIBRARY = "int tiny_one(void) { return 1; }\nint tiny_two(void) { return 2; }\nint tiny_data[2];\n"
HEADER = "/* tiny 1.0 */\nstruct tiny { int a; /* first */ int b; };\nint tiny_one(void);\n"
PROGRAM = """\
#include <stdio.h>
#include <string.h>
int tiny_one(void);
int main(int n, char **v) {
  if (n > 1 && !strcmp(v[1], "--help")) { puts("Usage: tiny [OPTION]\\n  OPTIONS"); return 0; }
  if (n > 1 && !strcmp(v[1], "--version")) { puts("tiny 1.0"); return 0; }
  if (n > 1 && v[1][0] == '-') { fprintf(stderr, "unknown option %s\\n", v[1]); return 2; }
  return tiny_one() - 1;
}
"""
TWO = "  --all    all of it\\n  --count  how many"
CONTROL = """\
Package: {}
Version: 1
Architecture: amd64
Maintainer: T <t@t.invalid>
Depends: libc6 (>= 2.34), libtiny1
Description: t
"""


def built(
    folder: Path,
    *,
    library: str = LIBRARY,
    header: str = HEADER,
    options: str = TWO,
    command: str = "tiny",
    soname: str = "libtiny.so.1",
) -> list[Path]:
    """Build a C library and the program that needs it, as two binary packages."""
    lay(folder, {"lib.c": library, "main.c": PROGRAM.replace("OPTIONS", options)})
    first, second = folder / "libtiny1", folder / "tiny"
    lay(first, {"DEBIAN/control": CONTROL.format("libtiny1").replace(", libtiny1", "")})
    lay(second, {"DEBIAN/control": CONTROL.format("tiny"), "usr/include/tiny.h": header})
    place = first / "usr/lib/x86_64-linux-gnu"
    lay(place, {"pkgconfig/tiny.pc": "Name: tiny\n"})
    (second / "usr/bin").mkdir(parents=True)
    cc = ["gcc", "-O0", "-w"]
    commands: list[list[str | Path]] = [
        [*cc, "-shared", "-fPIC", f"-Wl,-soname,{soname}", "-o", place / f"{soname}.0", "lib.c"],
        [*cc, "-o", second / "usr/bin" / command, "main.c", place / f"{soname}.0"],
    ]
    for words in commands:
        subprocess.run(words, check=True, cwd=folder)
    (place / soname).symlink_to(f"{soname}.0")
    for top in (first, second):
        packed(top)
    return sorted(folder.glob("*.deb"))


def packed(top: Path) -> None:
    words = ("dpkg-deb", "--root-owner-group", "-Znone", "--build", top, f"{top}_1_amd64.deb")
    subprocess.run(words, check=True, capture_output=True)


def found(said: Judgment) -> set[tuple[str, str, str]]:
    return {(f.severity, f.code, f.message.partition(":")[0]) for f in said.findings}


@pytest.fixture
def gate(tmp_path: Path) -> Gatekeeper:
    return Gatekeeper(tmp_path)


def test_an_additive_release_of_a_program_and_its_library_goes_on_by_itself(
    gate: Gatekeeper, tmp_path: Path
) -> None:
    first = gate.judge({}, probe=True, debs=built(tmp_path / "old"))
    assert first.passes
    assert "3 symbol, 1 header, 1 type" in first.summary
    more = LIBRARY + "int tiny_three(void) { return 3; }\n"
    header = HEADER.replace("tiny 1.0", "tiny 1.1") + "struct more { int a; };\n"
    debs = built(
        tmp_path / "new", library=more, header=header, options=TWO + "\\n  --more  more of it"
    )
    said = gate.judge({}, first.kept, probe=True, debs=debs)
    assert found(said) == {
        ("additive", "option", "tiny --more"),
        ("additive", "symbol", "libtiny.so.1 tiny_three"),
        ("additive", "type", "struct more"),
    }
    assert (said.verdict, said.passes) == ("additive", True)


def test_what_a_c_release_takes_away_is_breaking(gate: Gatekeeper, tmp_path: Path) -> None:
    first = gate.judge({}, probe=True, debs=built(tmp_path / "old"))
    debs = built(
        tmp_path / "new",
        library=LIBRARY.replace("tiny_two", "tiny_2").replace("[2]", "[3]"),
        header=HEADER.replace("int a;", "long a;"),
        options="  --all    all of it",
    )
    said = gate.judge({}, first.kept, probe=True, debs=debs)
    assert found(said) == {
        ("breaking", "option", "tiny --count"),
        ("breaking", "symbol", "libtiny.so.1 tiny_two"),
        ("additive", "symbol", "libtiny.so.1 tiny_2"),
        ("risky", "symbol", "libtiny.so.1 tiny_data"),
        ("risky", "type", "struct tiny"),
    }
    debs = built(tmp_path / "renamed", command="teeny", soname="libtiny.so.2")
    said = gate.judge({}, first.kept, probe=True, debs=debs)
    assert {row for row in found(said) if row[0] == "breaking"} == {
        ("breaking", "command", "tiny"),
        ("breaking", "library", "libtiny.so.1"),
    }


def test_what_could_not_be_read_is_accepted_once(gate: Gatekeeper, tmp_path: Path) -> None:
    def release(name: str, more: str) -> list[Path]:
        debs = built(tmp_path / name, library=LIBRARY + more)
        (tmp_path / name / "libtiny1/usr/lib/x86_64-linux-gnu/libbad.so").write_bytes(
            b"\x7fELF" + more.encode() + b"?" * 99
        )
        packed(tmp_path / name / "libtiny1")
        return debs

    first = gate.judge({}, debs=release("one", ""))
    second = gate.judge({}, first.kept, debs=release("two", "int tiny_3;"))
    assert (second.verdict, len(second.carries)) == ("unknown", 1)
    third = gate.judge(
        {}, second.kept, debs=release("three", "int tiny_3, tiny_4;"), approved=second.carries
    )
    assert third.verdict == "additive"
    assert ("info", "library", "libbad.so") in found(third)

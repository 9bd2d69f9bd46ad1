"""Go libraries: what a package exports counts, and not how it is spread over files."""

from __future__ import annotations

from pathlib import Path

import pytest

from toolsync.compat.compare import compare
from toolsync.compat.golang import ROOT
from toolsync.compat.reading import read_tree
from toolsync.compat.surface import Surface

PLACE = f"{ROOT}example.org/x/shapes"
SOURCE = """\
// Package shapes draws. func Commented() {}
package shapes

import "strings"

/*
func Old() {}
*/

const (
\tRound, Flat = iota, 2
\tlocal = 3
)

type Shape struct {
\tName string
}

type (
\tList []Shape
\tmode int
)

var ErrNone, errOther = strings.NewReader("func InString() {}"), `
func InRaw() {}
`

func Draw(s Shape) {}

func Map[T any](of []T) {}

func (s *Shape) Turn() {}

func (l List) Len() int { return '"' }

func (m mode) Quiet() {}

func draw() {}
"""


def surface(root: Path, files: dict[str, str]) -> Surface:
    for name, text in files.items():
        (path := root / name).parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return read_tree(root).surface()


def test_exported_names_are_found_and_nothing_in_comments_or_strings(tmp_path: Path) -> None:
    files = {
        f"{PLACE}/a.go": SOURCE,
        f"{PLACE}/a_test.go": "package shapes\n\nfunc TestIt() {}\n",
        f"{PLACE}/internal/deep/b.go": "package deep\n\nfunc Hidden() {}\n",
        f"{PLACE}/cmd/run/main.go": "package main\n\nfunc Run() {}\n",
    }
    found = surface(tmp_path, files)
    assert found.of("library") == {"example.org/x/shapes": ""}
    assert {name.split()[1]: kind for name, kind in found.of("symbol").items()} == {
        **dict.fromkeys(("Round", "Flat", "ErrNone"), "value"),
        **dict.fromkeys(("Shape", "List"), "type"),
        **dict.fromkeys(("Draw", "Map", "Shape.Turn", "List.Len"), "func"),
    }


A, B = "package shapes\n\nfunc Draw() {}\n", "package shapes\n\nfunc Turn() {}\n"


@pytest.mark.parametrize(
    ("new", "told"),
    [
        ({f"{PLACE}/one.go": A + B[15:]}, []),
        ({f"{PLACE}/one.go": A}, [("breaking", "symbol", "example.org/x/shapes Turn")]),
        ({"usr/share/gocode/src/example.org/x/other/o.go": A.replace("shapes", "other")}, None),
        ({f"{PLACE}/a.go": A, f"{PLACE}/b.go": B + "\nfunc More() {}\n"},
         [("additive", "symbol", "example.org/x/shapes More")]),
    ],
    ids=["files merged", "function gone", "package gone", "function new"],
)  # fmt: skip
def test_a_release_is_judged_by_what_it_exports(
    tmp_path: Path, new: dict[str, str], told: list[tuple[str, str, str]] | None
) -> None:
    old = surface(tmp_path / "old", {f"{PLACE}/a.go": A, f"{PLACE}/b.go": B,
                                     f"{PLACE}/internal/i.go": "package internal\n"})  # fmt: skip
    changes = compare(old, surface(tmp_path / "new", new))
    found = [(one.severity, one.kind, one.name) for one in changes]
    if told is None:
        assert found[0] == ("breaking", "library", "example.org/x/shapes")
        assert all(severity == "additive" for severity, _, _ in found[1:])
    else:
        assert found == told


def test_what_was_kept_before_names_were_read_is_compared_by_its_folders(tmp_path: Path) -> None:
    files = {f"{PLACE}/a.go": A, f"{PLACE}/b.go": B, f"{ROOT}example.org/x/gone/g.go": A}
    kept = Surface(names={"path": dict.fromkeys(files, "")}, digest="0" * 64)
    new = surface(tmp_path, {f"{PLACE}/one.go": A + B[15:]})
    changes = compare(kept, new)
    gone = [one.name for one in changes if one.severity == "breaking"]
    assert gone == [f"{ROOT}example.org/x/gone/g.go"]
    assert {one.kind for one in changes if one.severity == "additive"} == {"library"}


@pytest.mark.parametrize(
    "piece", ["/*", "`", '"', "func (", "var (\n\tA\n", "'\\", "func (a [", "//"]
)
def test_no_source_makes_it_slow(tmp_path: Path, piece: str) -> None:
    import time

    began = time.process_time()
    surface(tmp_path, {f"{PLACE}/a.go": f"package shapes\n{piece * 40000}"})
    assert time.process_time() - began < 2

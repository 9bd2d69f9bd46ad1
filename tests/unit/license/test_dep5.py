"""What debian/copyright lacks for the license texts of a tree, and how it is completed."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support import mutations
from toolsync.license.dep5 import completed, lacking
from toolsync.license.scan import scan
from toolsync.license.terms import LicenseText, Terms
from toolsync.model.errors import PackageFailed

BSD = mutations.texts()["BSD-3-Clause"]
HEAD = (
    "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n"
    "Files: *\nCopyright: 2020 Jane Doe\nLicense: Expat\n Do as you like.\n"
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    (tmp_path / "x").mkdir()
    (tmp_path / "LICENSE").write_text(mutations.MIT)
    (tmp_path / "x" / "LICENSE").write_text(mutations.texts()["BSD-3-Clause"])
    (tmp_path / "y").mkdir()
    (tmp_path / "y" / "COPYING").write_text((mutations.COMMON / "GPL-3").read_text())
    return tmp_path


def test_what_is_not_named_for_a_file_is_lacking(tree: Path) -> None:
    lacks = lacking(HEAD, scan(tree).terms)
    assert [(lack.file, lack.id, lack.said) for lack in lacks] == [
        ("x/LICENSE", "BSD-3-Clause", "Expat"),
        ("y/COPYING", "GPL-3.0", "Expat"),
    ]
    assert "lacks BSD-3-Clause for x/LICENSE: it says Expat" in lacks[0].message


def test_a_completed_one_lacks_nothing_and_holds_the_texts(tree: Path) -> None:
    terms = scan(tree).terms
    whole = completed(HEAD, lacking(HEAD, terms), tree)
    assert lacking(whole, terms) == ()
    assert "Redistributions in binary form" in whole
    assert "common-licenses/GPL-3" in whole
    assert "Jane Doe" in whole.partition("Files: x/*")[2]


COMMON = {path.name for path in mutations.COMMON.iterdir() if not path.is_symlink()} - {"BSD"}
"""Policy 12.5 leaves out BSD: each has words of its own in it."""


@pytest.mark.parametrize("name", sorted(COMMON))
def test_no_text_that_base_files_has_is_copied(tmp_path: Path, name: str) -> None:
    (tmp_path / "COPYING").write_text((mutations.COMMON / name).read_text())
    terms = scan(tmp_path).terms
    whole = completed(HEAD, lacking(HEAD, terms), tmp_path)
    assert f"complete text is in /usr/share/common-licenses/{name}." in whole
    assert len(whole) < 1000


def test_what_is_of_another_form_is_said(tree: Path) -> None:
    with pytest.raises(PackageFailed, match="machine-readable"):
        lacking("It is free.\n", scan(tree).terms)


def test_no_pattern_stands_there_twice_and_upstreams_packaging_is_not_ours(tree: Path) -> None:
    (tree / "debian").mkdir()
    (tree / "debian" / "copyright").write_text(BSD)
    (tree / "lib").mkdir(exist_ok=True)
    for name in ("LICENSE", "COPYING"):
        (tree / "lib" / name).write_text(BSD if name == "LICENSE" else mutations.MIT)
    said = HEAD + "\nFiles: lib/*\nCopyright: X\nLicense: none\n own\n"
    whole = completed(said, lacking(said, scan(tree).terms), tree)
    patterns = re.findall(r"(?m)^Files: (.*)$", whole)
    assert len(patterns) == len(set(patterns))
    assert not any(pattern.startswith("debian/") for pattern in patterns)
    assert {"lib/*", "lib/COPYING", "lib/LICENSE"} <= set(patterns)


PERL = """\
Files: *
Copyright: 1998 Jane Doe
License: {}

License: {}
 As Perl itself.
"""


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ("Artistic or GPL-1+", False),
        ("Artistic-1.0-Perl or GPL-1+", False),
        ("GPL-1+", True),
        ("Artistic-2.0 or GPL-1+", True),
    ],
)
def test_perls_two_licenses_are_what_debian_calls_them(
    tmp_path: Path, said: str, lacks: bool
) -> None:
    text = LicenseText(
        path="LICENSE",
        file="LICENSE",
        fingerprint="0" * 64,
        id="Artistic-1.0-Perl OR GPL-1.0-or-later",
    )
    (tmp_path / "LICENSE").write_text("Copyright (c) 1998 Jane Doe\n" + "many words\n" * 100)
    whole = f"{HEAD.partition('Files')[0]}{PERL.format(said, said)}"
    found = lacking(whole, Terms(mains=(text,)))
    assert bool(found) is lacks
    if lacks:
        new = completed(whole, found, tmp_path)
        assert "of Artistic-1.0-Perl in /usr/share/common-licenses/Artistic" in new
        assert "of GPL-1.0-or-later in /usr/share/common-licenses/GPL-1." in new
        assert "many words" not in new, "lintian refuses the text of what base-files has"

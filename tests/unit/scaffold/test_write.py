"""What stands in a first debian/: upstream's words, its terms, and what nobody has said."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from debian.copyright import Copyright
from debian.deb822 import Deb822

from tests.support.projects import MIT, PROJECTS, lay_out
from tests.unit.scaffold.test_systems import Every
from toolsync.config.packaging import SAY_HERE
from toolsync.license.scan import scan
from toolsync.scaffold.metadata import Metadata, synopsis
from toolsync.scaffold.tree import Tree
from toolsync.scaffold.write import Scaffold, scaffold
from toolsync.system.sandbox import Sandbox


def written(top: Path, name: str = "greet") -> Scaffold:
    return scaffold(
        Tree(top),
        scan(top).terms,
        name=name,
        maintainer="Ann Bee <ann@bee.example>",
        homepage="https://bee.example/dl/",
        names=Every(),
        sandbox=lambda: Sandbox(top),
    )


def said_of(path: str, found: Scaffold) -> tuple[str, str]:
    """Return whose a file is by the debian/copyright, and under which license."""
    notice = Copyright(found.files["copyright"].splitlines(keepends=True))
    paragraph: Any = notice.find_files_paragraph(path)
    return paragraph.copyright, paragraph.license.synopsis


def tree(tmp_path: Path, files: Mapping[str, str]) -> Path:
    for path, text in files.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    return tmp_path


@pytest.mark.parametrize("way", PROJECTS)
def test_nothing_is_left_to_say_where_upstream_says_it(way: str, tmp_path: Path) -> None:
    found = written(lay_out(way, tmp_path))
    assert not [path for path, text in found.files.items() if SAY_HERE in text]
    source, binary = Deb822.iter_paragraphs(found.files["control"])
    assert (source["Source"], binary["Package"]) == ("greet", "greet")
    assert binary["Description"].lower().startswith("says hello")
    assert said_of("anything", found) == ("2024 Ann Bee", "MIT")
    for path, text in found.files.items():
        assert text.endswith("\n") or path == "copyright", path


def test_what_nobody_says_has_one_place_each(tmp_path: Path) -> None:
    found = written(tree(tmp_path, {"Makefile": "install:\n"}))
    places = {path: text.count(SAY_HERE) for path, text in found.files.items() if SAY_HERE in text}
    assert places == {"control": 1, "copyright": 3}  # the holder, the license and its text


def test_a_description_alone_is_missing_in_one_place(tmp_path: Path) -> None:
    found = written(tree(tmp_path, {"Makefile": "install:\n", "LICENSE": MIT}))
    assert [path for path, text in found.files.items() if SAY_HERE in text] == ["control"]
    assert found.files["control"].count(SAY_HERE) == 1


def test_other_licenses_in_the_tree_are_written_down(tmp_path: Path) -> None:
    bsd = "Permission to use, copy, modify, and/or distribute this software for any purpose with" \
        " or without fee is hereby granted, provided that the above copyright notice and this" \
        " permission notice appear in all copies.\n\nTHE SOFTWARE IS PROVIDED \"AS IS\" AND THE" \
        " AUTHOR DISCLAIMS ALL WARRANTIES WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED" \
        " WARRANTIES OF MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR" \
        " ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES WHATSOEVER" \
        " RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN ACTION OF CONTRACT," \
        " NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF OR IN CONNECTION WITH THE USE OR" \
        " PERFORMANCE OF THIS SOFTWARE.\n"  # fmt: skip
    files = {
        "Makefile": "install:\n",
        "LICENSE": MIT,
        "lib/x/LICENSE": f"Copyright 2020 X\n\n{bsd}",
    }
    assert said_of("lib/x/a.c", written(tree(tmp_path, files))) == ("Copyright 2020 X", "ISC")


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        (
            {"Cargo.toml": '[package]\nname = "a"\ndescription = "The greeter."\n'
             'homepage = "https://a.example/"\nauthors = ["A <a@a.example>"]\n'},
            ("greeter", "https://a.example/", "A <a@a.example>"),
        ),
        (
            {"pyproject.toml": '[project]\nname = "a"\ndescription = "Greets"\n'
             'authors = [{name = "A", email = "a@a.example"}]\n'
             '[project.urls]\nRepository = "https://git.example/a"\n'},
            ("Greets", "https://git.example/a", "A <a@a.example>"),
        ),
        (
            {"package.json": '{"name": "a", "description": "Greets", "homepage": "x", '
             '"author": {"name": "A"}}', "a.js": ""},
            ("Greets", "https://bee.example/dl/", "A"),
        ),
        (
            {"README.rst": "greet\n=====\n\n|badge|\n\nGreet is a tool that greets everybody"
             " who comes. Second.\n", "Makefile": ""},
            ("tool that greets everybody who comes", "https://bee.example/dl/", ""),
        ),
        (
            {"README": "Here are some options.\n\nIt is free software under the MIT license.\n\n"
             "The greet program prints greetings, one for each who comes to our house.\n",
             "Makefile": ""},
            ("", "https://bee.example/dl/", ""),
        ),
        ({"package.json": '{"name": 5, "description": ["x"], "author": 7}', "Makefile": ""},
         ("", "https://bee.example/dl/", "")),
    ],
)  # fmt: skip
def test_upstream_s_own_words(
    tmp_path: Path, files: Mapping[str, str], wanted: tuple[str, str, str]
) -> None:
    known = written(tree(tmp_path, files)).metadata
    assert (known.summary, known.homepage, known.author) == wanted


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("greet - A small tool.", "small tool"),
        ("Greet is the best of all greeters!", "best of all greeters"),
        ("Command line client\nfor greeting", "Command line client for greeting"),
        ("word " * 30, ("word " * 16).strip()),
        (
            "formatting library providing a fast alternative to others, which is safe and small",
            "formatting library providing a fast alternative to others",
        ),
        ("{greet} is an open library", "open library"),
        ("greet (the program) are tools", "program) are tools"),
        ("", ""),
        ("...", ""),
        ("bad\x1b[31mred", ""),
    ],
)
def test_a_synopsis_is_one_of_debians(text: str, wanted: str) -> None:
    assert synopsis(text, "greet") == wanted


def test_the_first_that_says_something_counts() -> None:
    first = Metadata(summary="a").filled(Metadata(summary="b", author="c"))
    assert (first.summary, first.author) == ("a", "c")

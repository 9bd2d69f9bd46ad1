"""Two trees' terms, compared as a person names them: levels, bad input, the command."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support import mutations
from tests.support.archives import Item, deb_of, gz, tar, zip_of
from tests.support.rig import Rig
from toolsync.config.settings import Limits
from toolsync.license.trees import Comparison, compare_trees
from toolsync.system.work import Workshop

APACHE = (mutations.COMMON / "Apache-2.0").read_text()
GPL = (mutations.COMMON / "GPL-3").read_text()
HEADER = "# Licensed under the Apache License, Version 2.0\nx = 1\n"
CODE = "x = 1\n"
Files = Mapping[str, str | bytes]
BASE: Files = {"LICENSE": mutations.MIT, "pkg/__init__.py": CODE, "pkg/a.py": "y = 2\n"}


def tree(folder: Path, files: Files) -> Path:
    for path, content in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(mutations.as_bytes(content))
    folder.mkdir(exist_ok=True)
    return folder


def compared(tmp_path: Path, old: Files, new: Files) -> Comparison:
    return compare_trees(
        tree(tmp_path / "old", old),
        tree(tmp_path / "new", new),
        workshop=Workshop(tmp_path, tmp_path),
        limits=Limits(),
    )


def codes(found: Comparison) -> set[str]:
    return {change.code for change in found.changes}


CHANGES: Mapping[str, tuple[Files, Files, str, str]] = {
    "nothing": (BASE, BASE, "silent", ""),
    "code only": (BASE, {**BASE, "pkg/a.py": "y = 3\n", "pkg/b.py": "z = 1\n"}, "silent", ""),
    "another license": (BASE, {**BASE, "LICENSE": GPL}, "block", "main-changed"),
    "a pointer": (BASE, {**BASE, "LICENSE": "See vendor.example.\n"}, "block", "main-changed"),
    "removed": (BASE, {k: v for k, v in BASE.items() if k != "LICENSE"}, "block", "main-removed"),
    "renamed": (
        BASE,
        {"license.md": mutations.MIT, **{k: v for k, v in BASE.items() if k != "LICENSE"}},
        "silent",
        "",
    ),
    "moved to a folder of its own": (
        BASE,
        {"LICENSES/MIT.txt": mutations.MIT, **{k: v for k, v in BASE.items() if k != "LICENSE"}},
        "silent",
        "",
    ),
    "a second one": (BASE, {**BASE, "EULA.txt": mutations.VENDOR}, "review", "main-added"),
    "never any": ({"a.py": CODE}, {"a.py": CODE}, "review", "no-license-file"),
    "another wording": (
        {"LICENSE": APACHE},
        {"LICENSE": APACHE.partition("APPENDIX")[0]},
        "silent",
        "other-wording",
    ),
    "notice": (
        {**BASE, "NOTICE": "Made by Jane\n"},
        {**BASE, "NOTICE": "Made by John for ads\n"},
        "review",
        "notice-changed",
    ),
    "notice's year": (
        {**BASE, "NOTICE": "Foo\nCopyright 2019 Jane\n"},
        {**BASE, "NOTICE": "Foo\nCopyright 2020 Jane\n"},
        "silent",
        "",
    ),
    "notice gone": ({**BASE, "NOTICE": "Made by Jane\n"}, BASE, "review", "notice-removed"),
    "a nested text": (BASE, {**BASE, "pkg/x/LICENSE": GPL}, "review", "bundled-license"),
    "a nested text like the main one": (
        BASE,
        {**BASE, "pkg/x/LICENSE": mutations.MIT},
        "review",
        "bundled-license",
    ),
    "a nested text changed": (
        {**BASE, "pkg/x/LICENSE": mutations.MIT},
        {**BASE, "pkg/x/LICENSE": GPL},
        "review",
        "bundled-license",
    ),
    "a nested text moved along": (
        {**BASE, "pkg/x/LICENSE": GPL, "pkg/x/c.py": CODE},
        {**BASE, "src/x/LICENSE": GPL, "src/x/c.py": CODE},
        "silent",
        "",
    ),
    "a nested text gone, its code not": (
        {**BASE, "pkg/x/LICENSE": GPL, "pkg/x/c.py": CODE},
        {**BASE, "pkg/x/c.py": CODE},
        "review",
        "bundled-license-removed",
    ),
    "a page about licenses": (
        BASE,
        {**BASE, "docs/list-licenses.rst": "List the licenses of a host.\n" * 9},
        "silent",
        "",
    ),
    "vendored": (BASE, {**BASE, "pkg/_vendor/six.py": CODE}, "review", "bundled-vendored"),
    "vendored, another version": (
        {**BASE, "vendor/six-1.16/six.py": CODE},
        {**BASE, "vendor/six-1.17/six.py": CODE},
        "silent",
        "",
    ),
    "a dependency moved in": (
        {**BASE, "PKG-INFO": "Name: pkg\nRequires-Dist: botocore (==1.0)\n\n"},
        {
            **BASE,
            "PKG-INFO": "Name: pkg\n\n",
            **{f"pkg/botocore/{n}.py": f"n = {n}\n" for n in range(4)},
        },
        "review",
        "bundled-embedded",
    ),
    "a package of its own version": (
        BASE,
        {**BASE, "pkg/sub/__init__.py": '__version__ = "3.1"\n'},
        "review",
        "bundled-versioned",
    ),
    "another project's metadata": (
        BASE,
        {**BASE, "pkg/sub/package.json": '{"name": "left-pad", "version": "1.0"}'},
        "review",
        "bundled-package",
    ),
    "a new top-level package": (
        BASE,
        {**BASE, **{f"other/{n}.py": f"n = {n}\n" for n in range(4)}},
        "review",
        "bundled-top",
    ),
    "certificates": (
        BASE,
        {**BASE, "pkg/cacert.pem": "-----BEGIN\n"},
        "review",
        "bundled-certificates",
    ),
    "a jar": (BASE, {**BASE, "lib/log4j-1.0.jar": b"PK\3\4one"}, "review", "bundled-jar"),
    "the same jar elsewhere": (
        {**BASE, "lib/log4j-1.0.jar": b"PK\3\4one"},
        {**BASE, "libs/log4j.jar": b"PK\3\4one"},
        "silent",
        "",
    ),
    "a header": (BASE, {**BASE, "pkg/a.py": HEADER}, "review", "file-license"),
    "a header like its neighbors'": (
        {**BASE, "pkg/a.py": HEADER},
        {**BASE, "pkg/a.py": HEADER, "pkg/b.py": HEADER + "z = 1\n"},
        "silent",
        "",
    ),
    "a header that occurs far away": (
        {**BASE, "far/a.py": HEADER, "pkg/sub/x.py": CODE},
        {**BASE, "far/a.py": HEADER, "pkg/sub/x.py": CODE, "pkg/sub/b.py": HEADER + "z = 1\n"},
        "review",
        "file-license",
    ),
    "a header of the main license": (
        {"LICENSE": APACHE, "a.py": CODE},
        {"LICENSE": APACHE, "a.py": HEADER},
        "silent",
        "",
    ),
    "a tag": (
        BASE,
        {**BASE, "pkg/b.c": "/* SPDX-License-Identifier: GPL-2.0 */\n"},
        "review",
        "file-license",
    ),
    "metadata": (
        {**BASE, "package.json": '{"license": "MIT"}'},
        {**BASE, "package.json": '{"license": "SSPL-1.0"}'},
        "review",
        "metadata-changed",
    ),
    "metadata spelled anew": (
        {**BASE, "PKG-INFO": "Name: a\nLicense: MIT License\n\n"},
        {**BASE, "PKG-INFO": "Name: a\nLicense-Expression: MIT\n\n"},
        "silent",
        "",
    ),
    "metadata dropped": (
        {**BASE, "PKG-INFO": "Name: a\nLicense: MIT\n\n"},
        {**BASE, "PKG-INFO": "Name: a\n\n"},
        "silent",
        "",
    ),
    "metadata wrong as ever": (
        {**BASE, "PKG-INFO": "Name: a\nLicense: Apache-2.0\n\n"},
        {**BASE, "PKG-INFO": "Name: a\nLicense: Apache-2.0\n\n"},
        "silent",
        "",
    ),
    "metadata that lie now": (
        {"LICENSE": APACHE, "package.json": '{"license": "Apache-2.0"}'},
        {"LICENSE": mutations.MIT, "package.json": '{"license": "Apache-2.0"}'},
        "block",
        "metadata-disagrees",
    ),
    "metadata that are none": (BASE, {**BASE, "package.json": "{"}, "review", "unreadable"),
    "gutted": (
        {**BASE, **{f"pkg/m{n}.py": f"x = {n}\n" * 999 for n in range(30)}},
        {"README": "gone\n"},
        "review",
        "gutted",
    ),
    "parts below a ruler": (
        {"LICENSE": f"{mutations.VENDOR}\n----\n{mutations.MIT}"},
        {"LICENSE": f"{mutations.VENDOR}\n----\n{mutations.MIT}\n----\n{APACHE}"},
        "review",
        "bundled-in-main-file",
    ),
    "own terms above a ruler": (
        {"LICENSE": f"{mutations.VENDOR}\n----\n{mutations.MIT}"},
        {"LICENSE": f"{mutations.VENDOR} Pay.\n----\n{mutations.MIT}"},
        "block",
        "main-changed",
    ),
    "a first part below a ruler": (
        {"LICENSE": mutations.VENDOR},
        {"LICENSE": f"{mutations.VENDOR}\n----\nAdditional terms: pay.\n"},
        "block",
        "main-changed",
    ),
    "empty": (BASE, {**BASE, "LICENSE": ""}, "block", "unreadable"),
    "no text": (BASE, {**BASE, "LICENSE": bytes(range(256)) * 9}, "block", "unreadable"),
    "too long": (BASE, {**BASE, "LICENSE": b"word " * 500_000}, "block", "unreadable"),
    "any encoding": (
        {"LICENSE": mutations.MIT},
        {"LICENSE": mutations.MIT.replace("Jane Doe", "Jörg Müller").encode("latin-1")},
        "silent",
        "",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_has_its_verdict_and_its_word(name: str, tmp_path: Path) -> None:
    old, new, verdict, code = CHANGES[name]
    found = compared(tmp_path, old, new)
    assert (found.verdict, code in codes(found) or not code) == (verdict, True), found.changes
    assert code or not found.changes


def test_links_that_lead_out_or_nowhere_are_unknown(tmp_path: Path) -> None:
    old, new = tree(tmp_path / "old", BASE), tree(tmp_path / "new", BASE)
    (tmp_path / "secret").write_text("not yours\n")
    (new / "COPYING").symlink_to(tmp_path / "secret")
    (new / "NOTICE").symlink_to("nowhere")
    (new / "EULA").symlink_to("EULA")
    found = compare_trees(old, new, workshop=Workshop(tmp_path, tmp_path), limits=Limits())
    problems = [change.message for change in found.changes if change.unknown]
    assert len(problems) == 3
    assert found.verdict == "review"
    assert "not yours" not in str(found)


def test_a_link_inside_the_tree_is_read(tmp_path: Path) -> None:
    old, new = tree(tmp_path / "old", BASE), tree(tmp_path / "new", {**BASE, "x": mutations.MIT})
    (new / "LICENSE").unlink()
    (new / "LICENSE").symlink_to("x")
    found = compare_trees(old, new, workshop=Workshop(tmp_path, tmp_path), limits=Limits())
    assert found.verdict == "silent"


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    new = tree(tmp_path / "new", {"a.py": CODE})
    os.mkfifo(new / "LICENSE")
    found = compare_trees(
        tree(tmp_path / "old", BASE), new, workshop=Workshop(tmp_path, tmp_path), limits=Limits()
    )
    assert "LICENSE has a license file's name but is no plain file" in str(found.changes)
    assert found.verdict == "block"


def test_thousands_of_license_files_are_bounded(tmp_path: Path) -> None:
    many = {f"d{n}/LICENSE": f"word{n}\n" for n in range(5_010)}
    found = compared(tmp_path, BASE, {**BASE, **many})
    assert found.verdict == "review"
    assert any("more than 5000 license files" in change.message for change in found.changes)


@pytest.mark.parametrize("pack", ["tar", "zip", "deb", "folder"])
def test_every_form_gives_the_same(pack: str, tmp_path: Path) -> None:
    items = [Item(name=f"p-1/{path}", data=mutations.as_bytes(data)) for path, data in BASE.items()]
    path = tmp_path / "file"
    if pack == "folder":
        tree(path, BASE)
    else:
        data = {"tar": gz(tar(items)), "zip": zip_of(items), "deb": deb_of("data.tar", tar(items))}
        path.write_bytes(data[pack])
    found = compare_trees(
        tree(tmp_path / "old", BASE), path, workshop=Workshop(tmp_path, tmp_path), limits=Limits()
    )
    assert found.verdict == "silent", found.changes


def test_the_command_answers_with_verdict_findings_and_status(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "rig")
    old, new = tree(tmp_path / "old", BASE), tree(tmp_path / "new", {**BASE, "LICENSE": GPL})
    assert rig.json("license", old, old) == {"verdict": "silent", "findings": []}
    told = rig.json("license", old, new, status=3)
    assert told["verdict"] == "block"
    assert set(told["findings"][0]) == {"code", "severity", "message"}
    assert "MIT to GPL-3.0" in rig.run("license", old, new, status=3).stdout
    assert "[-permission-]" in rig.run("license", "--diff", old, new, status=3).stdout
    rig.run("license", old, tmp_path / "nothing", status=2)
    assert not rig.leftovers()


def test_an_archive_that_cannot_be_read_is_unknown(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "rig")
    old = tree(tmp_path / "old", BASE)
    (tmp_path / "bad.tar").write_bytes(b"<html>no archive</html>")
    told = rig.json("license", old, tmp_path / "bad.tar", status=3)
    assert told["verdict"] == "review"
    assert told["findings"][0]["severity"] == "unknown"
    assert "web page" in json.dumps(told)

"""What shipped definitions bring beside upstream's files: patches, tests, series.

Upstream's trees are not here. What can be told without them is told for all tools: that patches
are well formed, say what they are for and name nothing outside of the tree; that the tests exist
which debian/tests/control names; that somebody can build it. euca2ools' patches carry a library
of their own, which is whole, and is put together and used.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from debian.deb822 import Deb822

from tests.support.rig import ROOT
from toolsync.setup.tools import load_tool
from toolsync.system.distro import supported

TOOLS = sorted((ROOT / "conf" / "tools").iterdir())
PATCHES = sorted(path for tool in TOOLS for path in tool.glob("debian/patches/*.patch"))
EUCA = ROOT / "conf" / "tools" / "euca2ools" / "debian"
FIELDS = {"Description", "Author", "Origin", "Forwarded", "Last-Update"}
MAINTAINER = "toolsync archive <toolsync@toolsync.invalid>"
HUNK = re.compile(r"@@ -\d+(?:,(\d+))? \+\d+(?:,(\d+))? @@")

SIGNS = """
import time, types
import requests
from requestbuilder.auth.aws import HmacV4Auth, QueryHmacV2Auth
from requestbuilder.request import _IteratorFileObjAdapter
from requestbuilder.xmlparse import parse_listdelimited_aws_xml

KEYS = {"key_id": "AKIDEXAMPLE", "secret_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
time.time = lambda: 1440938160  # 2015-08-30T12:36:00Z
service = types.SimpleNamespace(NAME="service", region_name="us-east-1")

class Vanilla(HmacV4Auth):
    def _get_normalized_headers(self, req):
        kept = HmacV4Auth._get_normalized_headers(self, req)
        return {name: kept[name] for name in ("host", "x-amz-date")}

request = requests.Request("GET", "http://example.amazonaws.com/").prepare()
Vanilla(None, **KEYS).apply_to_request(request, service)
print(request.headers["Authorization"].rpartition("=")[2])
request = requests.Request("POST", "http://h/", data={"Name": "\u00f6", "A": "1"}).prepare()
QueryHmacV2Auth(None, **KEYS).apply_to_request(request, service)
print("Signature=" in request.body)
stream = _IteratorFileObjAdapter(iter(["<r><s><i>\u00f6</i></s>".encode(), b"</r>"]))
print(parse_listdelimited_aws_xml(stream, ["s"])["r"]["s"] == ["\u00f6"])
"""
VANILLA = "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
"""What it must print first: Amazon's test suite for Signature Version 4, case get-vanilla."""


def header(patch: Path) -> Deb822:
    """Return a patch's DEP-3 header."""
    return Deb822(patch.read_text(encoding="utf-8").partition("\n--- ")[0])


def files(patch: Path) -> Iterator[tuple[str, str, str]]:
    """Give for each file of a patch its old name, its new one and the hunks."""
    text = patch.read_text(encoding="utf-8").partition("\n\n--- ")[2]
    for part in re.split(r"^--- ", text, flags=re.MULTILINE):
        old, new, hunks = part.split("\n", 2)
        assert new.startswith("+++ "), (patch.name, new)
        yield old, new.removeprefix("+++ "), hunks


def test_there_are_patches_to_look_at() -> None:
    assert len(PATCHES) >= 15


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_series_of_patches_names_each_once(tool: Path) -> None:
    folder = tool / "debian" / "patches"
    there = {path.name for path in folder.glob("*")} - {"series"}
    listed = (folder / "series").read_text().split() if there else []
    assert sorted(listed) == sorted(there)


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_says_what_it_is_for(patch: Path) -> None:
    said = header(patch)
    assert set(said) <= FIELDS
    first, *rest = said["Description"].splitlines()
    assert len(first) < 70
    assert not first.endswith(".")
    assert rest
    assert said["Author"] == MAINTAINER or said["Origin"]
    assert said["Forwarded"].startswith("not-needed, ")
    assert date(2026, 1, 1) <= date.fromisoformat(said["Last-Update"])


@pytest.mark.parametrize("patch", PATCHES, ids=lambda patch: patch.name)
def test_a_patch_is_whole_and_stays_in_the_tree(patch: Path) -> None:
    seen = []
    for old, new, hunks in files(patch):
        for name, side in ((old, "a/"), (new, "b/")):
            assert name == "/dev/null" or (name.startswith(side) and ".." not in name), name
        assert not new.startswith("b/debian/"), "packaging is no business of a patch"
        seen.append(new)
        whole(hunks)
    assert len(seen) == len(set(seen)) > 0


def whole(hunks: str) -> None:
    """See that the hunks of one file have as many lines as they say."""
    left = right = 0
    for line in hunks.splitlines():
        match = HUNK.match(line)
        if match:
            assert (left, right) == (0, 0), line
            left, right = (int(count or 1) for count in match.groups())
        elif line[:1] in "+- ":
            left -= line[:1] != "+"
            right -= line[:1] != "-"
        else:
            assert line.startswith("\\"), line
    assert (left, right) == (0, 0)


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_the_tests_that_are_named_exist_and_can_be_run(tool: Path) -> None:
    folder = tool / "debian" / "tests"
    with (folder / "control").open(encoding="utf-8") as handle:
        named = {name for part in Deb822.iter_paragraphs(handle) for name in part["Tests"].split()}
    assert named == {path.name for path in folder.iterdir()} - {"control"}
    for name in named:
        assert os.access(folder / name, os.X_OK), name
        assert (folder / name).read_text(encoding="utf-8").startswith("#!/"), name


@pytest.mark.parametrize("tool", TOOLS, ids=lambda tool: tool.name)
def test_somebody_can_build_it(tool: Path) -> None:
    today = datetime.now(UTC).date()
    alive = {name for d in ("debian", "ubuntu") for name in supported(d, today)}
    series = load_tool(tool).series
    assert not series or set(series) & alive, f"{tool.name} is for {series} alone"
    control = (tool / "debian" / "control").read_text(encoding="utf-8")
    assert not re.search(r"(?<![-\w])python(?!3)", control), "Python 2 is gone"


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """requestbuilder as euca2ools' patches leave it: what they do to its folder, in their order."""
    tree = tmp_path_factory.mktemp("tree")
    for name in (EUCA / "patches" / "series").read_text().split():
        parts = [
            f"--- {old}\n+++ {new}\n{hunks}"
            for old, new, hunks in files(EUCA / "patches" / name)
            if new.startswith("b/requestbuilder/")
        ]
        words = ["patch", "--strip=1", "--fuzz=0", "--no-backup-if-mismatch", "--silent"]
        if parts:
            subprocess.run([*words, "-d", tree], input="".join(parts), text=True, check=True)
    return tree


def test_the_carried_library_is_brought_as_it_is_and_by_one_patch() -> None:
    first, *others = (EUCA / "patches" / "series").read_text().split()
    for old, new, hunks in files(EUCA / "patches" / first):
        assert old == "/dev/null", new
        assert new.startswith("b/requestbuilder/"), new
        assert "Permission to use, copy, modify, and/or distribute" in hunks, new
    assert re.search(r"sha256 [0-9a-f]{64}$", header(EUCA / "patches" / first)["Origin"])
    for name in others:
        assert all(old != "/dev/null" for old, _, _ in files(EUCA / "patches" / name))
    told = (EUCA / "copyright").read_text(encoding="utf-8")
    assert f"debian/patches/{first}" in told
    assert "License: ISC" in told


def test_the_carried_library_is_python_3(library: Path) -> None:
    modules = sorted(library.rglob("*.py"))
    assert len(modules) > 12
    for path in modules:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        asked = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        imported = {
            alias.name.split(".")[0]
            for node in ast.walk(tree)
            if isinstance(node, ast.Import)
            for alias in node.names
        }
        assert not names & {"file", "unicode", "basestring", "xrange", "long"}, path
        assert not asked & {"iteritems", "has_key", "maxint", "SafeConfigParser"}, path
        assert not imported & {"cgi", "distutils", "imp", "pipes", "six", "urlparse"}, path


def test_the_carried_library_signs_and_reads(library: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", SIGNS],
        env=os.environ | {"PYTHONPATH": str(library), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.stdout.split() == [VANILLA, "True", "True"], done.stderr


def test_euca2ools_is_built_as_its_version_whatever_its_tree_says(tmp_path: Path) -> None:
    """Upstream's tarball of a release says its version; the tag's says what setuptools refuses."""
    stated = tmp_path / "euca2ools" / "__init__.py"
    (tmp_path / "debian").mkdir()
    stated.parent.mkdir()
    (tmp_path / "debian" / "changelog").write_text(
        "euca2ools (3.4.1-0debian1~ppa1~deb12.1) bookworm; urgency=medium\n\n  * None.\n\n"
        f" -- {MAINTAINER}  Thu, 26 Nov 2026 00:00:00 +0000\n"
    )
    for said in ("3.4-devel", "3.4.1"):
        stated.write_text(f"import os\n\n__version__ = '{said}'\nBUFSIZE = 1\n")
        argv = ["make", "-s", "-f", str(EUCA / "rules"), "execute_before_dh_auto_configure"]
        subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
        assert stated.read_text() == "import os\n\n__version__ = '3.4.1'\nBUFSIZE = 1\n"


def test_euca2ools_is_cleaned_without_its_setup(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("raise SystemExit('Invalid version: 3.4-devel')\n")
    left = [tmp_path / name for name in ("build", ".pybuild", "euca2ools.egg-info")]
    for folder in left:
        folder.mkdir()
    argv = ["make", "-s", "-f", str(EUCA / "rules"), "override_dh_auto_clean"]
    subprocess.run(argv, cwd=tmp_path, check=True, capture_output=True)
    assert not [folder for folder in left if folder.exists()]

"""A Python release without setup.py is built by what its pyproject.toml says."""

from __future__ import annotations

from pathlib import Path

import pytest
from debian.deb822 import Deb822

from toolsync.package.pyproject import build_by_pyproject

CONTROL = """\
Source: x
Build-Depends: debhelper-compat (= 13),
 dh-python,
# for the tests
 python3-setuptools,
Rules-Requires-Root: no

Package: python3-x
Architecture: all
"""
RULES = "#!/usr/bin/make -f\n%:\n\tdh $@ --buildsystem=pybuild\n"


def laid(place: Path, *, rules: str = RULES, setup: bool = False, project: str = "") -> Path:
    (debian := place / "debian").mkdir(parents=True)
    (debian / "control").write_text(CONTROL)
    (debian / "rules").write_text(rules)
    (place / "pyproject.toml").write_text(project)
    if setup:
        (place / "setup.py").write_text("")
    return debian


@pytest.mark.parametrize(
    ("project", "added"),
    [
        ('[build-system]\nrequires = ["flit_core >=3.2,<4"]\n', ["flit"]),
        ('[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n',
            ["python3-hatchling", "python3-hatch-vcs"]),
        ('[build-system]\nrequires = ["setuptools>=61", "Cython"]\n', ["cython3"]),
        ("[project]\n", []),
        ("what is this", []),
    ],
)  # fmt: skip
def test_what_builds_it_comes_into_build_depends(
    tmp_path: Path, project: str, added: list[str]
) -> None:
    debian = laid(tmp_path, project=project)
    (finding,) = build_by_pyproject(tmp_path, debian)
    text = (debian / "control").read_text()
    first = Deb822(text)
    names = [part.split()[0] for part in first["Build-Depends"].replace("\n", " ").split(",")]
    assert names == [
        *("debhelper-compat", "dh-python", "python3-setuptools", "pybuild-plugin-pyproject"),
        *added,
    ]
    assert first["Rules-Requires-Root"] == "no"
    assert text.endswith("\n\nPackage: python3-x\nArchitecture: all\n")
    assert finding.severity == "risky"
    assert f"{', '.join(['pybuild-plugin-pyproject', *added])} added to" in finding.message
    assert build_by_pyproject(tmp_path, debian) == (), "once is enough"


def test_what_is_built_otherwise_stays_as_it_is(tmp_path: Path) -> None:
    for at, debian in enumerate((
        laid(tmp_path / "0", setup=True),
        laid(tmp_path / "1", rules="%:\n\tdh $@ --buildsystem=cmake\n"),
    )):  # fmt: skip
        assert build_by_pyproject(tmp_path / str(at), debian) == ()
        assert (debian / "control").read_text() == CONTROL

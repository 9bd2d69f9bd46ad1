"""What is built for others to install carries everything, and works where it is put."""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import pytest

from tests.support.rig import ROOT, environment

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of what git tracks, so that building leaves nothing here."""
    folder = tmp_path_factory.mktemp("dist") / "toolsync"
    names = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, text=True, check=True
    ).stdout.split("\0")
    for name in filter(None, names):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    return folder


def python(*words: str | Path, cwd: Path) -> str:
    return subprocess.run(
        [sys.executable, *words],
        cwd=cwd,
        env=environment() | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_the_sdist_carries_conf_tests_and_docs(checkout: Path) -> None:
    code = "from setuptools.build_meta import build_sdist; print(build_sdist('out'))"
    (checkout / "out").mkdir()
    name = python("-c", code, cwd=checkout).splitlines()[-1]
    with tarfile.open(checkout / "out" / name) as tar:
        names = {path.partition("/")[2] for path in tar.getnames()}
    for wanted in (
        "conf/toolsync.toml",
        "conf/tools/awscli/debian/rules",
        "conf/tools/aws-cli/keys/aws-cli.asc",
        "tests/service/test_pipeline.py",
        "docs/adr/0001-stages-and-journal.md",
        "toolsync/config/tool.schema.json",
        "debian/control",
        "debian/motd/95-toolsync",
        "Makefile",
        "README.md",
    ):
        assert wanted in names


def test_the_wheel_works_in_an_environment_of_its_own(checkout: Path, tmp_path: Path) -> None:
    python(*("-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, "."), cwd=checkout)
    (wheel,) = tmp_path.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert any(name.endswith("share/toolsync/tools/awscli/tool.toml") for name in names)
    assert not any(name.startswith("tests/") for name in names)
    assert {"toolsync/report/index.html.j2", "toolsync/report/look.css"} <= set(names)
    home = tmp_path / "env"
    python("-m", "venv", home, cwd=tmp_path)
    installer = str(home / "bin" / "python")
    pip = [installer, "-m", "pip", "install", "-q", "--no-deps", str(wheel)]
    subprocess.run(pip, check=True, capture_output=True)
    # The libraries are those of the environment that runs the tests.
    (site,) = (home / "lib").glob("python3*/site-packages")
    (site / "libraries.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    program = str(home / "bin" / "toolsync")
    state = ["--state", str(tmp_path / "state")]
    for words in ([program], [installer, "-m", "toolsync"]):
        done = subprocess.run(
            [*words, *state, "status", "--json"],
            cwd=tmp_path,
            env=environment() | {"PYTHONPATH": "", "HOME": str(tmp_path)},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stderr
    shown = subprocess.run(
        [program, *state, "status"],
        cwd=tmp_path,
        env=environment() | {"PYTHONPATH": ""},
        capture_output=True,
        text=True,
    ).stdout
    for tool in ("awscli", "ec2-ami-tools", "euca2ools", "amazon-efs-utils"):
        assert tool in shown

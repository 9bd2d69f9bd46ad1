"""The Debian package: what it says agrees with what it carries; its scripts do as told."""

from __future__ import annotations

import configparser
import json
import logging
import os
import pwd
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from debian.changelog import Changelog
from debian.deb822 import Deb822

from tests.support.rig import ROOT
from toolsync.build.sbuild import SBUILD
from toolsync.maintain.doctor import ALWAYS
from toolsync.setup.settings import load_config
from toolsync.setup.tools import load_tool
from toolsync.system.builder import PROGRAMS
from toolsync.system.door import WEB_USER
from toolsync.system.programs import PACKAGES
from toolsync.watch.kinds import KINDS
from toolsync.web.setup import OWN

DEBIAN = ROOT / "debian"
UNITS = sorted(
    path for path in DEBIAN.iterdir() if path.suffix in (".service", ".socket", ".timer")
)


def paragraphs() -> dict[str, Deb822]:
    """Return debian/control by package; the source's under an empty name."""
    with (DEBIAN / "control").open(encoding="utf-8") as handle:
        return {part.get("Package", ""): part for part in Deb822.iter_paragraphs(handle)}


def names(field: str) -> set[str]:
    """Return the packages that a field of relations names."""
    return {re.split(r"[\s(|<:]", item.strip())[0] for item in field.split(",") if item.strip()}


def shell(script: str, *words: str | Path, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", "-c", script, "sh", *map(str, words)],
        capture_output=True,
        text=True,
        env=os.environ | env,
    )


def stub(path: Path, text: str) -> None:
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


def test_there_is_one_version() -> None:
    (said,) = re.findall(r'version="([^"]+)"', (ROOT / "setup.py").read_text())
    changelog = Changelog((DEBIAN / "changelog").read_text(encoding="utf-8"))
    assert str(changelog.version) == said


def test_every_program_of_the_default_set_up_is_depended_on() -> None:
    wanted = {PACKAGES[program] for program in (*ALWAYS, *SBUILD.programs, "reprepro")}
    wanted |= {package for kind in KINDS.values() for package in kind.packages}
    essential = {"apt", "dpkg", "tar", "util-linux"}  # on every Debian; lintian wants them unsaid
    assert wanted - essential <= names(paragraphs()["toolsync"]["Depends"])
    run = re.findall(
        r"^RUN_PACKAGES := ((?:.*\\\n)*.*)", (ROOT / "Makefile").read_text(), re.MULTILINE
    )
    installed = {name for part in run for name in part.replace("\\", " ").split()}
    aliases = {"gpg": "gnupg", "gpg-agent": "gnupg", "gpgconf": "gnupg"}
    assert {aliases.get(name, name) for name in wanted - essential} <= installed


def test_every_library_is_there_when_the_package_is_built() -> None:
    text = (ROOT / "Makefile").read_text()
    lists = re.findall(r"^(?:RUN|TEST|DEB)_PACKAGES := ((?:.*\\\n)*.*)", text, re.MULTILINE)
    installed = {name for part in lists for name in part.replace("\\", " ").split()}
    aliases = {"debhelper-compat": "debhelper", "dh-sequence-python3": "dh-python"}
    wanted = {aliases.get(n, n) for n in names(paragraphs()[""]["Build-Depends"])}
    covered = {"gpg", "gpg-agent", "python3", "dh-sequence-installsysusers"}  # gnupg; venv; dh
    assert wanted - covered <= installed


def test_copyright_names_the_tools_folders_and_all_their_licenses() -> None:
    parts = list(Deb822.iter_paragraphs((DEBIAN / "copyright").read_text(encoding="utf-8")))
    told = {
        part["License"].splitlines()[0]
        for part in parts
        if "Files" not in part and "License" in part
    }
    used = {part["License"].splitlines()[0] for part in parts if "Files" in part}
    assert used == told
    globs = {glob for part in parts for glob in part.get("Files", "").split()}
    tools = {f"conf/tools/{p.name}/debian/*" for p in (ROOT / "conf" / "tools").iterdir()}
    assert tools <= globs


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_units_are_units(path: Path) -> None:
    unit = configparser.RawConfigParser(strict=False, delimiters=("=",))
    unit.optionxform = str  # type: ignore[assignment, method-assign]
    unit.read(path)
    assert unit["Unit"]["Description"]
    assert unit["Unit"]["Documentation"].startswith("man:")
    if path.suffix == ".service":
        command = unit["Service"]["ExecStart"]
        assert command.startswith("/usr/bin/")
        user = "toolsync-web" if path.name == "toolsync-web.service" else "toolsync"
        assert unit["Service"].get("User") == user or f"--reuid={user}" in command


def test_a_build_sees_neither_the_state_nor_the_settings() -> None:
    text = (DEBIAN / "toolsync.toolsync-builder@.service").read_text()
    (hidden,) = re.findall(r"^TemporaryFileSystem=(.*)$", text, re.MULTILINE)
    assert {"/var/lib/toolsync:ro", "/etc/toolsync:ro"} <= set(hidden.split())
    comment = text.partition("[Unit]")[0]
    assert all(program in comment for program in PROGRAMS)


def test_service_socket_and_builder_name_one_path() -> None:
    socket = (DEBIAN / "toolsync.toolsync-builder.socket").read_text()
    (path,) = re.findall(r"^ListenStream=(.*)$", socket, re.MULTILINE)
    for name in ("toolsync.service", "toolsync-worker.service"):
        assert f"Environment=TOOLSYNC_BUILDER={path}\n" in (DEBIAN / name).read_text()


def test_a_worker_works_where_its_builder_may_write_and_sees_no_key() -> None:
    builder = (DEBIAN / "toolsync.toolsync-builder@.service").read_text()
    (writable,) = re.findall(r"^ReadWritePaths=(.*)$", builder, re.MULTILINE)
    config = load_config(ROOT / "conf" / "worker.toml", Path("/var/lib/toolsync-worker"))
    assert config.build.work == writable
    assert config.build.chroots.startswith(f"{writable}/")
    unit = (DEBIAN / "toolsync-worker.service").read_text()
    assert f" --state {config.state} worker\n" in unit
    assert "\nInaccessiblePaths=-/var/lib/toolsync\n" in unit
    recipe = (DEBIAN / "worker" / "Containerfile").read_text()
    (command,) = re.findall(r"^ExecStart=/usr/bin/(.*)$", unit, re.MULTILINE)
    assert json.dumps(command.split()) in recipe


def test_a_workers_settings_are_keys_that_there_are(tmp_path: Path) -> None:
    text = (ROOT / "conf" / "worker.toml").read_text()
    file = tmp_path / "worker.toml"
    file.write_text(re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE))
    config = load_config(file, tmp_path)
    assert config.fleet.broker.startswith("rediss://")
    assert config.shared.url.startswith("s3://")


def test_the_pages_and_the_door_name_one_path() -> None:
    socket = (DEBIAN / "toolsync-web.toolsync-errand.socket").read_text()
    (path,) = re.findall(r"^ListenStream=(.*)$", socket, re.MULTILINE)
    service = (DEBIAN / "toolsync-web.service").read_text()
    assert f"Environment=TOOLSYNC_DOOR={path}\n" in service
    assert f"SocketUser={WEB_USER}\nSocketMode=0600\n" in socket
    errand = (DEBIAN / "toolsync-web.toolsync-errand@.service").read_text()
    assert "\nPrivateUsers=" not in errand  # or the kernel would call whoever asks 65534


def test_the_pages_are_a_user_of_their_own_who_only_reads() -> None:
    text = (DEBIAN / "toolsync-web.service").read_text()
    users = (DEBIAN / "toolsync-web.sysusers").read_text()
    assert f"User={WEB_USER}\n" in text
    assert users.startswith(f"u {WEB_USER} ")
    assert f"\nEnvironment={OWN}=/var/lib/{WEB_USER}\n" in text
    assert f"\nStateDirectory={WEB_USER}\n" in text
    assert "\nEnvironment=STATE_DIRECTORY=/var/lib/toolsync\n" in text  # systemd's is their own
    assert "ReadWritePaths=" not in text
    (unset,) = re.findall(r"^UnsetEnvironment=(.*)$", text, re.MULTILINE)
    assert {"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} <= set(unset.split())
    (hidden,) = re.findall(r"^InaccessiblePaths=(.*)$", text, re.MULTILINE)
    assert set(hidden.split()) == {
        "-/var/lib/toolsync/gnupg",
        "-/var/lib/toolsync/launchpad",
        "-/run/toolsync",
    }
    for path in DEBIAN.glob("*.service"):
        if "StateDirectory=toolsync\n" in (unit := path.read_text()):
            assert "StateDirectoryMode=2755\n" in unit, path.name  # its group may read


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_what_was_the_pages_before_they_had_a_user_moves(tmp_path: Path) -> None:
    text = (DEBIAN / "toolsync-web.postinst").read_text()
    (function,) = re.findall(r"^move_own\(\) \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    function = function.replace("toolsync-web", "www-data").replace("=toolsync ", "=nobody ")
    function = function.replace("--regid=nobody", "--regid=nogroup")
    state, own = tmp_path / "state", tmp_path / "own"
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o77 == 0:
            folder.chmod(0o711)
    (state / "web").mkdir(parents=True)
    (state / "web" / "session.key").write_bytes(b"k" * 32)
    shell('chown -R nobody:nogroup "$1"; chmod 700 "$1/web"', state)
    for _ in range(2):  # may be repeated
        done = shell(f'set -e\n{function}move_own "$1" "$2"', state, own)
        assert (done.returncode, done.stderr) == (0, "")
        found = (own / "session.key").stat()
        assert pwd.getpwuid(found.st_uid).pw_name == "www-data"
        assert (found.st_mode & 0o777, (state / "web").exists()) == (0o600, False)
        assert (own / "session.key").read_bytes() == b"k" * 32


CLOSED = (
    "toolsync.service",
    "toolsync-web.service",
    "toolsync-web.toolsync-errand@.service",
    "toolsync-web.toolsync-keeper.service",
    "toolsync-worker.service",
)


@pytest.mark.parametrize("name", CLOSED)
def test_a_unit_is_closed(tmp_path: Path, name: str) -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not on this machine")
    unit = tmp_path / name.removeprefix("toolsync-web.toolsync-")
    unit.write_bytes((DEBIAN / name).read_bytes())
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20"]
    done = subprocess.run([*words, unit], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr
    logging.info("%s: %s", name, done.stdout.splitlines()[-1])


@pytest.mark.parametrize(
    ("systemd", "installed", "runs"),
    [(False, True, True), (True, True, False), (False, False, False)],
)
def test_cron_stands_back_where_systemd_runs(
    tmp_path: Path, systemd: bool, installed: bool, runs: bool
) -> None:
    (line,) = re.findall(r"^\d.*$", (DEBIAN / "toolsync.cron.d").read_text(), re.MULTILINE)
    *_, user, command = line.split(maxsplit=6)
    assert user == "toolsync"
    if systemd:
        (tmp_path / "systemd").mkdir()
    if installed:
        stub(tmp_path / "toolsync", 'echo "ran $1" >&2')
    command = command.replace("/run/systemd/system", str(tmp_path / "systemd"))
    command = command.replace("/usr/bin/toolsync", str(tmp_path / "toolsync"))
    done = shell(command, PATH=f"{tmp_path}:{os.environ['PATH']}")
    assert (done.returncode, done.stderr.startswith("ran run")) == (0, runs)


@pytest.mark.parametrize(
    ("before", "range_given"),
    [
        ("", "100000-165535"),
        ("someone:100000:65536\n", "165536-231071"),
        ("a:300000:65536\nb:100000:65536\n", "365536-431071"),
        ("low:1000:10\n", "100000-165535"),
        ("toolsync:100000:65536\n", ""),
    ],
)
def test_ids_are_given_once_and_overlap_nobodys(
    tmp_path: Path, before: str, range_given: str
) -> None:
    text = (DEBIAN / "toolsync.postinst").read_text()
    (function,) = re.findall(r"^give_ids\(\) \{\n.*?^\}\n", text, re.MULTILINE | re.DOTALL)
    (tmp_path / "subuid").write_text(before)
    stub(tmp_path / "usermod", 'echo "$@"')
    done = shell(
        f'set -e\n{function}give_ids "$1" --add-subuids',
        tmp_path / "subuid",
        PATH=f"{tmp_path}:{os.environ['PATH']}",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == (f"--add-subuids {range_given} toolsync\n" if range_given else "")


@pytest.mark.parametrize(
    "name",
    [
        *("toolsync.postinst", "toolsync.postrm", "toolsync-web.postinst", "toolsync-web.postrm"),
        *("toolsync-worker.postinst", "motd/95-toolsync"),
    ],
)
def test_scripts_are_plain_shell(name: str) -> None:
    assert os.access(DEBIAN / name, os.X_OK)
    done = subprocess.run(["dash", "-n", DEBIAN / name], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the packages, as `make deb` makes them, and what the first unpacks to."""
    dist = tmp_path_factory.mktemp("dist")
    words = ["make", "-C", str(ROOT), "deb", f"DEB_WORK={dist}/work", f"DEB_DIST={dist}"]
    done = subprocess.run(
        [*words, "DEB_FLAGS=--build-profiles=nocheck"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (deb,) = dist.glob("toolsync_*.deb")
    subprocess.run(["dpkg-deb", "-x", deb, dist / "root"], check=True)
    return dist


@pytest.mark.slow
@pytest.mark.xdist_group("deb")
def test_lintian_finds_nothing(built: Path) -> None:
    (changes,) = built.glob("*.changes")
    done = subprocess.run(
        ["lintian", "--allow-root", "--color=never", "--fail-on=error,warning", changes],
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.slow
@pytest.mark.xdist_group("deb")
def test_the_pages_bring_their_sockets_and_services(built: Path) -> None:
    (deb,) = built.glob("toolsync-web_*.deb")
    done = subprocess.run(["dpkg-deb", "-c", deb], capture_output=True, text=True, check=True)
    units = set(re.findall(r"/system/(toolsync-\S+)", done.stdout))
    names = ("web.service", "web.socket", "errand@.service", "errand.socket", "keeper.service")
    assert units == {f"toolsync-{name}" for name in names}


@pytest.mark.slow
@pytest.mark.xdist_group("deb")
def test_the_service_is_closed_and_its_units_are_understood(built: Path) -> None:
    units = built / "root" / "lib" / "systemd" / "system"
    words = ["systemd-analyze", "security", "--offline=true", "--no-pager", "--threshold=20"]
    done = subprocess.run([*words, units / "toolsync.service"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert done.stderr == ""


@pytest.mark.slow
@pytest.mark.xdist_group("deb")
def test_the_package_works_and_carries_the_tools_as_they_are(built: Path) -> None:
    root = built / "root"
    home = root / "usr" / "lib" / "python3" / "dist-packages"
    done = subprocess.run(
        ["/usr/bin/python3", root / "usr" / "bin" / "toolsync", "--version"],
        capture_output=True,
        text=True,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(home)},
    )
    assert done.stdout.startswith("toolsync, version "), done.stderr
    for folder in (ROOT / "conf" / "tools").iterdir():
        ours = load_tool(folder).packaging_digest()
        theirs = load_tool(root / "usr/share/toolsync/tools" / folder.name).packaging_digest()
        assert ours == theirs, f"{folder.name}: another packaging than the checkout's"
    assert (root / "etc/toolsync/toolsync.toml").read_bytes() == (
        ROOT / "conf/toolsync.toml"
    ).read_bytes()
    for page in ("man1/toolsync.1.gz", "man5/toolsync.toml.5.gz", "man5/tool.toml.5.gz"):
        assert (root / "usr/share/man" / page).is_file()

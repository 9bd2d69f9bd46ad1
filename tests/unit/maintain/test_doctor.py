"""What doctor calls fine must work, and what does not work must be told with its remedy."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import Web
from tests.support.keys import Keys, throwaway_keys
from tests.support.rig import Rig, environment
from tests.support.tiny import publish, write_tool
from toolsync.build.backends import BACKENDS
from toolsync.maintain.doctor import ALWAYS
from toolsync.publish.targets import TARGETS
from toolsync.setup.settings import load_config
from toolsync.system.architectures import own
from toolsync.system.programs import PACKAGES

CLEAN = "[build]\nbackend = 'sbuild'\n"


@pytest.fixture
def keys() -> Iterator[Keys]:
    with throwaway_keys() as made:
        yield made


def checks(rig: Rig, status: int | None = 0) -> dict[str, Any]:
    return {check["subject"]: check for check in rig.json("doctor", status=status)}


def inside(rig: Rig, script: str, *words: str) -> str:
    """Run doctor as root of a private mount namespace, after ``script`` has changed it."""
    command = f'{script} && exec "$@"'
    done = subprocess.run(
        ["unshare", "--map-root-user", "--mount", "sh", "-ec", command, "sh", *rig.argv(*words)],
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert "Traceback" not in done.stderr
    assert done.returncode == 5, done.stdout + done.stderr
    return done.stdout


def signed_by(rig: Rig, keys: Keys, *names: str) -> None:
    """Add a tool whose releases are signed by these keys."""
    pinned = ", ".join(f'"{name}"' for name in names)
    folder = write_tool(
        rig.tools,
        "http://127.0.0.1:9/",
        toml=f"[verify]\nmethod = 'openpgp'\nsignature = '{{url}}.asc'\nkeys = [{pinned}]\n",
    )
    keys.export(folder / "keys" / "vendor.asc", *names)


def test_every_program_has_a_package_to_install(rig: Rig) -> None:
    config = load_config(rig.file, rig.state)
    programs = {*ALWAYS, *(name for backend in BACKENDS.values() for name in backend.programs)}
    programs |= {name for target in TARGETS.values() for name in target.programs(config)}
    assert programs <= set(PACKAGES)
    assert {"setpriv", "prlimit", "gpgconf", "dpkg-deb", "dpkg-genchanges"} <= programs


def test_what_a_teams_repository_needs_is_looked_at_where_one_is_named(
    rig: Rig, tmp_path: Path
) -> None:
    write_tool(rig.tools, "http://127.0.0.1:9/")
    assert "program gbp" not in rig.run("doctor", status=None).stdout
    token = tmp_path / "token"
    rig.configure(
        f'tools = ["hello"]\n{rig.settings}\n[git]\nrepository = "https://salsa.debian.org/t/{{name}}.git"'
        f'\npropose = true\ntoken_file = "{token}"\n'
    )
    found = {c["subject"]: c for c in rig.json("doctor", status=5)}
    assert {"program git", "program gbp", "program pristine-tar"} <= found.keys()
    assert str(token) in found["[git] of hello"]["message"]
    token.write_text("s3cret\n")
    token.chmod(0o600)
    found = {c["subject"]: c for c in json.loads(rig.run("doctor", "--json", status=None).stdout)}
    assert found["[git] of hello"]["fine"]
    assert "on a GitLab, such as Salsa" in found["[git] of hello"]["message"]
    assert "s3cret" not in str(found)


def test_a_secret_that_the_pages_can_read_is_told(rig: Rig) -> None:
    for folder in (rig.root, *rig.root.parents):
        if folder.stat().st_uid == os.geteuid() and folder.stat().st_mode & 0o77 == 0:
            folder.chmod(0o711)
    paths = {name: rig.root / name for name in ("hooked", "posted", "mailed", "git")}
    for path in paths.values():
        path.write_text("s3cret\n")
        path.chmod(0o640)
    write_tool(rig.tools, "http://127.0.0.1:9/")
    rig.configure(
        f'tools = ["hello"]\n{rig.settings}\n[web]\nhook_secret_file = "{paths["hooked"]}"\n'
        f'[report.webhook]\nurl = "http://127.0.0.1:9/"\ntoken_file = "{paths["posted"]}"\n'
        f'[report.mail]\nto = ["x@y.example"]\npassword_file = "{paths["mailed"]}"\n'
        f'[git]\nidentity = "{paths["git"]}"\n'
    )
    rig.state.mkdir()
    assert not [subject for subject in checks(rig, status=None) if subject.startswith("secret")]
    rig.state.chmod(0o2755)  # its group reads it now
    paths["mailed"].chmod(0o600)
    found = checks(rig, status=None)
    assert f"secret {paths['hooked']}" not in found  # it is theirs
    assert found[f"secret {paths['mailed']}"]["fine"]
    for name in ("posted", "git"):
        check = found[f"secret {paths[name]}"]
        assert not check["fine"]
        assert "can be read by the pages' user: mode 0640" in check["message"]
        subprocess.run(check["resolution"], shell=True, check=True)  # as it says
    assert "[report.webhook] token_file" in found[f"secret {paths['posted']}"]["message"]
    found = checks(rig, status=None)
    assert all(check["fine"] for subject, check in found.items() if subject.startswith("secret"))


def test_a_missing_program_is_named_with_its_package(rig: Rig, tmp_path: Path) -> None:
    folder = tmp_path / "bin"
    folder.mkdir()
    for path in map(Path, ("/usr/bin", "/bin", "/usr/sbin")):
        for program in path.iterdir():
            link = folder / program.name
            if program.name != "prlimit" and not os.path.lexists(link):
                link.symlink_to(program)
    told = rig.run("doctor", status=5, PATH=str(folder)).stdout
    assert "MISSING  program prlimit: is not on this machine\n         → apt install util" in told
    assert told.count("MISSING") == 1


def test_too_few_ids_are_not_fine(rig: Rig, tmp_path: Path) -> None:
    """A line for this user is not enough: chroots map 65536 ids."""
    rig.configure(CLEAN)
    few = tmp_path / "subuid"
    few.write_text("root:100000:1000\n")
    told = inside(rig, f"mount --bind {few} /etc/subuid", "doctor")
    assert "MISSING  subordinate ids: /etc/subuid give root no ids to build with" in told


def test_a_machine_without_user_namespaces_is_told_and_how_to_allow_them(rig: Rig) -> None:
    rig.configure(CLEAN)
    told = inside(rig, "echo 0 > /proc/sys/user/max_user_namespaces", "doctor")
    assert "MISSING  user namespaces: no user namespace can be made" in told
    assert "sysctl" in told


def test_room_is_looked_for_where_builds_are(rig: Rig) -> None:
    rig.work.mkdir()
    told = inside(rig, f"mount -t tmpfs -o size=1m none {rig.work}", "doctor")
    assert f"MISSING  room in {rig.work}: 0.0 GiB are free, wanted 5" in told
    assert "[build] work" in told


def test_a_chroot_folder_open_to_others_is_not_fine(rig: Rig) -> None:
    folder = rig.root / "open"
    folder.mkdir()
    folder.chmod(0o777)
    for parent in rig.root.parents:
        if parent.stat().st_uid == os.geteuid() and parent != Path("/"):
            parent.chmod(parent.stat().st_mode | 0o011)
    rig.root.chmod(0o755)
    rig.configure(f"{CLEAN}chroots = '{folder}'\n")
    check = checks(rig, status=5)["chroots"]
    assert not check["fine"]
    assert "others may write" in check["message"]


def test_keys_that_ended_or_end_soon_are_told(rig: Rig, keys: Keys) -> None:
    ends = datetime.now(UTC) + timedelta(days=12)
    soon = keys.make("Soon", expire=f"{ends:%Y%m%dT%H%M%S}")
    fine = keys.make("Fine")
    signed_by(rig, keys, soon, fine)
    found = checks(rig)  # an early word is no fault
    assert found[f"key {soon} of hello"]["message"] == f"expires on {ends:%Y-%m-%d}"
    assert found[f"key {soon} of hello"]["resolution"]
    assert f"key {fine} of hello" not in found

    old = keys.make("Old", expire="20200201T000000")
    revoked = keys.make("Revoked")
    keys.revoke(revoked)
    signed_by(rig, keys, old, revoked)
    found = checks(rig, status=5)
    assert found[f"key {old} of hello"]["message"] == "expired on 2020-02-01"
    assert found[f"key {revoked} of hello"]["message"] == "was revoked by its owner"


def test_a_pinned_key_that_is_not_there_is_told(rig: Rig, keys: Keys) -> None:
    signed_by(rig, keys, keys.make("Pinned"))
    keys.export(rig.tools / "hello" / "keys" / "vendor.asc", keys.make("Another"))
    (told,) = [name for name, check in checks(rig, status=5).items() if not check["fine"]]
    assert told.startswith("key ")


def test_the_archive_is_looked_at_and_nothing_is_made(rig: Rig, web: Web) -> None:
    publish(web, "1.0")
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    assert "nothing is published" in checks(rig)["archive local bookworm"]["message"]
    assert not (rig.state / "gnupg").exists()
    rig.run("sync", "hello")
    assert "signed by" in checks(rig)["archive local bookworm"]["message"]
    index = rig.archive / "dists" / "bookworm" / "InRelease"
    text = index.read_text()
    index.write_text(text.replace("Label: toolsync", "Label: somebody"))
    assert "nobody known" in checks(rig, status=5)["archive local bookworm"]["message"]
    index.write_text(text)
    shutil.rmtree(rig.state / "gnupg")
    check = checks(rig, status=5)["archive local bookworm"]
    assert "backup" in check["resolution"]
    assert not (rig.state / "gnupg").exists()


def test_an_architecture_that_nobody_here_builds_for_is_told(rig: Rig) -> None:
    rig.configure(f'{rig.settings}\n[local]\narchitectures = ["{own()}", "s390x"]\n')
    check = checks(rig, status=5)["architecture s390x"]
    assert not check["fine"]
    assert check["message"] == (
        f"nothing is built here for s390x: the backend host builds for {own()} alone"
    )
    assert "a worker of that architecture" in check["resolution"]
    assert f"architecture {own()}" not in checks(rig, status=5)
    rig.configure(f'{CLEAN}\n[local]\narchitectures = ["{own()}", "s390x"]\n')
    check = checks(rig, status=5)["architecture s390x"]
    known = shutil.which("arch-test")
    assert ("runs no programs of" if known else "arch-test is not here") in check["message"]

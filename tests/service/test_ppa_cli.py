"""What a person types: login, doctor, the stanza."""

from __future__ import annotations

import json
import os
import pty
import stat
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tests.servers.web import Web
from tests.support.keys import Keys, throwaway_keys
from tests.support.ppasync import TARGET, Site
from tests.support.rig import environment
from toolsync.cli.main import group
from toolsync.model.errors import SetupError, Waiting

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture(scope="module")
def made() -> Iterator[tuple[Keys, str]]:
    with throwaway_keys() as keys:
        yield keys, keys.make("Maker")


@pytest.fixture
def site(tmp_path: Path, made: tuple[Keys, str], web: Web) -> Iterator[Site]:
    found = Site(tmp_path / "site", *made, web)
    yield found
    found.close()


def options(site: Site) -> list[str]:
    return ["--config", str(site.file), "--state", str(site.root / "state")]


def invoke(site: Site, *words: str) -> Result:
    return CliRunner().invoke(group, [*options(site), *words], standalone_mode=False)


@pytest.mark.parametrize("allows", ["maker", ""])
def test_login_writes_a_token_that_only_its_owner_reads(site: Site, allows: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "toolsync", *options(site), "launchpad", "login"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
    )
    assert process.stdout is not None
    shown = process.stdout.readline() + process.stdout.readline()
    assert f"{site.server.url}/+authorize-token?oauth_token=" in shown
    site.server.oauth.grant(allows)
    rest, _ = process.communicate("\n", timeout=60)
    token = site.root / "state" / "launchpad" / "token"
    if allows:
        assert "logged in as ~maker" in rest
        assert stat.S_IMODE(token.stat().st_mode) == 0o600
        assert process.returncode == 0
    else:
        assert "somebody refused" in rest
        assert not token.exists()
        assert process.returncode == 5


def asked(site: Site, times: int) -> None:
    """Wait until Launchpad was asked so often for an access token."""
    for _ in range(1500):
        if len(site.server.oauth.exchanged) >= times:
            return
        time.sleep(0.02)
    raise AssertionError(site.server.oauth.exchanged)


def test_a_login_without_a_terminal_goes_on_with_the_same_request_token(site: Site) -> None:
    login = ("launchpad", "login", "--wait", "0")
    first = invoke(site, *login)
    assert isinstance(first.exception, Waiting)
    assert "goes on with the same one" in first.exception.resolution
    (address,) = [line.strip() for line in first.output.splitlines() if "://" in line]
    with urllib.request.urlopen(address) as page:
        assert page.read().decode().split() == ["UNAUTHORIZED", "WRITE_PRIVATE"]
    folder = site.root / "state" / "launchpad"
    assert stat.S_IMODE((folder / "request").stat().st_mode) == 0o600
    site.server.oauth.grant("maker")
    second = invoke(site, *login)
    assert "logged in as ~maker" in second.output
    assert address in second.output
    assert len(set(site.server.oauth.exchanged)) == 1
    assert sorted(path.name for path in folder.iterdir() if path.is_file()) == ["token"]


def test_a_login_waits_for_who_comes_late_and_forgets_what_was_forgotten(site: Site) -> None:
    assert isinstance(invoke(site, "launchpad", "login", "--wait", "0").exception, Waiting)
    site.server.oauth.requested.clear()  # two hours later
    told = invoke(site, "launchpad", "login").exception
    assert isinstance(told, SetupError)
    assert "Begin anew" in told.resolution
    process = subprocess.Popen(
        [sys.executable, "-m", "toolsync", *options(site), "launchpad", "login"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    asked(site, 3)
    site.server.oauth.grant("maker")
    shown, _ = process.communicate(timeout=60)
    assert "logged in as ~maker" in shown


def test_a_login_at_a_terminal_asks_again_until_it_is_allowed(site: Site) -> None:
    master, terminal = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "toolsync", *options(site), "launchpad", "login"],
        stdin=terminal,
        stdout=subprocess.PIPE,
        text=True,
        env=environment(),
    )
    for number in (1, 2):
        asked(site, number)
        if number == 2:
            site.server.oauth.grant("maker")
        os.write(master, b"\n")
    shown, _ = process.communicate(timeout=60)
    os.close(master)
    os.close(terminal)
    assert "logged in as ~maker" in shown
    assert shown.count("Then press Enter") == 2


def test_a_revoked_token_is_told_with_the_next_step_and_never_asked_about(site: Site) -> None:
    token = site.root / "state" / "launchpad" / "token"
    token.parent.mkdir(parents=True)
    token.write_text(
        "[1]\nconsumer_key = toolsync\nconsumer_secret =\naccess_token = gone\naccess_secret = x\n"
    )
    token.chmod(0o600)
    result = invoke(site, "launchpad", "whoami")
    assert isinstance(result.exception, SetupError)
    assert "no longer takes the token" in str(result.exception)
    assert "toolsync launchpad login" in result.exception.resolution
    assert invoke(site, "launchpad", "logout").output == "logged out\n"
    assert invoke(site, "launchpad", "whoami").output == "nobody is logged in\n"


def test_a_token_that_others_can_read_is_refused(site: Site) -> None:
    token = site.root / "state" / "launchpad" / "token"
    token.parent.mkdir(parents=True)
    token.write_text("[1]\n")
    token.chmod(0o644)
    result = invoke(site, "launchpad", "whoami")
    assert isinstance(result.exception, SetupError)
    assert "can be read by others" in str(result.exception)


def test_doctor_looks_at_all_that_uploads_need(site: Site) -> None:
    checks = {c["subject"]: c for c in json.loads(invoke(site, "doctor", "--json").output)}
    assert checks["signing key"]["fine"], checks["signing key"]
    assert checks["registered key"]["message"] == f"~maker has registered {site.key}"
    assert "8192 MiB allowed" in checks[TARGET]["message"]
    assert checks[f"{TARGET} noble"]["message"] == "takes uploads, builds amd64"
    assert checks[f"rights on {TARGET}"]["message"] == "~maker may upload"
    assert not checks["server ppa.invalid"]["fine"]
    assert checks["server ppa.invalid"]["resolution"]
    assert checks["Launchpad login"]["message"].startswith("nobody, which is enough")


def test_doctor_tells_of_each_thing_that_is_wrong(site: Site) -> None:
    site.server.people["maker"].fingerprints.clear()
    site.ppa.publish = False
    site.server.series.pop("jammy")
    found = json.loads(invoke(site, "doctor", "--target", "ppa:maker/stable", "--json").output)
    checks = {check["subject"]: check for check in found}
    for subject in ("registered key", TARGET, f"{TARGET} jammy"):
        assert not checks[subject]["fine"], subject
        assert checks[subject]["resolution"], subject
    missing = json.loads(invoke(site, "doctor", "--target", "ppa:maker/none", "--json").output)
    assert any("Launchpad has not" in check["message"] for check in missing)

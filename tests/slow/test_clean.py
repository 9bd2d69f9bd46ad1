"""The whole way in clean chroots, to `apt install` in a fresh one: real input, real parts."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.moto import moto
from tests.servers.s3 import follow_bucket, serve_bucket
from tests.servers.web import Web
from tests.service.test_readme import console_commands
from tests.support.chroots import Instance, clean_rig
from tests.support.rig import ROOT, Rig, environment
from tests.support.tiny import publish, write_tool
from tests.support.trees import ami_zip, api_zip

pytestmark = pytest.mark.slow

REGIONS = "aws ec2 describe-regions --region us-east-1 --output json --endpoint-url"


@contextlib.contextmanager
def served(archive: Path) -> Iterator[str]:
    """Let instances read the archive over HTTP, as from any web server; give its address."""
    words = ["-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(archive), "0"]
    server = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        assert server.stdout is not None
        found = re.search(r"http://[\d.:]+", server.stdout.readline())
        assert found
        yield found.group()
    finally:
        server.kill()
        server.communicate()


def test_awscli_goes_from_the_index_to_apt_install_and_asks_an_ec2(tmp_path: Path) -> None:
    rig = clean_rig(tmp_path)
    (row,) = rig.json("sync", "awscli")
    version = row["newest"]
    assert row["status"] == "up-to-date", row
    assert re.fullmatch(r"1\.\d+\.\d+", version)
    proof = rig.json("evidence", "awscli", version)["predicate"]
    assert proof["verify"]["method"] == "index"
    assert proof["fetch"]["archive"]["sha256"] == proof["release"]["sha256"]
    build = proof["series"]["bookworm"]["build"]
    assert build["builder"].startswith("sbuild (unshare), bookworm chroot of 20")
    assert build["tests"] == "3 passed"
    began = time.monotonic()
    rig.run("sync", "awscli")
    assert time.monotonic() - began < 60  # nothing is built again
    readme_commands_work(rig, version)
    with served(rig.archive) as address:
        instance = Instance(tmp_path)
        instance.add_archive(rig.run("archive", "sources", "--url", address).stdout)
        instance.run("apt-get install -q -y awscli")  # Debian's
        before = instance.run("dpkg-query -W awscli; aws --version")
        instance.run("apt-get full-upgrade -q -y && apt-get install -q -y awscli1/bookworm")
        assert instance.run("dpkg-query -W awscli; aws --version") == before
        assert instance.run("dpkg --verify awscli") == ""
        instance.run("apt-get remove -q -y awscli")
    assert instance.run("aws1 --version").startswith(f"aws-cli/{version} ")
    assert instance.run("aws --version").startswith(f"aws-cli/{version} ")
    with moto() as address:
        answer = instance.run(
            f"{REGIONS} {address}", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x"
        )
    names = {region["RegionName"] for region in json.loads(answer)["Regions"]}
    assert {"us-east-1", "eu-central-1"} <= names


def readme_commands_work(rig: Rig, version: str) -> None:
    """Run every command that README.md shows, on the set-up that has just been synced."""
    settings = {"TOOLSYNC_CONFIG": str(rig.file), "TOOLSYNC_STATE": str(rig.state)}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    for command in console_commands():
        done = subprocess.run(
            command.replace("VERSION", version),
            shell=True,
            cwd=ROOT,
            env=environment() | settings | {"PATH": path},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        if command == "make run":
            assert rig.run("archive", "sources").stdout.strip() in done.stdout
            assert "apt-get update && apt-get install awscli1/bookworm" in done.stdout


def test_the_ec2_tools_go_from_a_bucket_to_apt_install(tmp_path: Path, web: Web) -> None:
    ami = {version: ami_zip(version) for version in ("1.5.7", "1.5.19")}
    api = {version: api_zip(version) for version in ("1.6.14.1", "1.7.5.1")}
    objects = [(f"ec2-ami-tools-{v}.zip", data) for v, data in ami.items()]
    objects += [(f"ec2-api-tools-{v}.zip", data) for v, data in api.items()]
    objects.append(("ec2-ami-tools.zip", b"the newest, under no version"))
    serve_bucket(web, objects)
    rig = clean_rig(tmp_path)
    follow_bucket(rig.tools, web, "ec2-ami-tools", ami)
    follow_bucket(rig.tools, web, "ec2-api-tools", api)
    rows = rig.json("sync", "ec2-ami-tools", "ec2-api-tools")
    assert [(row["status"], row["published"]) for row in rows] == [
        ("up-to-date", ["1.5.7", "1.5.19"]),
        ("up-to-date", ["1.6.14.1", "1.7.5.1"]),
    ], rows
    with served(rig.archive) as address:
        instance = Instance(tmp_path)
        instance.add_archive(rig.run("archive", "sources", "--url", address).stdout)
        packages = "ec2-ami-tools ec2-api-tools"
        instance.run(f"apt-get install -q -y --no-install-recommends {packages}")
    assert "1.5" in (said := instance.run("ec2-ami-tools-version"))
    assert "19" in said
    assert "1.7.5.1" in instance.run("ec2-version")
    for package in packages.split():
        assert "license" in instance.run(f"ls /usr/share/doc/{package}")


def test_a_kill_during_a_clean_build_leaves_no_trace(tmp_path: Path, web: Web) -> None:
    publish(web, "1.0")
    rig = clean_rig(tmp_path)
    write_tool(rig.tools, web.url + "/dl/", "1.0")
    process = rig.start("sync", "hello")
    for _ in range(600):
        if rig.work.is_dir() and list(rig.work.glob("*/build-*/*/*")):
            break
        time.sleep(0.1)
    time.sleep(8)
    process.send_signal(signal.SIGKILL)
    process.wait()
    rig.run("sync", "hello")
    assert rig.leftovers() == []
    assert "hello_1.0-0debian1~ppa1~deb12.1_all.deb" in rig.pool()

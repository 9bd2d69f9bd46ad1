# ruff: noqa: T201 (a program for the terminal)
"""Build our own package in clean chroots, install it in others, and take a tool to apt there.

    python -m tests.tools.own_package [--series SERIES …] [--tool TOOL]    # make deb-clean

For each series: dpkg-buildpackage with nothing but Build-Depends; the .deb installed in another
clean root, which has nothing by chance; there `toolsync run` as the service's user with the
package's own settings, but for the one tool that is taken; the tool installed by the printed
command. What this machine trusts beside the distribution's authorities is trusted there, too.
Root's; needs the network, and minutes for each series.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.chroots import Instance, make_chroot
from tests.support.rig import ROOT

SERIES = ("bookworm", "trixie", "noble")
_TRUSTED = Path("/usr/local/share/ca-certificates")
_BUILD = (
    "cd /build/toolsync && dpkg-buildpackage -us -uc >../log 2>&1 || { tail -n 60 ../log; false; }"
)
_BUILT = "grep -E '[0-9]+ passed' /build/log | tail -n 1"


@contextmanager
def _clean(series: str) -> Iterator[Instance]:
    """Give a clean root of a series, below a folder that mapped users may pass through."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        make_chroot(Path(place) / "work", series)
        machine = Instance(Path(place), series)
        (machine.root / "etc/apt/apt.conf.d/yes").write_text('APT::Get::Assume-Yes "true";\n')
        machine.run("apt-get update -q")
        yield machine


def build(series: str, debs: Path) -> str:
    """Put the packages into ``debs``; return what the tests said that ran meanwhile."""
    with _clean(series) as machine:
        tree = machine.root / "build/toolsync"
        tree.mkdir(parents=True)
        names = subprocess.run(
            ["git", "-C", ROOT, "ls-files", "-z"], capture_output=True, check=True
        ).stdout
        packed = subprocess.run(
            ["tar", "-C", ROOT, "--null", "-T", "-", "-cf", "-"],
            input=names,
            capture_output=True,
            check=True,
        ).stdout
        subprocess.run(["tar", "-C", tree, "-xf", "-"], input=packed, check=True)
        machine.run("cd /build/toolsync && apt-get build-dep -q --no-install-recommends ./")
        machine.run(_BUILD)
        for deb in (machine.root / "build").glob("*.deb"):
            shutil.copy(deb, debs)
        return machine.run(_BUILT).strip("= \n")


@contextmanager
def installed(series: str, debs: Path) -> Iterator[Instance]:
    """Give a clean root with the package, and what it depends on, and nothing else."""
    with _clean(series) as machine:
        (deb,) = debs.glob("toolsync_*.deb")
        shutil.copy(deb, machine.root / "tmp")
        machine.run(f"apt-get install -q --no-install-recommends /tmp/{deb.name}")
        for path in _TRUSTED.glob("*.crt"):
            shutil.copy(path, machine.root / str(_TRUSTED)[1:])
        machine.run("update-ca-certificates")
        yield machine


def publish(series: str, debs: Path, tool: str) -> str:
    """Install the package, run it as the service does, and the tool by what it prints."""
    with installed(series, debs) as machine:
        settings = machine.root / "etc/toolsync/toolsync.toml"
        settings.write_text(f'tools = ["{tool}"]\n{settings.read_text()}')
        began = time.monotonic()
        said = machine.run("toolsync run", ok=False)
        seconds = time.monotonic() - began
        (row,) = json.loads(machine.run(f"toolsync status {tool} --json", ok=False))
        if row["status"] != "up-to-date":
            return f"WRONG: {row['status']}: {row['message']}\n{said[-3000:]}"
        stanza = machine.run("toolsync archive sources")
        machine.add_archive(stanza)
        machine.run(stanza.strip().splitlines()[-1].removeprefix("# "))
        name = machine.run(f"toolsync archive packages {tool}").split()[0]
        told = machine.run(f"dpkg-query -W {name}").strip().replace("\t", " ")
        return f"toolsync run {seconds:.0f} s, {tool} {row['newest']}; apt installed {told}"


def main() -> None:
    """Print for each series what building, installing, running and installing came to."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--series", action="append")
    parser.add_argument("--tool", default="awscli")
    given = parser.parse_args()
    for series in given.series or SERIES:
        with tempfile.TemporaryDirectory() as place:
            began = time.monotonic()
            tests = build(series, Path(place))
            seconds = time.monotonic() - began
            names = ", ".join(sorted(path.name for path in Path(place).iterdir()))
            print(f"{series}: built in {seconds:.0f} s ({tests}): {names}", flush=True)
            print(f"{series}: {publish(series, Path(place), given.tool)}", flush=True)


if __name__ == "__main__":
    main()

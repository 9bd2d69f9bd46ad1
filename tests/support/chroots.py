"""Clean chroots for tests: the tarball that toolsync itself made, entered as an instance."""

from __future__ import annotations

import hashlib
import os
import shlex
import subprocess
import tempfile
from pathlib import Path

from tests.support.rig import Rig
from toolsync.build.chroot import Chroots
from toolsync.system.clock import SystemClock
from toolsync.system.work import PLACE, Workshop

SETTINGS = """
[http]
timeout = 60
[build]
backend = "sbuild"
"""


def clean_rig(root: Path) -> Rig:
    """Return a set-up that builds in clean chroots, which all tests and runs share.

    Its work folder is not below ``root``, which mapped users may not pass through.
    """
    name = hashlib.sha256(str(root).encode()).hexdigest()[:12]
    return Rig(root, SETTINGS, work=Path(tempfile.gettempdir()) / f"toolsync-test-{name}")


def chroots() -> Path:
    """Return the folder in which toolsync keeps its chroots."""
    return PLACE / f"toolsync-{os.geteuid()}-chroots"


def make_chroot(work: Path, series: str = "bookworm") -> None:
    """See that the tarball of a series is there; ``work`` is a folder to make it in."""
    workshop = Workshop(work, PLACE)
    Chroots(chroots(), workshop=workshop, clock=SystemClock()).get(series)


class Instance:
    """A fresh chroot in which apt installs, as on an instance. Needs root."""

    def __init__(self, root: Path, series: str = "bookworm") -> None:
        self.root = root / "instance"
        self.root.mkdir()
        tarball = chroots() / f"{series}.tar.zst"
        subprocess.run(
            ["tar", "--zstd", "-xf", tarball, "-C", self.root, "--exclude=./dev/*"], check=True
        )
        (self.root / "etc/resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())

    def entry(self) -> list[str]:
        """Return the words that start a program inside, whose own words are to follow.

        The root is changed as an instance's is: in a chroot(2) the kernel lets nobody map users.
        """
        root = shlex.quote(str(self.root))
        inside = (
            f"mount --bind {root} {root} && mount --bind /dev {root}/dev"
            f" && mount --bind /dev/pts {root}/dev/pts && mount -t tmpfs tmpfs {root}/dev/shm"
            f" && mount -t proc proc {root}/proc && mount -t sysfs sysfs {root}/sys"
            f" && cd {root} && pivot_root . . && umount -l . && cd /"
        )
        words = ["unshare", "--mount", "--pid", "--fork", "--kill-child", "sh", "-c"]
        return [*words, f'{inside} && exec "$@"', "sh"]

    def run(self, command: str, *, ok: bool = True, **env: str) -> str:
        """Run a shell command inside, with this machine's network, and return what it says."""
        done = subprocess.run(
            [*self.entry(), "/bin/sh", "-c", command],
            env={
                "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
                "DEBIAN_FRONTEND": "noninteractive",
                "HOME": "/root",
                "LC_ALL": "C.UTF-8",
                **env,
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert not ok or done.returncode == 0, f"{command}:\n{done.stdout}"
        return done.stdout

    def add_archive(self, stanza: str) -> None:
        """Put the stanza where README.md says and let apt read it."""
        path = self.root / "etc/apt/sources.list.d/toolsync.sources"
        path.write_text(stanza)
        self.run("apt-get update -q")

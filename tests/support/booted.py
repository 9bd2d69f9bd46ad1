"""This machine with our units, started by a systemd of its own; for root.

It is this machine's own system with another layer over it (overlayfs), in namespaces: mounts,
processes, control groups, host name. Only the network is shared, so that servers of a test answer.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from tests.support.rig import ROOT

SYSTEMD = Path("/lib/systemd/systemd")
_OUTER = """
mkdir "$0/groups"
mount -t cgroup2 cgroup2 "$0/groups"
mkdir "$0/groups/$1"
echo $$ > "$0/groups/$1/cgroup.procs"
exec unshare --mount --pid --fork --kill-child --uts --ipc --cgroup --propagation private \
    sh -euc "$2" "$0"
"""
_INNER = """
new=$0/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" "$new"
for place in run tmp dev var/lib/toolsync var/lib/toolsync-web var/cache/toolsync; do
    mkdir -p "$new/$place"
    mount -t tmpfs -o mode=0755 tmpfs "$new/$place"
done
mount -t proc proc "$new/proc"
mount -t sysfs -o ro sysfs "$new/sys"
mount -t cgroup2 cgroup2 "$new/sys/fs/cgroup"
chmod 1777 "$new/tmp"
for node in "null 1 3" "zero 1 5" "full 1 7" "random 1 8" "urandom 1 9" "tty 5 0"; do
    mknod -m 666 "$new/dev/${node%% *}" c ${node#* }
done
mkdir "$new/dev/pts" "$new/dev/shm"
mount -t devpts devpts "$new/dev/pts"
mount -t tmpfs tmpfs "$new/dev/shm"
ln -s pts/ptmx "$new/dev/ptmx"
ln -s /proc/self/fd "$new/dev/fd"
cd "$new"
mkdir -p old
pivot_root . old
umount -l old
exec env -i container=toolsync PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=toolsync-test.target --log-target=journal --show-status=no
"""
_TARGET = """
[Unit]
Requires={sockets} systemd-journald.socket
After={sockets}
"""
_MASKED = (
    "systemd-sysctl.service systemd-udevd.service systemd-udev-trigger.service"
    " systemd-modules-load.service systemd-binfmt.service proc-sys-fs-binfmt_misc.automount"
    " systemd-random-seed.service systemd-hwdb-update.service keyboard-setup.service"
    " console-setup.service networking.service"
)
"""What would change this machine's own kernel, or takes time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Booted:
    """A system that runs."""

    pid: int
    """Of its systemd, as this machine counts."""

    @property
    def root(self) -> Path:
        """Its files, as this machine reaches them."""
        return Path(f"/proc/{self.pid}/root")

    def run(self, *words: str, said: str = "", status: int = 0) -> str:
        """Run a command in it as root, and return what it printed."""
        inside = ["nsenter", f"--target={self.pid}", "--mount", "--pid", "--uts", "--ipc"]
        done = subprocess.run(
            [*inside, *words], input=said, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == status, (words, done.stdout, done.stderr, self.journal())
        return done.stdout.strip()

    def journal(self) -> str:
        """Return the last lines of all services."""
        inside = ["nsenter", f"--target={self.pid}", "--mount", "journalctl", "--no-pager", "-n80"]
        return subprocess.run(inside, capture_output=True, text=True).stdout


def why_not() -> str:
    """Say why no system can be started here, empty where it can."""
    if os.geteuid() != 0:
        return "only root starts a system"
    if not SYSTEMD.exists():
        return "there is no systemd here"
    trial = 'mount -t cgroup2 cgroup2 /mnt && mkdir "/mnt/$$" && rmdir "/mnt/$$"'
    done = subprocess.run(["unshare", "--mount", "sh", "-ec", trial], capture_output=True)
    return done.stderr.decode().strip()


@contextmanager
def booted(settings: str, sockets: Sequence[str]) -> Iterator[Booted]:
    """Start a system with our units, ``settings`` as its toolsync.toml, and these sockets."""
    # On a disk: overlayfs may refuse to lie over itself.
    with tempfile.TemporaryDirectory(prefix="booted-", dir="/dev/shm") as name:
        folder = Path(name)
        for part in ("upper", "work", "root"):
            (folder / part).mkdir()
        installed(folder / "upper", settings, sockets)
        words = ["unshare", "--mount", "sh", "-euc", _OUTER, name, folder.name, _INNER]
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(words, stdout=log, stderr=log, start_new_session=True)
        try:
            yield _ready(process, folder / "log")
        finally:
            process.kill()
            process.wait(30)
            _remove_groups(folder.name)


def installed(root: Path, settings: str, sockets: Sequence[str]) -> None:
    """Put in place what our Debian packages install: program, units, users and folders."""
    shutil.copytree(ROOT / "toolsync", root / "usr/lib/python3/dist-packages/toolsync")
    shutil.copytree(ROOT / "conf", root / "usr/share/toolsync")
    units, etc = root / "etc/systemd/system", root / "etc/toolsync"
    for folder in (units, etc / "tools", root / "usr/bin", root / "usr/lib/sysusers.d"):
        folder.mkdir(parents=True, exist_ok=True)
    program = root / "usr/bin/toolsync"
    program.write_text('#!/bin/sh\nexec /usr/bin/python3 -P -m toolsync "$@"\n')
    program.chmod(0o755)
    (etc / "toolsync.toml").write_text(settings)
    for path in (ROOT / "debian").glob("toolsync*"):
        package, _, unit = path.name.partition(".")
        if path.suffix in (".service", ".socket"):
            named = unit if "." in unit else path.name  # debhelper's --name
            shutil.copy(path, units / named)
        elif path.suffix == ".sysusers":
            shutil.copy(path, root / f"usr/lib/sysusers.d/{package}.conf")
        elif path.suffix == ".tmpfiles":
            (root / "usr/lib/tmpfiles.d").mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / f"usr/lib/tmpfiles.d/{package}.conf")
    (units / "toolsync-test.target").write_text(_TARGET.format(sockets=" ".join(sockets)))
    for unit in _MASKED.split():
        (units / unit).symlink_to("/dev/null")


def _ready(process: subprocess.Popen[bytes], log: Path) -> Booted:
    """Return the system when its target is reached."""
    end = time.monotonic() + 60
    while time.monotonic() < end and process.poll() is None:
        children = f"/proc/{process.pid}/task/{process.pid}/children"
        with suppress(OSError, ValueError):
            found = Booted(pid=int(Path(children).read_text()))
            with suppress(AssertionError):
                found.run("systemctl", "is-active", "toolsync-test.target")
                return found
        time.sleep(0.2)
    raise AssertionError(log.read_text())


def _remove_groups(name: str) -> None:
    """Remove the control groups that are left, deepest first."""
    clear = f'find "/mnt/{name}" -depth -type d -exec rmdir {{}} +'
    words = ["unshare", "--mount", "sh", "-c", f"mount -t cgroup2 cgroup2 /mnt && {clear}"]
    for _ in range(100):
        if subprocess.run(words, capture_output=True).returncode == 0:
            return
        time.sleep(0.1)

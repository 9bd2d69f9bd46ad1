"""The sandbox holds: each way out that a hostile program tries, and each way to hurt."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.releases import lay
from toolsync.system.sandbox import Confinement, Sandbox, Seen

MB = 1024 * 1024


def outcome(tmp_path: Path, program: str, **limits: float) -> Seen:
    """Run a Python program in a sandbox of its own."""
    tree = lay(tmp_path / "tree", {"bin/t": "#!/usr/bin/python3\n" + program})
    given = {"seconds": 20.0, **limits}
    return Sandbox(tree, limits=Confinement(**given)).run("/usr/bin/python3", "/tool/bin/t")  # type: ignore[arg-type]


@pytest.fixture
def listener() -> Iterator[int]:
    """A server on loopback that a tool must not reach."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def survivors(mark: str) -> list[str]:
    """Return the command lines on this machine that hold a mark."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if mark.encode() in path.read_bytes():
                found.append(path.read_text())
        except OSError:
            continue
    return found


def test_a_harmless_program_is_run_and_heard(tmp_path: Path) -> None:
    assert Sandbox(tmp_path).unusable() == ""
    seen = outcome(tmp_path, "import sys; print('out'); sys.stderr.write('err'); sys.exit(7)")
    assert (seen.code, seen.out, seen.err, seen.stopped) == (7, "out\n", "err", "")


def test_there_is_no_network(tmp_path: Path, listener: int) -> None:
    program = f"""
import socket
for place in (("127.0.0.1", {listener}), ("169.254.169.254", 80), ("192.0.2.1", 443)):
    try:
        socket.create_connection(place, 2)
        print("reached", place)
    except OSError as error:
        print("no", error.errno)
try:
    print("reached", socket.gethostbyname("localhost.example"))
except OSError:
    print("no name")
print([line.split(":")[0].strip() for line in open("/proc/net/dev")][2:])
"""
    seen = outcome(tmp_path, program)
    assert "reached" not in seen.text
    assert seen.out.endswith("no name\n['lo']\n")


def test_nothing_outside_is_read_or_written(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("ours")
    program = f"""
import os
for path in ({str(secret)!r}, "/etc/shadow", "/etc/passwd", "/root", "/var/lib", "/proc/1/environ"):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).read()
        print("read", path, os.environ)
    except OSError:
        pass
for path in ("/x", "/usr/x", "/tool/x", "/tool/bin/t", "/dev/x", "/etc/x", "/sys/x", "/proc/sys/x"):
    try:
        open(path, "a").write("x")
        print("wrote", path)
    except OSError:
        pass
open("/tmp/mine", "w").write("x")
open(os.path.expanduser("~/mine"), "w").write("x")
"""
    seen = outcome(tmp_path, program)
    assert "wrote" not in seen.out
    assert "shadow" not in seen.out
    assert not [line for line in seen.out.splitlines() if "/proc/1/" not in line]
    assert (seen.code, seen.err) == (0, "")
    assert (tmp_path / "tree" / "bin" / "t").read_text().count("\nx") == 0
    assert secret.read_text() == "ours"


def test_our_environment_and_processes_are_not_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ours")
    seen = outcome(
        tmp_path,
        "import os\nprint(sorted(os.environ), os.getuid())\n"
        "print(sorted(int(p) for p in os.listdir('/proc') if p.isdigit()))\nos.setuid(0)",
    )
    assert "AWS_SECRET" not in seen.text
    assert seen.out.splitlines()[1] in ("[1, 2]", "[1, 2, 3]")
    assert seen.code == 1, "it became root"


def test_it_gets_no_input_and_no_terminal(tmp_path: Path) -> None:
    seen = outcome(
        tmp_path,
        "import sys\nprint(repr(sys.stdin.read()), sys.stdin.isatty())\nopen('/dev/tty')",
    )
    assert seen.out == "'' False\n"
    assert seen.code == 1


@pytest.mark.slow
def test_a_fork_bomb_ends_with_its_room(tmp_path: Path) -> None:
    mark = f"bomb-{os.getpid()}-{time.monotonic_ns()}"
    program = f"""
import os, sys, time
MARK = {mark!r}
made = 0
while True:
    try:
        if os.fork() == 0:
            time.sleep(60) if made > 20 else None
        made += 1
    except OSError:
        time.sleep(0.05)
"""
    began = time.process_time()
    seen = outcome(tmp_path, program, seconds=3.0, processes=40)
    assert seen.stopped
    assert time.process_time() - began < 5
    assert survivors(str(tmp_path)) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", ["one", "many", "disk"])
def test_memory_ends_before_ours_does(tmp_path: Path, how: str) -> None:
    one = "x = []\nwhile True:\n    x.append(bytearray(b'x' * 1000000))\n"
    programs = {
        "one": one,
        "many": "import os, time\nfor _ in range(5):\n    os.fork()\n"
        f"x = bytearray(b'x' * {20 * MB})\ntime.sleep(20)\n",
        "disk": "for n in range(9):\n    open(f'/dev/shm/{n}', 'wb').write(b'x' * 30000000)\n",
    }
    seen = outcome(tmp_path, programs[how], seconds=15.0, memory=200 * MB, disk=50 * MB)
    assert {
        "one": "MemoryError" in seen.err,
        "many": "memory" in seen.stopped,
        "disk": "No space left" in seen.err,
    }[how], seen


def test_endless_output_is_cut_off(tmp_path: Path) -> None:
    seen = outcome(tmp_path, "while True:\n    print('x' * 10000)", output=MB)
    assert "wrote more than" in seen.stopped
    assert len(seen.text) <= 2 * MB


def test_who_ignores_signals_is_killed(tmp_path: Path) -> None:
    program = """
import os, signal, time
for number in range(1, 65):
    try:
        signal.signal(number, signal.SIG_IGN)
    except (OSError, ValueError):
        pass
os.setsid() if os.fork() == 0 else None
while True:
    time.sleep(60)
"""
    seen = outcome(tmp_path, program, seconds=1.0)
    assert "had not ended" in seen.stopped
    assert survivors(str(tmp_path)) == []


def test_all_runs_together_have_one_limit(tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path, seconds=0.0)
    assert "no time left" in sandbox.run("/usr/bin/true").stopped


def test_there_is_no_user_namespace_and_no_keyring_of_ours(tmp_path: Path) -> None:
    program = """
import ctypes, os
libc = ctypes.CDLL(None, use_errno=True)
NEWUSER, calls = 0x10000000, {"x86_64": (250, 56, 435), "aarch64": (219, 220, 435)}
keyctl, clone, clone3 = calls[os.uname().machine]
print("unshare", libc.unshare(NEWUSER))
print("clone", libc.syscall(clone, NEWUSER | 17, 0, 0, 0, 0))
print("clone3", libc.syscall(clone3, 0, 0))
print("keyring", libc.syscall(keyctl, 0, -3, 0), libc.syscall(keyctl, 0, -4, 0))
print("child", os.waitpid(os.spawnlp(os.P_NOWAIT, "true", "true"), 0)[1])
"""
    seen = outcome(tmp_path, program)
    said = ["unshare -1", "clone -1", "clone3 -1", "keyring -1 -1", "child 0"]
    assert seen.out.splitlines() == said, seen.err

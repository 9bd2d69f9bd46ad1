"""What takes long is shown: on a terminal at its bottom, elsewhere by lines."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.support.rig import environment
from toolsync.cli.progress import shown
from toolsync.system.underway import logs_to, step, steps


def test_elsewhere_a_line_tells_of_a_long_step_and_not_of_a_short_one(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.write_text("one\nmaking \x1b[31mtwo\n\n")
    lines: list[str] = []
    told = threading.Event()

    def tell(line: str) -> None:
        lines.append(line)
        told.set()

    def work() -> None:
        with step("short 1: build"):
            told.wait(20)

    other = threading.Thread(target=work)
    with shown(tell):
        other.start()
        with step("long 1: build"), step("tests") as inner:
            logs_to(log)
            inner.since -= 75
            assert told.wait(20)
            time.sleep(0.6)  # two more looks, at which nothing is due
            assert [one.label for one in steps()] == ["long 1: build, tests"]
        other.join()
    assert steps() == []
    (line,) = lines
    assert line.startswith("long 1: build, tests 1:1")
    assert line.endswith(r"making \x1b[31mtwo")


TERMINAL = """
import time, click
from toolsync.cli.progress import shown
from toolsync.system.underway import step
with shown(lambda line: None), step("hello 1.0: build") as one:
    one.since -= 61
    one.note = "half of it"
    time.sleep(1.5)
    click.echo("a line between", err=True)
    time.sleep(0.5)
click.echo("at the end", err=True)
"""


def test_on_a_terminal_it_is_shown_below_what_is_said_and_gone_in_the_end() -> None:
    near, far = pty.openpty()
    argv = [sys.executable, "-c", TERMINAL]
    env = environment() | {"TERM": "xterm", "COLUMNS": "80"}
    with subprocess.Popen(argv, stderr=far, stdout=far, stdin=far, env=env) as child:
        os.close(far)
        said = b""
        try:
            while chunk := os.read(near, 4096):
                said += chunk
        except OSError:  # EIO: the other end was closed
            os.close(near)
    assert child.returncode == 0, said
    text = said.decode()
    shown_first, between, rest = text.partition("a line between\r\n")
    assert between
    assert "hello 1.0: build 1:02  half of it" in shown_first
    assert "hello 1.0: build 1:0" in rest
    assert text.rindex("\x1b[?25h") > text.rindex("\x1b[?25l")
    assert text.endswith("at the end\r\n")

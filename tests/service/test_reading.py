"""A journal that is read by somebody who may not write it: another user, where we are root."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.apart import SERVICE, as_pages, as_user
from tests.support.rig import environment
from toolsync.journal.journal import Journal
from toolsync.model.errors import SetupError
from toolsync.system.clock import SystemClock

READS = """
import sys
from pathlib import Path
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.model.errors import ToolsyncError
from toolsync.system.clock import SystemClock
try:
    journal = Journal.open(Path(sys.argv[1]), SystemClock(), reading=True)
except ToolsyncError as error:
    sys.exit(f"closed: {error} {error.resolution}")
for line in sys.stdin:
    print([entry.message for entry in journal.log.of("hello")], flush=True)
try:
    journal.log.add(Key(tool="hello", version="", stage=""), "asked", "by the reader")
except ToolsyncError as error:
    sys.exit(f"refused: {error}")
"""
WRITES = """
import sys
from pathlib import Path
from toolsync.journal.journal import Journal
from toolsync.journal.key import Key
from toolsync.system.clock import SystemClock
journal = Journal.open(Path(sys.argv[1]), SystemClock())
print("open", flush=True)
for line in sys.stdin:
    journal.log.add(Key(tool="hello", version="", stage=""), "asked", line.strip())
    print("written", flush=True)
journal.close()
"""
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root has other users")


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """Give the place of a journal whose folder is the service's, and read by its group."""
    for folder in (tmp_path, *tmp_path.parents):
        if folder.stat().st_uid == 0 and folder.stat().st_mode & 0o77 == 0:
            folder.chmod(0o711)
    state = tmp_path / "state"
    state.mkdir()
    subprocess.run(["chown", f"{SERVICE}:nogroup", state], check=True)
    state.chmod(0o2755)
    return state / "journal.db"


def started(words: list[str]) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    return subprocess.Popen(
        words, stdin=pipe, stdout=pipe, stderr=pipe, text=True, env=environment()
    )


def asked(process: subprocess.Popen[str], line: str) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(line + "\n")
    process.stdin.flush()
    return process.stdout.readline().strip()


def test_who_reads_a_journal_writes_nothing(journal: Path) -> None:
    read = as_pages([sys.executable, "-c", READS, str(journal)])
    write = as_user(SERVICE, [sys.executable, "-c", WRITES, str(journal)])
    with started(write) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "open\n"
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in journal.parent.iterdir()}
        assert set(modes.values()) == {0o640}, modes
        with started(read) as reader:
            assert asked(reader, "") == "[]"
            assert asked(writer, "one") == "written"
            assert asked(reader, "") == "['one']"  # what is written is read right after
            writer.communicate(timeout=20)
            assert asked(reader, "") == "['one']"  # also when the writer has ended
            _, told = reader.communicate(timeout=20)
            assert told.startswith("refused: the journal cannot be written"), told
    left = [path for path in journal.parent.iterdir() if path != journal]
    for path in left:
        path.unlink()  # as its owner leaves it who is the last to close it
    _, told = started(read).communicate(timeout=20)
    assert told.startswith("closed: "), told
    assert "toolsync-keeper.service" in told


def test_who_reads_makes_no_journal(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        Journal.open(tmp_path / "journal.db", SystemClock(), reading=True)
    assert list(tmp_path.iterdir()) == []

"""A Redis on a socket of its own, which keeps nothing on the disk: killed, it has forgotten all."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self


class Redis:
    """A server that can be killed and started anew."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="redis-"))
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"redis+socket://{self._folder / 's'}"
        self.start()

    def start(self) -> None:
        """Start the server and wait until it answers."""
        path = self._folder / "s"
        path.unlink(missing_ok=True)
        self._process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""],
            stdout=subprocess.DEVNULL,
            cwd=self._folder,
        )
        while not path.exists():
            assert self._process.poll() is None, "redis-server did not start"
            time.sleep(0.02)

    def kill(self) -> None:
        """Kill the server."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()
        shutil.rmtree(self._folder)


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a server for the block and give its address."""
    with Redis() as redis:
        yield redis.url

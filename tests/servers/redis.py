"""A Redis on a socket of its own, which keeps nothing on the disk."""

from __future__ import annotations

import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def redis_server() -> Iterator[str]:
    """Run a server for the block and give its address."""
    with tempfile.TemporaryDirectory(prefix="redis-") as folder:
        path = Path(folder) / "s"
        process = subprocess.Popen(
            ["redis-server", "--port", "0", "--unixsocket", str(path), "--save", ""],
            stdout=subprocess.DEVNULL,
            cwd=folder,
        )
        try:
            while not path.exists():
                assert process.poll() is None, "redis-server did not start"
                time.sleep(0.02)
            yield f"redis+socket://{path}"
        finally:
            process.kill()
            process.wait()

"""A server that speaks Amazon's protocols on loopback: an S3, an EC2."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator

from tests.support.rig import ROOT


@contextlib.contextmanager
def moto() -> Iterator[str]:
    """Run the server for the block and give its address."""
    program = ROOT / ".venv" / "moto" / "bin" / "moto_server"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(
        [program, "-H", "127.0.0.1", "-p", str(port)], stdout=quiet, stderr=quiet
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(300):
            with contextlib.suppress(OSError), urllib.request.urlopen(address + "/moto-api/"):
                break
            assert server.poll() is None, "moto_server did not start"
            time.sleep(0.1)
        yield address
    finally:
        server.kill()
        server.wait()

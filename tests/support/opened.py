"""A set-up served to real browsers: by waitress on the loopback, in a thread of the test's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from waitress.server import TcpWSGIServer, create_server

from tests.support.served import Site


@contextmanager
def listening(site: Site) -> Iterator[str]:
    """Yield the address at which a browser reaches the application."""
    server = create_server(site.app, host="127.0.0.1", port=0, ident=None, threads=8)
    assert isinstance(server, TcpWSGIServer)
    assert server.socket is not None
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.socket.getsockname()[1]}"
    finally:
        server.close()
        thread.join(5)

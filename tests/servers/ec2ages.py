"""An EC2 that answers in the version that it is asked in: moto's answers, in older clothes.

Amazon's EC2 answers in the namespace of the request's Version, and the EC2 API tools read no
other; moto always answers in the newest.
"""

from __future__ import annotations

import re
import threading
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_NAMESPACE = re.compile(rb"(http://ec2\.amazonaws\.com/doc/)\d{4}-\d\d-\d\d/?")


@contextmanager
def answering_in_any_version(moto: str) -> Iterator[str]:
    """Serve a moto's EC2 on loopback for the block; give the address."""

    class Front(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

        def do_GET(self) -> None:
            self._answer(self.path.partition("?")[2].encode())

        def _answer(self, asked: bytes) -> None:
            version = urllib.parse.parse_qs(asked.decode()).get("Version", ["2016-11-15"])[0]
            # Moto tells services apart by what a request says that is signed as today.
            scope = "Credential=AKIDEXAMPLE/20261127/us-east-1/ec2/aws4_request"
            signed = {"Authorization": f"AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0"}
            request = urllib.request.Request(moto, data=asked, headers=signed)
            with urllib.request.urlopen(request) as answer:
                told = _NAMESPACE.sub(rb"\g<1>" + version.encode() + b"/", answer.read())
            self.send_response(200)
            self.send_header("Content-Type", "text/xml")
            self.send_header("Content-Length", str(len(told)))
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Front)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()

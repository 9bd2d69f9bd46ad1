"""What debian/copyright lacks is in the package all the same."""

from __future__ import annotations

import hashlib
import subprocess

from tests.servers.web import Web
from tests.support import tiny
from tests.support.rig import Rig

ISC = """Copyright (c) 2020 Somebody Else

Permission to use, copy, modify, and/or distribute this software for any
purpose with or without fee is hereby granted, provided that the above
copyright notice and this permission notice appear in all copies.

THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
"""


def test_a_bundled_license_is_told_in_the_packages_copyright(rig: Rig, web: Web) -> None:
    data = tiny.archive("1.0", extra={"vendored/other/LICENSE": ISC, "vendored/other/x.sh": ":\n"})
    tiny.publish(web, "1.0")
    web.serve("/dl/hello-1.0.tar.gz", data, type="application/gzip", etag='"2"')
    folder = tiny.write_tool(rig.tools, web.url + "/dl/", "1.0")
    toml = folder / "tool.toml"
    pinned = hashlib.sha256(tiny.archive("1.0")).hexdigest()
    toml.write_text(toml.read_text().replace(pinned, hashlib.sha256(data).hexdigest()))
    rig.run("sync", "hello")
    (deb,) = (rig.archive / "pool").rglob("*.deb")
    content = subprocess.run(
        f"dpkg-deb --fsys-tarfile {deb} | tar xO ./usr/share/doc/hello/copyright",
        shell=True, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    assert "Files: *\nCopyright: 2023 Tiny\nLicense: tiny" in content
    assert "Files: vendored/other/*\nCopyright: Copyright (c) 2020 Somebody Else" in content
    assert "License: ISC\n Copyright (c) 2020" in content
    (findings,) = [
        stage["findings"]
        for name, stage in rig.json("evidence", "hello", "1.0")["predicate"].items()
        if name == "license"
    ]
    assert any("lacks ISC for vendored/other/LICENSE" in item["message"] for item in findings)
    assert "up-to-date" in rig.run("sync", "hello").stdout

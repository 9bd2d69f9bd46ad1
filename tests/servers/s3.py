"""A vendor's bucket on the loopback, and shipped definitions that look at it."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path

from tests.servers.web import Web
from tests.support.rig import ROOT
from tests.support.tiny import accepted
from tests.support.trees import LICENSE, listing


def serve_bucket(web: Web, objects: Iterable[tuple[str, bytes]]) -> None:
    """Serve objects by their keys, and their listing as S3 writes it."""
    objects = sorted(objects)
    for key, data in objects:
        web.serve(f"/{key}", data, type="application/zip")
    web.serve("/", listing(objects), type="application/xml")


def follow_bucket(tools: Path, web: Web, name: str, zips: Mapping[str, bytes]) -> None:
    """Put the shipped definition of a tool into ``tools``: for the bucket, with pins for it."""
    folder = tools / name
    shutil.copytree(ROOT / "conf" / "tools" / name, folder)
    text = (folder / "tool.toml").read_text()
    text = re.sub(r'(?m)^url = ".*"', f'url = "{web.url}/"', text)
    pins = "".join(f'"{v}" = "{hashlib.sha256(d).hexdigest()}"\n' for v, d in zips.items())
    text = re.sub(r"(?s)\[verify\.pins\]\n.*?\n(?=\n|\[)", f"[verify.pins]\n{pins}", text)
    # The sample's terms are its own, and are accepted as the real ones are: by what they say.
    mine = f"must_ship = []\n{accepted(LICENSE).splitlines()[-1]}\n"
    text = re.sub(r"must_ship = .*\n", mine, text)
    (folder / "tool.toml").write_text(text)
    # Nor does the sample ask any cloud.
    control = folder / "debian" / "tests" / "control"
    stanzas = control.read_text().split("\n\n")
    control.write_text("\n\n".join(s for s in stanzas if "Tests: query\n" not in s))

"""Take the pictures of the page that the docs show: ``make screenshots``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support.browser import Browser
from tests.support.gallery import archive
from toolsync.report.site import write_site

PICTURES = (
    ("page-light.png", "index.html", 1000, False),
    ("page-dark.png", "tools/awscli.html", 1000, True),
    ("page-narrow.png", "tools/ec2-ami-tools.html", 400, False),
)
"""File name, page, width in pixels, whether dark."""


def take(folder: Path) -> None:
    """Write all pictures into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place, archive(Path(place)) as (context, tools):
        write_site(context, tools, [], Path(place) / "page")
        with Browser() as browser:
            for name, page, width, dark in PICTURES:
                browser.open(Path(place) / "page" / page, width=width, dark=dark)
                (folder / name).write_bytes(browser.picture())


if __name__ == "__main__":
    take(Path(sys.argv[1]))

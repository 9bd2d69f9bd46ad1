"""Take the pictures of the pages that the docs show: ``make screenshots``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.support.browser import Browser
from tests.support.gallery import archive
from tests.support.opened import listening
from tests.support.served import PASSWORD
from tests.support.showcase import HELD, VERSION, showcase
from toolsync.report.site import write_site

TAB, ENTER = "\ue004", "\ue007"
PICTURES = (
    ("page-light.png", "index.html", 1000, False),
    ("page-dark.png", "tools/awscli.html", 1000, True),
    ("page-narrow.png", "tools/ec2-ami-tools.html", 400, False),
)
"""File name, page, width in pixels, whether dark."""


WEB = (
    ("web-overview.png", "/", 1280, 820, False),
    ("web-overview-dark.png", "/", 1280, 820, True),
    ("web-review.png", f"/review/{HELD}/{VERSION}", 1280, 1180, False),
    ("web-tool.png", "/tool/awscli", 1280, 900, True),
    ("web-phone.png", "/", 390, 844, False),
)
"""File name, address, width and height in pixels, whether dark: of toolsync serve."""


def take_web(folder: Path) -> None:
    """Write the pictures of the pages that are served into ``folder``."""
    with tempfile.TemporaryDirectory() as place:
        site = showcase(Path(place), more=60)
        site.account("ann", "reviewer")
        with listening(site) as url, Browser() as browser:
            browser.go(f"{url}/login")
            for key in (*"ann", TAB, *PASSWORD, ENTER):
                browser.press(key)
            browser.until("return location.pathname === '/'")
            for name, path, width, height, dark in WEB:
                browser.look(width=width, height=height, dark=dark)
                browser.go(url + path)
                (folder / name).write_bytes(browser.picture())


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
    take_web(Path(sys.argv[1]))

"""What every place to publish to must be able to do.

A target is asked in this order: `newest` to know what it serves, `publish` to bring it a
package, `confirm` to see it as an instance's apt sees it. Every one of these may be repeated
after a kill, at any moment, without harm.
"""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from toolsync.model import Built, Confirmed, Receipt


class Target(Protocol):
    """A place that serves packages to apt."""

    @property
    def name(self) -> str:
        """The word by which configuration and journal know it, such as ``local``."""
        ...

    def state(self, series: str) -> str:
        """Return a digest that changes whenever what is served for ``series`` changes.

        Empty before anything is served.
        """
        ...

    def publish(self, item: Built) -> Receipt:
        """Bring the package's source and binaries to the target.

        The same bytes again are no error. Raises Replaced for other bytes under a version or
        file name that was ever there, and Held for a version older than the series has.
        """
        ...

    def confirm(self, item: Receipt) -> Confirmed:
        """Fetch the package as an instance would and compare every byte with what was built.

        Raises Held when something else is served, TryAgain when nothing can be told yet.
        """
        ...

    def newest(self, source: str, series: str) -> str | None:
        """Return the newest Debian version of a source package served for a series."""
        ...

    def stanza(self, series: str) -> str:
        """Return the deb822 stanza by which an instance (apt >= 2.4) installs from here.

        Raises TryAgain while nothing is served for the series.
        """
        ...

    def check(self, series: str, now: datetime) -> str:
        """Look, change nothing, and say in a phrase how a series is served.

        Raises Unverified when apt would not accept its index.
        """
        ...

"""The table of gates; the stages' names and their order follow from it.

Nothing here loads what judges: journal, settings and command line read the names alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from toolsync.gate.binding import BINDING
from toolsync.gate.compat import COMPAT
from toolsync.gate.license import LICENSE
from toolsync.gate.record import Gate
from toolsync.model.release import Package, Unpacked


@dataclass(frozen=True, slots=True, kw_only=True)
class Gates:
    """All gates, in the order in which they are asked."""

    files: tuple[Gate[Unpacked], ...]
    """Over a release's files, before a package is made of them."""
    packages: tuple[Gate[Package], ...]
    """Over what was made of them, for each series, before it is published."""

    def __iter__(self) -> Iterator[Gate[Unpacked] | Gate[Package]]:
        """Give every gate in order."""
        yield from self.files
        yield from self.packages

    @property
    def names(self) -> tuple[str, ...]:
        """Every gate's name, in order."""
        return tuple(gate.name for gate in self)

    @property
    def stages(self) -> tuple[str, ...]:
        """The names of all stages, in the order in which a release meets them."""
        return (
            *("watch", "fetch", "verify", "unpack", *(gate.name for gate in self.files)),
            *("package", "build", *(gate.name for gate in self.packages)),
            *("publish", "confirm"),
        )


GATES = Gates(files=(BINDING, LICENSE), packages=(COMPAT,))
"""What is shipped."""

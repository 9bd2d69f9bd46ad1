"""The ways of building that are known, in the order in which a tree is asked for them."""

from __future__ import annotations

from collections.abc import Sequence

from toolsync.scaffold.compiled import AUTOTOOLS, CMAKE, MAKE, MESON
from toolsync.scaffold.go import GO
from toolsync.scaffold.node import NODE
from toolsync.scaffold.perl import PERL
from toolsync.scaffold.python import PYTHON
from toolsync.scaffold.ready import JAVA, PREBUILT, ROOT, SCRIPTS
from toolsync.scaffold.ruby import RUBY
from toolsync.scaffold.rust import RUST
from toolsync.scaffold.system import BuildSystem
from toolsync.scaffold.tree import Tree

SYSTEMS: Sequence[BuildSystem] = (
    PYTHON, RUST, GO, PERL, AUTOTOOLS, CMAKE, MESON, RUBY, NODE, MAKE, ROOT, JAVA, PREBUILT,
    SCRIPTS,
)  # fmt: skip
"""A language's own files say more than a makefile beside them, and all of them more than
scripts."""


def system_of(tree: Tree) -> BuildSystem | None:
    """Return how a tree is built; None where nothing tells."""
    return next((system for system in SYSTEMS if system.fits(tree)), None)

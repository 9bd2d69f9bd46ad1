"""How a tarball's origin is to be proved: by which method, and with which files beside it.

A definition's [verify] and each pgpmode of a watch file become such a plan. It says what to
fetch, and nothing more: whether the files prove anything is the verifier's business.
"""

from __future__ import annotations

from dataclasses import dataclass

DIGEST = "{sha256}"
"""In an address: the digest of the tarball that was fetched."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A file that helps to prove a tarball."""

    role: str
    """``signature``, ``checksums`` or ``checksums-signature``."""
    url: str
    guessed: bool = False
    """Nobody has named it: upstreams often put one there. A page of markup is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """How one tarball is to be proved."""

    method: str = ""
    """A name of `verify.methods.METHODS`; empty where nothing is declared."""
    mode: str = ""
    """What of the method is asked for, such as a pgpmode of a watch file."""
    ways: tuple[tuple[Wanted, ...], ...] = ()
    """Groups of files, in the order in which they are tried. The first group counts whose first
    file is there; of its other files the first one of each role is taken."""
    needed: bool = True
    """Whether a server that does not answer for a guessed file is an error."""
    decompress: bool = False
    """Whether the signature stands over the tarball as it is before it is compressed."""

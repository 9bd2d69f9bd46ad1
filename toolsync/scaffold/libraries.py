"""The development packages of the libraries for which a build asks, by their names there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from toolsync.scaffold.system import Names

_INSIDE = frozenset(
    {"c", "m", "dl", "rt", "pthread", "threads", "util", "resolv", "nsl", "socket", "crypt", "gcc",
     "stdc++", "openmp", "intl", "iconv"}
)  # fmt: skip
"""Libraries that the C library and the compiler bring."""
_KNOWN = {
    "z": "zlib1g-dev", "zlib": "zlib1g-dev", "ssl": "libssl-dev", "openssl": "libssl-dev",
    "crypto": "libssl-dev", "libssl": "libssl-dev", "libcrypto": "libssl-dev",
    "bz2": "libbz2-dev", "bzip2": "libbz2-dev", "lzma": "liblzma-dev", "liblzma": "liblzma-dev",
    "curl": "libcurl4-openssl-dev", "libcurl": "libcurl4-openssl-dev",
    "ncurses": "libncurses-dev", "ncursesw": "libncurses-dev", "curses": "libncurses-dev",
    "tinfo": "libncurses-dev", "termcap": "libncurses-dev", "panel": "libncurses-dev",
    "readline": "libreadline-dev", "edit": "libedit-dev", "pcre2-8": "libpcre2-dev",
    "pcre2": "libpcre2-dev", "libpcre": "libpcre3-dev", "gnutls": "libgnutls28-dev",
    "glib-2.0": "libglib2.0-dev", "gio-2.0": "libglib2.0-dev", "gthread-2.0": "libglib2.0-dev",
    "gobject-2.0": "libglib2.0-dev", "gio-unix-2.0": "libglib2.0-dev",
    "libxml-2.0": "libxml2-dev", "xml2": "libxml2-dev", "sqlite3": "libsqlite3-dev",
    "libsystemd": "libsystemd-dev", "systemd": "systemd-dev", "udev": "libudev-dev",
    "libusb-1.0": "libusb-1.0-0-dev", "dbus-1": "libdbus-1-dev", "x11": "libx11-dev",
    "gtk+-3.0": "libgtk-3-dev", "gtk4": "libgtk-4-dev", "uuid": "uuid-dev",
    "mount": "libmount-dev", "blkid": "libblkid-dev", "expat": "libexpat1-dev",
    "yaml-0.1": "libyaml-dev", "gmp": "libgmp-dev", "ffi": "libffi-dev", "libffi": "libffi-dev",
    "libpng": "libpng-dev", "libjpeg": "libjpeg-dev", "freetype2": "libfreetype-dev",
    "fontconfig": "libfontconfig-dev", "python3": "python3-dev", "boost": "libboost-dev",
    "krb5-gssapi": "libkrb5-dev", "fuse3": "libfuse3-dev", "fuse": "libfuse-dev",
    "libnl-3.0": "libnl-3-dev", "libpcap": "libpcap-dev", "pcap": "libpcap-dev",
}  # fmt: skip
"""Development packages whose name does not follow from the library's."""


def packages_of(
    wanted: Iterable[str], maybe: Iterable[str], names: Names
) -> tuple[list[str], list[str]]:
    """Return the development packages of libraries, and a question for each that is not known.

    ``maybe`` are libraries that a build does without: they are taken where the series has them.
    """
    wanted, maybe = list(wanted), list(maybe)
    asked = [name for name in dict.fromkeys((*wanted, *maybe)) if _is_one(name)]
    found = {name: _package(name, names) for name in asked}
    questions = [
        f"which package brings {name}, for which the build asks: no package of the series has a"
        " name like it; add it to Build-Depends"
        for name in asked
        if name in wanted and not found[name]
    ]
    return list(dict.fromkeys(filter(None, found.values()))), questions


def _is_one(name: str) -> bool:
    return name.lower() not in _INSIDE and "$" not in name


def _package(name: str, names: Names) -> str:
    return names.first(*dict.fromkeys(filter(None, _guesses(name.lower()))))


def _guesses(low: str) -> Iterator[str]:
    bare = low.removeprefix("lib")
    yield from (_KNOWN.get(low, ""), _KNOWN.get(bare, ""), f"lib{bare}-dev", f"{low}-dev")
    plain = bare.replace("_", "-")
    yield from (f"lib{plain}-dev", f"lib{plain.partition('-')[0]}-dev")
    if (cut := re.sub(r"-?[\d.]+$", "", bare)) and cut != bare:
        yield from (f"lib{cut}-dev", f"{cut}-dev")

"""Programs in C and C++: autotools, CMake, Meson, and makefiles by hand.

What they need is read from where they ask for it; a name of pkg-config's or of a library becomes
the development package that the series has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from toolsync.scaffold.system import BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree

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
_PKG_CHECK = re.compile(
    r"PKG_(?:CHECK_MODULES|CHECK_EXISTS)\w*\(\s*(?:\[?\w+\]?\s*,)?\s*\[?([^\]),]+)"
)
_CHECK_LIB = re.compile(r"AC_CHECK_LIB\(\s*\[?([\w.+-]+)")
_SEARCH_LIBS = re.compile(r"AC_SEARCH_LIBS\(\s*\[?\w+\]?\s*,\s*\[?([^\]),]+)")
_MESON = re.compile(r"\bdependency\(\s*'([^']+)'")
_MESON_CALL = re.compile(r"\bdependency\([^)]*\)")
_FIND = re.compile(r"(?i)\bfind_package\(\s*(\w+)")
_PKG_CMAKE = re.compile(r"(?i)\bpkg_(?:check|search)_modules?\(\s*\w+([^)]*)\)")
_PKG_MAKE = re.compile(r"\bpkg-config\b((?:\s+--?[\w=.-]+)*)((?:\s+[A-Za-z][\w.+-]*)+)")
_LINKED = re.compile(r"(?<=\s)-l([A-Za-z][\w+.-]*)")
_CMAKE_HELPERS = {"PkgConfig": "pkg-config", "GTest": "libgtest-dev", "Doxygen": "doxygen"}
_CMAKE_OWN = frozenset({"Threads", "Git", "OpenMP", "Python", "Python3", "Perl"})
"""What CMake looks for and is there, or is none of the program's own needs."""
_VERSION = re.compile(r"^[<>=!]+$|^\d|^[$@]")
_WORDS = frozenset({"REQUIRED", "QUIET", "IMPORTED_TARGET", "GLOBAL", "NO_CMAKE_PATH"})


def _modules(words: Iterable[str]) -> Iterator[str]:
    """Give the names of modules in lists as pkg-config reads them: with versions between."""
    for word in " ".join(words).replace(",", " ").replace('"', " ").split():
        name = re.split(r"[<>=]", word)[0]
        if name and not _VERSION.match(word) and name not in _WORDS:
            yield name


def _package(name: str, names: Names) -> str:
    low = name.lower()
    bare = low.removeprefix("lib")
    guesses = [_KNOWN.get(low, ""), _KNOWN.get(bare, ""), f"lib{bare}-dev", f"{low}-dev"]
    cut = re.sub(r"-?[\d.]+$", "", bare)
    guesses += [f"lib{cut}-dev", f"{cut}-dev"] if cut and cut != bare else []
    return names.first(*filter(None, guesses))


def _found(asked: Iterable[str], names: Names) -> tuple[list[str], list[str]]:
    """Return the development packages of what is asked for, and a question for each unknown."""
    packages, questions = dict[str, None](), list[str]()
    for name in dict.fromkeys(asked):
        if name.lower() in _INSIDE or "$" in name:
            continue
        if package := _package(name, names):
            packages[package] = None
        else:
            questions.append(
                f"which package brings {name}, for which the build asks: no package of the series"
                " has a name like it; add it to Build-Depends if the build wants it"
            )
    return list(packages), questions


def _autotools(tree: Tree, _: str, names: Names) -> Recipe:
    text = "\n".join((tree.text("configure.ac"), tree.text("configure.in")))
    asked = [*_modules(_PKG_CHECK.findall(text)), *_CHECK_LIB.findall(text)]
    asked += [m for found in _SEARCH_LIBS.findall(text) for m in found.split()[:1]]
    packages, questions = _found(asked, names)
    more = {
        "pkg-config": "PKG_" in text, "gettext": "GNU_GETTEXT" in text,
        "bison": "AC_PROG_YACC" in text, "flex": "_PROG_LEX" in text,
        "autoconf-archive": "\nAX_" in text, "texinfo": bool(tree.matching("*.texi", "*.texinfo")),
    }  # fmt: skip
    packages += [name for name, needed in more.items() if needed]
    return Recipe(dh="--buildsystem=autoconf", build_depends=packages, questions=questions)


def _cmake(tree: Tree, _: str, names: Names) -> Recipe:
    text = "\n".join(tree.texts("CMakeLists.txt", "*/CMakeLists.txt"))
    asked = [*_FIND.findall(text), *_modules(_PKG_CMAKE.findall(text))]
    own = {path.rpartition("/")[2][4:-6] for path in tree.matching("*Find*.cmake")}
    others = [name for name in asked if name not in own and name not in _CMAKE_HELPERS]
    packages, questions = _found([name for name in others if name not in _CMAKE_OWN], names)
    packages += [package for helper, package in _CMAKE_HELPERS.items() if helper in asked]
    # An optional package is looked for in the same words, so one that is unknown may do no harm.
    return Recipe(dh="--buildsystem=cmake", build_depends=["cmake", *packages], questions=questions)


def _meson(tree: Tree, _: str, names: Names) -> Recipe:
    text = "\n".join(tree.texts("meson.build", "*/meson.build"))
    optional = {
        name
        for call in _MESON_CALL.findall(text)
        if "required: false" in call or "get_option" in call
        for name in _MESON.findall(call)
    }
    asked = list(dict.fromkeys(_MESON.findall(text)))
    wanted, questions = _found([a for a in asked if a not in optional], names)
    maybe, _unknown = _found([a for a in asked if a in optional], names)
    packages = ["meson", *(["pkg-config"] if asked else []), *wanted, *maybe]
    return Recipe(dh="--buildsystem=meson", build_depends=packages, questions=questions)


def _make(tree: Tree, _: str, names: Names) -> Recipe:
    text = "\n".join(tree.text(name) for name in tree.at_top(*_MAKEFILES, "*.mk"))
    asked = [name for _, found in _PKG_MAKE.findall(text) for name in found.split()]
    packages, questions = _found([*asked, *_LINKED.findall(text)], names)
    packages += ["pkg-config"] if asked else []
    installs = re.search(r"(?m)^install\b[^:=]*::?(?!=)", text)
    if not installs:
        questions.append(
            "what of it is to be installed: its makefile has no target install; name files and"
            " places in debian/NAME.install"
        )
    # Makefiles by hand install below /usr/local, where no package may (Debian Policy 9.1.2).
    rules = "override_dh_auto_install:\n\tdh_auto_install -- PREFIX=/usr prefix=/usr\n"
    man = re.search(r"(?m)^(MANDIR|MANPREFIX|mandir|MANPATH)\s*[?:]?=\s*/usr/local", text)
    if man:
        rules = rules.rstrip("\n") + f" {man[1]}=/usr/share/man\n"
    return Recipe(
        dh="--buildsystem=makefile",
        build_depends=packages,
        rules=rules if installs else "",
        questions=questions,
    )


_MAKEFILES = ("GNUmakefile", "Makefile", "makefile")
AUTOTOOLS = BuildSystem(
    name="autotools",
    about="configure and make",
    fits=lambda tree: tree.has("configure.ac", "configure.in", "configure"),
    recipe=_autotools,
)
CMAKE = BuildSystem(
    name="cmake", about="CMake", fits=lambda tree: tree.has("CMakeLists.txt"), recipe=_cmake
)
MESON = BuildSystem(
    name="meson", about="Meson", fits=lambda tree: tree.has("meson.build"), recipe=_meson
)
MAKE = BuildSystem(
    name="make",
    about="a makefile by hand",
    fits=lambda tree: tree.has(*_MAKEFILES),
    recipe=_make,
)

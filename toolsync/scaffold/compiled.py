"""Programs in C and C++: autotools, CMake, Meson, and makefiles by hand.

What they need is read from where they ask for it; a name of pkg-config's or of a library becomes
the development package that the series has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from toolsync.scaffold.libraries import packages_of
from toolsync.scaffold.system import BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree

_PKG_CHECK = re.compile(r"PKG_CHECK_MODULES(?:_STATIC)?\(")
_PKG_EXISTS = re.compile(r"PKG_CHECK_EXISTS\(\s*\[?([^\]),]+)")
_CHECK_LIB = re.compile(r"AC_CHECK_LIB\(\s*\[?([\w.+-]+)")
_SEARCH_LIBS = re.compile(r"AC_SEARCH_LIBS\(\s*\[?\w+\]?\s*,\s*\[?([^\]),]+)")
_MESON = re.compile(r"\bdependency\(\s*'([^']+)'")
_MESON_CALL = re.compile(r"\bdependency\([^)]*\)")
_FIND = re.compile(r"(?i)\bfind_package\(\s*(\w+)([^)]*)\)")
_PKG_CMAKE = re.compile(r"(?i)\bpkg_(?:check|search)_modules?\(\s*\w+([^)]*)\)")
_PKG_MAKE = re.compile(r"\bpkg-config\b((?:\s+--?[\w=.-]+)*)((?:\s+[A-Za-z][\w.+-]*)+)")
_LINKED = re.compile(r"(?<=\s)-l([A-Za-z][\w+.-]*)")
_CMAKE_HELPERS = {"PkgConfig": "pkg-config", "GTest": "libgtest-dev", "Doxygen": "doxygen"}
_CMAKE_OWN = frozenset({"Threads", "Git", "OpenMP", "Python", "Python3", "PythonInterp", "Perl"})
"""What CMake looks for and is there, or is none of the program's own needs."""
_BESIDE = re.compile(r"(?i)(?:^|/)(?:tests?|examples?|docs?|benchmarks?|fuzz\w*|third.?party)/")
"""Folders whose builds have needs that the program's own does not have."""
_LONGEST_CALL, _WITHOUT = 4000, 3
"""Characters of a macro's call; arguments after which PKG_CHECK_MODULES has one for its absence."""
_VERSION = re.compile(r"^[<>=!]+$|^\d|^[$@]")
_WORDS = frozenset({"REQUIRED", "QUIET", "IMPORTED_TARGET", "GLOBAL", "NO_CMAKE_PATH"})


def _modules(words: Iterable[str]) -> Iterator[str]:
    """Give the names of modules in lists as pkg-config reads them: with versions between."""
    for word in " ".join(words).replace(",", " ").replace('"', " ").split():
        name = re.split(r"[<>=]", word)[0]
        if name and not _VERSION.match(word) and name not in _WORDS:
            yield name


def _arguments(text: str, start: int) -> list[str]:
    """Return the arguments of a macro of m4's, whose first one begins at ``start``."""
    found, depth, begun = [], 0, start
    for at in range(start, min(len(text), start + _LONGEST_CALL)):
        sign = text[at]
        if sign in "([":
            depth += 1
        elif sign == "," and not depth:
            found.append(text[begun:at])
            begun = at + 1
        elif sign in ")]":
            depth -= 1
            if depth < 0:
                return [word.strip(" \t\n[]") for word in (*found, text[begun:at])]
    return []


def _modules_checked(text: str) -> tuple[list[str], list[str]]:
    """Return the modules that a configure.ac wants, and those without which it goes on."""
    wanted, maybe = list[str](), [*_modules(_PKG_EXISTS.findall(text))]
    for call in _PKG_CHECK.finditer(text):
        words = _arguments(text, call.end())
        (maybe if len(words) > _WITHOUT else wanted).extend(_modules(words[1:2]))
    return wanted, maybe


def _autotools(tree: Tree, _: str, names: Names) -> Recipe:
    text = "\n".join((tree.text("configure.ac"), tree.text("configure.in")))
    wanted, maybe = _modules_checked(text)
    # A library is looked for in order to know whether it is there: many are for other systems.
    maybe += _CHECK_LIB.findall(text)
    maybe += [name for found in _SEARCH_LIBS.findall(text) for name in found.split()]
    packages, questions = packages_of(wanted, maybe, names)
    more = {
        "pkg-config": "PKG_" in text, "gettext": "GNU_GETTEXT" in text,
        "bison": "AC_PROG_YACC" in text, "flex": "_PROG_LEX" in text,
        "autoconf-archive": "\nAX_" in text, "texinfo": bool(tree.matching("*.texi", "*.texinfo")),
    }  # fmt: skip
    packages += [name for name, needed in more.items() if needed]
    return Recipe(dh="--buildsystem=autoconf", build_depends=packages, questions=questions)


def _cmake(tree: Tree, name: str, names: Names) -> Recipe:
    files = [path for path in tree.files if path.rpartition("/")[2] == "CMakeLists.txt"]
    text = "\n".join(tree.text(path) for path in files if not _BESIDE.search(path))
    own = {path.rpartition("/")[2][4:-6] for path in tree.matching("*Find*.cmake")}
    own |= {name, *re.findall(r"(?i)^\s*project\(\s*([\w.-]+)", text, re.MULTILINE), *_CMAKE_OWN}
    low = {one.lower() for one in own}
    found = [one for one in _FIND.findall(text) if one[0].lower() not in low]
    wanted = [one for one, words in found if "REQUIRED" in words and one not in _CMAKE_HELPERS]
    maybe = [one for one, words in found if "REQUIRED" not in words and one not in _CMAKE_HELPERS]
    for words in _PKG_CMAKE.findall(text):
        (wanted if "REQUIRED" in words else maybe).extend(_modules([words]))
    packages, questions = packages_of(wanted, maybe, names)
    helpers = [one for one, _ in found if one in _CMAKE_HELPERS]
    packages += [_CMAKE_HELPERS[one] for one in dict.fromkeys(helpers)]
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
    wanted = [name for name in asked if name not in optional]
    found, questions = packages_of(wanted, optional, names)
    packages = ["meson", *(["pkg-config"] if asked else []), *found]
    return Recipe(dh="--buildsystem=meson", build_depends=packages, questions=questions)


def _make(tree: Tree, _: str, names: Names) -> Recipe:
    text = "\n".join(tree.text(name) for name in tree.at_top(*_MAKEFILES, "*.mk"))
    asked = [name for _, found in _PKG_MAKE.findall(text) for name in found.split()]
    packages, questions = packages_of([*asked, *_LINKED.findall(text)], (), names)
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

"""Write a debian/ that builds, from what a release's tree shows."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from toolsync.config.packaging import SAY_HERE
from toolsync.license.terms import Terms
from toolsync.scaffold.metadata import Metadata, metadata_of
from toolsync.scaffold.system import ALL, BuildSystem, Names, Recipe
from toolsync.scaffold.systems import system_of
from toolsync.scaffold.terms import copyright_of
from toolsync.scaffold.tree import Tree
from toolsync.system.sandbox import Sandbox

_CONTROL = """\
Source: {name}
Section: {section}
Priority: optional
Maintainer: {maintainer}
Build-Depends: {build}
Standards-Version: 4.6.2
Rules-Requires-Root: no
Homepage: {homepage}
{more}
Package: {name}
Architecture: {architecture}
Depends: {depends}
Description: {summary}
{description}
"""
_RULES = """\
#!/usr/bin/make -f
export DEB_BUILD_MAINT_OPTIONS = hardening=+all
include /usr/share/dpkg/pkg-info.mk

%:
\tdh $@{dh}

{rules}"""
_MANUALS = """\
# A command without a manual gets one from its own help, where it has that.
execute_after_dh_link:
\t@for command in debian/{name}/usr/bin/*; do \\
\t\tmanual=debian/{name}/usr/share/man/man1/$${{command##*/}}.1; \\
\t\tif [ -x "$$command" ] && ! [ -e $$manual ] && ! [ -e $$manual.gz ] \\
\t\t\t&& ! grep -qs "/\\?$${{command##*/}}[.]1" debian/{name}.manpages; then \\
\t\t\tmkdir -p $${{manual%/*}}; \\
\t\t\tset -- env {path} HOME=/nonexistent PYTHONDONTWRITEBYTECODE=1 timeout 30; \\
\t\t\t"$$@" $$command --help </dev/null >/dev/null 2>&1 && \\
\t\t\t"$$@" help2man --no-info --no-discard-stderr --output=$$manual \\
\t\t\t\t--version-string=$(DEB_VERSION_UPSTREAM) $$command </dev/null >/dev/null 2>&1 \\
\t\t\t\t|| rm -f $$manual; \\
\t\tfi; \\
\tdone; rmdir -p --ignore-fail-on-non-empty debian/{name}/usr/share/man/man1 2>/dev/null || true
"""
_TESTS = "Tests: commands\nDepends: @\nRestrictions: allow-stderr\n"
_COMMANDS = """\
#!/bin/sh
# Each command of the package starts: it is asked for its version and its help.
set -u
failed=0
for command in $(dpkg -L {name} | grep -E '^/usr/(s?bin|games)/[^/]+$'); do
    for word in --version --help; do
        timeout 60 "$command" "$word" </dev/null
        status=$?
        # 126, 127: it could not be run; more: a signal, or our time limit, has ended it.
        if [ "$status" -ge 126 ]; then
            echo "$command $word: exit status $status"
            failed=1
        fi
    done
done
{test}exit "$failed"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffold:
    """A first debian/, and what only a person can say of it."""

    system: str
    """How it is built, in words; empty where nothing tells."""
    files: Mapping[str, str]
    """Contents by path below debian/; those below ``tests/`` and ``rules`` can be run."""
    metadata: Metadata
    questions: tuple[str, ...]


def scaffold(
    tree: Tree,
    terms: Terms,
    *,
    name: str,
    maintainer: str,
    homepage: str,
    names: Names,
    sandbox: Callable[[], Sandbox],
) -> Scaffold:
    """Return the packaging of a tree, for the source and binary package ``name``.

    ``homepage`` is where its releases are, for a tree that names none.
    """
    system, known = system_of(tree), metadata_of(tree, name, sandbox)
    known = replace(known, homepage=known.homepage or homepage)
    recipe = system.recipe(tree, name, names) if system else Recipe()
    recipe = _with_manuals(tree, name, recipe, system)
    notice = copyright_of(tree, terms, name=name, homepage=known.homepage, author=known.author)
    files = {
        "control": _control(name, maintainer, recipe, known),
        "copyright": notice,
        "rules": _rules(name, recipe),
        "source/format": "3.0 (quilt)\n",
        "tests/control": _TESTS,
        "tests/commands": _COMMANDS.format(name=name, test=_test(recipe)),
        **recipe.files,
    }
    return Scaffold(
        system=system.about if system else "",
        files=files,
        metadata=known,
        questions=(*recipe.questions, *(() if system else (_UNKNOWN,))),
    )


_UNKNOWN = "how it is built: no build system that is known stands at the top of its tree"


def _with_manuals(tree: Tree, name: str, recipe: Recipe, system: BuildSystem | None) -> Recipe:
    """Return a recipe that installs the manuals of what installs nothing by itself."""
    manuals = tree.matching("*.[1-8]") if "buildsystem=none" in recipe.dh else ()
    pages = [path for path in manuals if re.search(r"(?m)^\.(?:TH|Dd) ", tree.text(path))]
    if not pages or system is None:
        return recipe
    listed = "".join(f"{path}\n" for path in pages)
    return replace(recipe, files={**recipe.files, f"{name}.manpages": listed})


def _control(name: str, maintainer: str, recipe: Recipe, known: Metadata) -> str:
    build = ["debhelper-compat (= 13)", "help2man", *recipe.build_depends]
    depends = ["${misc:Depends}", *recipe.depends]
    if recipe.architecture != ALL:
        depends.append("${shlibs:Depends}")
    return _CONTROL.format(
        name=name,
        section=recipe.section,
        maintainer=maintainer,
        build=",\n ".join(dict.fromkeys(build)),
        homepage=known.homepage,
        more="".join(f"{key}: {value}\n" for key, value in recipe.source_fields.items()),
        architecture=recipe.architecture,
        depends=",\n ".join(dict.fromkeys(depends)),
        summary=known.summary or f"{SAY_HERE} in a line what it does, without its name",
        description=_description(known),
    )


def _description(known: Metadata) -> str:
    """Return the extended description: upstream's own words, or where to read them."""
    text = known.description if known.description.rstrip(".") != known.summary else ""
    text = " ".join(text.split()) or f"What it does, and for whom, is told at {known.homepage}"
    lines = textwrap.wrap(text, 76, break_long_words=False, break_on_hyphens=False)
    return "\n".join(f" {line}" for line in lines)


def _rules(name: str, recipe: Recipe) -> str:
    dh = f" {recipe.dh}" if recipe.dh else ""
    rules = f"{recipe.rules.rstrip()}\n\n" if recipe.rules else ""
    manuals = _MANUALS.format(name=name, path=recipe.path)
    return _RULES.format(dh=dh, rules=rules + manuals)


def _test(recipe: Recipe) -> str:
    return f"{recipe.test} || failed=1\n" if recipe.test else ""

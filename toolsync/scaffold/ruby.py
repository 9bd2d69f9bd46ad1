"""Ruby gems, by gem2deb."""

from __future__ import annotations

import re

from toolsync.scaffold.system import ALL, ANY, BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree


def _recipe(tree: Tree, name: str, names: Names) -> Recipe:
    spec = tree.text(tree.at_top("*.gemspec")[0])
    compiled = bool(tree.matching("ext/*extconf.rb"))
    wanted, questions = [], []
    for gem in re.findall(r"\.add_(?:runtime_)?dependency\(?\s*['\"]([\w.-]+)", spec):
        low = gem.lower().replace("_", "-")
        if package := names.first(f"ruby-{low}", low):
            wanted.append(package)
        else:
            questions.append(f"which package brings the gem {gem}, which it requires")
    files = {}
    if "git ls-files" in spec:
        # A gemspec that asks git for its files would name none outside of a clone.
        files["git-ls-files/git"] = _GIT
    gem = re.search(r"\.name\s*=\s*['\"]([\w.-]+)", spec)
    needed = gem[1].replace("-", "/") if gem else ""
    return Recipe(
        build_depends=["gem2deb", *wanted],
        depends=["${ruby:Depends}", *(["${shlibs:Depends}"] if compiled else [])],
        architecture=ANY if compiled else ALL,
        dh="--buildsystem=ruby --with ruby",
        rules="export PATH := $(CURDIR)/debian/git-ls-files:$(PATH)\n" if files else "",
        source_fields={"XS-Ruby-Versions": "all"} if compiled else {},
        files=files,
        section="ruby",
        test=f"ruby -e 'require %q({needed})'" if tree.matching(f"lib/{needed}.rb") else "",
        path=f"RUBYLIB=debian/{name}/usr/lib/ruby/vendor_ruby",
        questions=questions,
    )


_GIT = """\
#!/bin/sh
# Gemspecs ask `git ls-files` for their files; here these are the files of the orig tarball.
case " $* " in
*" -z "*) find . -path ./debian -prune -o -type f -printf '%P\\0' ;;
*) find . -path ./debian -prune -o -type f -printf '%P\\n' ;;
esac
"""
RUBY = BuildSystem(
    name="ruby",
    about="a gem with its gemspec",
    fits=lambda tree: tree.at_top("*.gemspec"),
    recipe=_recipe,
)

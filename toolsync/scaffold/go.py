"""Go modules: by dh-golang, with the modules that they bring or that the series has."""

from __future__ import annotations

import re

from toolsync.scaffold.system import BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree

_HOSTS = {"github.com": "github", "golang.org": "golang", "gopkg.in": "gopkg",
          "gitlab.com": "gitlab", "google.golang.org": "google"}  # fmt: skip


def _recipe(tree: Tree, _: str, names: Names) -> Recipe:
    text = tree.text("go.mod")
    module = re.search(r"(?m)^module\s+\"?([^\s\"]+)", text)
    brought = bool(tree.matching("vendor/modules.txt"))
    wanted, questions = [], []
    for path in () if brought else _required(text):
        if package := names.first(*_packages(path)):
            wanted.append(package)
        else:
            questions.append(
                f"which package brings the module {path}; or watch the archive of the release that"
                " has a folder vendor/"
            )
    return Recipe(
        build_depends=["dh-sequence-golang", "golang-any", *wanted],
        dh="--builddirectory=_build --buildsystem=golang",
        rules="override_dh_auto_install:\n\tdh_auto_install -- --no-source\n",
        source_fields={"XS-Go-Import-Path": module[1] if module else "main"},
        questions=questions,
    )


def _required(text: str) -> list[str]:
    """Return the modules that are required by the program itself, not by what it requires."""
    lines = re.findall(r"(?m)^(?:require)?\s+([\w.-]+\.[a-z]+/\S+) v\S+(.*)$", text)
    return [path for path, more in lines if "// indirect" not in more]


def _packages(path: str) -> list[str]:
    """Return how Debian names the package of a module, the likeliest first."""
    host, _, rest = path.partition("/")
    plain = re.sub(r"/v\d+$", "", rest).lower().replace("/", "-").replace("_", "-")
    head = _HOSTS.get(host, re.sub(r"\.\w+$", "", host).replace(".", "-"))
    version = re.search(r"/v(\d+)$", path)
    names = [f"golang-{head}-{plain}-dev"]
    return [f"golang-{head}-{plain}-v{version[1]}-dev", *names] if version else names


GO = BuildSystem(
    name="go", about="a Go module", fits=lambda tree: tree.has("go.mod"), recipe=_recipe
)

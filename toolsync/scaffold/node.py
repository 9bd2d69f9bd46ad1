"""Programs for Node.js: what npm would install, by dh-nodejs and without npm's registry."""

from __future__ import annotations

import json
from collections.abc import Mapping

from toolsync.scaffold.python import part
from toolsync.scaffold.system import ALL, BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree, is_plain

_MADE = ("dist", "lib", "build", "out", "bin", "index.js")


def _package(tree: Tree) -> Mapping[str, object]:
    try:
        raw = json.loads(tree.text("package.json"))
    except ValueError:
        return {}
    return raw if isinstance(raw, dict) else {}


def _recipe(tree: Tree, name: str, names: Names) -> Recipe:
    raw = _package(tree)
    wanted, questions = [], []
    for module in part(raw, "dependencies"):
        plain = module.lstrip("@").replace("/", "-").replace("_", "-").lower()
        if tree.matching(f"node_modules/{module}/package.json"):
            continue  # it brings its own
        if package := names.first(f"node-{plain}"):
            wanted.append(package)
        else:
            questions.append(f"which package brings the module {module}, which it requires")
    if "build" in part(raw, "scripts") and not tree.matching("dist/*", "lib/*.js", "build/*.js"):
        questions.append(
            "how it is built: `npm run build` wants npm's registry; its tarball at npm has what is"
            " built already (watch kind npm)"
        )
    module = str(raw.get("name"))
    place = f"usr/share/nodejs/{module}"
    commands, wrong = _commands(raw, name)
    questions += [f"what command {one!r} is: its name or place is none" for one in wrong]
    links = [
        f"{place}/{str(path).removeprefix('./')} usr/bin/{command.rpartition('/')[2]}"
        for command, path in sorted(commands.items())
    ]
    kept = sorted({path.split("/")[0] for path in tree.files if _is_wanted(path)})
    files = {f"{name}.install": "".join(f"{path} {place}/\n" for path in kept)}
    if links:
        files[f"{name}.links"] = "".join(f"{link}\n" for link in links)
    return Recipe(
        build_depends=["nodejs", *wanted],
        depends=["nodejs", *wanted],
        architecture=ALL,
        dh="--buildsystem=none",
        rules="".join(_executable(name, place, str(path)) for path in commands.values()),
        files=files,
        section="javascript",
        test="" if links else f"node -e 'require(\"{module}\")'",
        questions=questions,
    )


def _commands(raw: Mapping[str, object], name: str) -> tuple[dict[str, str], list[str]]:
    """Return the places of the commands by name, and the names of those that cannot be any."""
    given = raw.get("bin")
    named = {name: given} if isinstance(given, str) else part(raw, "bin")
    places = {key: str(path).removeprefix("./") for key, path in named.items()}
    usable = {k: path for k, path in places.items() if is_plain(path) and is_plain(k)}
    return usable, [key for key in places if key not in usable]


def _executable(name: str, place: str, path: str) -> str:
    """Return the rule that makes a command's script one that can be run, as npm does."""
    file = f"debian/{name}/{place}/{path.removeprefix('./')}"
    return f"execute_before_dh_link::\n\tchmod 0755 {file}\n"


def _is_wanted(path: str) -> bool:
    top = path.split("/")[0]
    if "/" not in path:
        return top == "package.json" or top.endswith((".js", ".cjs", ".mjs", ".json", ".wasm"))
    return top not in {"test", "tests", "docs", "doc", "examples", ".github", "debian", "man"}


NODE = BuildSystem(
    name="node",
    about="package.json of Node.js",
    fits=lambda tree: (
        is_plain(str(_package(tree).get("name", ""))) and bool(tree.matching("*.js", "*.[cm]js"))
    ),
    recipe=_recipe,
)

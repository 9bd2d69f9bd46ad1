"""What needs no building: Java archives, compiled programs, a root's tree, scripts."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence

from toolsync.scaffold.system import ALL, ANY, BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree

_MACHINES = {0x3E: "amd64", 0xB7: "arm64", 0x03: "i386", 0x28: "armhf", 0xF3: "riscv64",
             0x15: "ppc64el", 0x16: "s390x"}  # fmt: skip
_INTERPRETERS = {"bash": "", "sh": "", "dash": "", "perl": "perl", "python3": "python3",
                 "ruby": "ruby", "node": "nodejs", "nodejs": "nodejs", "zsh": "zsh", "awk": "",
                 "gawk": "gawk", "fish": "fish", "ksh": "ksh", "tclsh": "tcl", "lua": "lua5.4",
                 "env": "", "make": "make", "php": "php-cli"}  # fmt: skip
_LAUNCHER = """\
#!/bin/sh
exec java {java} "$@"
"""
_NOT_COMMANDS = re.compile(
    r"(?i)^(?:tests?|examples?|docs?|debian|\.github|ci|scripts|build|contrib)/"
)
_MAIN = re.compile(r"(?m)^Main-Class:\s*([\w.$]+)")
_AS_IT_IS = "override_dh_strip override_dh_dwz override_dh_auto_build override_dh_auto_test:\n"


def _java(tree: Tree, name: str, _: Names) -> Recipe:
    """Install its jars, and a command for each that can be run; or its own scripts, as they lie."""
    place = f"usr/share/{name}"
    scripts = [path for path in tree.matching("bin/*") if tree.interpreter(path)]
    if scripts:
        tops = sorted({path.split("/")[0] for path in tree.files if "/" in path})
        files = {
            f"{name}.install": "".join(f"{top} {place}/\n" for top in tops if top != "debian"),
            f"{name}.links": "".join(
                f"{place}/{path} usr/bin/{path.rpartition('/')[2]}\n" for path in scripts
            ),
        }
        return _jars(files, ())
    jars = tree.at_top("*.jar") or tree.matching("*.jar")
    files = {f"{name}.install": "".join(f"{jar} {place}/\n" for jar in jars)}
    main = next((jar for jar in jars if _main_class(tree, jar)), "")
    if not main:
        return _jars(files, ("which class of its jars is run: none names its Main-Class",))
    file = main.rpartition("/")[2]
    files[f"bin/{name}"] = _LAUNCHER.format(java=f"-jar /{place}/{file}")
    files[f"{name}.install"] += f"debian/bin/{name} usr/bin/\n"
    return _jars(files, ())


def _jars(files: dict[str, str], questions: Sequence[str]) -> Recipe:
    return Recipe(
        depends=["default-jre-headless | java-runtime-headless"],
        architecture=ALL,
        dh="--buildsystem=none",
        files=files,
        section="java",
        questions=questions,
    )


def _main_class(tree: Tree, jar: str) -> str:
    try:
        with zipfile.ZipFile(tree.top / jar) as archive:
            text = archive.read("META-INF/MANIFEST.MF")[:65536].decode("utf-8", "replace")
    except (OSError, KeyError, ValueError, RuntimeError, zipfile.BadZipFile):
        return ""
    found = _MAIN.search(text)
    return found[1] if found else ""


def _root(tree: Tree, name: str, _: Names) -> Recipe:
    """Install the tree of a .deb, or of another package's files, where its folders say."""
    tops = sorted({path.split("/")[0] for path in tree.files if path.startswith(_ROOTS)})
    files = {f"{name}.install": "".join(f"{top}/* {top}/\n" for top in tops)}
    return _compiled(tree, files, [])


def _programs(tree: Tree, name: str, _: Names) -> Recipe:
    """Install the compiled programs, and what beside them is no text for readers."""
    programs = [path for path in tree.programs() if tree.is_run(path)]
    alone = not [path for path in tree.files if "/" in path and path not in programs]
    if alone or all("/" not in path for path in programs):
        files = {f"{name}.install": "".join(f"{path} usr/bin/\n" for path in programs)}
        return _compiled(tree, files, [])
    place = f"usr/lib/{name}"
    tops = sorted({path.split("/")[0] for path in tree.files} - {"debian"})
    bins = [path for path in programs if path.startswith("bin/")] or programs
    files = {
        f"{name}.install": "".join(f"{top} {place}/\n" for top in tops),
        f"{name}.links": "".join(
            f"{place}/{path} usr/bin/{path.rpartition('/')[2]}\n" for path in bins
        ),
    }
    return _compiled(tree, files, [])


def _compiled(tree: Tree, files: dict[str, str], questions: list[str]) -> Recipe:
    elves = [path for path in tree.files if tree.is_elf(path)]
    machines = {_MACHINES.get(tree.machine(path), "") for path in elves}
    if len(machines) > 1 or "" in machines:
        questions.append("which of its programs to take: they are of several machines")
    one = next(iter(machines)) if len(machines) == 1 and "" not in machines else ANY
    # Somebody else's compiled files stay as they are: their makers know them by their digests.
    rules = f"{_AS_IT_IS}\noverride_dh_shlibdeps:\n\tdh_shlibdeps -- --ignore-missing-info\n"
    return Recipe(
        depends=["${shlibs:Depends}"] if elves else [],
        architecture=one if elves else ALL,
        dh="--buildsystem=none",
        rules=rules if elves else "",
        files=files,
        questions=questions,
    )


def _scripts(tree: Tree, name: str, _: Names) -> Recipe:
    scripts = {
        path: tree.interpreter(path)
        for path in tree.matching("*")
        if tree.interpreter(path) and not _NOT_COMMANDS.match(path)
    }
    near = [path for path in scripts if path.startswith("bin/")] or [
        path for path in scripts if "/" not in path and path not in ("configure", "install.sh")
    ]
    files = {f"{name}.install": "".join(f"{path} usr/bin/\n" for path in near)}
    needs = [_INTERPRETERS.get(scripts[path], scripts[path]) for path in near]
    return Recipe(
        depends=sorted({need for need in needs if need}),
        architecture=ALL,
        dh="--buildsystem=none",
        files=files,
        questions=[] if near else ["which of its scripts are commands"],
    )


_ROOTS = ("usr/", "opt/", "etc/", "lib/systemd/", "var/lib/")
JAVA = BuildSystem(
    name="java", about="Java archives", fits=lambda tree: tree.matching("*.jar"), recipe=_java
)
ROOT = BuildSystem(
    name="root",
    about="the files of a package, such as a .deb's",
    fits=lambda tree: tree.matching("usr/bin/*", "usr/lib/*", "usr/share/*", "opt/*"),
    recipe=_root,
)
PREBUILT = BuildSystem(
    name="prebuilt",
    about="compiled programs",
    fits=lambda tree: any(map(tree.is_run, tree.files)),
    recipe=_programs,
)
SCRIPTS = BuildSystem(
    name="scripts",
    about="scripts that are run as they are",
    fits=lambda tree: any(map(tree.interpreter, tree.files)),
    recipe=_scripts,
)

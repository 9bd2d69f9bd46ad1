"""Rust crates with programs: by cargo, with the crates that they bring or that the series has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from toolsync.scaffold.python import part, table, words
from toolsync.scaffold.system import BuildSystem, Names, Recipe
from toolsync.scaffold.tree import Tree

_RULES = """\
# cargo asks no registry: its crates are {where}.
export CARGO_HOME = $(CURDIR)/debian/cargo-home
export CARGO_NET_OFFLINE = true
export RUSTFLAGS = --remap-path-prefix=$(CURDIR)=/usr/src/{name}

override_dh_auto_configure:
\tmkdir -p $(CARGO_HOME)
\tprintf '[source.crates-io]\\nreplace-with = "here"\\n[source.here]\\ndirectory = "%s"\\n' \\
\t\t{folder} > $(CARGO_HOME)/config.toml
{lock}
override_dh_auto_build:
\tcargo build --release --offline

override_dh_auto_test:
\tcargo test --release --offline

override_dh_auto_install:
\tcargo install --offline --no-track --path {path} --root debian/{name}/usr

override_dh_auto_clean:
\trm -rf target $(CARGO_HOME)
"""
_LOCK = """\
\t# The lock names versions that the series need not have.
\tif [ -f Cargo.lock ]; then mv Cargo.lock debian/cargo-home/; fi
"""


def _recipe(tree: Tree, name: str, names: Names) -> Recipe:
    raw = table(tree.text("Cargo.toml"))
    brought = bool(tree.matching("vendor/*/Cargo.toml"))
    wanted, questions = [], []
    tables = [raw] if part(raw, "package") else _members(tree, raw)
    for crate, said in {} if brought else _needed(tables):
        if package := names.first(*_packages(crate, said)):
            wanted += [package, *_features(package, said, names)]
        else:
            questions.append(
                f"which package brings the crate {crate}; or bring it in a component with vendor/"
            )
    programs = [path for path in _crates(tree) if _is_program(tree, path)]
    if not programs:
        questions.append("which program it has: neither src/main.rs nor [[bin]] is there")
    rules = _RULES.format(
        name=name,
        where="the release's own" if brought else "packages of the series",
        folder="$(CURDIR)/vendor" if brought else "/usr/share/cargo/registry",
        lock="" if brought else _LOCK,
        path=programs[0] if programs else ".",
    )
    return Recipe(
        build_depends=["cargo", "rustc", *wanted],
        rules=rules,
        section="rust",
        questions=questions,
    )


def _crates(tree: Tree) -> list[str]:
    """Return the folders of its own crates, the top first."""
    found = [path.rpartition("/")[0] or "." for path in tree.matching("Cargo.toml", "*/Cargo.toml")]
    return [path for path in found if not path.startswith(("vendor", "target"))]


def _members(tree: Tree, _: Mapping[str, object]) -> list[Mapping[str, object]]:
    return [table(tree.text(f"{path}/Cargo.toml")) for path in _crates(tree) if path != "."]


def _is_program(tree: Tree, path: str) -> bool:
    head = "" if path == "." else f"{path}/"
    has = bool(table(tree.text(f"{head}Cargo.toml")).get("bin"))
    return has or bool(tree.matching(f"{head}src/main.rs", f"{head}src/bin/*.rs"))


def _needed(tables: list[Mapping[str, object]]) -> Iterable[tuple[str, object]]:
    """Return the crates of other projects, with what is said of each."""
    found: dict[str, object] = {}
    for raw in tables:
        enabled = _enabled(part(raw, "features"))
        for section in ("dependencies", "build-dependencies", "dev-dependencies"):
            for crate, said in part(raw, section).items():
                inside = isinstance(said, Mapping) and (
                    "path" in said or (said.get("optional") and crate not in enabled)
                )
                if not inside:
                    found.setdefault(crate, said)
    return found.items()


def _enabled(features: Mapping[str, object]) -> frozenset[str]:
    """Return what the default features turn on: features, and the crates that they ask for."""
    found: set[str] = set()
    left = ["default"]
    while left:
        for word in words(features.get(left.pop())):
            name = word.removeprefix("dep:").partition("/")[0].rstrip("?")
            if name not in found:
                found.add(name)
                left.append(name)
    return frozenset(found)


def _packages(crate: str, said: object) -> list[str]:
    """Return how Debian names the package of a crate: with its version as cargo compares them."""
    name = str(part(said).get("package", crate)).replace("_", "-").lower()
    wanted = str(part(said).get("version", "") if isinstance(said, Mapping) else said)
    numbers = wanted.lstrip("^~=> ").split(",")[0].split(".")
    version = ".".join(numbers[:1] if numbers[0] != "0" else numbers[:2])
    # A package of another version is none: cargo takes no version but those that were asked for.
    return [f"librust-{name}-{version}-dev" if version[:1].isdigit() else f"librust-{name}-dev"]


def _features(package: str, said: object, names: Names) -> list[str]:
    """Return what brings a crate's features: packages that others provide, where there are any."""
    table = part(said)
    wanted = [] if table.get("default-features") is False else ["default"]
    stem = package.removesuffix("-dev")
    found = (names.first(f"{stem}+{one}-dev") for one in (*wanted, *words(table.get("features"))))
    return [name for name in found if name]


RUST = BuildSystem(
    name="rust",
    about="a crate of cargo's",
    fits=lambda tree: tree.has("Cargo.toml"),
    recipe=_recipe,
)

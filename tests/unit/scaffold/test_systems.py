"""How a tree is built is told from the tree, and what building needs from where it asks for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.support.projects import PROJECTS, lay_out
from toolsync.scaffold.system import ALL, ANY, Recipe
from toolsync.scaffold.systems import system_of
from toolsync.scaffold.tree import Tree

Lay = Callable[[Mapping[str, str]], Tree]


class Every:
    """A series that has every package but those that are lacking."""

    def __init__(self, *lacking: str) -> None:
        self.lacking = lacking

    def first(self, *names: str) -> str:
        """Return the first that is not lacking."""
        return next((name for name in names if name not in self.lacking), "")


class Only(Every):
    """A series that has these packages alone."""

    def first(self, *names: str) -> str:
        """Return the first that is there."""
        return next((name for name in names if name in self.lacking), "")


@pytest.fixture
def lay(tmp_path: Path) -> Lay:
    def lay(files: Mapping[str, str]) -> Tree:
        for path, text in files.items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_text(text)
            (tmp_path / path).chmod(0o755 if text.startswith("#!") else 0o644)
        return Tree(tmp_path)

    return lay


def recipe_of(tree: Tree, names: Every | None = None) -> Recipe:
    system = system_of(tree)
    assert system is not None
    return system.recipe(tree, "greet", names or Every())


@pytest.mark.parametrize("way", PROJECTS)
def test_each_way_is_told(way: str, tmp_path: Path) -> None:
    tree = Tree(lay_out(way, tmp_path))
    system = system_of(tree)
    assert system is not None
    assert system.name == ("python" if way in ("pyproject", "setuptools") else way)
    recipe = system.recipe(tree, "greet", Every())
    assert not recipe.questions
    compiled = way in ("autotools", "cmake", "meson", "make", "go", "rust")
    assert recipe.architecture == (ANY if compiled else ALL)


@pytest.mark.parametrize(
    ("path", "text", "needs"),
    [
        ("configure.ac", "PKG_CHECK_MODULES([X], [libxml-2.0 >= 2.9 zlib])",
         "libxml2-dev zlib1g-dev"),
        ("configure.ac", "AC_SEARCH_LIBS([tgetent], [tinfo curses])", "libncurses-dev"),
        ("configure.ac", "AC_CHECK_LIB(pcap, pcap_open)", "libpcap-dev"),
        ("configure.ac", "AM_GNU_GETTEXT([external])\nAC_PROG_YACC", "gettext bison"),
        ("CMakeLists.txt", "find_package(ZLIB REQUIRED)\nfind_package(Threads)", "zlib1g-dev"),
        ("CMakeLists.txt", "pkg_check_modules(UV REQUIRED libuv>=1.0)", "libuv-dev"),
        ("meson.build", "dependency('libcurl', version: '>=7')", "libcurl4-openssl-dev"),
        ("Makefile", "L = $(shell pkg-config --libs glib-2.0)\ninstall:\n", "libglib2.0-dev"),
        ("Makefile", "x:\n\tcc x.c -lreadline -lm\ninstall:\n", "libreadline-dev"),
        ("go.mod", "module a.example/b\nrequire (\n\tgithub.com/spf13/cobra v1.8.0\n"
         "\tgolang.org/x/sys v0.1.0 // indirect\n)\n", "golang-github-spf13-cobra-dev"),
        ("go.mod", "module a.example/b\nrequire gopkg.in/yaml.v3 v3.0.1\n",
         "golang-gopkg-yaml.v3-dev"),
        ("Cargo.toml", '[package]\nname = "a"\n[dependencies]\nlibc = "0.2.9"\n'
         'clap = { version = "4.1", features = ["derive"] }\n[[bin]]\nname = "a"\n',
         "librust-libc-0.2-dev librust-clap-4-dev"),
        ("Makefile.PL", "WriteMakefile(PREREQ_PM => {'Try::Tiny' => 0, 'File::Spec' => 0});",
         "libtry-tiny-perl"),
        ("a.gemspec", "s.add_dependency 'thor', '~> 1'", "ruby-thor"),
        ("package.json", '{"name": "a", "dependencies": {"@x/y_z": "1"}}', "node-x-y-z"),
        ("setup.py", "setup(setup_requires=['setuptools_scm >=3.4'])", "python3-setuptools-scm"),
        ("Cargo.toml", '[package]\nname = "a"\n[features]\ndefault = ["git"]\ngit = ["dep:git2"]\n'
         '[dependencies]\ngit2 = { version = "0.16", optional = true }\n[[bin]]\nname = "a"\n',
         "librust-git2-0.16-dev"),
        ("pyproject.toml", '[build-system]\nrequires = ["hatchling", "hatch-vcs"]\n'
         'build-backend = "hatchling.build"\n', "python3-hatchling python3-hatch-vcs"),
    ],
)  # fmt: skip
def test_what_building_needs(lay: Lay, path: str, text: str, needs: str) -> None:
    recipe = recipe_of(lay({path: text, "index.js": ""}))
    assert set(needs.split()) <= set(recipe.build_depends), recipe
    assert not recipe.questions, recipe.questions


@pytest.mark.parametrize(
    ("path", "text", "asked"),
    [
        ("configure.ac", "PKG_CHECK_MODULES([X], [libodd-3])", "libodd-3"),
        ("meson.build", "dependency('odd')", "odd"),
        ("go.mod", "module a\nrequire example.org/odd v1.0.0\n", "example.org/odd"),
        ("Cargo.toml", '[package]\nname = "a"\n[dependencies]\nodd = "1"\n[[bin]]\n', "odd"),
        ("Makefile.PL", "WriteMakefile(PREREQ_PM => {'Odd::One' => 0});", "Odd::One"),
        ("a.gemspec", "s.add_dependency 'odd'", "odd"),
        ("package.json", '{"name": "a", "dependencies": {"odd": "1"}}', "odd"),
        ("Makefile", "all:\n\ttrue\n", "install"),
        ("Cargo.toml", '[package]\nname = "a"\n', "program"),
    ],
)
def test_what_the_series_has_not_is_asked(lay: Lay, path: str, text: str, asked: str) -> None:
    recipe = recipe_of(lay({path: text, "index.js": ""}), Only())
    assert any(asked in question for question in recipe.questions), recipe


def test_a_crate_of_another_version_is_asked_for(lay: Lay) -> None:
    text = '[package]\nname = "a"\n[dependencies]\ngit2 = "0.13"\n[[bin]]\nname = "a"\n'
    recipe = recipe_of(lay({"Cargo.toml": text}), Only("librust-git2-dev", "librust-git2-0.16-dev"))
    assert any("git2" in question for question in recipe.questions)


def test_what_may_be_absent_is_taken_where_it_is_there_and_not_asked(lay: Lay) -> None:
    text = "dependency('odd', required: false)\ndependency('zlib', required: get_option('z'))\n"
    recipe = recipe_of(lay({"meson.build": text}), Only("zlib1g-dev"))
    assert "zlib1g-dev" in recipe.build_depends
    assert not recipe.questions


def test_what_a_release_brings_itself_is_not_asked_of_the_series(lay: Lay) -> None:
    go = {"go.mod": "module a\nrequire x.example/y v1.0.0\n", "vendor/modules.txt": "#"}
    assert recipe_of(lay(go), Only()).questions == []


@pytest.mark.parametrize(
    ("files", "name"),
    [
        ({"pyproject.toml": "[tool.ruff]\n", "Makefile": "install:\n"}, "make"),
        ({"setup.py": "", "Makefile": "install:\n"}, "python"),
        ({"go.mod": "module a\n", "Makefile": "install:\n"}, "go"),
        ({"configure": "#!/bin/sh\n", "package.json": '{"name": "docs"}'}, "autotools"),
        ({"pyproject.toml": "= no TOML", "package.json": "{", "run": "#!/bin/sh\n"}, "scripts"),
        ({"usr/bin/a": "#!/bin/sh\n"}, "root"),
    ],
)
def test_of_several_ways_the_one_that_says_most(
    lay: Lay, files: Mapping[str, str], name: str
) -> None:
    system = system_of(lay(files))
    assert system is not None
    assert system.name == name


def test_compiled_programs_are_for_their_machine(lay: Lay) -> None:
    tree = lay({"README": "x"})
    elf = b"\x7fELF\x02\x01\x01" + bytes(9) + b"\x02\x00\x3e\x00" + bytes(40)
    (tree.top / "greet").write_bytes(elf)
    (tree.top / "greet").chmod(0o755)
    recipe = recipe_of(tree)
    assert recipe.architecture == "amd64"
    assert recipe.files["greet.install"] == "greet usr/bin/\n"
    (tree.top / "other").write_bytes(elf.replace(b"\x3e", b"\xb7"))
    (tree.top / "other").chmod(0o755)
    assert "several machines" in recipe_of(Tree(tree.top)).questions[0]


def test_a_tree_that_tells_nothing(lay: Lay) -> None:
    assert system_of(lay({"README": "text"})) is None


def test_names_that_would_mean_another_thing_are_passed_over(lay: Lay) -> None:
    tree = lay({"bin/a b": "#!/bin/sh\n", "bin/$(x)": "#!/bin/sh\n", "bin/ok": "#!/bin/sh\n"})
    assert recipe_of(tree).files["greet.install"] == "bin/ok usr/bin/\n"
    bad = '{"name": "a", "bin": {"../x": "cli.js", "y": "../../etc/passwd", "z": "c.js"}}'
    recipe = recipe_of(lay({"package.json": bad, "c.js": ""}))
    assert recipe.files["greet.links"] == "usr/share/nodejs/a/c.js usr/bin/z\n"
    assert len(recipe.questions) == 2
    system = system_of(lay({"package.json": '{"name": "../a"}', "c.js": ""}))
    assert system is not None
    assert system.name == "scripts"


def test_links_and_pipes_are_not_read(lay: Lay, tmp_path: Path) -> None:
    tree = lay({"README": "text"})
    (tmp_path / "setup.py").symlink_to("/etc/passwd")
    (tmp_path / "Makefile").symlink_to("Makefile")
    assert tree.files == ("README",)
    assert system_of(tree) is None

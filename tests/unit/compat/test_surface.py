"""What users would miss, told from a release's files alone."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.support.releases import Files, changes, class_file, jar, lay, model, parser, ruby, said
from tests.support.rig import Rig
from toolsync.compat import helptext
from toolsync.compat.compare import compare
from toolsync.compat.reading import read_tree
from toolsync.compat.surface import KINDS, Draft, Surface
from toolsync.compat.verdict import report_of, summary_of, verdict_of

X = "'--x'"
SETUP = "from setuptools import setup\nsetup(name='tool', {})\n"
SHELL = "#!/bin/sh\ncase $1 in\n  --fast) ;;\n  -h|--help) ;;\n{}esac\necho ${{TOOL_MODE:-no}}{}\n"
WSDL = '<definitions targetNamespace="http://ec2.amazonaws.com/doc/{}/"/>'
MAN = ".TH TOOL 1\n.SH OPTIONS\n.TP\n\\fB\\-\\-all\\fR\nEverything.\n{}"
DATA = "tool/data/ec2/2016-11-15/service-2.json"
CLICK = (
    "import click\n@click.group()\ndef cli(): pass\n"
    "@cli.command()\n@click.option('--a')\ndef go(): pass\n"
)
BOUND = "com/amazonaws/ec2/doc/_{}/A.class"
SERVICE = "class E:\n  NAME = 'ec2'\n  API_VERSION = '{}'\n"

Case = tuple[Files, Files, str, str, str]

CASES: dict[str, Case] = {
    # breaking: what users relied on and miss
    "command": (
        {"bin/a": "#!/bin/sh\n", "bin/b": "#!/bin/sh\n"},
        {"bin/a": "#!/bin/sh\n"},
        "breaking",
        "command",
        "b",
    ),
    "entry point": (
        {"setup.py": SETUP.format("entry_points={'console_scripts': ['a=tool:a', 'b=tool:b']}")},
        {"setup.py": SETUP.format("entry_points={'console_scripts': ['a=tool:a']}")},
        "breaking",
        "command",
        "b",
    ),
    "ruby option": (
        {"bin/t": ruby("'-a', '--all'", "'--old NAME'")},
        {"bin/t": ruby("'-a', '--all'")},
        "breaking",
        "option",
        "t --old",
    ),
    "python option": (
        {"bin/t": parser(X, "'--gone'")},
        {"bin/t": parser(X)},
        "breaking",
        "option",
        "t --gone",
    ),
    "shell option": (
        {"bin/t": SHELL.format("  --gone) ;;\n", "")},
        {"bin/t": SHELL.format("", "")},
        "breaking",
        "option",
        "t --gone",
    ),
    "option takes": (
        {"bin/t": parser("'--x', action='store_true'")},
        {"bin/t": parser("'--x', type=int")},
        "breaking",
        "option",
        "t --x",
    ),
    "option needed": (
        {"bin/t": parser("'--x', default=1")},
        {"bin/t": parser("'--x', required=True")},
        "breaking",
        "option",
        "t --x",
    ),
    "new needed": (
        {"bin/t": parser(X)},
        {"bin/t": parser(X, "'--y', required=True")},
        "breaking",
        "option",
        "t --y",
    ),
    "choice": (
        {"bin/t": parser("'--x', choices=['a', 'b']")},
        {"bin/t": parser("'--x', choices=['a']")},
        "breaking",
        "option",
        "t --x",
    ),
    "service": (
        {DATA: model("Run"), DATA.replace("ec2", "sms"): model("Go")},
        {DATA: model("Run")},
        "breaking",
        "service",
        "sms",
    ),
    "operation": (
        {DATA: model("Run", "Stop")},
        {DATA: model("Run")},
        "breaking",
        "operation",
        "ec2.Stop",
    ),
    "member": (
        {DATA: model("Run a:string")},
        {DATA: model("Run")},
        "breaking",
        "member",
        "ec2.Run.a",
    ),
    "required member": (
        {DATA: model("Run a:string")},
        {DATA: model("Run !a:string")},
        "breaking",
        "member",
        "ec2.Run.a",
    ),
    "member's type": (
        {DATA: model("Run a:string")},
        {DATA: model("Run a:integer")},
        "breaking",
        "member",
        "ec2.Run.a",
    ),
    "floor": (
        {"bin/t": parser(X), "setup.py": SETUP.format("python_requires='>=3.8'")},
        {"bin/t": parser(X), "setup.py": SETUP.format("python_requires='>=3.12'")},
        "breaking",
        "runtime",
        "python",
    ),
    "java floor": (
        {"bin/t": "#!/bin/sh\n", "lib/a.jar": jar({"A.class": class_file(52)})},
        {"bin/t": "#!/bin/sh\n", "lib/a.jar": jar({"A.class": class_file(65)})},
        "breaking",
        "runtime",
        "java",
    ),
    "conffile": (
        {"bin/t": "#!/bin/sh\n", "etc/t.conf": "a"},
        {"bin/t": "#!/bin/sh\n"},
        "breaking",
        "conffile",
        "etc/t.conf",
    ),
    # risky: what may act differently
    "wsdl": (
        {"bin/t": "#!/bin/sh\n", "lib/a.jar": jar({"e.wsdl": WSDL.format("2012-12-01").encode()})},
        {"bin/t": "#!/bin/sh\n", "lib/a.jar": jar({"e.wsdl": WSDL.format("2013-02-01").encode()})},
        "risky",
        "api",
        "ec2.amazonaws.com",
    ),
    "bound classes": (
        {"bin/t": "#!/bin/sh\n", "a.jar": jar({BOUND.format("2012_12_01"): class_file(50)})},
        {"bin/t": "#!/bin/sh\n", "a.jar": jar({BOUND.format("2013_02_01"): class_file(50)})},
        "risky",
        "api",
        "ec2.amazonaws.com",
    ),
    "class's API": (
        {"bin/t": parser(X), "s.py": SERVICE.format("2014-06-15")},
        {"bin/t": parser(X), "s.py": SERVICE.format("2015-10-01")},
        "risky",
        "api",
        "ec2",
    ),
    "model's API": (
        {DATA: model("Run")},
        {DATA.replace("2016-11", "2026-11"): model("Run")},
        "risky",
        "service",
        "ec2",
    ),
    "dependency": (
        {"bin/t": parser(X), "pyproject.toml": "[project]\ndependencies = ['a']"},
        {"bin/t": parser(X), "pyproject.toml": "[project]\ndependencies = ['a', 'b>=1']"},
        "risky",
        "dependency",
        "b",
    ),
    "major": (
        {"bin/t": parser(X), "setup.cfg": "[options]\ninstall_requires =\n  a>=1.2\n"},
        {"bin/t": parser(X), "setup.cfg": "[options]\ninstall_requires =\n  a>=2.0\n"},
        "risky",
        "dependency",
        "a",
    ),
    "hidden": (
        {"bin/t": parser(X)},
        {"bin/t": parser("'--x', help=argparse.SUPPRESS")},
        "risky",
        "option",
        "t --x",
    ),
    "environment": (
        {"bin/t": SHELL.format("", " $TOOL_KEY")},
        {"bin/t": SHELL.format("", "")},
        "risky",
        "environment",
        "TOOL_KEY",
    ),
    "abbreviation": (
        {"bin/t": parser("'--user'")},
        {"bin/t": parser("'--user-name'")},
        "risky",
        "option",
        "t --user",
    ),
    # additive: what is merely there in addition
    "new command": (
        {"bin/a": "#!/bin/sh\n"},
        {"bin/a": "#!/bin/sh\n", "bin/b": "#!/bin/sh\n"},
        "additive",
        "command",
        "b",
    ),
    "new option": (
        {"bin/t": parser(X)},
        {"bin/t": parser(X, "'-y', '--yes'")},
        "additive",
        "option",
        "t --yes",
    ),
    "new subcommand": (
        {"bin/t": parser(X)},
        {"bin/t": parser(X) + "s = parser.add_subparsers()\np = s.add_parser('go')\n"},
        "additive",
        "subcommand",
        "t go",
    ),
    "click": (
        {"setup.py": SETUP.format("entry_points={'console_scripts': ['t=t:cli']}"), "t.py": CLICK},
        {
            "setup.py": SETUP.format("entry_points={'console_scripts': ['t=t:cli']}"),
            "t.py": CLICK + "@cli.command('stop')\n@click.option('--b')\ndef f(): pass\n",
        },
        "additive",
        "subcommand",
        "t stop",
    ),
    "new service": (
        {DATA: model("Run")},
        {DATA: model("Run"), DATA.replace("ec2", "s3") + ".gz": model("Get", packed=True)},
        "additive",
        "service",
        "s3",
    ),
    "new member": (
        {DATA: model("Run")},
        {DATA: model("Run a:string")},
        "additive",
        "member",
        "ec2.Run.a",
    ),
    "man page": (
        {"bin/t": "#!/usr/bin/perl\n", "man/t.1": MAN.format("")},
        {"bin/t": "#!/usr/bin/perl\n#\n", "man/t.1": MAN.format(".TP\n\\-\\-new\nNew.\n")},
        "additive",
        "option",
        "t --new",
    ),
    # unknown: what nobody could examine
    "model": ({DATA: model("Run")}, {DATA: b"{broken"}, "unknown", "service", "ec2"),
    "jar": (
        {"bin/t": "#!/bin/sh\n", "a.jar": jar({})},
        {"bin/t": "#!/bin/sh\n", "a.jar": b"PK?"},
        "unknown",
        "runtime",
        "a.jar",
    ),
    "class that lies": (
        {"bin/t": "#!/bin/sh\n", "a.jar": jar({"A.class": class_file(50)})},
        {"bin/t": "#!/bin/sh\n", "a.jar": jar({"A.class": b"#!/bin/sh no class"})},
        "unknown",
        "runtime",
        "a.jar!A.class",
    ),
    "class of no Java": (
        {"bin/t": "#!/bin/sh\n", "a.jar": jar({"A.class": class_file(50)})},
        {"bin/t": "#!/bin/sh\n", "a.jar": jar({"A.class": class_file(60000)})},
        "unknown",
        "runtime",
        "a.jar!A.class",
    ),
    "nothing to read": ({"README": "1"}, {"README": "2"}, "unknown", "tree", "surface"),
    "borrowed parser": (
        {"bin/t": parser(X, "'--y'", head="import outside\n")},
        {"bin/t": parser(X, head="import outside\n")},
        "unknown",
        "option",
        "t --y",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_change_is_named_with_its_severity(name: str, tmp_path: Path) -> None:
    old, new, severity, kind, what = CASES[name]
    found = changes(tmp_path, old, new)
    assert (severity, kind, what) in said(found)
    assert all(change.proof for change in found)


def test_every_severity_has_three_cases() -> None:
    for severity in ("breaking", "risky", "additive", "unknown"):
        assert sum(case[2] == severity for case in CASES.values()) >= 3


@pytest.mark.parametrize("name", [n for n in CASES if CASES[n][2] in ("breaking", "risky")])
def test_the_way_back_is_not_silent(name: str, tmp_path: Path) -> None:
    """What one direction takes away, the other adds: neither may be called the same."""
    old, new, *_ = CASES[name]
    assert verdict_of(changes(tmp_path, new, old)) != "same"


def test_the_same_tree_is_the_same_whatever_it_is(tmp_path: Path) -> None:
    files = {"bin/t": b"\x7fELF\0\xff", "a.jar": b"PK?", DATA: b"{"}
    assert changes(tmp_path, files, files) == []


def test_comments_years_and_order_change_nothing(tmp_path: Path) -> None:
    old = {"bin/t": parser(X, "'--y'"), "LICENSE": "2025"}
    new = {"bin/t": parser("'--y'", X, head="# 2026\n"), "LICENSE": "2026"}
    assert changes(tmp_path, old, new) == []


def test_options_come_from_the_files_that_a_wrapper_runs(tmp_path: Path) -> None:
    wrapper = '#!/bin/bash\nhome=${T_HOME:?}\nruby -I $home/lib ${home}/lib/t/main.rb "$@"\n'
    base = {"bin/t": wrapper, "lib/t/main.rb": "require 't/params'\n"}
    old = {**base, "lib/t/params.rb": ruby("'-c', '--cert PATH', String", "'--[no-]inherit'")}
    new = {**base, "lib/t/params.rb": ruby("'-c', '--cert PATH', String")}
    found = said(changes(tmp_path, old, new))
    assert found == {("breaking", "option", f"t --{no}inherit") for no in ("", "no-")}


WRAPPER = '#!/bin/bash\nhome=${{T_HOME:?}}\nruby -I $home/lib ${{home}}/lib/t/{}.rb "$@"\n'
MIGRATE = {
    "bin/migrate": WRAPPER.format("migrate"),
    "bin/upload": WRAPPER.format("upload"),
    "lib/t/migrate.rb": """require 't/base'
require 't/upload'
class MigrateParameters < Base
  def mandatory
    on('--from NAME') { |v| @from = v }
  end
end
class Migrator
  def go(p)
    Uploader.new.upload(p.from)
  end
end
if __FILE__ == $0
  Migrator.new.go(MigrateParameters.new)
end
""",
    "lib/t/uploadparameters.rb": """require 't/s3'
class UploadParameters < S3Parameters
end
""",
    "lib/t/upload.rb": """require 't/uploadparameters'
class Uploader
  def upload(name)
  end
end
if __FILE__ == $0
  Uploader.new.upload(UploadParameters.new)
end
""",
    "lib/t/base.rb": "class Base < OptionParser\n  def common\n    on('--debug')\n  end\nend\n",
}


def test_options_of_a_class_that_a_command_does_not_use_are_not_its_own(tmp_path: Path) -> None:
    s3 = "class S3Parameters < Base\n  def more\n    on('--url URL')\n{}  end\nend\n"
    s3 = f"require 't/base'\n{s3}"
    old = {**MIGRATE, "lib/t/s3.rb": s3.format("    on('--sigv VERSION')\n")}
    new = {**MIGRATE, "lib/t/s3.rb": s3.format("")}
    assert said(changes(tmp_path, old, new)) == {("breaking", "option", "upload --sigv")}
    no_debug = "class Base < OptionParser\nend\n"
    found = said(changes(tmp_path / "b", old, {**old, "lib/t/base.rb": no_debug}))
    assert {subject for _, _, subject in found} == {"migrate --debug", "upload --debug"}


def test_where_classes_are_used_by_their_texts_all_options_are_read(tmp_path: Path) -> None:
    asks = MIGRATE["lib/t/migrate.rb"].replace("Uploader.new", "Object.const_get(ARGV[0]).new")
    base = {**MIGRATE, "lib/t/migrate.rb": asks}
    s3 = "class S3Parameters\n  def more\n    on('--sigv VERSION')\n  end\nend\n"
    found = said(changes(tmp_path, {**base, "lib/t/s3.rb": s3}, {**base, "lib/t/s3.rb": ""}))
    assert {subject for _, _, subject in found} == {"migrate --sigv", "upload --sigv"}


def test_options_come_from_the_modules_that_a_script_imports(tmp_path: Path) -> None:
    script = "#!/usr/bin/python3\nfrom pkg.cli import main\nmain()\n"
    common = {"bin/t": script, "pkg/__init__.py": "", "pkg/cli.py": "from . import args\n"}
    old = {**common, "pkg/args.py": parser(X, "'--y'")}
    new = {**common, "pkg/args.py": parser(X), "pkg/unused.py": parser("'--y'")}
    assert said(changes(tmp_path, old, new)) == {("breaking", "option", "t --y")}


def test_python_2_is_read_by_its_shape(tmp_path: Path) -> None:
    text = "#!/usr/bin/python\nprint 'old'\nARGS = [Arg('-a', '--all'){}]\n"
    old = {"bin/t": text.format(", Arg('--gone')")}
    assert said(changes(tmp_path, old, {"bin/t": text.format("")})) == {
        ("breaking", "option", "t --gone")
    }


@pytest.mark.parametrize(
    ("was", "now", "told"),
    [
        ("aINpv", "aIlNpv", False),
        ("aINpv", "aIlpv", True),
        ("verbos", "verbose", True),
        ("eHMqu", "deHMqu", False),
        ("noVerify", "noVerifyZ", True),
    ],
)
def test_letters_that_a_usage_puts_together_are_those_with_more(
    was: str, now: str, told: bool
) -> None:
    surfaces = []
    for letters in (was, now):
        draft = Draft()
        draft.add("command", "t")
        draft.add("option", f"t -{letters}")
        surfaces.append(draft.done(letters))
    gone = [change.name for change in compare(*surfaces) if change.severity != "additive"]
    assert gone == ([f"t -{was}"] if told else [])


def test_a_command_that_goes_takes_its_options_along_in_silence(tmp_path: Path) -> None:
    old = {"bin/a": parser(X), "bin/b": parser("'--y'")}
    found = changes(tmp_path, old, {"bin/a": parser(X)})
    assert [(c.kind, c.name) for c in found] == [("command", "b")]


def test_links_count_as_commands_and_never_lead_out(tmp_path: Path) -> None:
    top = lay(tmp_path / "t", {"bin/a": "#!/bin/sh\n"})
    os.symlink("a", top / "bin" / "b")
    os.symlink("/bin/sh", top / "bin" / "out")
    os.symlink("loop", top / "bin" / "loop")
    os.mkfifo(top / "bin" / "pipe")
    assert set(read_tree(top).surface().of("command")) == {"a", "b"}


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe\0\0" * 50,
        b"#!/usr/bin/python3\n" + b"(" * 5000,
        b"#!/usr/bin/ruby\n" + b"'" * 9999,
        b"#!/bin/sh\n" + b"$" * 9999 + b"|" * 9999,
        b"#!/usr/bin/python3\n" + b"-" * 20000,
    ],
)
def test_nonsense_is_read_without_a_crash(data: bytes, tmp_path: Path) -> None:
    names = ("bin/t", "setup.py", "pyproject.toml", "setup.cfg", "t.gemspec", "t.1", "a.jar", DATA)
    read_tree(lay(tmp_path / "t", dict.fromkeys(names, data)))


def test_a_word_that_ends_in_a_hyphen_is_no_option() -> None:
    text = "usage: lhasa archive\n  [methods: -lh5-, -lx1- or -lhx-]\n  -force-local\n"
    assert {one.name for one in helptext.options(text)} == {"-force-local"}


@pytest.mark.parametrize(
    "piece", ["--a|", "'--a' | ", "-a", "\t", "\n", "A", "a/", "{a,", "on('-a',"]
)
def test_no_text_makes_a_reader_slow(piece: str, tmp_path: Path) -> None:
    text = piece * 20000
    began = time.process_time()
    read_tree(
        lay(tmp_path / "t", {"bin/s": f"#!/bin/sh\n{text}", "bin/r": f"#!/usr/bin/ruby\n{text}"})
    )
    list(helptext.options(text))
    helptext.subcommands(text)
    assert time.process_time() - began < 2


def test_a_model_that_unpacks_to_no_end_is_a_gap(tmp_path: Path) -> None:
    import gzip

    bomb = gzip.compress(b" " * (65 * 1024 * 1024))
    surface = read_tree(lay(tmp_path / "t", {DATA + ".gz": bomb})).surface()
    assert [gap.name for gap in surface.gaps] == ["ec2"]


NAMES = st.dictionaries(
    st.sampled_from(KINDS[:3]),
    st.dictionaries(st.text(max_size=4), st.text(max_size=4), max_size=3),
)


@settings(max_examples=30, deadline=None)
@given(NAMES)
def test_a_surface_survives_its_json(names: dict[str, dict[str, str]]) -> None:
    surface = Surface(names={kind: names[kind] for kind in names if names[kind]}, digest="a")
    assert Surface.from_json(surface.to_json()) == surface


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"format":1}', b'{"format":1,"names":3}'])
def test_what_is_no_surface_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError):
        Surface.from_json(data)


def test_thousands_of_changes_are_counted_and_not_all_shown() -> None:
    draft = Draft()
    draft.add("service", "s")
    for number in range(1000):
        draft.add("operation", f"s.o{number}")
    empty = Draft()
    empty.add("service", "s")
    found = compare(draft.done("1"), empty.done("2"))
    assert "600 more" in report_of(found)
    assert summary_of(found) == "breaking: 1000 operation (s.o0, s.o1, s.o10, …)"


@pytest.mark.parametrize(("severity", "status"), [("additive", 0), ("risky", 3), ("breaking", 3)])
def test_the_command_answers_in_words_and_json(rig: Rig, severity: str, status: int) -> None:
    name = next(name for name, case in CASES.items() if case[2] == severity)
    old, new = lay(rig.root / "old", CASES[name][0]), lay(rig.root / "new", CASES[name][1])
    answer = rig.json("compat", "--no-probe", old, new, status=status)
    assert answer["verdict"] == severity
    assert set(answer["changes"][0]) == {"kind", "name", "severity", "proof"}
    assert (
        severity in rig.run("compat", "--no-probe", old, new, status=status).stdout.splitlines()[0]
    )
    assert json.dumps(answer)


def test_a_setup_script_of_python_2_tells_its_requirements(tmp_path: Path) -> None:
    text = "print 'two'\nREQUIREMENTS = ['a>={}', 'b']\n"
    old: Files = {"bin/t": "#!/bin/sh\n", "setup.py": text.format(1)}
    new: Files = {"bin/t": "#!/bin/sh\n", "setup.py": text.format(2)}
    assert said(changes(tmp_path, old, new)) == {("risky", "dependency", "a")}

"""Small programs that nobody has packaged, one for each way of building."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path

from tests.support import mutations
from tests.support.tiny import EPOCH

MIT = mutations.MIT.replace("2020 Jane Doe", "2024 Ann Bee")
README = "# greet\n\ngreet says hello to whoever is named, in one line. It is used in tests.\n"
_C = """#include <stdio.h>
#include <string.h>
int main(int argc, char **argv) {
    if (argc > 1 && !strcmp(argv[1], "--help")) {
        puts("Usage: greet [--version] [--help] [NAME]\\nSay hello.");
        return 0;
    }
    if (argc > 1 && !strcmp(argv[1], "--version")) {
        puts("greet 1.0");
        return 0;
    }
    printf("hello %s\\n", argc > 1 ? argv[1] : "world");
    return 0;
}
"""
_SH = """#!/bin/sh
case "${1:-}" in
--help) echo "Usage: greet [--version] [--help] [NAME]"; echo "Say hello." ;;
--version) echo "greet 1.0" ;;
*) echo "hello ${1:-world}" ;;
esac
"""
_ACTIVE = """#!/usr/bin/env {0}
{1}
"""
PROJECTS: Mapping[str, Mapping[str, str]] = {
    "autotools": {
        "configure.ac": "AC_INIT([greet], [1.0])\nAM_INIT_AUTOMAKE([foreign])\nAC_PROG_CC\n"
        "AC_CHECK_LIB([z], [deflate])\nAC_CONFIG_FILES([Makefile])\nAC_OUTPUT\n",
        "Makefile.am": "bin_PROGRAMS = greet\ngreet_SOURCES = greet.c\n",
        "greet.c": _C,
    },
    "cmake": {
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.13)\nproject(greet C)\n"
        "add_executable(greet greet.c)\ninstall(TARGETS greet DESTINATION bin)\n",
        "greet.c": _C,
    },
    "meson": {
        "meson.build": "project('greet', 'c', version: '1.0')\n"
        "z = dependency('zlib')\nexecutable('greet', 'greet.c', dependencies: z, install: true)\n",
        "greet.c": _C,
    },
    "make": {
        "Makefile": "PREFIX ?= /usr/local\ngreet: greet.c\n\t$(CC) $(CFLAGS) $(LDFLAGS) -o $@ $<\n"
        "install: greet\n\tinstall -D -m 755 greet $(DESTDIR)$(PREFIX)/bin/greet\n"
        "clean:\n\trm -f greet\n.PHONY: install clean\n",
        "greet.c": _C,
    },
    "pyproject": {
        "pyproject.toml": '[build-system]\nrequires = ["setuptools>=61"]\n'
        'build-backend = "setuptools.build_meta"\n[project]\nname = "greet"\nversion = "1.0"\n'
        'description = "Says hello to whoever is named"\n'
        '[project.scripts]\ngreet = "greet:main"\n'
        '[tool.setuptools]\npy-modules = ["greet"]\n',
        "greet.py": "import argparse\n\n\ndef main():\n    p = argparse.ArgumentParser()\n"
        "    p.add_argument('--version', action='version', version='greet 1.0')\n"
        "    p.add_argument('name', nargs='?', default='world')\n"
        "    print('hello', p.parse_args().name)\n",
    },
    "setuptools": {
        "setup.py": "from setuptools import setup\nsetup(name='greet', version='1.0',"
        " description='Says hello', py_modules=['greet'],"
        " entry_points={'console_scripts': ['greet=greet:main']})\n",
        "greet.py": "import argparse\n\n\ndef main():\n    p = argparse.ArgumentParser()\n"
        "    p.add_argument('--version', action='version', version='greet 1.0')\n"
        "    p.add_argument('name', nargs='?', default='world')\n"
        "    print('hello', p.parse_args().name)\n",
    },
    "perl": {
        "Makefile.PL": "use ExtUtils::MakeMaker;\nWriteMakefile(NAME => 'App::Greet',"
        " VERSION_FROM => 'lib/App/Greet.pm', EXE_FILES => ['bin/greet'],"
        " PREREQ_PM => { 'Getopt::Long' => 0, 'Try::Tiny' => 0 });\n",
        "lib/App/Greet.pm": "package App::Greet;\nuse strict;\nour $VERSION = '1.0';\n1;\n\n"
        "__END__\n\n=head1 NAME\n\nApp::Greet - says hello\n\n=cut\n",
        "bin/greet": "#!/usr/bin/perl\nuse strict;\nuse App::Greet;\nuse Try::Tiny;\n"
        "my $w = shift // '';\nif ($w eq '--help') { print \"Usage: greet [NAME]\\n\"; exit }\n"
        "if ($w eq '--version') { print \"greet $App::Greet::VERSION\\n\"; exit }\n"
        "print 'hello ', $w || 'world', \"\\n\";\n",
    },
    "ruby": {
        "greet.gemspec": "Gem::Specification.new do |s|\n  s.name = 'greet'\n  s.version = '1.0'\n"
        "  s.summary = 'Says hello to whoever is named'\n  s.authors = ['Ann Bee']\n"
        "  s.license = 'MIT'\n  s.homepage = 'https://greet.example/'\n"
        "  s.files = `git ls-files`.split(\"\\n\")\n  s.bindir = 'bin'\n"
        "  s.executables = ['greet']\nend\n",
        "lib/greet.rb": "module Greet\n  VERSION = '1.0'\nend\n",
        "bin/greet": "#!/usr/bin/env ruby\nrequire 'greet'\ncase ARGV[0]\n"
        "when '--help' then puts 'Usage: greet [NAME]'\n"
        "when '--version' then puts \"greet #{Greet::VERSION}\"\n"
        "else puts \"hello #{ARGV[0] || 'world'}\"\nend\n",
    },
    "node": {
        "package.json": '{"name": "greet", "version": "1.0.0", "license": "MIT",\n'
        ' "description": "Says hello to whoever is named", "bin": {"greet": "cli.js"}}\n',
        "cli.js": "#!/usr/bin/env node\nconst w = process.argv[2];\n"
        "if (w === '--help') console.log('Usage: greet [NAME]');\n"
        "else if (w === '--version') console.log('greet 1.0.0');\n"
        "else console.log('hello ' + (w || 'world'));\n",
    },
    "go": {
        "go.mod": "module github.com/ann/greet\n\ngo 1.19\n",
        "main.go": 'package main\n\nimport (\n\t"flag"\n\t"fmt"\n)\n\nfunc main() {\n'
        '\tv := flag.Bool("version", false, "print the version")\n\tflag.Parse()\n'
        '\tif *v {\n\t\tfmt.Println("greet 1.0")\n\t\treturn\n\t}\n'
        '\tfmt.Println("hello", flag.Arg(0))\n}\n',
    },
    "rust": {
        "Cargo.toml": '[package]\nname = "greet"\nversion = "1.0.0"\nedition = "2021"\n'
        'description = "Says hello to whoever is named"\nlicense = "MIT"\n',
        "Cargo.lock": 'version = 3\n\n[[package]]\nname = "greet"\nversion = "1.0.0"\n',
        "src/main.rs": "fn main() {\n    match std::env::args().nth(1).as_deref() {\n"
        '        Some("--help") => println!("Usage: greet [NAME]"),\n'
        '        Some("--version") => println!("greet 1.0"),\n'
        '        other => println!("hello {}", other.unwrap_or("world")),\n    }\n}\n',
    },
    "java": {},
    "scripts": {"greet": _SH, "greet.1": ".TH GREET 1\n.SH NAME\ngreet \\- say hello\n"},
}
"""Files by path, for each way; LICENSE and README.md come to them."""
_RUN = ("greet", "bin/greet", "cli.js", "configure")


def lay_out(way: str, folder: Path) -> Path:
    """Unpack the tarball of a way of building; return its top folder."""
    with tarfile.open(fileobj=io.BytesIO(tarball(way))) as tar:
        tar.extractall(folder)
    return folder / "greet-1.0"


def tarball(way: str, more: Mapping[str, bytes] | None = None) -> bytes:
    """Return ``greet-1.0.tar.gz`` of a way of building, the same bytes each time."""
    texts = {"LICENSE": MIT, "README.md": README, **PROJECTS[way]}
    files = {path: text.encode() for path, text in texts.items()} | dict(more or {})
    if way == "java":
        files["greet.jar"] = _jar()
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.GNU_FORMAT) as tar:
        for path, data in sorted(files.items()):
            info = tarfile.TarInfo(f"greet-1.0/{path}")
            info.size, info.mtime = len(data), EPOCH
            info.mode = 0o755 if path in _RUN else 0o644
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=0)


def _jar() -> bytes:
    """Return an archive that names its main class; there is nothing to run in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        manifest = zipfile.ZipInfo("META-INF/MANIFEST.MF", (2024, 1, 1, 0, 0, 0))
        archive.writestr(manifest, "Manifest-Version: 1.0\nMain-Class: greet.Main\n\n")
    return out.getvalue()

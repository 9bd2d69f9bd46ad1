"""Of a log that ends in what gave up last, the first error is told, and what it means."""

from __future__ import annotations

import pytest

from toolsync.build.complaint import complaints, reason
from toolsync.build.job import failed_build

TAIL = """\
make: *** [debian/rules:12: binary] Error 25
dpkg-buildpackage: error: debian/rules binary subprocess returned exit status 2
E: Build failure (dpkg-buildpackage died)
"""


@pytest.mark.parametrize(
    ("log", "told"),
    [
        (
            "checking for error: no\nx.c:3:1: error: no 'y'\nx.c:9:1: error: late\n"
            "make[2]: *** [Makefile:5: x.o] Error 1\nmake[1]: *** [all] Error 2\n",
            "x.c:3:1: error: no 'y'",
        ),
        (
            "dh_missing: warning: usr/bin/new exists in debian/tmp but is not installed to"
            " anywhere\ndh_missing: error: missing files, aborting\n",
            "the release installs files that the packaging does not know, and dh_missing holds"
            " that: dh_missing: warning: usr/bin/new exists in debian/tmp but is not installed to"
            " anywhere",
        ),
        (
            'dh_install: warning: Cannot find (any matches for) "doc/x" (tried in ., debian/tmp)\n'
            "dh_install: warning: x missing files: doc/x\ndh_install: error: missing files\n",
            "the packaging names files that this release does not have: dh_install: warning:"
            ' Cannot find (any matches for) "doc/x" (tried in ., debian/tmp)',
        ),
        (
            'dh_install: warning: Cannot find (any matches for) "usr/lib/libx.so.9*"\n'
            "dh_install: error: missing files\n",
            "a library's files are not those that the packaging names: where its soname is another,"
            " its package must be renamed (Debian Policy 8.1): dh_install: warning: Cannot find"
            ' (any matches for) "usr/lib/libx.so.9*"',
        ),
        (
            'src/a.go:7:2: cannot find package "x.example/y" in any of:\n'
            "dh_auto_build: error: cd _build && go install returned exit code 1\n",
            "the release needs a Go package that is not among its build dependencies:"
            ' src/a.go:7:2: cannot find package "x.example/y" in any of:',
        ),
        (
            "make[1]: *** [docs] Error 1 (ignored)\nE   ModuleNotFoundError: No module 'z'\n",
            "the release needs a module that is not among its build dependencies:"
            " E   ModuleNotFoundError: No module 'z'",
        ),
        (
            "   dh_auto_build\nsrc/m.go:32:12: pattern man/x.1: no matching files found\n"
            "package .: no Go files in /b\ndh_auto_build: error: go install returned 1\n",
            "the release puts files into its program that the packaging does not bring to where it"
            " is built (DH_GOLANG_INSTALL_EXTRA of dh-golang): src/m.go:32:12: pattern man/x.1: no"
            " matching files found",
        ),
        (
            "   debian/rules override_dh_auto_test\nFAIL: t1\nmake[2]: *** [check] Error 1\n"
            "dh_auto_test: error: make check returned 2\n   dh_prep\n   dh_missing\n"
            "dh_missing: warning: usr/bin/new exists in debian/tmp but is not installed to"
            " anywhere\ndh_missing: error: missing files, aborting\n",
            "the release installs files that the packaging does not know, and dh_missing holds"
            " that: dh_missing: warning: usr/bin/new exists in debian/tmp but is not installed to"
            " anywhere",
        ),
        (
            "   dh_auto_build\n[ERROR] COMPILATION ERROR :\n[ERROR] /t/T.java:[4,9] no symbol x\n"
            "dh_auto_build: error: mvn returned 1\n",
            "[ERROR] /t/T.java:[4,9] no symbol x",
        ),
        (
            "   dh_auto_test\nt/a.t .. ok\nTest Summary Report\n"
            "t/todo.t (Wstat: 0 Tests: 3 Failed: 0)\n"
            "t/b.t    (Wstat: 256 (exited 1) Tests: 95 Failed: 1)\n  Failed test:  13\n"
            "make[2]: *** [Makefile:1404: test_dynamic] Error 255\n",
            "t/b.t    (Wstat: 256 (exited 1) Tests: 95 Failed: 1)",
        ),
        (
            "   dh_auto_install\nERROR:  Error installing /tmp/d2/x-1.2.gem:\n"
            "\tERROR: Failed to build gem native extension.\nextconf failed, exit code 1\n"
            "dh_auto_install: error: dh_ruby --install returned exit code 1\n",
            "ERROR: Failed to build gem native extension.",
        ),
    ],
)
def test_the_first_error_is_named_with_what_it_means(log: str, told: str) -> None:
    assert reason(log + TAIL) == told
    error = failed_build("x.dsc did not build", log + TAIL)
    assert str(error).splitlines()[0].rstrip(":") == f"x.dsc did not build: {told.rstrip(':')}"
    assert "exit status 2" not in str(error), "who gave up last is not the reason"


def test_a_log_in_which_nothing_gave_up_is_told_by_its_end() -> None:
    assert complaints("one\ntwo\n") == ()
    assert reason("one\ntwo\n") == ""
    assert str(failed_build("x did not build", "one\ntwo\n")) == "x did not build:\none\ntwo"

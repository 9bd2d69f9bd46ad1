"""What a debian/watch says: both grammars, Perl's expressions and rules, templates."""

from __future__ import annotations

import contextlib

import pytest

from toolsync.model.errors import SetupError
from toolsync.watchfile.parse import parse
from toolsync.watchfile.perl import Pattern
from toolsync.watchfile.rules import mangled, parse_rules

V4 = """# a comment
version=4
opts="pgpmode=none, useragent=foo/bar; baz:12,3.45, \\
  uversionmangle=s/(\\d)[-.]?(rc{1,2}\\d)$/$1~$2/;s/_/./g,repack,compression=gz" \\
  https://h.invalid/@PACKAGE@/([\\d.]+)/ @PACKAGE@@ANY_VERSION@@ARCHIVE_EXT@ debian uupdate
"""
V5 = """Version: 5
User_Agent: foo/bar; baz:12,3.45

Source: https://h.invalid/@PACKAGE@/([\\d.]+)/
Matching-Pattern: @PACKAGE@@ANY_VERSION@@ARCHIVE_EXT@
Pgp-Mode: none
UVersion-Mangle: s/(\\d)[-.]?(rc{1,2}\\d)$/$1~$2/;s/_/./g
Repack: yes
Compression: gz
"""


@pytest.mark.parametrize("text", [V4, V5], ids=["v4", "v5"])
def test_both_grammars_say_the_same(text: str) -> None:
    (source,) = parse(text, "lib+x").sources
    assert source.url == "https://h.invalid/lib+x/([\\d.]+)/"
    assert source.words["useragent"] == "foo/bar; baz:12,3.45"
    assert (source.pgpmode, source.words["compression"]) == ("none", "gz")
    assert source.flags == {"repack"}
    assert source.schema == "debian"
    assert mangled("1_0rc1", source.mangles["uversionmangle"]) == "1.0~rc1"
    match = Pattern(source.pattern, "p").fullmatch("lib+x-1.0rc1.TAR.GZ")
    assert match
    assert match.groups() == ("1.0rc1",)


def test_a_pattern_may_end_the_address_of_a_line() -> None:
    (source,) = parse("version=3\nhttp://h.invalid/a/foo-(.+)\\.tgz debian\n", "foo").sources
    assert (source.url, source.pattern) == ("http://h.invalid/a/", "foo-(.+)\\.tgz")
    assert source.schema == "debian"
    (source,) = parse("version=4\nhttp://h.invalid/a/@PACKAGE@@ANY_VERSION@.tgz\n", "foo").sources
    assert source.url == "http://h.invalid/a/"
    assert Pattern(source.pattern, "p").fullmatch("foo-1.0.tgz")


def test_a_line_goes_on_after_a_backslash_without_a_space() -> None:
    """uscan(1): whether there is a space before the backslash is significant."""
    text = 'opts="uversionmangle=s/rc/\\\n   ~rc/" http://h.invalid/\\\n\tfoo/ foo-(.+) \\\n same\n'
    (source,) = parse(f"version=4\n{text}", "foo").sources
    assert (source.url, source.pattern, source.schema) == (
        "http://h.invalid/foo/",
        "foo-(.+)",
        "same",
    )
    assert mangled("1rc1", source.mangles["uversionmangle"]) == "1~rc1"


def test_options_for_all_lines_and_defaults_for_all_paragraphs() -> None:
    lines = 'version=4\nopts="compression=gz"\nhttp://h.invalid/ a-(.+)\nhttp://h.invalid/ b-(.+)\n'
    assert [s.words["compression"] for s in parse(lines, "foo").sources] == ["gz", "gz"]
    lines = "version=4\nopts=bare,repack http://h.invalid/ a-(.+)\nhttp://h.invalid/ b-(.+)\n"
    assert [s.flags for s in parse(lines, "foo").sources] == [{"bare", "repack"}, {"bare"}]


def test_fields_of_version_5_as_in_its_manual() -> None:
    """debian-watch(5): STABLE_VERSION has exactly three numbers, auto names a component."""
    text = "Source: http://h.invalid/\nComponent: bar\nVersion-Regex: v@STABLE_VERSION@\\.tgz\n"
    auto = "Filename-Mangle: auto\nUversion-Mangle: auto\n"
    (source,) = parse(f"Version: 5\n\n{text}{auto}", "foo").sources
    names = ("v1.2.3.tgz", "v0.2.3.tgz", "v1.2.tgz")
    found = [bool(Pattern(source.pattern, "p").fullmatch(name)) for name in names]
    assert found == [True, True, False]
    assert mangled("/x/v1.2.3.tgz", source.mangles["filenamemangle"]) == "foo-bar-1.2.3.tgz"
    for version in ("1.0-Beta2", "1.0-beta-2", "1.0RC.1"):
        assert mangled(version, source.mangles["uversionmangle"])[:4] == "1.0~"
    named = "Template: GitHub\nDist: o/p\nVersion-Type: STABLE_VERSION\n"
    (source,) = parse(f"Version: 5\n\n{named}", "foo").sources
    assert "{2}" in source.pattern


def test_a_paragraph_without_a_pattern_has_the_usual_one() -> None:
    """debian-watch(5): the default is (?:@PACKAGE@)?@ANY_VERSION@@ARCHIVE_EXT@."""
    (source,) = parse("Version: 5\n\nSource: http://h.invalid/\n", "foo").sources
    pattern = Pattern(source.pattern, "p")
    assert [bool(pattern.fullmatch(name)) for name in ("foo-1.0.tgz", "v1.0.zip", "x-1.tgz")] == [
        True,
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ('"repack,,pgpmode=none, "', {"pgpmode": "none"}),
        ("pgpmode=no", {"pgpmode": "none"}),
        ("pgpmode=none,pgpsigurlmangle=s/$/.asc/", {"pgpmode": "mangle"}),
        ("pgpsigurlmangle=s/$/.asc/,pgpmode=none", {"pgpmode": "none"}),
        ("pgpmode=mangle", {"pgpmode": "default"}),
        ("pgpmode=prev,gitmode=fu", {"pgpmode": "previous", "gitmode": "full"}),
        ('"pagemangle=s%(b)%<a href="$1">c%,pgpmode=self"', {"pgpmode": "self"}),
        ('pagemangle="s/<a b=/<a href=/g"', {"pgpmode": "default"}),
        ('"repacksuffix=+ds1"\\\n', {"repacksuffix": "+ds1"}),
    ],
)
def test_options_are_quoted_and_shortened_as_in_the_manual(
    options: str, wanted: dict[str, str]
) -> None:
    (source,) = parse(f"\ufeffversion=4\nopts={options} http://h.invalid/ a-(.+)\n", "foo").sources
    assert (source.url, source.pattern) == ("http://h.invalid/", "a-(.+)")
    assert {key: source.words[key] for key in wanted} == wanted
    rules = source.mangles["pagemangle"]
    assert not rules or mangled("<a b=b", rules) in ('<a <a href="b">c=b', "<a href=b")


def test_of_versionmangle_and_its_parts_the_last_counts() -> None:
    for options, wanted in (("uversionmangle=s/1/2/,versionmangle=s/1/3/", "3"),
                            ("versionmangle=s/1/3/,uversionmangle=s/1/2/", "2")):  # fmt: skip
        (source,) = parse(f"version=4\nopts={options} http://h.invalid/ a-(.+)\n", "foo").sources
        assert mangled("1", source.mangles["uversionmangle"]) == wanted
        assert mangled("1", source.mangles["dversionmangle"]) == "3"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (
            'version=4\n# x\nopts="pgpsigurlmangel=s/$/.asc/" http://h.invalid/ a-(.+)\n',
            "line 3: the option pgpsigurlmangel is not known and does nothing;"
            " pgpsigurlmangle may be meant",
        ),
        (
            "Version: 5\n\n# x\nSource: http://h.invalid/\nMatching-Pattern: a-(.+)\n# y\n"
            "PGP-Signature-URL-Mangle: s/$/.asc/\n",
            "line 7: the field PGP-Signature-URL-Mangle is not known and does nothing;"
            " pgpsigurlmangle may be meant",
        ),
        (
            'version=4\nopts="frobnicate=1" http://h.invalid/ a-(.+)\n',
            "line 2: the option frobnicate is not known and does nothing",
        ),
        (
            'version=4\nopts="pgpmode=auto"\nhttp://h.invalid/ a-(.+)\n',
            "line 2 has options without an address, which do nothing (pgpmode): a backslash at its"
            " end joins it with the next line",
        ),
        (
            "Version: 5\n\nSource: http://h.invalid/\nSource: http://i.invalid/\n",
            "line 4: the field Source is there already, in line 3; the last one counts",
        ),
        (
            "version=2\nhttp://h.invalid/a-(.+)\n",
            "is of version 2, which uscan calls obsolete: write version=4 as its first line, and"
            " compare what is found then",
        ),
    ],
)
def test_what_does_nothing_is_told_with_its_line(text: str, says: str) -> None:
    (warning,) = parse(text, "foo").warnings
    assert warning.removeprefix("debian/watch ") == says


def test_what_is_known_is_told_of_by_nobody() -> None:
    for text in (V4, V5, "version=4\nopts=compression=gz\nhttp://h.invalid/ a-(.+)\n"):
        assert parse(text, "foo").warnings == ()


@pytest.mark.parametrize(
    ("text", "address", "pattern"),
    [
        ("version=2\nhttp://h.invalid/d/foo-(.*)\\.tgz debian\n", "http://h.invalid/d/", None),
        ("http://h.invalid d foo-(.*)\\\\.tgz debian\n", "http://h.invalid/d/", None),
        ("h.invalid /d foo-*.tgz debian\n", "ftp://h.invalid/d/", None),
    ],
    ids=["2", "1", "1 with wildcards"],
)
def test_the_versions_of_long_ago(text: str, address: str, pattern: None) -> None:
    (source,) = parse(text, "foo").sources
    assert (source.url, source.schema) == (address, "debian")
    match = Pattern(source.pattern, "p").fullmatch("foo-1.2.tgz")
    assert match
    assert match[1] == "1.2"
    assert not Pattern(source.pattern, "p").fullmatch("foo-1.2xtgz")


def test_version_3_joins_lines_without_stripping_blanks() -> None:
    rest = "opts=uversionmangle=s/a/b/,\\\n  http://h.invalid/ foo-(.+)\n"
    (source,) = parse(f"version=3\n{rest}", "foo").sources
    assert source.url == "http://h.invalid/"
    with pytest.raises(SetupError, match="line 2 has options that run into its address"):
        parse(f"version=4\n{rest}", "foo")


def test_a_blank_behind_a_backslash_is_told_with_its_line() -> None:
    with pytest.raises(SetupError) as refused:
        parse("version=4\n\nopts=repack \\ \nhttp://h.invalid/ foo-(.*)\n", "foo")
    assert str(refused.value) == (
        "debian/watch line 3 ends with a backslash and a blank, so it does not go on in the next"
        " line. Remove the blank behind the backslash"
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("# only a comment\n", "nothing to watch"),
        ("version=6\nhttp://h.invalid/ x\n", "version 6"),
        ("http://h.invalid/ x\n", "line 1 .*no line of version 1.*Begin the file with version=4"),
        ("version=4\n", "nothing to watch"),
        ('version=4\nopts="mode=svn" http://h.invalid/ x-(.+)\n', "line 2 has mode=svn"),
        ('version=4\n\nopts="pgpmode=maybe" http://h.invalid/ x-(.+)\n', "line 3 .*=maybe"),
        ("version=4\nopts=hrefdecode=base64 http://h.invalid/ x-(.+)\n", "hrefdecode=base64"),
        ("version=4\nopts=compression=rar http://h.invalid/ x-(.+)\n", "compression=rar"),
        ("version=4\nopts=uversionmangle=s/a http://h.invalid/ x-(.+)\n", "line 2: uversionm"),
        ("version=4\nopts=repack, pgpmode=none http://h/ x-(.+)\n", "has pgpmode=none where its a"),
        ("version=3\nopts=repack,\\\n dversionmangle=s/a// http://h/ x-(.+)\n", "line 2 has dver"),
        ("version=4\nopts=repack , bare http://h/ x-(.+)\n", "line 2 has , where its address"),
        ("Version: 5\n\nTemplate: Nowhere\n", "line 3.*template Nowhere.*Known are"),
        ("Version: 5\n\nTemplate: GitHub\n", "names no project"),
        ("Version: 5\n\nTemplate: CRAN\nPackage: x\n", "R_CRAN_WEB in the environment"),
        ("Version: 5\n\nUntrackable: gone\n", "gone"),
    ],
)
def test_what_cannot_be_followed_is_refused_with_the_reason(text: str, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        parse(text, "foo")


@pytest.mark.parametrize(
    ("rule", "text", "wanted"),
    [
        ("s/rc/~rc/", "1rc1rc", "1~rc1rc"),
        ("s/rc/~rc/g", "1rc1rc", "1~rc1~rc"),
        ("s<rc> <~rc>", "1rc1", "1~rc1"),
        ("s{(r)(c)}{$2${1}}", "rc", "cr"),
        ("s[rc][~rc]", "1rc", "1~rc"),
        ("s(rc)(~rc)", "1rc", "1~rc"),
        ("s%/git/refs/%/tarball/refs/%", "a/git/refs/b", "a/tarball/refs/b"),
        ("s/a\\/b/c/", "a/b", "c"),
        ("s/RC/~rc/i", "1rc", "1~rc"),
        ("s/ r c /x/x", "rc", "x"),
        ("s/(\\d+)/<$&>/", "a12", "a<12>"),
        ('s/b/\\"/', "abc", 'a"c'),
        ("s/(?<n>\\d)\\k<n>/x/", "122", "1x"),
        ("s/[[:alpha:]]+//", "ab1", "1"),
        ("s/\\Qa.c\\E/x/", "abc a.c", "abc x"),
        ("s/a(?i)B/x/", "ab", "x"),
        ("s/[a|b]//g", "a|b", ""),
        ("s/a\\z/x/", "aa", "ax"),
        ("tr/a-c/A-C/", "abcd", "ABCd"),
        ("y/_/./", "1_2", "1.2"),
        ("tr/-//d", "1-2", "12"),
        ("tr/././s", "1..2", "1.2"),
        ("tr/0-9.//cd", "v1.2-x", "1.2"),
        ("tr/0-9/./cs", "a1--x2", ".1.2"),
        ("tr/0-9//cs", "1--2..33", "1-2.33"),
        ("tr/a-b_/__/ds", "xaxbx__x", "x_x_xx"),
        ("tr/_\\-/./ds", "1_-_2", "1.2"),
        ("s/(RC)(\\d)/~\\L$1$2/", "1RC2", "1~rc2"),
        ("s/([a-z]+)(\\d)/\\U$1\\E$2x/", "1rc2", "1RC2x"),
        ("s/(\\w+) (\\w+)/\\u\\L$1\\E\\l$2/", "fOO Bar", "Foobar"),
        ("s/a/b/;s/b/c/", "a", "c"),
        ("s/;/:/ ; s/x//", "1;2x", "1:2"),
        # What follows was seen on uscan 2.23.4.
        ("s/-(rc\\d*)$/~\\$1/", "1.2-rc1", "1.2~rc1"),
        ("s/(\\d)/\\$1.1/", "1.2", "1.1.2"),
        ("s/(\\d)/\\${1}x$&/", "1.2", "1x1.2"),
        ("s/(\\d)/a\\1b/", "1.2", "a1b.2"),
        ("s/(\\d)/$10/", "1.2", "10.2"),
        ("s/(\\d)/\\\\$1/", "1.2", "\\1.2"),
        ("s/(\\d)/\\QE/", "1.2", "QE.2"),
        ("s/(\\d)/x\\-n\\ty/", "1.2", "x-nty.2"),
        ("s|(\\d)|a\\|b|", "1.2", "a|b.2"),
    ],
)
def test_rules_mean_what_they_mean_to_perl(rule: str, text: str, wanted: str) -> None:
    assert mangled(text, parse_rules(rule, "rule")) == wanted


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("s/(.*)/unlink(q(x))/e", "must not run code"),
        ("s/(.*)/x/ee", "must not run code"),
        ("s/(?{ unlink })/x/", "holds code"),
        ("s/(??{ 1 })/x/", "holds code"),
        ("s/(a/b/", "no regular expression"),
        ("s/a/b", "lacks"),
        ("s/a/$x/", "variable"),
        ("s/a/$1/", "group"),
        ("s/a/b/z", "flags 'z'"),
        ("system('x')", "is no rule"),
        ("s/a/b/ rest", "goes on"),
    ],
)
def test_rules_that_could_run_code_or_mean_nothing_are_refused(rule: str, says: str) -> None:
    with pytest.raises(SetupError, match=says):
        parse_rules(rule, "rule")


@pytest.mark.parametrize("expression", [r"(\d+)+x", r"(a|a)+b", r"(.*)*(.*)*y", r"((\w+\s*)+)!"])
def test_an_explosive_pattern_is_stopped(expression: str) -> None:
    """Perl survives some of these, Python's own engine would take years."""
    pattern = Pattern(expression, "pattern")
    subject = {"(a": "a" * 60}.get(expression[:2], "1" * 60)
    with contextlib.suppress(SetupError):  # stopped, or never explosive here
        assert pattern.fullmatch(subject) is None


@pytest.mark.parametrize(
    ("expression", "text", "other"),
    [
        (r"a\h\H+", "a b-c", "a b c"),
        (r"[\h]", "\t", "\\"),
        (r"\V\v", "a\r", "\na"),
        (r"\N+", "abc", "a\nb"),
        (r"(?'v'a+)-\k'v'", "aa-aa", "aa-a"),
        (r"a\z", "a", "a\n"),
    ],
)
def test_escapes_mean_what_they_mean_to_perl(expression: str, text: str, other: str) -> None:
    assert Pattern(expression, "p").fullmatch(text)
    assert not Pattern(expression, "p").fullmatch(other)


@pytest.mark.parametrize("expression", [r"(a)\g{-1}", r"[\H]", r"\N{U+41}", r"\cA"])
def test_escapes_without_a_meaning_here_are_refused(expression: str) -> None:
    with pytest.raises(SetupError, match="is not known here"):
        Pattern(expression, "p")


def test_a_repeat_of_repeats_that_does_no_harm_is_allowed() -> None:
    match = Pattern(r"foo-((?:\d+\.?)+)\.tar\.gz", "p").fullmatch("foo-1.2.3.tar.gz")
    assert match
    assert match[1] == "1.2.3"


def test_templates_write_out_a_forge() -> None:
    (hub,) = parse("Version: 5\n\nTemplate: GitHub\nDist: https://github.com/o/p\n", "foo").sources
    assert hub.url == "https://api.github.com/repos/o/p/git/matching-refs/tags/"
    page = '"url":"https://api.github.com/repos/o/p/git/refs/tags/v2.0-rc1"}'
    (found,) = Pattern(hub.pattern, "p").finditer(page)
    assert mangled(found[1], hub.mangles["uversionmangle"]) == "2.0~rc1"
    assert mangled(found[0], hub.mangles["filenamemangle"]) == "foo-2.0-rc1.tar.gz"
    (lab,) = parse("Version: 5\n\nTemplate: GitLab\nOwner: o\nProject: p\n", "foo").sources
    (found,) = Pattern(lab.pattern, "p").finditer('[{"name":"v3.1","target":"x"}]')
    assert found.groups() == ("3.1",)

"""Our own expressions over strangers' texts: linear, whatever stands there."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.support.hostile import runs
from toolsync.compat import helptext, metadata, python, ruby, shell
from toolsync.compat.commands import _setup_scripts
from toolsync.compat.surface import Draft
from toolsync.http.answer import Page, Validators
from toolsync.license import hints, known, names, normalise, spdx, worddiff
from toolsync.license import metadata as declared
from toolsync.model import versions
from toolsync.watch.listing import plain_links
from toolsync.watchfile import pages as watchpage

SECONDS = 1.6
"""For 40,000 characters; what takes the square of the length takes several times as much."""


def page(text: str) -> Page:
    return Page(url="http://h/", body=text.encode(), content_type="text/html",
                validators=Validators())  # fmt: skip


READERS: dict[str, Callable[[str], object]] = {
    "words": normalise.normalise,
    "sections": normalise.sections,
    "identity": lambda text: known.identify(text, known.first_words(text)),
    "hints": lambda text: hints.ids((text + " license").encode(), path="a.py"),
    "terms": hints.states_terms,
    "core metadata": lambda text: declared.read("PKG-INFO", f"License: {text}".encode()),
    "gemspec": lambda text: declared.read("a.gemspec", f"license = {text}".encode()),
    "spdx": spdx.expression_of,
    "canonical": lambda text: names.canonical(f"{text}.egg-info/{text}-1/x"),
    "difference": lambda text: worddiff.word_diff(text, text[::-1]),
    "hidden": watchpage._visible,
    "scripts": lambda text: watchpage._visible("<script></script" * 1000 + text),
    "anchors": lambda text: watchpage._ANCHOR.findall(f"<a {text}"),
    "listing": lambda text: plain_links(page(f"<a href=\"x\">a</a>{text}")),
    "prerelease": versions.is_prerelease,
    "old python": lambda text: python._read_old(f"add_option({text}"),
    "ruby": lambda text: ruby.read(f"on({text}"),
    "shell": shell.read,
    "help": lambda text: list(helptext.options(text)),
    "subcommands": lambda text: helptext.subcommands(f"commands:\n{text}"),
    "headings": lambda text: helptext.subcommands(" " * 9 + "commands:\n" * 3000 + text),
    "man": helptext.man_page,
    "setup": lambda text: _setup_scripts("scripts=[" * 3000 + text),
    "requirement": lambda text: metadata._require([f"a{text}#"], Draft()),
    "core": lambda text: metadata._core_metadata(f"Requires-Dist:{text}", Draft(), {}),
    "gem": lambda text: metadata._gemspec(f"add_dependency{text}\nexecutables={text}", Draft(), {}),
    "ruby floor": lambda text: metadata._gemspec(
        "required_ruby_version=" * 1000 + text, Draft(), {}
    ),
}  # fmt: skip


@pytest.mark.parametrize("reader", READERS)
def test_a_hostile_text_is_read_in_linear_time(reader: str) -> None:
    slow = {}
    for name, text in runs():
        start = time.process_time()
        READERS[reader](text)
        if (took := time.process_time() - start) > SECONDS:
            slow[name] = took
    assert slow == {}


@pytest.mark.parametrize(
    ("line", "is_ruler"),
    [
        ("----", True), ("---", False), ("  # ------ ", True), ("/* ---- */", False),
        ("* ==== */", True), ("####", True), ("// ~~~~", True), ("--- -", False), ("-=-=-=", False),
        ("a----", False), ("*****/", True), ("", False), ("; ++++", True), ("----x", False),
    ],
)  # fmt: skip
def test_a_ruler_is_a_line_of_one_sign(line: str, is_ruler: bool) -> None:
    assert (len(normalise.sections(f"one\n{line}\ntwo")) == 2) == is_ruler


def test_hidden_parts_are_left_out_where_they_end() -> None:
    text = "a<!-- x --><b><SCRIPT src='y'>z</Script ><style>q<!-- open <a href=b>"
    assert watchpage._visible(text) == "a <b> <style>q<!-- open <a href=b>"


def test_folders_of_metadata_lose_their_version() -> None:
    assert names.canonical("a-1.0.dist-info/METADATA") == ".dist-info/METADATA"
    assert names.canonical("src/a-b-1.0-py3.egg-info/x-2") == "src/a-b.egg-info/x-2"
    assert names.canonical("a-1/b.egg-info/c-2.dist-info") == "a-1/b.egg-info/c-2.dist-info"

"""License texts and what people do to them: changes of terms, and changes of looks."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

MIT = """MIT License

Copyright (c) 2020 Jane Doe

Permission is hereby granted, free of charge, to any person obtaining a copy
of this software and associated documentation files (the "Software"), to deal
in the Software without restriction, including without limitation the rights
to use, copy, modify, merge, publish, distribute, sublicense, and/or sell
copies of the Software, and to permit persons to whom the Software is
furnished to do so, subject to the following conditions:

The above copyright notice and this permission notice shall be included in all
copies or substantial portions of the Software.

THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR
IMPLIED, INCLUDING BUT NOT LIMITED TO THE WARRANTIES OF MERCHANTABILITY,
FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER
LIABILITY, WHETHER IN AN ACTION OF CONTRACT, TORT OR OTHERWISE, ARISING FROM,
OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS IN THE
SOFTWARE.
"""
VENDOR = """Vendor Software License

Copyright (c) 2020 Jane Doe

1. You may reproduce or distribute the Work only if you include a complete copy of this License.
2. The Work may be used only with the services of the "Vendor" and for non-infringing purposes.
3. The Work comes without any warranty, to the extent that the law allows.
"""
COMMON = Path("/usr/share/common-licenses")
"""In Debian's base-files, so on every Debian and Ubuntu."""


def texts() -> dict[str, str]:
    """Return texts with a statement of copyright in a line of its own."""
    bsd = (
        (COMMON / "BSD")
        .read_text()
        .replace("The Regents of the University of California", "Jane Doe")
    )
    apache = (COMMON / "Apache-2.0").read_text()
    statement = "Copyright (c) 2020 Jane Doe\n\n"
    return {
        "MIT": MIT,
        "BSD-3-Clause": re.sub(r"(?m)^Copyright .*$", statement.strip(), bsd),
        "Apache-2.0": statement + apache,
        "vendor": VENDOR,
    }


Mutation = Callable[[str], str | bytes]
_LINE = "Copyright (c) 2020 Jane Doe"


def _line(new: str) -> Mutation:
    return lambda text: text.replace(_LINE, new, 1)


def _after_line(extra: str) -> Mutation:
    return _line(f"{_LINE}{extra}")


def _led(leader: str) -> Mutation:
    return lambda text: "".join(f"{leader}{line}\n" for line in text.splitlines())


def _wrapped(width: int) -> Mutation:
    def wrap(text: str) -> str:
        head, _, body = text.partition(_LINE)
        paragraphs = [
            textwrap.fill(" ".join(p.split()), width, break_on_hyphens=False)
            for p in body.split("\n\n")
        ]
        return head + _LINE + "\n" + "\n\n".join(paragraphs)

    return wrap


def _html(text: str) -> str:
    body = "".join(f"<p>{part}</p>\n" for part in text.replace('"', "&quot;").split("\n\n"))
    return f"<!DOCTYPE html>\n<html><body class='license'>\n{body}</body></html>\n"


def _curly(text: str) -> str:
    return re.sub(r'"([^"]*)"', "\u201c\\1\u201d", text)


def _middle(clause: str) -> Mutation:
    def insert(text: str) -> str:
        parts = text.split("\n\n")
        return "\n\n".join([*parts[:-1], clause, parts[-1]])

    return insert


CAUGHT: Mapping[str, Mutation] = {
    "commercial use forbidden at the end": lambda t: (
        t + "\nThe Software shall not be used for commercial purposes.\n"
    ),
    "good, not evil": _middle("The Software shall be used for Good, not Evil."),
    "non-commercial on the copyright line": _after_line(". For non-commercial use only."),
    "non-commercial there without a full stop": _after_line(" for non-commercial use only"),
    "non-commercial there like a name": _after_line(" Non-Commercial Use Only"),
    "non-commercial there in capitals": _after_line(" NON-COMMERCIAL USE ONLY"),
    "a clause after the years": _line("Copyright (c) 2020 evaluation only, Jane Doe"),
    "a clause after all rights reserved": _after_line(
        ". All rights reserved. Do not redistribute."
    ),
    "no redistribution on the line after": _after_line(
        "\nRedistribution prohibited without written consent."
    ),
    "a clause after a comma": _after_line(", who must be paid for every copy"),
    "a clause in the next line of a list": _after_line(",\nwho must be asked before any use"),
    "a clause in brackets": _after_line(" (internal use only)"),
    "commons clause before": lambda t: (
        '"Commons Clause" License Condition v1.0\n\nThe Software is provided to you by the '
        "Licensor under the License, as defined below, subject to the following condition.\n\n" + t
    ),
    "may becomes may not": lambda t: re.sub(
        r"(?i)\b(may|hereby granted|are permitted|hereby grants)\b", r"\1 not", t, count=1
    ),
    "without becomes with": lambda t: re.sub(r"(?i)\bwithout\b", "with", t, count=1),
    "a word taken out": lambda t: re.sub(r"(?i)\bany\b ", "", t, count=1),
    "half of it": lambda t: t[: len(t) // 2],
    "a lying title": lambda t: "GNU General Public License\n\n" + t,
    "a lying heading": lambda t: "# Business Source License 1.1\n\n" + t,
    "a clause in an HTML comment": lambda t: t + "\n<!-- Not for use by competitors. -->\n",
    "a clause in a hidden element": lambda t: _html(t).replace(
        "</body>", '<span style="display:none">Not for use by competitors.</span></body>'
    ),
    "a clause in a link's target": lambda t: _html(t).replace(
        "</body>", '<a href="https://vendor.example/eula">.</a></body>'
    ),
    "a clause in comment leaders": lambda t: t + "\n# Not for use by competitors.\n",
    "a clause behind a ruler": lambda t: t + "\n--------\nNot for use by competitors.\n",
    "a clause in UTF-16": lambda t: (t + "\nNot for competitors.\n").encode("utf-16"),
    "a clause with invisible signs in it": lambda t: t + "\nNot\u200b for com\u200dpetitors.\n",
    "a clause after a form feed": lambda t: t + "\fNot for competitors.\n",
    "a clause far to the right": lambda t: t + " " * 5000 + "Not for competitors.\n",
    "a fee in figures": lambda t: t + "\n$5 for each copy.\n",
    "a pointer": lambda t: "See https://vendor.example/license for the terms.\n",
    "another license": lambda t: (COMMON / "GPL-3").read_text(),
    "another license after it": lambda t: t + (COMMON / "GPL-3").read_text(),
    "nothing": lambda t: "",
    "no text": lambda t: bytes(range(256)) * 8,
}
"""What changes terms: none may stay silent, whatever text it is done to."""

SILENT: Mapping[str, Mutation] = {
    "one line": lambda t: " ".join(t.split()),
    "CRLF": lambda t: t.replace("\n", "\r\n"),
    "old Mac line ends": lambda t: t.replace("\n", "\r"),
    "stars": lambda t: "/*\n" + str(_led(" * ")(t)) + " */\n",
    "hashes": _led("# "),
    "slashes": _led("// "),
    "dashes": _led("-- "),
    "semicolons": _led(";; "),
    "dnl": _led("dnl "),
    "quoted": _led("> "),
    "boxed": lambda t: "".join(f"| {line:<100} |\n" for line in t.splitlines()),
    "curly quotes": _curly,
    "LaTeX quotes": lambda t: re.sub(r'"([^"]*)"', r"``\1''", t),
    "year": _line("Copyright (c) 2026 Jane Doe"),
    "year range": _line("Copyright (c) 2020-2026 Jane Doe"),
    "years in a list": _line("Copyright (c) 2018, 2020, 2022-2026 Jane Doe"),
    "present": _line("Copyright (c) 2020-present Jane Doe"),
    "year before the sign": _line("Copyright 2020 (c) Jane Doe"),
    "no year": _line("Copyright (c) Jane Doe"),
    "en dash": _line("Copyright (c) 2020\u20132026 Jane Doe"),
    "the sign": _line("Copyright \u00a9 2020 Jane Doe"),
    "the sign alone": _line("\u00a9 2020 Jane Doe"),
    "the sign without a blank": _line("\u00a92020 Jane Doe"),
    "the sign in Windows' Latin": lambda t: t.replace("(c)", "\u00a9", 1).encode("cp1252"),
    "holder": _line("Copyright (c) 2020 Example Corporation"),
    "holder with an address": _line("Copyright (c) 2020 John Roe <john@example.org>"),
    "holder with a form": _line("Copyright (c) 2020 Example Software, Inc. and its affiliates"),
    "holder in small letters": _line("Copyright (c) 2020 jroe"),
    "holder and contributors": _line("Copyright (c) 2020 Jane Doe and other contributors"),
    "contributors alone": _line("Copyright (c) 2020 The Example Authors. All rights reserved."),
    "by": _line("Copyright (c) 2020 by Jane Doe"),
    "two holders": _after_line("\nCopyright (c) 2021 John Roe"),
    "two holders in a line": _line("Copyright (c) 2020 Jane Doe, John Roe"),
    "three holders": _after_line("\nCopyright (c) 2021 John Roe\nCopyright 2022 Example GmbH"),
    "see AUTHORS": _after_line(", see AUTHORS for more information"),
    "all rights reserved": _after_line(". All rights reserved."),
    "all rights reserved below": _after_line("\nAll rights reserved."),
    "nobody": _line(""),
    "BOM": lambda t: t.encode("utf-8-sig"),
    "UTF-16": lambda t: t.encode("utf-16"),
    "UTF-16 without a mark": lambda t: t.encode("utf-16-be"),
    "narrow": _wrapped(50),
    "wide": _wrapped(120),
    "indented": _led("    "),
    "tabs": lambda t: t.replace(" ", "\t"),
    "hard blanks": lambda t: t.replace(" ", "\u00a0"),
    "blanks at the ends": lambda t: t.replace("\n", "   \n"),
    "blank lines": lambda t: t.replace("\n\n", "\n\n\n\n"),
    "form feed": lambda t: t.replace("\n\n", "\n\f\n"),
    "HTML": _html,
    "emphasis": lambda t: re.sub(r"\b(Software|Work)\b", r"**\1**", t),
    "hyphen": lambda t: t.replace("NONINFRINGEMENT", "NON-INFRINGEMENT"),
    "broken word": lambda t: t.replace("restriction", "restric-\ntion").replace(
        "reproduce", "repro-\nduce"
    ),
    "licence": lambda t: re.sub(r"\bLicense\b", "Licence", t),
    "no line end": lambda t: t.rstrip("\n"),
    "capitals": lambda t: t.upper() if "AUTHORS OR" in t else t,
    "heading without a claim": lambda t: "# License\n\n" + t,
}
"""What changes looks only: all must stay silent."""

TITLES: Mapping[str, Mutation] = {
    "title added": lambda t: "The MIT License (MIT)\n\n" + t.removeprefix("MIT License\n\n"),
    "title gone": lambda t: t.removeprefix("MIT License\n\n"),
    "markdown heading": lambda t: "# MIT License\n\n" + t.removeprefix("MIT License\n\n"),
    "underlined": lambda t: "MIT License\n===========\n\n" + t.removeprefix("MIT License\n\n"),
    "one line without a title": lambda t: " ".join(t.removeprefix("MIT License\n\n").split()),
}
"""Silent for a text that is known to be what the title says."""


def as_bytes(text: str | bytes) -> bytes:
    """Return what a mutation gives as a file's content."""
    return text if isinstance(text, bytes) else text.encode()

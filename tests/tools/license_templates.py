"""Write ``toolsync/license/templates.json`` from the SPDX License List's own markup.

``python -m tests.tools.license_templates FOLDER``, FOLDER being ``src`` of a checkout of
spdx/license-list-XML. The matching guidelines' marks become those of `toolsync.license.template`.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from lxml import etree

from tests.tools.license_wordings import CREATIVE_COMMONS, wordings
from toolsync.license.template import compiled
from toolsync.license.wording import wording

LISTED = """
0BSD AFL-2.1 AFL-3.0 AGPL-3.0-only Apache-1.0 Apache-1.1 Apache-2.0 APSL-2.0 Artistic-1.0
Artistic-1.0-Perl Artistic-1.0-cl8 Artistic-2.0 Beerware BSD-1-Clause BSD-2-Clause
BSD-2-Clause-Darwin BSD-3-Clause-flex
BSD-2-Clause-Patent BSD-2-Clause-Views BSD-3-Clause BSD-3-Clause-Attribution BSD-3-Clause-Clear
BSD-3-Clause-LBNL BSD-3-Clause-Modification BSD-4-Clause BSD-4-Clause-UC BSD-4-Clause-Shortened
BSD-Source-Code BSL-1.0 bzip2-1.0.6 CC-BY-3.0 CC-BY-4.0 CC-BY-SA-3.0 CC-BY-SA-4.0 CC-BY-NC-4.0
CC-BY-NC-SA-4.0 CC-BY-ND-4.0 CC0-1.0 CDDL-1.0 CDDL-1.1 CECILL-2.0 CECILL-2.1 CECILL-B CECILL-C
CPL-1.0 curl ECL-2.0 EFL-2.0 Elastic-2.0 EPL-1.0 EPL-2.0 EUPL-1.1 EUPL-1.2 FSFAP FSFUL FSFULLR
FTL GFDL-1.2-only GFDL-1.3-only GPL-1.0-only GPL-2.0-only GPL-3.0-only HPND HPND-sell-variant ICU
IJG ISC Latex2e LGPL-2.0-only LGPL-2.1-only LGPL-3.0-only Libpng libpng-2.0 libtiff LPPL-1.3c MIT
MIT-0 MIT-CMU MIT-Modern-Variant MIT-advertising MIT-feh MIT-open-group MPL-1.0 MPL-1.1 MPL-2.0
MS-PL MulanPSL-2.0 NCSA Net-SNMP NTP OFL-1.0 OFL-1.1 OLDAP-2.8 OpenSSL PHP-3.01 PostgreSQL PSF-2.0
Python-2.0 Python-2.0.1 QPL-1.0 Ruby SISSL Sleepycat SMLNJ SSPL-1.0 SunPro SWL TCL Unicode-3.0
Unicode-DFS-2015 Unicode-DFS-2016 Unicode-TOU Unlicense UPL-1.0 Vim W3C W3C-20150513 WTFPL X11
X11-distribute-modifications-variant Xnet Zlib zlib-acknowledgement Zend-2.0 ZPL-2.1 BUSL-1.1
JSON mpich2 DOC HPND-Markus-Kuhn Xerox TermReadKey Spencer-86 Spencer-94 Spencer-99 RSA-MD
Info-ZIP Intel ISC-Veillard Linux-man-pages-copyleft Glulxe BSD-3-Clause-HP BSD-Systemics
NIST-PD blessing AML CNRI-Python SGI-B-2.0 SSH-OpenSSH TCP-wrappers UCAR dtoa
"""
MENDED = (
    (r"copyright c (?:{ year \| yyyy } |year |19yy )?(?:name of author )?(?=this (?:pro|lib))", ""),
    (r"(?<=a modification is )(?=any addition)", "# "),
    (r"(?<=previous modifications )(?=any new file)", "# "),
    (r"(?<=terms and conditions )(?=how to apply)", "[ appendix ] "),
    (r"(?<=gnomovision version 69 )(?:name of author )?", "[ name of author ] [ gnomovision ] "),
    (
        r"(?<=if not )write to the free software foundation inc(?= (?:{ \| @ } )?also add)",
        "{ write to the free software foundation inc | see http www gnu org licenses }",
    ),
    (r"(?<=either )version 2 1(?= of the license or at your option any later)", "version 2 [ 1 ]"),
    (r"252 2277013 c 1(?= of dfars)", "{ 252 2277013 c 1 | 252 2277014 b 3 }"),
    (r"(?<=name and )an idea(?= of what)", "{ a brief idea | an idea }"),
)
"""What the list's markup lacks: a statement of copyright in an example, and a usual wording."""
_MANY = 400
"""Wordings that a mark may be written out to."""


def main() -> int:
    """Write the file."""
    folder = Path(sys.argv[1])
    made: dict[str, list[str]] = {}
    for name in LISTED.split():
        tree = etree.parse(str(folder / f"{name}.xml"))
        line = " ".join(_template(tree.find(".//{*}license/{*}text")))
        for found, kept in MENDED:
            line = re.sub(found, kept, line)
        if name.startswith("CC-") and name.endswith("4.0"):
            title = " ".join(wording(tree.find(".//{*}license").get("name")))
            title = title.removeprefix("creative commons ")
            line = f"[ [ {title} ] {CREATIVE_COMMONS} ] {line}"
        made[name.removesuffix("-only")] = [line]
    for name, lines in wordings():
        made.setdefault(name, []).extend(lines)
    for line in chain.from_iterable(made.values()):
        compiled(line)
    target = Path("toolsync/license/templates.json")
    rows = (f" {json.dumps(name)}: {json.dumps(lines)}" for name, lines in made.items())
    target.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
    sys.stdout.write(f"{len(made)} licenses, {target.stat().st_size} bytes\n")
    return 0


def _template(node: etree._Element) -> Iterator[str]:
    """Yield the tokens of an element's content."""
    yield from wording(node.text or "")
    for child in node:
        if isinstance(child.tag, str):
            yield from _child(child)
        yield from wording(child.tail or "")


def _child(node: etree._Element) -> Iterator[str]:
    name = etree.QName(node).localname
    if name == "copyrightText" or _is_notice(node):
        return
    if name == "bullet":
        yield "#"
    elif name in ("optional", "titleText", "standardLicenseHeader"):
        inner = list(_template(node))
        yield from ["[", *inner, "]"] if inner else []
    elif name == "alt":
        yield from _written_out(node.get("match"), node.text or "", node.get("name"))
    else:
        yield from _template(node)


def _is_notice(node: etree._Element) -> bool:
    """Say whether a paragraph is a statement of copyright, which texts may have or not."""
    text = " ".join("".join(node.itertext()).split())
    return (
        etree.QName(node).localname == "p"
        and bool(re.match(r"(copyright|\(c\)|©) ?(\(c\)|©|<|\d|\[)", text, re.IGNORECASE))
        and len(text) < 200
    )


def _written_out(pattern: str, original: str, name: str) -> Iterator[str]:
    """Yield a choice of all wordings that an expression stands for."""
    ways = {" ".join(wording(original))}
    try:
        ways |= {_line(way) for way in _ways(pattern)}
    except ValueError as error:
        sys.stderr.write(f"only its own words for {name}: {pattern} ({error})\n")
    if any("@" in way for way in ways):
        ways = {way for way in ways if "@" in way or not way or len(way.split()) > 2}
    if ways == {""}:
        return
    yield from ("{ " + " | ".join(sorted(ways)) + " }").split()


def _line(way: str) -> str:
    """Return a wording's tokens, ``@`` where anything may stand."""
    return " @ ".join(" ".join(wording(part)) for part in re.split("\0+", way)).strip()


def _ways(pattern: str) -> set[str]:
    found, rest = _either(pattern)
    if rest:
        raise ValueError(f"unread: {rest}")
    return found


def _either(text: str) -> tuple[set[str], str]:
    """Return what alternatives stand for, and the text behind them."""
    found: set[str] = set()
    while True:
        part, text = _row(text)
        found |= part
        if len(found) > _MANY:
            raise ValueError("too many wordings")
        if not text.startswith("|"):
            return found, text
        text = text[1:]


def _row(text: str) -> tuple[set[str], str]:
    found = {""}
    while text and text[0] not in "|)":
        part, text = _atom(text)
        found = {a + b for a in found for b in part}
        if len(found) > _MANY:
            raise ValueError("too many wordings")
    return found, text


def _atom(text: str) -> tuple[set[str], str]:
    if text.startswith("("):
        found, text = _either(text[1:].removeprefix("?:").removeprefix("?i:"))
        if not text.startswith(")"):
            raise ValueError("a group is not closed")
        text = text[1:]
    elif text.startswith("["):
        inside, _, text = text[1:].partition("]")
        found = {" "} if set(inside) <= set(" ,.;:-'\"") else {"\0"}
    elif text.startswith("\\s"):
        found, text = {" "}, text[2:]
    elif text.startswith("\\S") or text[0] == ".":
        found, text = {"\0"}, text[2 if text[0] == "\\" else 1 :]
    elif text.startswith(("\\d", "\\w")):
        found, text = {"\0"}, text[2:]
    elif text[0] in "^$":
        return {""}, text[1:]
    else:
        text = text.removeprefix("\\")
        found, text = {text[0]}, text[1:]
    count = re.match(r"[?*+]|\{\d*,?\d*\}", text)
    if count:
        text = text[count.end() :]
        if count[0] in "?*" or count[0].startswith("{0"):
            found = found | {""} if found != {" "} else found
    return found, text


if __name__ == "__main__":
    sys.exit(main())

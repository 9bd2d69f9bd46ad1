"""Write tests/data/launchpad.wadl anew: ``python3 -m tests.tools.wadl FILE``.

``FILE`` is Launchpad's own description of its API, as https://api.launchpad.net/devel/ gives it
for the media type ``application/vnd.sun.wadl+xml``. Kept are the types that `launchpad_kinds`
names: each with its representation, whole, and of its operations those that are answered; what
people read is left out. Nothing else is changed.
"""

from __future__ import annotations

import sys
from pathlib import Path

from lxml import etree

from tests.servers.launchpad_kinds import KINDS, SETS

EXCERPT = Path(__file__).parents[1] / "data" / "launchpad.wadl"
_WADL = "{http://research.sun.com/wadl/2006/10}"


def excerpt(root: etree._Element) -> bytes:
    """Return what is kept of a whole description."""
    wanted = {"service-root-json"}
    for name, kind in KINDS.items():
        wanted |= {name, f"{name}-full", *(f"{name}-{one}" for one in kind.operations or {})}
    for name, (_, operations) in SETS.items():
        wanted |= {name, *(f"{name}-{one}" for one in operations)}
    for element in list(root):
        if element.get("id") not in wanted and element.tag != f"{_WADL}resources":
            root.remove(element)
    for method in list(root.iter(f"{_WADL}method")):
        if method.get("id") not in wanted:
            method.getparent().remove(method)
    etree.strip_elements(root, f"{_WADL}doc", etree.Comment, with_tail=False)
    for element in root.iter():
        element.text = element.tail = None
    etree.indent(root, space="")
    whole: bytes = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    return whole + b"\n"


if __name__ == "__main__":
    EXCERPT.write_bytes(excerpt(etree.parse(sys.argv[1]).getroot()))

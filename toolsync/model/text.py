"""Show a stranger's text so that nothing in it acts: the one door before every output.

Control characters give a terminal orders; those that set a text's direction make it look like
another (CVE-2021-42574); line and paragraph separators split entries. All are shown by their
escapes, so that they are seen and nothing is lost.
"""

from __future__ import annotations

_LONGEST_NAME = 200
"""Bytes of a file's name; a file system takes 255, and suffixes of ours follow."""


def escaped(text: str, keep: str = "") -> str:
    r"""Return a text with ``\x1b``, ``\u202e`` … for what is not printable, ``keep`` apart."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in keep else _escape(c) for c in text)


def escaped_json(text: str) -> str:
    r"""Return JSON that means the same, with ``\uXXXX`` for what is not printable in its strings.

    Line ends stand between its parts alone, and stay.
    """
    if text.isprintable() or text.replace("\n", "").isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else _in_json(c) for c in text)


def name_fault(name: str) -> str:
    """Return what keeps a name from being a file's, in a phrase; empty where it may be one."""
    if not name or name in (".", ".."):
        return "which is none"
    if "/" in name or "\\" in name:
        return "which has a slash or a backslash"
    if name[0] in "-.":
        return f"which begins with {name[0]!r}: an option, or hidden"
    if not name.isprintable():
        return "which has a character that cannot be printed"
    if len(name.encode()) > _LONGEST_NAME:
        return f"which is longer than {_LONGEST_NAME} bytes"
    return ""


def _escape(c: str) -> str:
    code = ord(c)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def _in_json(c: str) -> str:
    units = c.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))

"""Say which addresses a definition names: all others that a look or a download meets are a page's.

`http.egress` keeps those away from this machine and its network.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping

from toolsync.config.definition import Tool
from toolsync.model.errors import ToolsyncError
from toolsync.watch.kind import Kind
from toolsync.watch.kinds import kind_of

_ADDRESS = re.compile(r"(?:https?|ftp)://[^\s\"'<>|#,;]{1,4096}")


def named_by(tool: Tool) -> tuple[Iterable[str], Iterable[str]]:
    """Return the addresses of a tool's pages, and all others that its definition names."""
    watch, verify = tool.watch, tool.verify
    pages = [watch.url] if watch.url else [*_addresses(watch.text), *homes((kind_of(watch),))]
    texts = (watch.file_url, verify.signature, verify.checksums, verify.checksums_signature)
    own = (*watch.own.values(), *verify.own.values())
    others = [found for text in (*texts, verify.keys_url, *own) for found in _addresses(text)]
    return pages, others


def homes(kinds: Iterable[Kind]) -> Iterator[str]:
    """Yield the addresses that kinds of pages have by this machine's set-up, such as pip's."""
    for kind in kinds:
        try:
            yield kind.home()
        except ToolsyncError:
            continue  # whoever reads such a page says what is wrong


def _addresses(value: object) -> list[str]:
    """Return the addresses in a text, or in the values of a table or list."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        return [found for each in value for found in _addresses(each)]
    return _ADDRESS.findall(value) if isinstance(value, str) else []

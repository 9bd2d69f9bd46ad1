"""Read the version that a member of the archive states, where a tool's definition names one."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from toolsync.archives.extract import read_members
from toolsync.archives.member import Kind
from toolsync.config.definition import Tool
from toolsync.config.settings import Limits
from toolsync.model.patterns import LONGEST_SUBJECT, compile_safely

PATTERN = r"""\bversion["']?\s*[:=(\[,]*\s*["'\[]*v?(?P<version>\d[\w.+~-]*)"""
"""How most metadata states a version: PKG-INFO, package.json, pyproject.toml, AC_INIT's."""
_BYTES = 64 * 1024
"""Of the member, that are searched."""


def stated_version(archive: Path, tool: Tool, limits: Limits) -> str:
    """Return what ``binding.member`` states; empty without it, or where it states none."""
    own = tool.own.get("binding", {})
    wanted = own.get("member", "")
    if not wanted:
        return ""
    given = own.get("pattern", PATTERN)
    pattern = compile_safely(given, re.IGNORECASE, what="binding.pattern")
    for member in read_members(archive, limits):
        if member.kind is Kind.FILE and PurePosixPath(member.path).match(wanted):
            text = member.data.read(_BYTES).decode("utf-8", "replace")
            lines = (line[:LONGEST_SUBJECT] for line in text.split("\n"))
            return next((m["version"] for line in lines if (m := pattern.search(line))), "")
    return ""

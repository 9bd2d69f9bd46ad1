"""Make a tool of a release page's address: look and show, then write what was shown."""

from __future__ import annotations

import hashlib
import json

from toolsync.adopt.add import Proposal, default_place, propose_tool, write_tool
from toolsync.maintain.errand import Done, Errand, Tell
from toolsync.model.errors import Changed, SetupError
from toolsync.pipeline.context import Context
from toolsync.setup.tools import tool_places

_SHOWN, _FILES, _TEXT = 10, 50, 20_000
"""Releases, files, and characters of a file that are shown."""


def propose(context: Context, errand: Errand, tell: Tell) -> Done:
    """Look at a release page and show the definition that would be written."""
    found = propose_tool(context, errand.url, name=errand.name, tell=tell)
    count = len(found.releases)
    message = f"the page offers {count} releases of {found.name}; nothing was written yet"
    return Done(fine=True, message=message, proposal=_shown(found, errand.url))


def adopt(context: Context, errand: Errand, tell: Tell) -> Done:
    """Write the definition that was shown, if the page still gives just that one."""
    found = propose_tool(context, errand.url, name=errand.name, tell=tell)
    if digest_of(found) != errand.shown:
        raise Changed(
            f"{errand.url} gives another definition than the one that was shown; nothing was"
            " written",
            resolution="Look at the address again, and decide then.",
        )
    place = default_place(context.config)
    try:
        folder = write_tool(found, place)
    except PermissionError as error:
        raise SetupError(
            f"{place} cannot be written by the user that runs toolsync; nothing was written",
            resolution=f"Give it a folder of its own: install -d -o toolsync {place}",
        ) from error
    listed = found.name in dict(tool_places(context.config))
    todo = f"Complete {folder}/debian and what the file asks."
    todo += "" if listed else f" Then name {found.name} in tools of {context.config.file}."
    return Done(fine=True, message=f"{folder} defines {found.name} now", resolution=todo)


def _shown(found: Proposal, url: str) -> dict[str, object]:
    return {
        "tool": found.name,
        "url": url,
        "kind": found.kind,
        "system": found.system,
        "releases": [[r.version, r.published or "", r.url] for r in found.releases[:_SHOWN]],
        "undecided": list(found.undecided),
        "files": {path: text[:_TEXT] for path, text in sorted(found.files.items())[:_FILES]},
        "shown": digest_of(found),
    }


def digest_of(found: Proposal) -> str:
    """Return what is another when anything of a proposed definition is: its SHA-256, in hex."""
    return hashlib.sha256(
        json.dumps([found.name, sorted(found.files.items())]).encode()
    ).hexdigest()

"""Make a tool of existing packaging, and show what was found: nothing that can be known is asked.

The tool's folder holds debian/ as its maintainer left it; a short tool.toml says that debian/watch
is followed, how releases are proved where upstream's key is not there, and which errors lintian
found before.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from toolsync.adopt.adoption import Adoption
from toolsync.adopt.finding import find
from toolsync.adopt.nearest import nearest
from toolsync.adopt.opened import Opened
from toolsync.adopt.packaging import Packaging, open_packaging
from toolsync.adopt.written import target_of, write
from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.model.errors import SetupError
from toolsync.pipeline.context import Context
from toolsync.setup.tools import overlay_of, read_tool, tool_places


def adopt(
    context: Context,
    word: str,
    place: Path,
    *,
    tell: Callable[[str], None],
    dry_run: bool = False,
) -> Adoption:
    """Return what was found of the packaging that ``word`` names, its tool written below ``place``.

    ``apt:NAME`` without a series names the packaging that is nearest to the newest release.
    Raises UsageError for what is no packaging or a name that is taken, SetupError for packaging
    that cannot be followed.
    """
    opened = Opened(context, tell)
    with context.workshop.folder("adopt") as folder:
        (laid := folder / "packaging").mkdir()
        packaging = open_packaging(word, opened.series, opened, laid)
        undecided = [*packaging.passed]
        if word.startswith("apt:") and "/" not in word:
            packaging = nearest(context, packaging, opened, folder, undecided, tell)
        _require_followable(packaging)
        found = find(context, packaging, opened, folder, undecided, tell)
        target = target_of(context, found, packaging, place)
        if dry_run:
            return found
        changed = write(found, packaging, target)
        found.bases.write(target)
        shutil.rmtree(target / "later", ignore_errors=True)
        if found.later:
            shutil.copytree(found.later, target / "later")
        return replace(found, folder=target, changed=changed)


def adopted(config: Config) -> Iterator[tuple[Tool, str]]:
    """Yield every tool that was adopted, and where from; what cannot be read is passed over."""
    for name, place in dict(tool_places(config)).items():
        told = re.search(r'(?m)^adopted = "(.*)"$', (place / name / "tool.toml").read_text())
        tool = read_tool(place / name, overlay=overlay_of(config, name)) if told else None
        if told and isinstance(tool, Tool):
            yield tool, told[1]


def _require_followable(packaging: Packaging) -> None:
    for name in ("control", "watch"):
        if not (packaging.debian / name).is_file():
            raise SetupError(
                f"{packaging.said} has no debian/{name}"
                + (": nothing says where releases appear" if name == "watch" else ""),
                resolution="Write one (uscan(1) tells how), and adopt the folder.",
            )

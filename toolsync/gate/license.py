"""The record of the license gate (`license.gate` judges)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolsync.gate.record import Asked, Gate
from toolsync.model.judgment import LICENSE_VERDICTS, Judgment
from toolsync.model.release import Unpacked

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.config.settings import Config


def _judge(asked: Asked[Unpacked]) -> Judgment:
    from toolsync.license.gate import judge

    return judge(asked)


def _inputs(item: Unpacked) -> dict[str, object]:
    more = [part.orig.sha256 for part in item.components]
    return {"orig": item.orig.sha256, **({"components": more} if more else {})}


def _policy(tool: Tool, config: Config) -> object:
    return [tool.license, config.license]


LICENSE = Gate(
    name="license",
    about="whether its terms are allowed to pass, and what changed in them",
    rules=2,
    judge=_judge,
    inputs=_inputs,
    policy=_policy,
    verdicts=LICENSE_VERDICTS,
)

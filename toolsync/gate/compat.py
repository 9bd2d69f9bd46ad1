"""The record of the compatibility gate (`compat.gate` judges)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from toolsync.gate.record import Asked, Gate
from toolsync.model.judgment import COMPAT_VERDICTS, Judgment
from toolsync.model.release import Built, Package

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.config.settings import Config


def _judge(asked: Asked[Package]) -> Judgment:
    from toolsync.compat.gate import judge

    return judge(asked)


def _inputs(item: Package) -> dict[str, object]:
    orig = [blob.sha256 for blob in item.source.licensed.unpacked.origs]
    if not isinstance(item, Built):
        return {"orig": orig, "debs": []}
    others = {other.made_for: [blob.sha256 for blob in other.debs] for other in item.others}
    debs = [blob.sha256 for blob in item.debs]
    return {"orig": orig, "debs": debs, **({"others": others} if others else {})}


def _policy(tool: Tool, config: Config) -> object:
    judged = [tool.in_main, *tool.main_packages] if tool.main_packages else []
    return [tool.compat, config.compat, *judged]


COMPAT = Gate(
    name="compat",
    about="what its users would miss: commands, options, libraries, interfaces, dependencies",
    rules=7,
    judge=_judge,
    inputs=_inputs,
    policy=_policy,
    verdicts=COMPAT_VERDICTS,
)

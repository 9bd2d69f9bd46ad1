"""The record of the gate over a release's version (`binding.gate` judges)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from toolsync.config import keys
from toolsync.gate.record import Asked, Gate
from toolsync.model.judgment import BINDING_VERDICTS, Judgment
from toolsync.model.release import Unpacked

if TYPE_CHECKING:
    from toolsync.config.definition import Tool
    from toolsync.config.settings import Config


def _judge(asked: Asked[Unpacked]) -> Judgment:
    from toolsync.binding.gate import judge

    return judge(asked)


def _inputs(item: Unpacked) -> Mapping[str, object]:
    release = item.release
    return {
        "release": [release.version, release.raw_version, release.filename],
        "parts": [[part.version, part.filename] for part in release.components],
        "bytes": [blob.sha256 for blob in item.verified.contents],
        "proof": [item.verified.method, item.verified.signed_at],
        "listed": [proof.listed for proof in item.verified.proofs],
        "tops": [item.top, *(component.top for component in item.components)],
        "stated": item.stated,
    }


def _policy(tool: Tool, _config: Config) -> object:
    return [tool.source, tool.watch.project, *tool.watch.mangle, tool.own.get("binding", {})]


BINDING = Gate(
    name="binding",
    about="whether what was proved is this very version",
    rules=1,
    judge=_judge,
    inputs=_inputs,
    policy=_policy,
    verdicts=BINDING_VERDICTS,
    settings={
        "member": keys.text(
            "a member of the archive, perhaps with wildcards (*/PKG-INFO), that states the version:"
            " a release is held where it states another one, or none"
        ),
        "pattern": keys.text(
            "an expression with the group version that finds it there; else what follows the word"
            " version"
        ),
    },
)

"""Send an upload at most once: each try is in the ledger before it is made.

A try that may have reached Launchpad is never followed by another one before the time is
over in which Launchpad would show it. One that cannot have reached it (see `system.dput`) is
repeated at once, with a pause that grows and varies, at the other host in turn.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from toolsync.model.errors import Held, Unreachable, Waiting
from toolsync.publish.follow import in_words
from toolsync.publish.target import Ledger
from toolsync.system.clock import Clock, parsed, stamp
from toolsync.system.dput import Sent, Server

Send = Callable[[Path, Server, Mapping[str, str]], Sent]
"""Takes a .changes, the server and the environment of the keyring."""

_FIRST, _LONGEST = 30.0, 480.0
"""Seconds of the pauses between tries, as Launchpad's users have found to work."""
_UNSURE = 3
"""Tries that came to nobody knows what, after which a person has to look."""


def may_send(ledger: Ledger, what: str, now: datetime, accept: timedelta) -> None:
    """Return when nothing is under way; call it when Launchpad shows nothing of the upload.

    Raises Waiting while an upload may still appear, Held when it is lost.
    """
    tries: list[dict[str, Any]] = list(ledger.detail.get("tries", []))
    if not tries or tries[-1]["result"] == "not-sent":
        return
    last = tries[-1]
    waited = max(now - parsed(last["at"]), timedelta())
    if waited < accept:
        if ledger.state == "claimed":
            ledger.note("sent")
        doubt = "" if last["result"] == "sent" else f" ({_doubt(last)})"
        raise Waiting(
            f"{what} was sent{doubt} {in_words(waited)} ago; Launchpad does not show it yet",
            resolution=f"Nothing is to be done: the next run looks again, for"
            f" {in_words(accept)} in all.",
        )
    unsure = sum(1 for one in tries if one["result"] in ("unknown", "sending"))
    if ledger.again or (last["result"] != "sent" and unsure < _UNSURE):
        return
    said = f"Launchpad shows nothing of {what}, {in_words(waited)} after it was sent"
    whom = "whoever asked for the copy" if "copy" in ledger.detail else "the owner of the key"
    ledger.note("lost", said=said)
    raise Held(
        f"{said}: it was rejected, or dropped without a word",
        resolution=f"A rejection is told by mail alone, to {whom}: read it."
        " Without one, look at `toolsync doctor --target` (is the key registered?). Then send"
        " it again: toolsync sync --retry.",
    )


def send_out(
    ledger: Ledger,
    changes: Path,
    servers: tuple[Server, ...],
    *,
    send: Send,
    env: Mapping[str, str],
    clock: Clock,
    retries: int,
) -> None:
    """Send what lies beside ``changes``; when this returns it was sent, or may have been.

    Raises Unreachable when it certainly was not.
    """
    said = ""
    for number in range(retries + 1):
        server = servers[number % len(servers)]
        if number:
            clock.sleep(min(_FIRST * 2 ** (number - 1), _LONGEST) * random.uniform(0.75, 1.25))
        tries = list(ledger.detail.get("tries", []))
        mark = {"at": stamp(clock.now()), "host": server.host, "result": "sending", "said": ""}
        ledger.note("claimed", tries=[*tries, mark])
        sent = send(changes, server, env)
        told = {**mark, "result": sent.result, "said": sent.said}
        state = "claimed" if sent.result == "not-sent" else "sent"
        ledger.note(state, tries=[*tries, told])
        if sent.result != "not-sent":
            return
        said = f"{server.host}: {sent.said}"
    raise Unreachable(
        f"no server took {changes.name} in {retries + 1} tries; the last word: {said}",
        resolution="Run again later; [ppa] host, alternative and method name other ways.",
    )


def both(server: Server, alternative: str) -> tuple[Server, ...]:
    """Return the server and, where one is named, its alternative."""
    other = (replace(server, host=alternative),) if alternative else ()
    return (server, *(one for one in other if one.host != server.host))


def _doubt(one: Mapping[str, Any]) -> str:
    if one["result"] == "sending":
        return "the run was stopped meanwhile, so it may not have arrived"
    return f"dput said: {one['said']}"

"""Answer browsers with waitress, and keep the states up to date meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from waitress.server import create_server

from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.maintain.overview import refresh
from toolsync.model.errors import SetupError, ToolsyncError, UsageError, unforeseen
from toolsync.system import stop
from toolsync.system.activated import given_sockets, name_of
from toolsync.system.underway import step
from toolsync.web import guard
from toolsync.web.app import application
from toolsync.web.request import Shared, context_of

_PAUSE = 10.0
"""Seconds between two looks at what is out of date."""
_THREADS = 12
_LIMITS: Mapping[str, object] = {
    "ident": None,
    "threads": _THREADS,
    "max_request_body_size": guard.LARGEST,
    "max_request_header_size": 32 * 1024,
    "channel_timeout": 60,
    "clear_untrusted_proxy_headers": False,
}
Tell = Callable[[str], None]


def serve(load: Callable[[], Config], listen: str, tell: Tell, errand: Sequence[str] = ()) -> None:
    """Answer until we are told to stop; ``tell`` is given what happens, a line each.

    ``errand`` is the command line that does what reviewers ask for.

    A socket that systemd has opened for us is listened to in place of ``listen``.
    """
    given = given_sockets()
    listen = name_of(given[0]) if given else listen
    app, shared = application(load, listen=listen, errand=errand)
    place = {"sockets": given} if given else _place(listen)
    try:
        server = create_server(app, **_LIMITS, **place)  # type: ignore[arg-type]
    except (OSError, ValueError) as error:
        raise SetupError(
            f"{listen} cannot be listened to: {getattr(error, 'strerror', error)}",
            resolution="End what listens there, or name another place with --listen.",
        ) from error
    keeper = threading.Thread(target=_keep, args=(shared, tell), name="keeper", daemon=True)
    keeper.start()
    address = listen if listen.startswith("unix:") else f"http://{listen}/"
    tell(f"serving on {address}; Ctrl-C ends it")
    with stop.ended_by(server.close):
        server.run()


def _place(listen: str) -> dict[str, object]:
    if listen.startswith("unix:"):
        path = Path(listen.removeprefix("unix:"))
        if path.is_socket():
            path.unlink()  # of a server that was killed
        return {"unix_socket": str(path), "unix_socket_perms": "660"}
    host, colon, port = listen.rpartition(":")
    if not (colon and host and port.isdecimal() and int(port) < 65536):
        raise UsageError(
            f"{listen!r} is no place to listen at; wanted: ADDRESS:PORT or unix:PATH",
            resolution="For this machine alone: --listen 127.0.0.1:8765",
        )
    return {"listen": listen}


def _keep(shared: Shared, tell: Tell) -> None:
    """Look where somebody asked for it, until the process ends, and bring statuses up to date.

    Where the server may only read, ``toolsync keep`` does the latter.
    """
    pause = 0.0  # what is not computed yet is so at once
    while not stop.begun():
        shared.hearing.asked.wait(pause)
        pause = _PAUSE
        if names := _asked(shared):
            tell(f"looking at {', '.join(names[:5])}{' …' if len(names) > 5 else ''}")
        try:
            if names:
                look(shared, names)
            if not shared.acting.reads:
                with context_of(shared.setup.load(), shared) as context:
                    refresh(context, shared.plan)
        except ToolsyncError as error:
            tell(f"{error} → {error.resolution}")
        except Exception as error:  # noqa: BLE001 (the pages go on; it is tried again soon)
            tell(str(unforeseen(error)))


def _asked(shared: Shared) -> tuple[str, ...]:
    if not shared.hearing.asked.is_set():
        return ()
    shared.clock.sleep(shared.hearing.seconds)  # more of the same may come
    return shared.hearing.take()


def look(shared: Shared, names: tuple[str, ...]) -> None:
    """Look at some tools' pages, and remember what they gave."""
    config = shared.setup.load()
    found = (shared.plan.one(config, name) for name in names)
    tools = [one.found for one in found if one is not None and isinstance(one.found, Tool)]
    with step(f"looking at {', '.join(tool.name for tool in tools[:5])}"):
        shared.acting.look(partial(context_of, config, shared), tools)

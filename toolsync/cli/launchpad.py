"""``toolsync launchpad``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import click

from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE, Waiting

if TYPE_CHECKING:
    from toolsync.system.launchpadlogin import Authorization

_LONGEST = 10.0
"""Seconds between two questions to Launchpad."""


@click.group("launchpad")
def command() -> None:
    """Log in to Launchpad, which is needed for private PPAs and to copy packages.

    Uploads need no login: there the signature counts.
    """


@command.command("login")
@click.option(
    "--wait",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=600.0,
    show_default=True,
    help="Without a terminal: how long to wait until it is allowed.",
)
@click.pass_obj
def login(settings: Settings, wait: float) -> int:
    """Get a token: open the address that is shown, in any browser, and allow it.

    Press Enter when that is done; without a terminal Launchpad is asked until it is, and a later
    login goes on with the same address. The token is kept in the state folder, readable by its
    owner alone; Launchpad can revoke it.
    """
    from toolsync.publish.openppa import launchpad_token
    from toolsync.system.launchpad import CONSUMER
    from toolsync.system.launchpadlogin import Authorization

    config = settings.load_as_owner()
    authorization = Authorization(config.ppa.api, CONSUMER, launchpad_token(config))
    say(f"Open this address, and allow access:\n  {authorization.url}")
    if sys.stdin.isatty():
        _ask(authorization)
    else:
        _poll(authorization, wait)
    return _tell(settings)


@command.command("whoami")
@click.pass_obj
def whoami(settings: Settings) -> int:
    """Say who is logged in, and whether Launchpad still takes the token."""
    return _tell(settings)


@command.command("logout")
@click.pass_obj
def logout(settings: Settings) -> int:
    """Forget the token. To revoke it too, see +oauth-tokens on your Launchpad page."""
    from toolsync.publish.openppa import launchpad_token
    from toolsync.system.launchpadlogin import request_of

    path = launchpad_token(settings.load_as_owner())
    known = path.is_file()
    path.unlink(missing_ok=True)
    request_of(path).unlink(missing_ok=True)
    say("logged out" if known else "nobody was logged in")
    return FINE


def _ask(authorization: Authorization) -> None:
    """Ask whoever sits there whether it is done, until it is."""
    while not authorization.finish():
        click.prompt("Then press Enter", default="", show_default=False, prompt_suffix=" ")


def _poll(authorization: Authorization, seconds: float) -> None:
    """Ask Launchpad, less and less often; raise Waiting when the seconds are over."""
    from toolsync.system.clock import SystemClock

    clock, pause = SystemClock(), 1.0
    end = clock.monotonic() + seconds
    while not authorization.finish():
        if clock.monotonic() + pause > end:
            raise Waiting(
                "nobody has allowed it at Launchpad yet",
                resolution="Open the address and allow it, then run again: toolsync launchpad"
                " login goes on with the same one.",
            )
        clock.sleep(pause)
        pause = min(pause * 1.5, _LONGEST)


def _tell(settings: Settings) -> int:
    from toolsync.publish.openppa import open_launchpad
    from toolsync.system.clock import SystemClock

    api = open_launchpad(settings.load_as_owner(), SystemClock())
    say("nobody is logged in" if api.is_anonymous else f"logged in as ~{api.me()}")
    return FINE

"""``toolsync launchpad``."""

from __future__ import annotations

import click

from toolsync.cli.session import Settings, say
from toolsync.model.errors import FINE


@click.group("launchpad")
def command() -> None:
    """Log in to Launchpad, which is needed for private PPAs and to copy packages.

    Uploads need no login: there the signature counts.
    """


@command.command("login")
@click.pass_obj
def login(settings: Settings) -> int:
    """Get a token: open the address that is shown, allow it, come back and press Enter.

    It is kept in the state folder, readable by its owner alone; Launchpad can revoke it.
    """
    from toolsync.publish.openppa import launchpad_token
    from toolsync.system.launchpad import CONSUMER
    from toolsync.system.launchpadhttp import Authorization

    config = settings.load_as_owner()
    path = launchpad_token(config)
    authorization = Authorization(config.ppa.api, CONSUMER)
    say(f"Open this address, and allow access:\n  {authorization.url}")
    click.prompt("Then press Enter", default="", show_default=False, prompt_suffix=" ")
    authorization.finish(path)
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

    path = launchpad_token(settings.load_as_owner())
    known = path.is_file()
    path.unlink(missing_ok=True)
    say("logged out" if known else "nobody was logged in")
    return FINE


def _tell(settings: Settings) -> int:
    from toolsync.publish.openppa import open_launchpad
    from toolsync.system.clock import SystemClock

    api = open_launchpad(settings.load_as_owner(), SystemClock())
    say("nobody is logged in" if api.is_anonymous else f"logged in as ~{api.me()}")
    return FINE

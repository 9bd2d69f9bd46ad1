"""``toolsync user``: who may read and who may decide in a browser."""

from __future__ import annotations

import sys
from datetime import timedelta
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import Settings, opened, say
from toolsync.model.errors import FINE, UsageError
from toolsync.web.people import ROLES, checked_name, digest_of, new_token, secret_of

if TYPE_CHECKING:
    from toolsync.journal.accounts import Account
    from toolsync.pipeline.context import Context

_ROLE = click.Choice(ROLES)


@click.group("user")
def command() -> None:
    """Say who may read and who may decide in a browser (toolsync serve)."""


@command.command("add")
@click.argument("name")
@click.option("--role", type=_ROLE, default=ROLES[0], show_default=True, help="What NAME may do.")
@click.pass_obj
def add(settings: Settings, name: str, role: str) -> int:
    """Make an account for NAME, whose password is asked for (or read from the standard input)."""
    checked_name(name)
    with opened(settings) as context:
        if context.journal.accounts.get(name):
            raise UsageError(
                f"there is an account {name} already",
                resolution=f"Change it with: toolsync user passwd {name}, or toolsync user role.",
            )
        context.journal.accounts.keep(name, role, secret_of(_password()))
    say(f"{name} may log in as a {role}.")
    return FINE


@command.command("passwd")
@click.argument("name")
@click.pass_obj
def passwd(settings: Settings, name: str) -> int:
    """Give NAME another password; whoever is logged in by the old one is so no longer."""
    with opened(settings) as context:
        account = _account(context, name)
        context.journal.accounts.keep(name, account.role, secret_of(_password()))
    say(f"{name} has another password.")
    return FINE


@command.command("role")
@click.argument("name")
@click.argument("role", type=_ROLE)
@click.pass_obj
def set_role(settings: Settings, name: str, role: str) -> int:
    """Let NAME be a reader or a reviewer from now on."""
    with opened(settings) as context:
        account = _account(context, name)
        context.journal.accounts.keep(name, role, account.secret)
    say(f"{name} is a {role}.")
    return FINE


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(settings: Settings, name: str) -> int:
    """Remove NAME's account and tokens; what NAME decided stays, with the name."""
    with opened(settings) as context:
        _account(context, name)
        context.journal.accounts.remove(name)
    say(f"{name} may log in no longer.")
    return FINE


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def list_(settings: Settings, as_json: bool) -> int:
    """List the accounts, and the tokens of each."""
    with opened(settings) as context:
        accounts, tokens = context.journal.accounts.all(), context.journal.accounts.tokens()
    rows = [
        {
            "name": account.name,
            "role": account.role,
            "changed": account.changed,
            "tokens": [
                {"name": token.name, "role": token.role, "ends": token.ends}
                for token in tokens
                if token.account == account.name
            ],
        }
        for account in accounts
    ]
    if as_json:
        render.as_json(rows)
    elif not rows:
        say("Nobody has an account. Make one with: toolsync user add NAME --role reviewer")
    else:
        ends = {a.name: [t for t in tokens if t.account == a.name] for a in accounts}
        lines = [
            (a.name, a.role, a.changed, ", ".join(f"{t.name} until {t.ends}" for t in ends[a.name]))
            for a in accounts
        ]
        render.table([("NAME", "ROLE", "CHANGED", "TOKENS"), *lines])
    return FINE


@command.command("token")
@click.argument("account")
@click.argument("name")
@click.option("--role", type=_ROLE, default=ROLES[0], show_default=True, help="Its scope.")
@click.option(
    "--days", type=click.IntRange(1, 3660), default=90, show_default=True, help="How long it holds."
)
@click.option("--remove", "is_removed", is_flag=True, help="Let the token hold no longer.")
@click.pass_obj
def token(
    settings: Settings, account: str, name: str, role: str, days: int, is_removed: bool
) -> int:
    """Print a new token NAME, by which a program may use the API for ACCOUNT; it is shown once."""
    from toolsync.journal.accounts import Token
    from toolsync.system.clock import stamp

    checked_name(name)
    with opened(settings) as context:
        owner, accounts = _account(context, account), context.journal.accounts
        if is_removed:
            if not accounts.remove_token(name):
                raise UsageError(f"there is no token {name}", resolution="See toolsync user list.")
            say(f"The token {name} holds no longer.")
            return FINE
        text, now = new_token(), context.clock.now()
        accounts.keep_token(
            Token(
                name=name,
                digest=digest_of(text),
                account=owner.name,
                role=role,
                made=stamp(now),
                ends=stamp(now + timedelta(days=days)),
            )
        )
    say(text)
    return FINE


def _account(context: Context, name: str) -> Account:
    found = context.journal.accounts.get(name)
    if found is None:
        raise UsageError(f"there is no account {name}", resolution="See toolsync user list.")
    return found


def _password() -> str:
    """Return a password that is typed twice, or the first line of the standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    return str(click.prompt("Password", hide_input=True, confirmation_prompt=True))

"""The entry point: global options, the visible table of commands, and the one catch.

Commands load when they are asked for, so that ``toolsync --help`` answers at once.
"""

from __future__ import annotations

import importlib
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from toolsync.cli.session import RegularFile, Settings, say
from toolsync.model.errors import USAGE, ToolsyncError, unforeseen
from toolsync.system import stop
from toolsync.system.memory import for_a_start
from toolsync.system.private import UMASK

COMMANDS = {
    "check": "Look at the release pages and say what is new.",
    "sync": "Take every new release as far as it may go.",
    "run": "Do what timer or cron want done: sync all, then tell what changed.",
    "fetch": "Fetch, verify and unpack one release into a folder.",
    "add": "Write a first tool.toml from a release page's address.",
    "adopt": "Follow existing Debian packaging: make a tool of it.",
    "status": "Show where every tool stands, without asking anybody.",
    "log": "Show what was done for a tool.",
    "why": "Say why a tool is at the version that it is at.",
    "review": "Show what waits for your decision, and all that you need for it.",
    "approve": "Let a release go on that a gate holds.",
    "reject": "Keep a release out that a gate holds.",
    "workspace": "Mend the packaging of a release by hand, and take what was mended.",
    "evidence": "Show the proof of a release, from its page to apt.",
    "audit": "Audit an archive's log of publications, also since a head that you kept.",
    "page": "Write a static site of all tools, their evidence and how to install.",
    "serve": "Show where every tool stands in a browser, and as JSON.",
    "errand": "Do what a reviewer asked for in a browser; toolsync serve starts it.",
    "keep": "Keep every status up to date for pages that may only read.",
    "user": "Say who may read in a browser, and make tokens for programs.",
    "doctor": "Say what is missing on this machine, and how to get it.",
    "archive": "Tell how to install from the archive or a PPA, or repair the archive.",
    "key": "Show, rotate, export or extend the key that signs the archive.",
    "series": "Show the series that are served, supported, and proposed; adopt one.",
    "promote": "Copy a release from a staging PPA to the stable one.",
    "launchpad": "Log in to Launchpad, for private PPAs and copies.",
    "verify": "Verify a file against a tool's pinned keys or digests.",
    "repack": "Make the orig tarball of an archive.",
    "license": "Compare the license terms of two archives or folders.",
    "compat": "Say what users of one release would miss in another.",
    "scrub": "Digest store and archive; name what is damaged, and mend it.",
    "gc": "Remove what no release in use needs.",
    "backup": "Write all that cannot be had again into one file.",
    "worker": "Do tasks for a fleet's coordinator, on this machine.",
    "fleet": "Show a fleet's workers, what runs, what waits and what was given up.",
    "journal": "Copy the journal into another database, such as a fleet's.",
    "retire": "Take a tool out of the plan, with or without what is served of it.",
    "restore": "Put a backup into an empty state folder.",
    "completion": "Print what makes a shell complete commands and options.",
}


class _Commands(click.Group):
    """Loads ``toolsync.cli.NAME`` for the command NAME of the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command, loading its module; None if there is none of this name."""
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"toolsync.cli.{cmd_name}")
        command: click.Command = module.command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands of ``--help`` without loading them."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--config",
    type=RegularFile(exists=False),
    envvar="TOOLSYNC_CONFIG",
    help="The settings file, instead of /etc/toolsync/toolsync.toml or your own.",
)
@click.option(
    "--state",
    type=click.Path(path_type=Path, file_okay=False),
    envvar="TOOLSYNC_STATE",
    help="The folder of journal, store and archive.",
)
@click.option("--verbose", "-v", is_flag=True, help="Tell more of what is done.")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
@click.version_option(package_name="toolsync")
@click.pass_context
def group(
    ctx: click.Context, config: Path | None, state: Path | None, verbose: bool, debug: bool
) -> None:
    """Keep vendors' cloud tools in sync in an apt archive, with proof of every step.

    Exit status: 0 fine, 1 a bug of ours, 2 usage, 3 something is held for a person,
    4 try again later, 5 the set-up must be mended.
    """
    ctx.obj = Settings(config=config, state=state, verbose=verbose, debug=debug)


def main() -> NoReturn:
    """Run the command line and exit with the status that its help promises."""
    debug = "--debug" in sys.argv[1:]
    for_a_start()
    stop.listen()
    os.umask(UMASK)  # what is secret has its own modes, and what is served is for all
    try:
        status = group.main(prog_name="toolsync", standalone_mode=False)
    except ToolsyncError as error:
        _trace(debug)
        _complain(str(error), error.resolution)
        status = error.exit_status
    except click.ClickException as error:
        error.show()
        status = USAGE
    except (KeyboardInterrupt, click.Abort):
        stop.leave()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # nobody reads on: leave quietly
        status = 0
    except Exception as error:  # noqa: BLE001 (where a bug becomes a sentence)
        _trace(debug)
        told = unforeseen(error)
        _complain(str(told), told.resolution)
        status = told.exit_status
    sys.exit(status if isinstance(status, int) else 0)


def _trace(debug: bool) -> None:
    if debug:
        import traceback

        traceback.print_exc()


def _complain(message: str, resolution: str) -> None:
    say(f"toolsync: {message}", err=True)
    if resolution:
        say(f"  → {resolution}", err=True)

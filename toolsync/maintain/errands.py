"""What a reviewer asks for in a browser, done by the functions of the command line.

Each errand is written to the log with the person who asked, and comes to a sentence.
"""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.adopt.follow import follow_packaging
from toolsync.config.definition import Tool
from toolsync.journal.key import Key
from toolsync.journal.log import ASKED, ENDED
from toolsync.maintain.errand import Act, Done, Errand, Tell, failed
from toolsync.maintain.errand import errand_of as checked
from toolsync.maintain.forpages import AT_ONCE
from toolsync.maintain.proposing import adopt, propose
from toolsync.maintain.retire import Wish, in_plan, resume, retire
from toolsync.model.errors import FINE, ToolsyncError, UsageError, unforeseen
from toolsync.model.release import Outcome
from toolsync.pipeline.context import Context
from toolsync.pipeline.promote import promote_version
from toolsync.pipeline.status import faulty
from toolsync.pipeline.sync import sync
from toolsync.report.sentences import of_outcome
from toolsync.setup.tools import followed_tool, load_tools

FINE_WORD, NOT = "done: ", "not done: "
"""How the line of the log begins that tells what came of it."""


def errand_of(question: Mapping[str, object], acts: Mapping[str, Act] | None = None) -> Errand:
    """Return what somebody asks for; raise UsageError where it cannot mean anything.

    Without ``acts`` only what is asked for in a browser or by the API is known.
    """
    known = ACTS if acts is None else acts
    return checked(question, {name: act.needs for name, act in known.items()})


def write_down(context: Context, errand: Errand) -> None:
    """Log what a person asks for, before anything is done or waited for."""
    if errand.act in ACTS:
        said = " ".join(filter(None, (errand.act, errand.url, errand.reason)))
        context.journal.log.add(_key(errand), ASKED, f"by {errand.who}: {said}")


def do(context: Context, errand: Errand, tell: Tell) -> Done:
    """Do what is asked for, and log what came of it; never raises: an error is an answer."""
    try:
        done = EVERY[errand.act].do(context, errand, tell)
    except ToolsyncError as error:
        done = failed(error)
    except Exception as error:  # noqa: BLE001 (whoever asked is told)
        done = failed(unforeseen(error))
    if errand.act in ACTS:
        came = " ".join(filter(None, (done.message, done.resolution)))
        context.journal.log.add(_key(errand), ENDED, f"{FINE_WORD if done.fine else NOT}{came}")
    return done


def _key(errand: Errand) -> Key:
    name = errand.tool or errand.name
    return Key(tool=name, version=errand.version, stage="", scope=errand.number)


def _retry(context: Context, errand: Errand, tell: Tell) -> Done:
    """Take a tool's releases as far as they may go, also what failed though nothing changed."""
    tools = in_plan(context, (followed_tool(context.config, errand.tool),), named=True)
    if any(tool.watch.is_folder for tool in tools):
        tools = follow_packaging(context, tools, tell)
    (outcome,) = sync(context, tools, context.config.jobs, dry_run=False, retry=True)
    told = of_outcome(outcome)
    todo = " ".join(filter(None, (told.matters, told.todo)))
    return Done(fine=outcome.exit_status == FINE, message=told.happened, resolution=todo)


def _promote(context: Context, errand: Errand, tell: Tell) -> Done:
    """Copy a release from staging to where instances install from."""
    origin, target = context.config.ppa.staging, context.config.target
    if not origin or not target.startswith("ppa:"):
        raise UsageError(
            "there is no staging PPA from which anything could be promoted",
            resolution="Set [ppa] staging in toolsync.toml.",
        )
    tell(f"copying from {origin} to {target}")
    done = promote_version(
        context,
        followed_tool(context.config, errand.tool),
        errand.version,
        origin,
        untested=False,
        early=errand.early,
    )
    where = ", ".join(done)
    return Done(fine=True, message=f"{errand.version} is served by {target}: {where}")


def _retire(context: Context, errand: Errand, _: Tell) -> Done:
    """Take a tool out of the plan; what is published of it goes on being served."""
    tools, faulty = _all(context)
    done = retire(context, _wish(errand), tools, faulty)
    return Done(fine=True, message=f"{done.tool} is retired; what is served of it stays")


def _resume(context: Context, errand: Errand, _: Tell) -> Done:
    """Follow a retired tool again."""
    done = resume(context, _wish(errand), _all(context)[0])
    return Done(fine=True, message=f"{done.tool} is followed again, from the next run on")


def _wish(errand: Errand) -> Wish:
    return Wish(tool=errand.tool, who=errand.who, reason=errand.reason)


def _all(context: Context) -> tuple[tuple[Tool, ...], tuple[Outcome, ...]]:
    tools, faults = load_tools(context.config)
    return tools, tuple(faulty(name, error) for name, error in faults.items())


ACTS: Mapping[str, Act] = {
    "retry": Act(do=_retry, needs=("tool",), lock="sync", words="Try again", seconds=43200),
    "promote": Act(
        do=_promote, needs=("tool", "version"), lock="promote", words="Promote", seconds=7200
    ),
    "retire": Act(
        do=_retire, needs=("tool", "reason"), lock="retire", words="Retire", seconds=7200
    ),
    "resume": Act(
        do=_resume, needs=("tool", "reason"), lock="retire", words="Follow again", seconds=7200
    ),
    "propose": Act(do=propose, needs=("url",), lock="", words="Look at an address", seconds=900),
    "adopt": Act(
        do=adopt, needs=("url", "shown"), lock="", words="Make a tool of an address", seconds=900
    ),
}
"""All that can be asked for in a browser, by the word that asks for it."""

EVERY = {**ACTS, **AT_ONCE}
"""All that is done behind the door."""

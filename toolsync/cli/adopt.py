"""``toolsync adopt``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from toolsync.cli import render
from toolsync.cli.session import RegularFile, Settings, opened, say
from toolsync.model.errors import FINE, ToolsyncError, UsageError, gravest

if TYPE_CHECKING:
    from toolsync.adopt.adoption import Adoption

_EXAMPLES = """\b
Examples:
  toolsync adopt ./liburing-2.3          a folder with debian/
  toolsync adopt less_590-2.dsc          a source package
  toolsync adopt apt:less                what the archives have that is nearest to the release
  toolsync adopt apt:less/bookworm       one series' own, verified by apt
  toolsync adopt git:https://salsa.example/less.git#debian/latest
  toolsync adopt --from names            what a file names, one a line
"""


@click.command("adopt", epilog=_EXAMPLES)
@click.argument("sources", nargs=-1, metavar="[SOURCE]...")
@click.option("--from", "listed", type=RegularFile(), help="A file of SOURCEs, one a line.")
@click.option("--installed", is_flag=True, help="All source packages that this machine has.")
@click.option("--report", is_flag=True, help="Say where each adopted tool stands, and why.")
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path, file_okay=False),
    help="The folder that gets the tools' folders, instead of your own folder of tools.",
)
@click.option("--dry-run", is_flag=True, help="Show what is found; write nothing.")
@click.option("--json", "as_json", is_flag=True, help="Print a list of objects.")
@click.pass_obj
def command(
    settings: Settings,
    sources: tuple[str, ...],
    listed: Path | None,
    installed: bool,
    report: bool,
    output: Path | None,
    dry_run: bool,
    as_json: bool,
) -> int:
    """Follow existing Debian packaging: make a tool of it, which `sync` takes the whole way.

    SOURCE is a folder with debian/, a .dsc, apt:NAME[/SERIES] or git:ADDRESS[#BRANCH]. Without a
    SERIES it is the packaging that is nearest to the newest release, and can be built. What is
    found of its release page, its proof, its patches and its build dependencies is shown.
    Adopted again, packaging that nobody changed here is renewed.
    """
    from toolsync.adopt.add import default_place
    from toolsync.adopt.adopt import adopt

    if report:
        return _report(settings, as_json)
    names = [*sources, *(_listed(listed) if listed else ()), *(_installed() if installed else ())]
    if not names:
        raise UsageError(
            "nothing was named to adopt",
            resolution="Name a folder with debian/, a .dsc, apt:NAME or git:ADDRESS.",
        )
    found: list[Adoption] = []
    faults: dict[str, ToolsyncError] = {}
    with opened(settings) as context:
        place = output or default_place(context.config)
        for name in dict.fromkeys(names):
            try:
                one = adopt(context, name, place, tell=_aside, dry_run=dry_run)
            except ToolsyncError as error:
                faults[name] = error
                continue
            found.append(one)
            if not as_json:
                _show(one)
    if len(names) == 1 and faults:
        raise next(iter(faults.values()))
    if as_json:
        render.as_json([*map(_object, found), *(_fault(n, e) for n, e in faults.items())])
    elif faults or len(found) > 1:
        for name, fault in faults.items():
            say(f"{name}: not adopted: {fault}\n  → {fault.resolution}")
        say(f"{len(found)} of {len(found) + len(faults)} were adopted")
    return gravest(error.exit_status for error in faults.values()) if faults else FINE


def _aside(line: str) -> None:
    say(line, err=True)


def _listed(path: Path) -> list[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    words = [line.partition(" #")[0].strip() for line in lines if not line.startswith("#")]
    return [_named(word) for word in words if word]


def _named(word: str) -> str:
    """Return a word of a list as a SOURCE: a bare name is one of the archives'."""
    bare = "/" not in word and ":" not in word and not word.endswith(".dsc")
    return f"apt:{word}" if bare else word


def _installed() -> list[str]:
    from toolsync.system.run import run

    done = run("dpkg-query", "--show", "--showformat=${source:Package}\n", timeout=60)
    return [f"apt:{name}" for name in sorted(set(done.out.split()))]


def _show(found: Adoption) -> None:
    served = ", ".join(f"{series} {version}" for series, version in found.served.items())
    rows = [
        ("packaging", f"{found.said}, version {found.version}"),
        ("release page", found.page or "-"),
        ("newest", found.newest or "not known"),
        ("proof", found.proof),
        ("license", ", ".join(found.licenses[:6]) or "debian/copyright names none"),
        ("patches", f"{len(found.patches)}: {', '.join(found.patches[:6])}" if found.patches
            else "none"),
        ("served", served or "not by the archives that were looked into"),
        *((f"lacks on {series}", "; ".join(lacks)) for series, lacks in found.lacks.items()),
        *(("lintian before", error) for error in found.lintian),
    ]  # fmt: skip
    say(f"{found.name}")
    render.table([(f"  {head}", text) for head, text in rows])
    for sentence in found.undecided:
        say(f"  ! {sentence}")
    if found.folder is None:
        say("  nothing was written")
    else:
        done = "written" if found.changed else "nothing has changed"
        say(f"  {done}: {found.folder}\n  → toolsync sync {found.name}")


def _object(found: Adoption) -> dict[str, object]:
    return {
        "tool": found.name,
        "source": found.said,
        "version": found.version,
        "newest": found.newest or None,
        "url": found.page or None,
        "proof": found.proof,
        "licenses": list(found.licenses),
        "patches": list(found.patches),
        "lacks": {series: list(lacks) for series, lacks in found.lacks.items()},
        "served": dict(found.served),
        "lintian": list(found.lintian),
        "undecided": list(found.undecided),
        "folder": str(found.folder) if found.folder else None,
        "changed": found.changed,
    }


def _fault(name: str, error: ToolsyncError) -> dict[str, object]:
    return {"source": name, "tool": None, "message": str(error), "resolution": error.resolution}


def _report(settings: Settings, as_json: bool) -> int:
    """Say where each adopted tool stands, and how many go through unattended."""
    from toolsync.adopt.adopt import adopted
    from toolsync.pipeline.outcome import last_standing

    with opened(settings) as context:
        rows = []
        for tool, said in adopted(context.config):
            outcome = last_standing(context, tool)
            taken = context.journal.uploads.of(tool.name)
            decided = context.journal.decisions.of(tool.name)
            status = outcome.status if outcome else "never looked at"
            alone = any(upload.state == "confirmed" for upload in taken) and not decided
            why = outcome.message if outcome else ""
            rows.append({"tool": tool.name, "source": said, "status": status,
                         "unattended": alone, "message": why})  # fmt: skip
    if as_json:
        render.as_json(rows)
        return FINE
    head = ("TOOL", "STATUS", "UNATTENDED", "WHY")
    short = [(str(r["tool"]), str(r["status"]), "yes" if r["unattended"] else "no",
              (str(r["message"]).splitlines() or [""])[0][:100]) for r in rows]  # fmt: skip
    render.table([head, *short])
    say(f"{sum(1 for r in rows if r['unattended'])} of {len(rows)} went through unattended")
    return FINE

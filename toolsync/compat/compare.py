"""Compare two surfaces: old names that are gone, new ones, and values that changed.

The rules are one table; what a value's change means is told by one function per kind.
Rules: what users relied on and miss is breaking, what may act differently is risky, what is
merely there in addition is additive, what nobody could examine is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from toolsync.compat import golang
from toolsync.compat.change import Change, ordered
from toolsync.compat.models import members
from toolsync.compat.options import Option
from toolsync.compat.runtimes import beyond, carried, raised
from toolsync.compat.surface import KINDS, Names, Surface

_LETTERS = re.compile(r"-(?=.*[a-z])(?=.*[A-Z].*[A-Z])(?!.*(.).*\1)[A-Za-z]{3,}")
OF_OLD = "of the old release: "
_SHOWN = 300
_CLOSE = re.compile(r"\s*([^\w\s])\s*")
"""A sign with blanks around it, which mean nothing in C."""

Finding = tuple[str, str]
"""A severity and its proof."""
Prober = Callable[[str, str, Option], Finding | None]
"""Tries an option that is no longer named: command, option, what was known of it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What it means when a name of a kind goes, comes, or has another value."""

    gone: str
    new: str
    changed: Callable[[str, str, str], Iterator[tuple[str, str, str]]]
    """Takes name, old and new value; gives (name, severity, proof)."""


def _same(_name: str, _old: str, _new: str) -> Iterator[tuple[str, str, str]]:
    yield from ()


def _risky(name: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    yield name, "risky", f"was {old or 'nothing'}, is {new or 'nothing'}"


def _option(name: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """Compare what is known of an option in both releases."""
    was, now = Option.read(name, old), Option.read(name, new)
    quiet = now.hidden and not was.hidden  # kept for old callers: whoever hid it saw to them
    if {was.takes, now.takes} == {"value", "flag"} and not quiet:
        yield name, "breaking", f"took a {was.takes}, takes a {now.takes}"
    if now.required and not was.required:
        yield name, "breaking", "it was optional and must now be given"
    if was.required and not now.required:
        yield name, "additive", "it had to be given and is now optional"
    gone = set(was.choices) - set(now.choices) if now.choices else set()
    if gone:
        yield name, "breaking", f"no longer takes {', '.join(sorted(gone))}"
    if was.choices and (not now.choices or set(now.choices) - set(was.choices)):
        yield name, "additive", "takes more than before"
    if now.choices and not was.choices:
        yield name, "risky", f"took anything, takes only {', '.join(now.choices)}"
    if quiet:
        yield name, "risky", "the help no longer shows it, though it is still accepted"
    if was.hidden and not now.hidden:
        yield name, "additive", "the help now shows it"


def _operation(name: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """Compare the input members of an operation."""
    was, now = members(old), members(new)
    for member in sorted(was.keys() | now.keys()):
        full = f"{name}.{member}"
        if member not in now:
            yield full, "breaking", f"the input member (a {was[member][0]}) was removed"
        elif member not in was and now[member][1]:
            yield full, "breaking", f"a new required input member (a {now[member][0]})"
        elif member not in was:
            yield full, "additive", f"a new input member (a {now[member][0]})"
        else:
            if was[member][0] != now[member][0]:
                yield full, "breaking", f"its type was {was[member][0]}, is {now[member][0]}"
            if now[member][1] and not was[member][1]:
                yield full, "breaking", "it was optional and is now required"
            if was[member][1] and not now[member][1]:
                yield full, "additive", "it was required and is now optional"


def _dependency(name: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """A newer major version may behave in other ways; a change within one is expected not to."""
    was, now = _major(old), _major(new)
    if now != was:
        yield name, "risky", f"wanted {old or 'any version'}, wants {new}"


def _symbol(name: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """A program holds a copy of data of the size that it was linked with; code has none."""
    severity = "breaking" if old.split()[0] != new.split()[0] else "risky"
    yield name, severity, f"was {old}, is {new}"


def _type(name: str, old: str, new: str) -> Iterator[tuple[str, str, str]]:
    """Programs know a type's members and their order; an enumeration may grow at its end."""
    if _CLOSE.sub(r"\1", old) == _CLOSE.sub(r"\1", new):
        return
    grown = name.startswith("enum ") and new.startswith(old.rstrip(" ,"))
    severity = "additive" if grown else "risky"
    yield name, severity, f"its members were {{ {_short(old)} }}, are {{ {_short(new)} }}"


def _short(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]} …"


def _major(spec: str) -> str | None:
    """Return the major version (0.x: with the minor one) of the lower bound in a requirement."""
    bound = re.search(r"(?:>=|==|~=|~>|>|\^)=?(\d+)(?:\.(\d+))?", spec)
    if bound is None:
        return None
    return bound[1] if bound[1] != "0" else f"0.{bound[2] or 0}"


RULES: Mapping[str, Rule] = {
    "command": Rule(gone="breaking", new="additive", changed=_same),
    "subcommand": Rule(gone="breaking", new="additive", changed=_same),
    "option": Rule(gone="breaking", new="additive", changed=_option),
    "exit-code": Rule(gone="", new="", changed=_risky),
    "version-output": Rule(gone="", new="", changed=_risky),
    "api": Rule(gone="risky", new="additive", changed=_risky),
    "service": Rule(gone="breaking", new="additive", changed=_risky),
    "operation": Rule(gone="breaking", new="additive", changed=_operation),
    "runtime": Rule(gone="", new="", changed=_same),
    "dependency": Rule(gone="additive", new="risky", changed=_dependency),
    "environment": Rule(gone="risky", new="additive", changed=_same),
    "package": Rule(gone="breaking", new="additive", changed=_same),
    "library": Rule(gone="breaking", new="additive", changed=_same),
    "symbol": Rule(gone="breaking", new="additive", changed=_symbol),
    "header": Rule(gone="breaking", new="additive", changed=_same),
    "type": Rule(gone="risky", new="additive", changed=_type),
    "pkg-config": Rule(gone="breaking", new="additive", changed=_same),
    "alternative": Rule(gone="breaking", new="additive", changed=_same),
    "conffile": Rule(gone="breaking", new="additive", changed=_same),
    "path": Rule(gone="breaking", new="additive", changed=_same),
}
"""What changes mean, by kind; an empty severity is no change (it was not looked at before)."""


def compare(
    old: Surface, new: Surface, *, series: tuple[str, ...] = (), prober: Prober | None = None
) -> tuple[Change, ...]:
    """Return what changed from old to new, gravest first.

    ``series`` are those for which the tool is built: a runtime floor above one is breaking.
    ``prober`` tries vanished options on the new release; without one, they count by its sources.
    """
    if old.digest and old.digest == new.digest:
        return ()
    found = [*_gaps(old, new), *_runtimes(old, new, series)]
    for kind in KINDS:
        was, now = old.of(kind), new.of(kind)
        if kind == "path":
            was, now = _merged_usr(was), _merged_usr(now)
        found += _kind(kind, was, now, old, new, prober)
    return ordered(found)


def _merged_usr(names: Names) -> Names:
    """Return names with /lib as /usr/lib: on a machine of today both are one folder."""
    return {f"usr/{name}" if name.startswith("lib/") else name: names[name] for name in names}


def _kind(
    kind: str, was: Names, now: Names, old: Surface, new: Surface, prober: Prober | None
) -> Iterator[Change]:
    """Yield the changes of one kind of names: gone, new, and with another value."""
    rule = RULES[kind]
    for name in was.keys() - now.keys():
        if rule.gone and not (_implied(kind, name, old, new) or _grown(kind, name, now)):
            severity, proof = rule.gone, f"only the old release has it{_at(was[name], kind)}"
            if kind == "option":
                severity, proof = _vanished(name, was[name], new, prober)
            yield Change(kind=kind, name=name, severity=severity, proof=proof)
    for name in now.keys() - was.keys():
        if rule.new and not _implied(kind, name, new, old):
            severity, proof = rule.new, f"only the new release has it{_at(now[name], kind)}"
            if kind == "option" and "required" in now[name].split():
                severity, proof = "breaking", "a new option that must be given"
            yield Change(kind=kind, name=name, severity=severity, proof=proof)
    for name in was.keys() & now.keys():
        if was[name] != now[name]:
            for full, severity, proof in rule.changed(name, was[name], now[name]):
                yield Change(
                    kind=_renamed(kind, full, name), name=full, severity=severity, proof=proof
                )


def _grown(kind: str, name: str, now: Names) -> bool:
    """Say whether a usage that puts single letters together (``[-aIN]``) names them and more.

    Letters count as such where there are two capitals among them and none is there twice; in a
    word of camel case that is rare, and all of its letters would have to be in another one.
    """
    scope, _, option = name.rpartition(" ")
    if kind != "option" or not _LETTERS.fullmatch(option):
        return False
    others = (other.rpartition(" ") for other in now)
    return any(
        place == scope and _LETTERS.fullmatch(more) and set(option) < set(more)
        for place, _, more in others
    )


def _renamed(kind: str, full: str, name: str) -> str:
    """Return the kind of a change: one inside an operation is one of a member."""
    return "member" if kind == "operation" and full != name else kind


def _at(value: str, kind: str) -> str:
    return f" ({value})" if value and kind in ("command", "api", "service", "dependency") else ""


def _implied(kind: str, name: str, having: Surface, lacking: Surface) -> bool:
    """Say whether a name goes or comes only because what holds it does."""
    if kind == "operation":
        service = name.partition(".")[0]
        return service not in lacking.of("service")
    if kind == "symbol":
        return name.split()[0] not in lacking.of("library")
    if kind == "path" and (package := golang.import_path(name)):
        # It is told of by its names; what was kept before these were read has its files alone.
        known = package in having.of("library") or package in lacking.of("library")
        return known or golang.is_hidden(package)
    if kind in ("option", "subcommand"):
        command, *rest = name.split()
        if command not in lacking.of("command"):
            return True
        scope = " ".join([command, *rest[:-1]])
        return (
            kind == "option"
            and scope != command
            and scope in having.of("subcommand")
            and scope not in lacking.of("subcommand")
        )
    return False


def _vanished(name: str, value: str, new: Surface, prober: Prober | None) -> Finding:
    """Say what it means that an option is no longer named: a probe goes before the sources."""
    scope, _, option = name.rpartition(" ")
    probed = prober(scope, option, Option.read(option, value)) if prober else None
    if probed:
        return probed
    longer = [o for o in new.of("option") if option.startswith("--") and o.startswith(name)]
    if longer:
        return "risky", f"no longer named; perhaps accepted as an abbreviation of {longer[0]}"
    if scope.split()[0] in new.vague:
        return (
            "unknown",
            "no longer named, but something else than the files that were read may still take it",
        )
    return "breaking", "nothing that the command loads names it any more"


def _gaps(old: Surface, new: Surface) -> Iterator[Change]:
    """Yield what could not be examined, as changes of severity ``unknown``."""
    for gap in new.gaps:
        yield Change(kind=gap.kind, name=gap.name, severity="unknown", proof=gap.reason, gap=True)
    known = {(gap.kind, gap.name) for gap in new.gaps}
    for gap in old.gaps:
        if (gap.kind, gap.name) not in known:
            proof = f"{OF_OLD}{gap.reason}"
            yield Change(kind=gap.kind, name=gap.name, severity="unknown", proof=proof, gap=True)
    if old.is_empty or new.is_empty:
        which = (
            "neither release has"
            if old.is_empty and new.is_empty
            else ("the old release has no" if old.is_empty else "the new release has no")
        )
        proof = f"{which} commands, libraries, service models or installed paths that could be read"
        yield Change(kind="tree", name="surface", severity="unknown", proof=proof, gap=True)


def _runtimes(old: Surface, new: Surface, series: tuple[str, ...]) -> Iterator[Change]:
    """Compare the floors of runtimes with each other and with what the series carry.

    A package that is installed from a series' archive runs with that series' own.
    """
    for runtime, wanted in new.of("runtime").items():
        before = old.of("runtime").get(runtime, "")
        if wanted == before:
            continue
        if not raised(before, wanted):
            proof = f"wanted {before}, wants only {wanted}"
            yield Change(kind="runtime", name=runtime, severity="additive", proof=proof)
            continue
        too_old = beyond(runtime, wanted, series)
        fits = old.installed and new.installed and carried(runtime, series) and not too_old
        severity = "breaking" if too_old else "additive" if fits else "risky"
        proof = f"wanted {before or 'nothing'}, wants {wanted}"
        proof += f", as {' and '.join(series)} have it" if fits else ""
        proof += "".join(f"; {name} has {version}" for name, version in too_old)
        yield Change(kind="runtime", name=runtime, severity=severity, proof=proof)

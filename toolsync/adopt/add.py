"""Write a first definition of a tool from nothing but its release page's address.

Every candidate is tried as it would be watched: the definition is written to a folder, read
back and looked at. The first that finds releases is proposed; what could not be decided stands
in it as a comment.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from toolsync.adopt.inside import Inside, packaging_of
from toolsync.adopt.propose import propose
from toolsync.config.packaging import SAY_HERE
from toolsync.config.settings import Config, Limits, shipped
from toolsync.http.client import Http
from toolsync.model.errors import Drifted, SetupError, ToolsyncError, UsageError
from toolsync.model.release import Blob, Release
from toolsync.model.text import escaped
from toolsync.pipeline.context import Context
from toolsync.setup.tools import TOOLS, ToolTables, load_tool
from toolsync.system.store import replace_file
from toolsync.verify.method import words_of
from toolsync.verify.methods import METHODS
from toolsync.watch.candidates import Candidate, usable_name
from toolsync.watch.look import look
from toolsync.watch.named import homes
from toolsync.watch.pages import Pages

_UNSIGNED = f"{SAY_HERE} why a list that no pinned key signs will do all the same"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """A definition that works, not yet written."""

    name: str
    kind: str
    files: Mapping[str, str]
    """Contents by path below the tool's folder."""
    releases: tuple[Release, ...]
    """What the page offers when it is watched so, newest first."""
    undecided: tuple[str, ...]
    system: str = ""
    """How it is built, empty where nothing told."""
    archive: Blob | None = None
    """The newest release's, in the store; None where it could not be read."""

    @property
    def toml(self) -> str:
        """The tool.toml."""
        return self.files["tool.toml"]


def propose_tool(
    context: Context,
    url: str,
    *,
    name: str,
    tell: Callable[[str], None],
    tables: ToolTables = TOOLS,
) -> Proposal:
    """Return a definition that watches ``url`` and finds releases there.

    ``name`` is the tool's, or empty for what the page tells. Raises Drifted when no way to read the
    page finds any, and what asking for it raises.
    """
    tried: list[str] = []
    kinds = tables.kinds
    # Named is what the operator gave; what is proposed of the page's own words is a page's.
    http = context.http.dressed(named=lambda: ((url,), homes(kinds.values())))
    context = replace(context, http=http)
    with Pages(context.http, context.config.limits) as pages:
        for candidate in propose(url, pages, name=name, tell=tell, kinds=kinds):
            kind = candidate.watch["kind"]
            try:
                return _tried(context, candidate, name, tell, tables)
            except ToolsyncError as error:
                tell(f"as {kind}: {error}")
                tried.append(f"\n  as {kind}: {error}")
    raise Drifted(
        f"{url} shows no releases that could be told from other things"
        + (f"; tried were:{''.join(tried)}" if tried else ""),
        resolution="Name a page that lists archives, tags or versions; or write tool.toml by hand,"
        " tool.toml(5) tells how.",
    )


def write_tool(proposal: Proposal, place: Path) -> Path:
    """Write the definition below ``place`` and return its folder; what is there already stays.

    Raises UsageError where a tool of that name is defined there.
    """
    folder = place / proposal.name
    if (folder / "tool.toml").exists():
        raise UsageError(
            f"{folder} defines a tool already",
            resolution="Give another name with --name, or another folder with --output.",
        )
    for path, text in sorted(proposal.files.items(), key=lambda item: item[0] == "tool.toml"):
        if not (folder / path).exists():
            mode = 0o755 if text.startswith("#!") else 0o644
            replace_file(folder / path, text.encode(), mode)
    return folder


def default_place(config: Config) -> Path:
    """Return the operator's own folder of tools; raises SetupError where there is none."""
    for place in config.tool_folders:
        if place != shipped() / "tools":
            return place
    raise SetupError(
        "these settings have no folder for tools of your own",
        resolution="Name one with --output, or write your own toolsync.toml.",
    )


def _tried(
    context: Context,
    candidate: Candidate,
    name: str,
    tell: Callable[[str], None],
    tables: ToolTables,
) -> Proposal:
    """Return the proposal of a candidate, after looking at the page by its definition."""
    tool = usable_name(name or candidate.name, candidate.watch["url"])
    proposal = _proposal(candidate, tool)
    tell(f"trying kind {proposal.kind}, pattern {candidate.watch.get('pattern', '-')}")
    with tempfile.TemporaryDirectory(prefix="toolsync-add-") as folder:
        made = load_tool(write_tool(proposal, Path(folder)), tables)
        sighting = look(made, http=context.http, limits=context.config.limits)
        tell(f"found {len(sighting.releases)} releases, the newest {sighting.newest.version}")
        known = _told_apart(candidate, sighting.newest, context.http, context.config.limits)
        home = _homepage(candidate.watch["url"])
        inside = packaging_of(context, made, sighting.newest, home, tell)
    return replace(_proposal(known, tool, inside), releases=sighting.releases)


def _proposal(candidate: Candidate, tool: str, inside: Inside | None = None) -> Proposal:
    """Return the files of a definition; without its packaging only to try how it watches."""
    homepage = _homepage(candidate.watch["url"])
    summary, packaging, questions = "", {"control": f"Source: {tool}\n"}, tuple[str, ...]()
    found = inside.scaffold if inside else None
    if found is not None:
        summary, homepage = found.metadata.summary, found.metadata.homepage
        packaging, questions = dict(found.files), found.questions
    asked = (*candidate.notes, *_open_questions(candidate), *questions)
    undecided = tuple(escaped(question) for question in asked)  # each is a comment of one line
    summary = summary or f"{tool}, as it is released at {urlsplit(homepage).netloc}"
    return Proposal(
        name=tool,
        kind=candidate.watch["kind"],
        files={
            "tool.toml": _toml(summary, homepage, candidate, undecided),
            **{f"debian/{path}": text for path, text in packaging.items()},
        },
        releases=(),
        undecided=undecided,
        system=found.system if found else "",
        archive=inside.archive if inside else None,
    )


def _pin_of(method: str) -> str:
    """Return the key of [verify] that pins who signs, for a method with a signature of its own."""
    record = METHODS.get(method)
    own = record is not None and record.endings and record.settings
    return record.signers[0] if record is not None and own else ""


def _told_apart(candidate: Candidate, release: Release, http: Http, limits: Limits) -> Candidate:
    """Return the candidate with the method that reads its signature: many kinds are a ``.sig``."""
    found = candidate.verify
    if found.get("method") != "openpgp" or not found["signature"].endswith(".sig"):
        return candidate
    url = found["signature"].format(**words_of(release))
    try:
        with Pages(http, limits) as pages:
            proof = pages(url, "*/*").body or b""
    except ToolsyncError:
        return candidate
    name = next((method.name for method in METHODS.values() if method.knows(proof)), "openpgp")
    return replace(candidate, verify={**found, "method": name})


def _homepage(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}/"


def _open_questions(candidate: Candidate) -> tuple[str, ...]:
    """Return what only a person can say before the definition is safe."""
    method = candidate.verify.get("method", "")
    if method == "sigstore":
        return (
            "whose identity signs, and who vouches for it: compare them with upstream's own"
            " documentation, put them into verify.identity and verify.issuer, and use the [verify]"
            " section in the comment",
        )
    if pin := _pin_of(method):
        return (
            f"whose {method} key signs: compare it with a second source, put it into verify.{pin},"
            " and use the [verify] section in the comment",
        )
    if method == "openpgp":
        return (
            "whose key signs: put upstream's armored key into keys/, its full fingerprint into"
            " verify.keys, and use the [verify] section in the comment",
        )
    if method == "checksums" and "checksums_signature" in candidate.verify:
        return (
            "whose key signs the checksums: put it into keys/, its full fingerprint into"
            " verify.keys, and add the line in the comment",
        )
    if method == "checksums":
        return (
            f"whether a list that nobody signs will do ({candidate.verify['checksums']}): it is no"
            " proof of origin, for who can change the files can change it; pins would be better",
        )
    if method:
        return ()
    return (
        "how releases are proved: no signature or list of checksums that could prove them lies"
        " beside the files, so each release waits until somebody has pinned its digest",
    )


def _toml(summary: str, homepage: str, candidate: Candidate, undecided: tuple[str, ...]) -> str:
    lines = [f"# To be decided: {question}." for question in undecided]
    lines += [f"summary = {_string(summary)}"]
    lines += [f"homepage = {_string(homepage)}", "", "[watch]"]
    lines += [f"{key} = {_value(value)}" for key, value in candidate.watch.items()]
    found = candidate.verify
    told = [f"{key} = {_value(value)}" for key, value in found.items()]
    pin = _pin_of(found.get("method", ""))
    if found.get("method") == "openpgp" or pin:
        pins = [f'# {pin} = ["KEY"]' if pin else '# keys = ["FINGERPRINT"]']
        if pin == "identity":
            pins = ['# identity = ["WHO"]', '# issuer = "https://ISSUER"']
        lines += ["", "# [verify]", *(f"# {line}" for line in told), *pins]
        told = ['method = "pins"']
    elif "checksums_signature" in found:
        told = [f"# {line}" if line.startswith("checksums_signature") else line for line in told]
    elif found.get("method") == "checksums":
        told += ["unsigned = true", f"reason = {_string(_UNSIGNED)}"]
    lines += ["", "[verify]", *(told or ['method = "pins"'])]
    return "\n".join(lines) + "\n"


def _value(value: object) -> str:
    if isinstance(value, list):
        return f"[{', '.join(map(_value, value))}]"
    return _string(str(value))


def _string(text: str) -> str:
    """Return a TOML string: a literal one for what has backslashes, as patterns do."""
    plain = text.isprintable() and "'''" not in text and not text.endswith("'")
    if "\\" in text and plain:
        return f"'''{text}'''"
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007F")

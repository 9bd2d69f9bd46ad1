"""The manual pages, written from the command tree and the records so that they agree.

``python3 -m toolsync.cli.manual FOLDER`` writes toolsync(1), toolsync.toml(5) and tool.toml(5),
as roff in the macros of man(7). SOURCE_DATE_EPOCH dates them.
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import MISSING, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

import click

from toolsync.cli.main import group
from toolsync.config import settings
from toolsync.config.record import Schema
from toolsync.setup.settings import SETTINGS
from toolsync.setup.tools import TOOLS
from toolsync.system.store import replace_file

Page: TypeAlias = Iterator[str]
"""Lines of roff."""
Default: TypeAlias = Callable[[str, str], str]
"""Returns the default of a section's key as TOML, empty where there is none."""
Sections: TypeAlias = (
    settings.Config
    | settings.Build
    | settings.Limits
    | settings.Local
    | settings.Ppa
    | settings.Report
    | settings.Web
    | settings.Webhook
    | settings.Compat
)

_EXITS = {
    0: "Fine.",
    1: "A bug of toolsync's.",
    2: "The command line cannot mean anything.",
    3: "Something is held for a person.",
    4: "Try again later: no network, a lock, a full disk.",
    5: "The set-up must be mended.",
    10: "check --exit-code: something is new.",
    130: "Stopped by Ctrl-C; what was finished is kept.",
}
_ENVIRONMENT = {
    "TOOLSYNC_CONFIG": "The settings file; --config goes before it.",
    "TOOLSYNC_STATE": "The state folder; --state goes before it.",
    "NO_COLOR": "Anything: print no colors.",
}
_FILES = {
    "/etc/toolsync/toolsync.toml": "The settings of the service and of root.",
    "~/.config/toolsync/toolsync.toml": "The settings of a person.",
    "/etc/toolsync/tools/NAME/": "A tool of your own; it wins over a shipped one of its name.",
    "/usr/share/toolsync/tools/NAME/": "The tools that are shipped.",
    "/var/lib/toolsync/": "Journal, store, signing key and archive of the service and of root.",
    "~/.local/state/toolsync/": "The same of a person.",
}
_WORDS = {
    "object": "table",
    "string": "text",
    "integer": "number",
    "boolean": "true or false",
    "array": "list",
}
_SECTIONS: Mapping[str, type[Sections]] = {
    "": settings.Config,
    "http": settings.Config,
    "build": settings.Build,
    "limits": settings.Limits,
    "local": settings.Local,
    "ppa": settings.Ppa,
    "report": settings.Report,
    "report.webhook": settings.Webhook,
    "compat": settings.Compat,
    "web": settings.Web,
}
"""Where the defaults of each section's keys stand."""


def pages() -> Mapping[str, str]:
    """Return the text of every page by its file's name."""
    return {
        "toolsync.1": _text("toolsync", 1, _commands()),
        "toolsync.toml.5": _text("toolsync.toml", 5, _settings()),
        "tool.toml.5": _text("tool.toml", 5, _tool()),
    }


def _text(name: str, section: int, lines: Page) -> str:
    seconds = os.environ.get("SOURCE_DATE_EPOCH")
    day = f"{datetime.fromtimestamp(int(seconds), UTC):%Y-%m-%d}" if seconds else ""
    head = f'.TH {name.upper()} {section} "{day}" toolsync'
    return "\n".join([head, *lines]) + "\n"


def _commands() -> Page:
    yield from _opening("toolsync", "keep vendors' cloud tools in sync in an apt archive")
    yield from (".B toolsync", "[\\fIOPTIONS\\fR] \\fICOMMAND\\fR [\\fIARGUMENTS\\fR]...")
    context = click.Context(group, info_name="toolsync")
    yield from (".SH DESCRIPTION", *_prose(group.help or ""))
    yield from (".SH OPTIONS", *_options(group, context))
    yield ".SH COMMANDS"
    for name in group.list_commands(context):
        yield from _command(group.get_command(context, name), name, context)
    yield from _table("EXIT STATUS", _EXITS)
    yield from _table("ENVIRONMENT", _ENVIRONMENT)
    yield from _table("FILES", _FILES)
    yield from (".SH SEE ALSO", _see("toolsync.toml(5)", "tool.toml(5)", "uscan(1)", "sbuild(1)"))


def _command(command: click.Command | None, name: str, parent: click.Context) -> Page:
    assert command is not None
    context = click.Context(command, info_name=name, parent=parent)
    words = " ".join([context.command_path, *command.collect_usage_pieces(context)])
    yield from (f'.SS "{_plain(words)}"', *_prose(command.help or ""))
    yield from _options(command, context)
    if isinstance(command, click.Group):
        for part in command.list_commands(context):
            yield from _command(command.get_command(context, part), part, context)


def _options(command: click.Command, context: click.Context) -> Page:
    for parameter in command.get_params(context):
        record = parameter.get_help_record(context)
        if record is not None and parameter.name != "help":
            yield from _item(*record)


def _settings() -> Page:
    yield from _opening("toolsync.toml", "settings of toolsync")
    yield from ("/etc/toolsync/toolsync.toml", ".br", "~/.config/toolsync/toolsync.toml")
    yield from (
        ".SH DESCRIPTION",
        *_prose(
            "The settings are TOML. Every key is optional, and one that is not known is an error."
            "\n\nThe file that is used is the one named by --config or TOOLSYNC_CONFIG, else the"
            " person's own, else that in /etc/toolsync, else the shipped one."
        ),
    )
    yield from _schema(SETTINGS.schema, _default)
    yield from (".SH SEE ALSO", _see("toolsync(1)", "tool.toml(5)"))


def _tool() -> Page:
    yield from _opening("tool.toml", "definition of a tool that toolsync follows")
    yield from ("/etc/toolsync/tools/\\fINAME\\fR/tool.toml", ".br")
    yield from ("/usr/share/toolsync/tools/\\fINAME\\fR/tool.toml", ".br")
    yield "/etc/toolsync/tools/\\fINAME\\fR.toml (what is added to a shipped one)"
    yield from (
        ".SH DESCRIPTION",
        *_prose(
            "The folder NAME defines one tool: tool.toml says where its releases appear, how they"
            " are verified and what they may do; debian/ holds ordinary packaging without a"
            " changelog; keys/*.asc are the vendor's keys.\n\nA key that is not known is an error."
        ),
    )
    yield from _schema(TOOLS.schema, lambda section, key: "")
    yield from (".SH SEE ALSO", _see("toolsync(1)", "toolsync.toml(5)", "uscan(1)"))


def _schema(schema: Schema, default: Default) -> Page:
    """Yield every key of a JSON Schema: single ones first, then section by section."""
    yield ".SH KEYS"
    yield from _sections(schema, "", default)


def _sections(table: Schema, section: str, default: Default) -> Page:
    yield from _keys(table, section, default)
    for name, about in table["properties"].items():
        if "properties" in about:
            path = f"{section}.{name}" if section else name
            yield from (f'.SS "[{_plain(path)}]"', *_prose(_sentence(about["description"])))
            yield from _sections(about, path, default)


def _keys(table: Schema, section: str, default: Default) -> Page:
    for key, about in table["properties"].items():
        if "properties" in about:
            continue
        said = [_sentence(about["description"]), *_bounds(about)]
        if key in table.get("required", ()):
            said.append("Required.")
        if value := default(section, key) or _toml(about.get("default", "")):
            said.append(f"Default: {value}.")
        yield from _item(f"{key} ({_kind(about)})", " ".join(said))
        # A table of tables: what stands in each of them.
        inner = about.get("additionalProperties") or about.get("items")
        if isinstance(inner, dict) and "properties" in inner:
            yield from (".RS", *_keys(inner, f"{section}.{key}", default), ".RE")


def _kind(about: Schema) -> str:
    """Return the type of a key's value in plain words, several if it may be either."""
    if "anyOf" in about:
        return " or ".join(dict.fromkeys(map(_kind, about["anyOf"])))
    word = str(about.get("type", "string"))
    return _WORDS.get(word, word)


def _bounds(about: Schema) -> Iterator[str]:
    if "enum" in about:
        yield f"One of {', '.join(map(str, about['enum']))}."
    if "minimum" in about:
        yield f"At least {about['minimum']}."


def _default(section: str, key: str) -> str:
    """Return a key's default as TOML, empty where none can be told."""
    for field in fields(_SECTIONS[section]) if section in _SECTIONS else ():
        value = field.default
        if field.name == key and value is not MISSING:
            return _toml(value)
    return ""


def _toml(value: object) -> str:
    """Return a default as TOML, empty where it says nothing."""
    if value in ("", ()):
        return ""
    return json.dumps(list(value) if isinstance(value, tuple) else value, ensure_ascii=False)


def _opening(name: str, purpose: str) -> Page:
    yield from (".SH NAME", f"{name} \\- {_plain(purpose)}", ".SH SYNOPSIS")


def _table(title: str, rows: Mapping[str, str] | Mapping[int, str]) -> Page:
    yield f".SH {title}"
    for term, text in rows.items():
        yield from _item(str(term), text)


def _item(term: str, text: str) -> Page:
    yield from (".TP", f"\\fB{_plain(term)}\\fR", *_prose(text))


def _prose(text: str) -> Page:
    """Yield the paragraphs of a text, which empty lines separate."""
    parts = [" ".join(part.split()) for part in re.split(r"\n\s*\n", text.replace("\b", ""))]
    for number, part in enumerate(filter(None, parts)):
        yield from ((".PP",) if number else ())
        yield _plain(part)


def _sentence(text: str) -> str:
    return text.rstrip(".") + "."


def _see(*others: str) -> str:
    return ", ".join(re.sub(r"(.+)\((\d)\)", r"\\fB\1\\fR(\2)", name) for name in others)


def _plain(text: str) -> str:
    """Return text without roff requests and escapes."""
    safe = text.replace("\\", "\\e").replace("-", "\\-").replace('"', "\\(dq")
    return f"\\&{safe}" if safe.startswith((".", "'")) else safe


def main(argv: Sequence[str]) -> None:
    """Write every page into the folder that ``argv`` names."""
    folder = Path(argv[0])
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        replace_file(folder / name, text.encode())


if __name__ == "__main__":
    main(sys.argv[1:])

"""What is known of one option: how it is written, whether it is shown, takes or needs a value.

In a surface an option's name is ``COMMAND [SUBCOMMAND] --option`` and its value the words of
`Option.words`, so that it stands on one line and two of them are easily compared.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

SPELLING = re.compile(r"-[A-Za-z0-9?](?![\w-])|--?[A-Za-z][\w.-]*[A-Za-z0-9]|--?[A-Za-z0-9]")
"""An option as it is typed: ``-x``, ``--long-name``, and Java's ``-longname``."""

MAX_OPTIONS = 5000
"""Of one command; no program has so many, and a help text must not fill our memory."""


_LINE = 2000
"""Characters of a line of source or help; what is longer was not written for people."""


def tamed(text: str) -> str:
    """Return text in which no line and no row of blanks is long enough to slow a pattern down."""
    text = re.sub(r"[ \t]{50,}", " " * 50, text)
    lines = (line[:_LINE].rstrip() for line in text.splitlines())
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines))


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One spelling of an option."""

    name: str
    takes: str = ""
    """``value`` or ``flag`` where the source tells, else empty."""
    required: bool = False
    hidden: bool = False
    """The source keeps it out of the help text."""
    choices: tuple[str, ...] = ()

    def words(self) -> str:
        """Return all but the name, as a surface keeps it."""
        words = [self.takes] if self.takes else []
        words += ["required"] if self.required else []
        words += ["hidden"] if self.hidden else []
        words += ["choices=" + ",".join(self.choices)] if self.choices else []
        return " ".join(words)

    @classmethod
    def read(cls, name: str, words: str) -> Option:
        """Return the option that `words` describes."""
        known = words.split()
        choices = next((w[8:].split(",") for w in known if w.startswith("choices=")), [])
        return cls(
            name=name,
            takes=next((w for w in known if w in ("value", "flag")), ""),
            required="required" in known,
            hidden="hidden" in known,
            choices=tuple(choices),
        )


def spellings(text: str) -> Iterator[str]:
    """Yield every spelling in an option's own declaration, such as ``--[no-]verbose``."""
    negatable = re.search(r"--\[no-\]([\w-]+)", text)
    if negatable:
        yield f"--{negatable[1]}"
        yield f"--no-{negatable[1]}"
        text = text.replace(negatable[0], "")
    for part in re.split(r"[,\s|/]+", text):
        match = SPELLING.match(part)
        if match:
            yield match[0]


def merged(options: Iterable[Option]) -> dict[str, Option]:
    """Return one option per spelling: shown if shown anywhere, needed if needed everywhere."""
    found: dict[str, Option] = {}
    for option in options:
        other = found.get(option.name)
        if other is None:
            if len(found) < MAX_OPTIONS:
                found[option.name] = option
            continue
        found[option.name] = replace(
            option,
            takes=option.takes if option.takes == other.takes else "",
            required=option.required and other.required,
            hidden=option.hidden and other.hidden,
            choices=option.choices if option.choices == other.choices else (),
        )
    return found

"""A record: all that toolsync must know of one thing that a file may name, such as a kind of page.

Each family of records is a visible table beside what it is for (`watch.kinds`, `publish.targets`,
`build.backends`, `report.channels`, …). What a table's records say of their settings is put into
the JSON Schema of the file here; nothing is registered, and nothing is imported by its name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

Schema: TypeAlias = Mapping[str, Any]
"""A JSON Schema, or a part of one."""
Table: TypeAlias = Mapping[str, Any]
"""A table of a TOML file, as its schema wants it."""

Needs: TypeAlias = tuple[str | tuple[str, ...], ...]
"""Keys that must be given; of several in a tuple, one."""


class Record(Protocol):
    """What a schema must know of one thing that may be named."""

    @property
    def name(self) -> str:
        """The word by which a file names it."""
        ...

    @property
    def settings(self) -> Schema:
        """The keys that it reads, each with its JSON Schema."""
        ...

    @property
    def needs(self) -> Needs:
        """Those of its keys without which it means nothing."""
        ...


class Described(Record, Protocol):
    """A record that says in a phrase what it is."""

    @property
    def about(self) -> str:
        """A phrase for the docs, and for who named what is not there."""
        ...


class PageKind(Described, Protocol):
    """What a definition must know of a kind of release page."""

    @property
    def lists(self) -> str:
        """``all``, or ``latest`` where old releases leave such pages as new ones come."""
        ...

    @property
    def states_digests(self) -> bool:
        """Whether its pages may state a file's digest in upstream's name."""
        ...

    def faults(self, watch: Table, /) -> Iterator[str]:
        """Give what is wrong with a [watch] section beyond missing keys."""
        ...


class Proof(Described, Protocol):
    """What a definition must know of a method of verification."""

    @property
    def faults(self) -> Callable[[Table, PageKind], Iterator[str]]:
        """Gives why it cannot prove what a [watch] section of a kind of page brings."""
        ...


class TargetForm(Described, Protocol):
    """What a set-up must know of a kind of target."""

    @property
    def pattern(self) -> str:
        """A regular expression for all that may stand in ``target``."""
        ...

    @property
    def form(self) -> str:
        """The same for a person, such as ``ppa:OWNER/NAME``."""
        ...

    @property
    def distribution(self) -> str:
        """Whose series it serves: ``debian`` or ``ubuntu``."""
        ...


def listing(words: Sequence[str], last: str = " or ") -> str:
    """Return ``a, b or c``."""
    return last.join(filter(None, (", ".join(words[:-1]), *words[-1:])))


def with_choice(
    section: Schema, key: str, records: Iterable[Record], *, names: str = ""
) -> dict[str, object]:
    """Return a section in which ``key`` may be any of the records' names, and has their keys.

    Names that the section has already stay. ``{names}`` in the key's description becomes
    ``names``, or all of the names.
    """
    records = tuple(records)
    about = section["properties"][key]
    enum = [*dict.fromkeys((*about.get("enum", ()), *(record.name for record in records)))]
    told = about["description"].replace("{names}", names or listing(enum))
    return with_keys(
        {
            **section,
            "properties": {
                **section["properties"],
                key: {**about, "description": told, "enum": enum},
            },
        },
        records,
    )


def with_keys(section: Schema, records: Iterable[Record]) -> dict[str, object]:
    """Return a section that has the records' keys, too; one that several have must be the same."""
    keys: dict[str, object] = dict(section["properties"])
    for record in records:
        for key, wanted in record.settings.items():
            if keys.setdefault(key, wanted) != wanted:
                raise ValueError(f"{record.name} says other things of {key} than is said already")
    return {**section, "properties": keys}


def as_section(record: Described) -> dict[str, object]:
    """Return the schema of a section that is a record's own, as ``[ppa]`` is a target's."""
    plain = [key for key in record.needs if isinstance(key, str)]
    either = [key for key in record.needs if not isinstance(key, str)]
    more = [{"anyOf": [{"required": [key]} for key in keys]} for keys in either]
    return {
        "type": "object",
        "description": record.about,
        "properties": dict(record.settings),
        "required": plain,
        "additionalProperties": False,
        **({"allOf": more} if more else {}),
    }


def missing(record: Record, given: Table, section: str, what: str) -> Iterator[str]:
    """Give a fault for each key that a record needs and ``section`` does not have.

    ``what`` names the record in words, such as ``a page of kind html``.
    """
    for key in record.needs:
        keys = (key,) if isinstance(key, str) else key
        if given.keys().isdisjoint(keys):
            others = "".join(f", or {section}.{one}" for one in keys[1:])
            yield f"{section}.{keys[0]}: missing; {what} needs it{others}"

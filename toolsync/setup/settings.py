"""Read toolsync.toml: all faults at once, then frozen values.

What it may say is a base (``config.schema.json``) and what the records of targets, of ways to
build and of channels bring: theirs are the keys that nobody else reads.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from toolsync.build.backend import Backend
from toolsync.build.backends import BACKENDS
from toolsync.config import supported
from toolsync.config.licensing import license_classes
from toolsync.config.record import Schema, Table, as_section, listing, missing, with_choice
from toolsync.config.schema import base, read_toml
from toolsync.config.settings import (
    SERVICE_STATE,
    Build,
    Compat,
    Config,
    Fleet,
    Git,
    Limits,
    Local,
    Mail,
    Ppa,
    Report,
    SharedStore,
    Web,
    Webhook,
    cache_places,
    default_file,
    default_state,
    shipped,
)
from toolsync.model.errors import SetupError
from toolsync.model.values import field_names
from toolsync.publish.kind import TargetKind
from toolsync.publish.targets import TARGETS
from toolsync.report.channel import Channel
from toolsync.report.channels import CHANNELS
from toolsync.system.distro import host_series

_HTTP = ("timeout", "retries", "user_agent", "per_host", "interval")


@dataclass(frozen=True, kw_only=True, eq=False)
class SettingsTables:
    """All that toolsync.toml may name."""

    targets: Mapping[str, TargetKind] = field(default_factory=lambda: TARGETS)
    backends: Mapping[str, Backend] = field(default_factory=lambda: BACKENDS)
    channels: Mapping[str, Channel] = field(default_factory=lambda: CHANNELS)

    @cached_property
    def schema(self) -> Schema:
        """What toolsync.toml may say, as a JSON Schema."""
        whole = base("config.schema.json")
        keys = dict(whole["properties"])
        keys["target"] = self._target(keys["target"])
        told = listing([f"{one.name} ({one.about})" for one in self.backends.values()])
        keys["build"] = with_choice(keys["build"], "backend", self.backends.values(), names=told)
        report = keys["report"]
        sections = {one.name: as_section(one) for one in self.channels.values()}
        keys["report"] = {**report, "properties": {**report["properties"], **sections}}
        places = {one.name: as_section(one) for one in self.targets.values() if one.settings}
        return {**whole, "properties": {**keys, **places}}

    def _target(self, key: Schema) -> Schema:
        forms = [kind.form for kind in self.targets.values()]
        patterns = "|".join(kind.pattern for kind in self.targets.values())
        told = key["description"].replace("{names}", listing(forms, last=", or "))
        return {**key, "description": told, "pattern": f"^({patterns})$"}


SETTINGS = SettingsTables()
"""What is shipped."""


def load_config(file: Path | None, state: Path | None, tables: SettingsTables = SETTINGS) -> Config:
    """Return the set-up, from ``file`` or the place where it is looked for.

    Raises SetupError with every fault found.
    """
    path = file or default_file()
    raw = read_toml(path, tables.schema)
    if faults := list(_faults(raw, tables)):
        raise SetupError.listing(str(path), faults)
    http = raw.get("http", {})
    folders = [Path(folder).expanduser() for folder in raw.get("tool_folders", [])]
    folders += [path.parent / "tools", shipped() / "tools"]
    state = (state or Path(raw.get("state", default_state()))).expanduser().absolute()
    follows = raw.get("series") == supported.FOLLOW
    config = Config(
        file=path,
        state=state,
        follows=follows,
        tool_folders=tuple(dict.fromkeys(folders)),
        **{key: raw[key] for key in ("target", "maintainer", "mirrors", "jobs") if key in raw},
        tools=tuple(raw.get("tools", [])),
        series=_series(raw),
        **{key: http[key] for key in _HTTP if key in http},
        at_once=raw.get("pipeline", {}).get("at_once", 0),
        journal_url=raw.get("journal", {}).get("url", ""),
        lease_seconds=raw.get("journal", {}).get("lease_seconds", 60),
        store_limit=raw.get("store", {}).get("limit", 0),
        fleet=_fleet(raw.get("fleet", {})),
        shared=_shared(raw.get("store", {})),
        limits=Limits(**raw.get("limits", {})),
        build=_build(raw.get("build", {}), tables.backends),
        license=license_classes(raw.get("license", {})),
        compat=Compat(**raw.get("compat", {})),
        local=_local(raw.get("local", {}), state),
        ppa=Ppa(**raw.get("ppa", {})),
        report=_report(raw.get("report", {}), tables.channels),
        web=_web(raw.get("web", {})),
        git=Git(**raw.get("git", {})),
        own={name: raw[name] for name in tables.targets if name in raw and name not in _FIELDS},
        targets=tables.targets,
    )
    return config.for_target(config.target) if follows else config


def _fleet(raw: Table) -> Fleet:
    """Return what is said of a fleet."""
    return Fleet(**{**raw, **({"tasks": tuple(raw["tasks"])} if "tasks" in raw else {})})


def _local(raw: Table, state: Path) -> Local:
    """Return what is said of the local archive."""
    named = {"architectures": tuple(raw.get("architectures", ()))}
    return Local(**{"valid_days": _valid_days(state), **raw, **named})


def _valid_days(state: Path) -> int:
    """Return how long an index is believed where nothing is set: the service's timer signs anew."""
    return 14 if state == SERVICE_STATE else 0


def _series(raw: Table) -> tuple[str, ...]:
    """Return the series that are named; what follows the supported ones gets them later."""
    named = raw.get("series", supported.FOLLOW)
    return tuple(named) if named != supported.FOLLOW else (host_series(),)


def _shared(raw: Table) -> SharedStore:
    return SharedStore(**{name: value for name, value in raw.items() if name != "limit"})


def _web(raw: Table) -> Web:
    lists = {name: tuple(raw.get(name, ())) for name in ("hosts", "proxies")}
    return Web(**{**raw, **lists})


_FIELDS = frozenset(field_names(Config))


def _faults(raw: Table, tables: SettingsTables) -> Iterator[str]:
    build = raw.get("build", {})
    backend = tables.backends.get(build.get("backend", Build().backend))
    if backend:
        yield from missing(backend, build, "build", f"the backend {backend.name}")
    yield from _unknown(raw.get("local", {}).get("architectures", ()))


def _unknown(named: Sequence[str]) -> Iterator[str]:
    """Yield what is wrong with the architectures that an archive is to serve."""
    if not named:
        return
    from toolsync.system.architectures import known  # only where any is named

    for name in named:
        if name not in known():
            told = "is no architecture that dpkg knows; dpkg-architecture -L lists them"
            yield f"local.architectures: {name!r} {told}"
    if len(set(named)) < len(named):
        yield "local.architectures: one is named twice"


def _build(raw: Table, backends: Mapping[str, Backend]) -> Build:
    flat = {key: value for key, value in raw.items() if key in _BUILD}
    return Build(
        **{**cache_places(), **flat, "test_hosts": tuple(flat.get("test_hosts", ()))},
        own={key: value for key, value in raw.items() if key not in _BUILD},
        record=backends.get(raw.get("backend", Build().backend)),
    )


_BUILD = frozenset(field_names(Build)) - {"own", "record"}


def _report(raw: Table, channels: Mapping[str, Channel]) -> Report:
    mail, page = dict(raw.get("mail", {})), raw.get("page", {})
    if "from" in mail:
        mail["sender"] = mail.pop("from")
    return Report(
        **{key: raw[key] for key in ("silence_days",) if key in raw},
        mail=Mail(**{**mail, "to": tuple(mail.get("to", []))}),
        webhook=Webhook(**raw.get("webhook", {})),
        metrics=raw.get("metrics", {}).get("path", ""),
        page=page.get("path", ""),
        page_url=page.get("url", ""),
        own={name: raw[name] for name in channels if name in raw and name not in _REPORT},
    )


_REPORT = frozenset(field_names(Report))

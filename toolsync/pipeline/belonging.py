"""See that journal, store and archive belong together, before one of them is believed.

A journal that is lost and made anew names nothing, so that a clean-up would remove everything;
one of an earlier day, or of another state, names too little. Therefore the journal's id and
serial (`journal.identity`) stand in the store and in the archive too. The journal's serial is
raised first: what it is compared with can be behind, and is never ahead of the right journal.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from toolsync.config.settings import Config
from toolsync.gate.gates import GATES, Gates
from toolsync.journal.identity import Stamp
from toolsync.journal.journal import Journal
from toolsync.model.errors import SetupError
from toolsync.model.values import dump, load
from toolsync.pipeline.loghead import require_logged
from toolsync.publish import index
from toolsync.system.clock import Clock
from toolsync.system.promise import NAME
from toolsync.system.store import replace_file

_RESTORE = (
    "Restore all of it from one backup, into an empty folder: toolsync restore FILE. Nothing was"
    " removed or changed."
)


def open_journal(config: Config, clock: Clock, gates: Gates = GATES) -> Journal:
    """Open the journal, or make the first one.

    Raises SetupError where there is none beside a store, an archive or a key that one belongs to.
    """
    path = config.journal
    if isinstance(path, str):
        return _open_elsewhere(config, path, clock, gates)
    if _is_missing(path) and (things := ", ".join(_filled(config))) and _is_missing(path):
        what = "is empty" if path.exists() else "is missing"
        raise _unknowing(config, what, things)
    fresh = _is_missing(path)
    journal = Journal.open(path, clock, gates)
    if fresh:
        journal.identity.introduce()
    return journal


def journal_to_read(config: Config, clock: Clock, gates: Gates = GATES) -> Journal:
    """Open the journal so that nothing can be written, by whoever may read it.

    Raises SetupError, or Busy, where nobody who may write has it open.
    """
    return Journal.open(config.journal, clock, gates, reading=True)


def has_journal(config: Config) -> bool:
    """Say whether there is a journal to be read, or should be one; a server is not asked here."""
    path = config.journal
    return isinstance(path, str) or os.path.lexists(path) or any(_filled(config))


def _open_elsewhere(config: Config, url: str, clock: Clock, gates: Gates) -> Journal:
    journal = Journal.open(url, clock, gates)
    if journal.identity.stamp() is None:
        if journal.identity.is_blank() and (things := ", ".join(_filled(config))):
            journal.close()
            raise _unknowing(config, "is empty", things)
        journal.identity.introduce()
    return journal


def _unknowing(config: Config, what: str, things: str) -> SetupError:
    also = " Of a journal that lies elsewhere: toolsync journal copy." if config.journal_url else ""
    return SetupError(
        f"{config.journal_named} {what}, and it belongs to {things}: a new one would know nothing"
        " of what is there",
        resolution=f"{_RESTORE} Without a backup: move these away, or begin with another"
        f" folder (--state, and [local] path where it is set).{also}",
    )


def require_together(config: Config, journal: Journal, *, begin: bool) -> None:
    """Raise SetupError unless the journal is the one of this store and archive.

    With ``begin`` a run begins that may change something; its caller holds the state's lock.
    """
    own, store = journal.identity.stamp(), config.state / "store" / "journal.json"
    kept = _read(store)
    if kept is None:
        _require_fitting(config, journal, blank=own is None, strict=begin)
    elif (own is None or kept.id != own.id) and (found := list(_filled(config))):
        raise _wrong(config, f"is not the one that {found[0]} was kept with")
    if own is not None:
        for path, place in ((store, store.parent), (_in_archive(config, own), config.archive)):
            stamp = _read(path)
            if stamp is not None and stamp.id == own.id and stamp.serial > own.serial:
                raise _wrong(config, f"is older than {place}")
    require_logged(config, journal, strict=begin)
    if begin:
        journal.identity.introduce()
        own = journal.identity.raise_serial()
        _write(store, own)
        if any(_releases(config)):
            _write(_in_archive(config, own), own)
    elif own is None and not any(_filled(config)):
        journal.identity.introduce()


def _require_fitting(config: Config, journal: Journal, *, blank: bool, strict: bool) -> None:
    """See that a journal that no store knows can be the right one, by what it tells.

    One from before stamps may not be ``blank`` beside what is served, nor, where it is ``strict``,
    beside what is stored.
    """
    served = any(_releases(config))
    if blank and journal.identity.is_blank() and (served or (strict and any(_stored(config)))):
        raise SetupError(
            f"{config.journal_named} names nothing, and it belongs to {', '.join(_filled(config))}",
            resolution=f"{_RESTORE} Where nothing but `toolsync fetch` ever worked here: remove"
            f" {config.state / 'store'}, which holds no more than its downloads.",
        )
    for path in _releases(config):
        for source, version in index.sources(config.archive, path.parent.name):
            known = journal.uploads.versions("local", source)
            if known and version not in known:
                raise _wrong(
                    config, f"is older than {config.archive}: it does not know {source} {version}"
                )


def _wrong(config: Config, what: str) -> SetupError:
    return SetupError(f"{config.journal_named} {what}", resolution=_RESTORE)


def _is_missing(path: Path) -> bool:
    try:
        return path.stat().st_size == 0
    except FileNotFoundError:
        return True


def _filled(config: Config) -> Iterator[str]:
    """Give the names of what a journal belongs to, as far as there is something in it."""
    if any(_stored(config)):
        yield f"the store {config.state / 'store'}"
    if any(_releases(config)):
        yield f"the archive {config.archive}"
    if (config.state / NAME).exists():
        yield f"the archive's key {config.state / 'gnupg'}"


def _stored(config: Config) -> Iterator[Path]:
    return (config.state / "store" / "sha256").glob("??/*")


def _releases(config: Config) -> Iterator[Path]:
    return (config.archive / "dists").glob("*/InRelease")


def _in_archive(config: Config, own: Stamp) -> Path:
    return config.archive / "conf" / "journals" / own.id


def _read(path: Path) -> Stamp | None:
    """Return what stands in a file, None where there is none."""
    try:
        return load(Stamp, json.loads(path.read_text(encoding="utf-8")))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except PermissionError as error:
        raise SetupError(
            f"{path}, which says what journal belongs here, is closed to this user",
            resolution="Run it as the user whose state this is. The pages' user is let in by"
            " toolsync-keeper.service: systemctl status toolsync-keeper.service",
        ) from error
    except (ValueError, TypeError, KeyError, OSError) as error:
        raise SetupError(
            f"{path}, which says what journal belongs here, cannot be read: {error}",
            resolution=_RESTORE,
        ) from error


def _write(path: Path, stamp: Stamp) -> None:
    replace_file(path, json.dumps(dump(stamp)).encode())

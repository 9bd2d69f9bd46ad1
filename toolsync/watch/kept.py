"""Store a sighting compactly, and read back no more of it than is needed.

A page can name thousands of releases that differ in few fields. They are kept column by column,
a column whose values are all the same as one value, and compressed; the newest stands apart, for
of a page that has not changed it is mostly all that is asked for.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import fields
from typing import Any

from toolsync.model.release import Release, dump, load
from toolsync.watch.look import Sighting, Untaken

_WINDOW, _MEMORY = 12, 5
"""Parameters of zlib: a tenth of the memory that it takes by default, for each of many threads."""

_APART = ("releases", "notes")


def pack(sighting: Sighting) -> dict[str, object]:
    """Return a sighting as JSON types."""
    columns = dict(zip(Release._fields, zip(*sighting.releases, strict=True), strict=True))
    del columns["parts"]  # a page names releases; their parts are looked for when one is taken
    table = {"count": len(sighting.releases), **_told_once(columns)}
    packer = zlib.compressobj(1, zlib.DEFLATED, _WINDOW, _MEMORY)
    packed = packer.compress(json.dumps(table).encode()) + packer.flush()
    return {
        **{f.name: getattr(sighting, f.name) for f in fields(Sighting) if f.name not in _APART},
        "newest": dump(sighting.newest, without="parts"),
        "all": base64.b64encode(packed).decode(),
    }


def unpack(
    data: Mapping[str, Any], *, whole: bool, only: Collection[str] = (), **other: object
) -> Sighting:
    """Return a sighting as it was packed, with its newest release only unless ``whole``.

    With ``only`` those of these versions follow the newest, and no others. Fields that are given
    as ``other`` have these values.
    Raises TypeError, ValueError or KeyError where ``data`` is not of that form.
    """
    rest = {name: value for name, value in data.items() if name not in ("newest", "all")}
    releases = _unpacked(data["all"], only) if whole else (load(Release, data["newest"]),)
    rest.update(other)
    rest["told"] = tuple(rest.get("told", ()))
    rest["untaken"] = tuple(Untaken(*told) for told in rest.get("untaken", ()))
    return Sighting(**rest, releases=releases)


def _unpacked(text: str, only: Collection[str] = ()) -> tuple[Release, ...]:
    try:
        table = json.loads(zlib.decompress(base64.b64decode(text, validate=True)))
    except zlib.error as error:
        raise ValueError(f"a kept sighting is damaged: {error}") from error
    count = table.pop("count")
    if only and isinstance(table["version"], list):
        table, count = _chosen(table, table["version"], only)
    columns = {n: v if isinstance(v, list) else [v] * count for n, v in table.items()}
    columns.setdefault("raw_version", columns["version"])
    columns["parts"] = [()] * count
    for name in Release.later():
        columns.setdefault(name, [""] * count)
    if "url" not in columns:
        files = zip(columns["folder"], columns["filename"], strict=True)
        columns["url"] = [folder + name for folder, name in files]
    return tuple(map(Release._make, zip(*map(columns.get, Release._fields), strict=True)))


def _chosen(
    table: Mapping[str, object], versions: Sequence[str], only: Collection[str]
) -> tuple[dict[str, object], int]:
    """Return the columns of the newest release and of these versions alone, and how many."""
    places = [n for n, version in enumerate(versions) if not n or version in only]
    some = {k: [v[n] for n in places] if isinstance(v, list) else v for k, v in table.items()}
    return some, len(places)


def _told_once(columns: dict[str, tuple[Any, ...]]) -> dict[str, Any]:
    """Return columns as `_unpacked` reads them, without most of what they say twice."""
    urls, names = columns["url"], columns["filename"]
    folder = urls[0].removesuffix(names[0])
    left: dict[str, Any] = dict(columns)
    if urls == tuple([folder + name for name in names]):
        del left["url"]
        left["folder"] = (folder,)
    if columns["raw_version"] == columns["version"]:
        del left["raw_version"]
    return {n: v[0] if v.count(v[0]) == len(v) else v for n, v in left.items()}

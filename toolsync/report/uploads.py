"""Describe uploads that are under way or have failed, with links to Launchpad."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from toolsync.journal.uploads import Upload


def newest_uploads(uploads: Sequence[Upload]) -> list[Upload]:
    """Return the last upload for each target and series, from a list that is oldest first."""
    last = {(upload.target, upload.series): upload for upload in uploads}
    return list(last.values())


def upload_record(upload: Upload) -> dict[str, object]:
    """Return an upload as scripts read it, with the target's own names where it gave some."""
    names = ("target", "series", "source", "version", "state", "since")
    record = {name: getattr(upload, name) for name in names}
    return {**record, "said": upload.detail.get("said", ""), "records": _records(upload)}


def upload_lines(uploads: Sequence[Upload]) -> Iterator[str]:
    """Yield a line for each upload that its target does not serve yet."""
    for upload in uploads:
        if upload.state != "confirmed":
            said = upload.detail.get("said") or f"{upload.source} {upload.version}"
            yield f"  {upload.target} {upload.series}: {upload.state} since {upload.since}: {said}"
            for name in _records(upload):
                yield f"    {name}"


def _records(upload: Upload) -> list[str]:
    """Return the addresses of the publication and its builds."""
    known = upload.detail.get("launchpad", {})
    builds = [build["url"] for build in known.get("builds", []) if build["url"]]
    return [name for name in (known.get("publication", ""), *builds) if name]

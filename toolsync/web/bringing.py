"""Have brought here what a page shows of a fleet's store, and show the page then."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps

from flask.typing import ResponseReturnValue

from toolsync.system.cachestore import CacheStore
from toolsync.web.problems import Refused
from toolsync.web.request import context, shared

View = Callable[..., ResponseReturnValue]


def brought(view: View) -> View:
    """Return the page of a tool, or of one of its releases, whole where pages only read.

    It is made of what the cache has. Where that lacks something, whoever may go to the shared place
    brings what the pages of that tool show, and the page is made again. The page raises what asking
    raises: without a gate's report nobody should decide.
    """

    @wraps(view)
    def answer(name: str, **more: str) -> ResponseReturnValue:
        try:
            found = view(name, **more)
        except Refused:  # perhaps for what is not here
            if not _is_brought(name, more.get("version", "")):
                raise
        else:
            if not _is_brought(name, more.get("version", "")):
                return found
        return view(name, **more)

    return answer


def _is_brought(name: str, version: str) -> bool:
    """Have brought what was found lacking; say whether there may be more now."""
    store = context().store
    lacking = store.lacking if isinstance(store, CacheStore) else ()
    return bool(lacking) and shared().acting.bring(name, version, lacking)

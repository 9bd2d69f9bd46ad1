"""Find the package index that this machine uses: the one that pip is set up for.

Nothing here names an index: the environment does, or pip's configuration, or pip itself.
A password belongs into ~/.netrc, which every request reads; in an address it would have to
be written wherever the address is.
"""

from __future__ import annotations

import os

from toolsync.model.errors import SetupError
from toolsync.watch.addresses import http_address, shown


def index_url() -> str:
    """Return the address of the package index's simple API, with a slash at its end.

    It is PIP_INDEX_URL, else pip's configured ``index-url``, else pip's own default. Raises
    SetupError when pip is not there to be asked, or names what cannot be asked by HTTP.
    """
    url = os.environ.get("PIP_INDEX_URL") or _configured()
    if not http_address(url):
        raise SetupError(
            f"pip's package index is {shown(url)!r}; an http or https address was wanted",
            resolution="Set PIP_INDEX_URL, or watch.url in tool.toml.",
        )
    return url.rstrip("/") + "/"


def _configured() -> str:
    """Ask pip, which knows best where its files are and which of them wins."""
    try:
        from pip._internal.configuration import Configuration
        from pip._internal.exceptions import PipError
        from pip._internal.models.index import PyPI
    except ImportError as error:
        raise SetupError(
            "no package index is named, and pip, which would know one, is not there",
            resolution="Install it with: apt install python3-pip, or set PIP_INDEX_URL.",
        ) from error
    try:
        configuration = Configuration(isolated=False)
        configuration.load()
        values = dict(configuration.items())
    except PipError as error:
        raise SetupError(
            f"pip's configuration cannot be read: {error}",
            resolution="Mend it (pip config debug tells its files), or set PIP_INDEX_URL.",
        ) from error
    for section in (":env:", "install", "global"):
        value = values.get(f"{section}.index-url")
        if value:
            return str(value).strip()
    return str(PyPI.simple_url)

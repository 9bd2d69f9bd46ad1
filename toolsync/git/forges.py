"""The table of forges, and which of them a repository lies on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from toolsync.git.forge import Api, Forge
from toolsync.git.forgejo import FORGEJO
from toolsync.git.github import GITHUB
from toolsync.git.gitlab import GITLAB
from toolsync.git.place import Place
from toolsync.http.client import Http
from toolsync.model.errors import SetupError
from toolsync.system.secret import secret

FORGES: Mapping[str, Forge] = {forge.name: forge for forge in (GITLAB, GITHUB, FORGEJO)}
_SCP = re.compile(r"(?:[^@/:]+@)?([^/:]+):(?!//)(.+)")
"""``user@host:path``, as ssh has it."""


def forge_at(place: Place, http: Http) -> tuple[Forge, Api]:
    """Return the forge on which a repository lies, and its project's API; raises SetupError."""
    settings = place.settings
    scp = _SCP.fullmatch(place.url) if "://" not in place.url else None
    parts = urlsplit(place.url)
    host = scp[1] if scp else parts.hostname or ""
    path = (scp[2] if scp else parts.path).strip("/").removesuffix(".git")
    known = (name for name, one in FORGES.items() if host in one.hosts)
    forge = FORGES.get(settings.forge or next(known, ""))
    if forge is None or not (settings.api or host) or ("/" not in path and not settings.api):
        raise SetupError(
            f"{place.url} does not tell which forge takes merge requests for it",
            resolution=f"Name it: [git] forge = one of {', '.join(FORGES)}, and api = its address"
            " where that is not the repository's host.",
        )
    usual = "https://api.github.com" if host in GITHUB.hosts else f"https://{host}"
    root = forge.root((settings.api or usual).rstrip("/"), path)
    token = secret(settings.token_file, "[git] token_file")
    if not token:
        raise SetupError(
            "[git] propose needs a token to open merge requests, and none is named",
            resolution="Write one into a file that toolsync alone reads: [git] token_file.",
        )
    return forge, Api(http=http.dressed(secrets={root: forge.headers(token)}), root=root)

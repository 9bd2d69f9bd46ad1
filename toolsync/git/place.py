"""Where in git a tool's releases belong: its repository, and the names of branches and tags."""

from __future__ import annotations

from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from toolsync.config.definition import Tool
from toolsync.config.settings import Config, Git
from toolsync.model.errors import SetupError
from toolsync.model.text import escaped

PRISTINE = "pristine-tar"
"""The branch that pristine-tar(1) keeps its deltas on."""
HEADS, TAGS = "refs/heads/", "refs/tags/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A tool's repository and its settings."""

    url: str
    settings: Git

    def refs(self, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return branches by their full names."""
        return tuple(f"{HEADS}{name}" for name in names)

    @property
    def branches(self) -> tuple[str, ...]:
        """The branches that a release changes, the packaging's first, by their full names."""
        more = (PRISTINE,) if self.settings.pristine_tar else ()
        return self.refs((self.settings.debian_branch, self.settings.upstream_branch, *more))


def place_of(config: Config, tool: Tool) -> Place | None:
    """Return where a tool's releases are imported, None for nowhere; raises SetupError."""
    settings = replace(config.git, **tool.git)
    if not settings.repository:
        return None
    url = settings.repository.replace("{name}", tool.source)
    parts = urlsplit(url)
    if parts.password or (parts.scheme.startswith("http") and parts.username):
        raise SetupError(
            f"[git] repository of {tool.name} holds a name or a password, which logs would show",
            resolution="Write the token into a file that toolsync alone reads, and name that:"
            " [git] token_file in toolsync.toml.",
        )
    if url.startswith("-") or "::" in url or not url.isprintable():
        raise SetupError(
            f"[git] repository of {tool.name} is no address or path: {escaped(url)}",
            resolution="Name a path, or an address with https:// or ssh://.",
        )
    return Place(url=url, settings=settings)


def tag_version(version: str) -> str:
    """Return a version as a tag's name has it (DEP-14, as gbp writes it)."""
    name = version.replace("~", "_").replace(":", "%").replace("..", ".#.")
    if name.endswith("."):
        name += "#"
    return name.removesuffix("lock") + "#lock" if name.endswith(".lock") else name


def debian_tag(version: str) -> str:
    """Return the full name of the tag of a Debian version."""
    return f"{TAGS}debian/{tag_version(version)}"


def upstream_tag(version: str) -> str:
    """Return the full name of the tag of an upstream version."""
    return f"{TAGS}upstream/{tag_version(version)}"


def proposal_branch(version: str) -> str:
    """Return the name of the branch on which a Debian version is proposed."""
    return f"toolsync/{tag_version(version)}"


def programs_of(place: Place) -> tuple[str, ...]:
    """Return what must be on this machine to import there."""
    needed = ("git", "gbp", *(("pristine-tar",) if place.settings.pristine_tar else ()))
    return (*needed, *(("ssh",) if place.settings.identity else ()))

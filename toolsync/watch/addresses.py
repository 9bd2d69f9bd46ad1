"""Addresses as pages write them: resolve them, take them apart, show them without secrets.

A page is a stranger's: what is no http address of usable length is none.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from urllib.parse import quote, unquote, urljoin, urlsplit, urlunsplit

from toolsync.model.errors import SetupError

MAX_NAME = 255
"""Characters of a file's name, as file systems have it."""
MAX_URL = 4096
LONGEST_FOLDER = 512
"""Characters of an address before its file's name that are read in the quick way."""
_PLAIN = re.compile(r"[A-Za-z0-9][\w+~-]*(?:\.[\w+~-]+)*", re.ASCII)
_WORD = re.compile(r"\{[A-Za-z_]*\}")


def shown(url: str) -> str:
    """Return an address without credentials and fragment, fit for an error or a record."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an unreadable address"
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))


def joined(base: str, link: str) -> str:
    """Resolve a link as a browser does; empty when it is no address of usable length."""
    cleaned = re.sub(r"[\x00-\x20\x7f]+", lambda m: "%20" * m[0].count(" "), link.strip())
    if len(cleaned) > MAX_URL:
        return ""
    try:
        url = urljoin(base, cleaned)
    except ValueError:
        return ""
    from_ftp = base[:4] == "ftp:"  # only a listing by FTP leads to what is asked for so
    return url if http_address(url) or (from_ftp and usable_address(url)) else ""


def http_address(url: str) -> bool:
    """Say whether this can be asked for: http or https, with a host."""
    return _is_of(url, ("http", "https"))


def usable_address(url: str) -> bool:
    """Say whether a watch file may name this: http, https or ftp, with a host."""
    return _is_of(url, ("http", "https", "ftp"))


def _is_of(url: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in schemes and bool(parts.hostname) and len(url) <= MAX_URL
    except ValueError:
        return False


def is_plain(name: str) -> bool:
    """Say whether a link only names a file beside its page, with nothing to decode."""
    return len(name) <= MAX_NAME and _PLAIN.fullmatch(name) is not None


def parted(links: Sequence[str]) -> tuple[list[str], list[str]]:
    """Part links into those that name a file beside their page, all plain, and the others."""
    plain = [link for link in links if _PLAIN.fullmatch(link)]
    if "download" in plain or max(map(len, plain), default=0) > MAX_NAME:
        plain = [link for link in plain if is_plain(link) and link != "download"]
    if len(plain) == len(links):
        return plain, []
    named = frozenset(plain)
    return plain, [link for link in links if link not in named]


@lru_cache(maxsize=64)
def plain_file(url: str) -> tuple[str, str] | None:
    """Split an address into folder and file's name, where nothing in it needs to be decoded.

    Most links of most pages are of this form, and reading them in full takes ten times longer.
    """
    folder, _, name = url.rpartition("/")
    usable = is_plain(name) and name != "download" and _usable(folder)
    return (folder, name) if usable else None


@lru_cache(maxsize=256)
def _usable(folder: str) -> bool:
    """Say whether this is an address without credentials or query, fit to put a name behind."""
    usual = folder.isascii() and folder.isprintable() and not set(folder) & set("?#@\\ ")
    return usual and len(folder) < LONGEST_FOLDER and http_address(folder + "/")


def plain_folder(folder: str) -> bool:
    """Say whether a plain name behind ``folder``, which ends with a slash, is a file's address."""
    return folder.endswith("/") and _usable(folder[:-1])


def leaf(url: str) -> str:
    """Return the name of the file behind an address: decoded, one component, or empty."""
    if plain := plain_file(url):
        return plain[1]
    parts = [unquote(part) for part in urlsplit(url).path.split("/") if part]
    if len(parts) > 1 and parts[-1] == "download":  # SourceForge ends its links so
        parts.pop()
    name = parts[-1] if parts else ""
    usable = name not in (".", "..") and name.isprintable() and not set(name) & {"/", "\\"}
    return name if usable and len(name.encode()) <= MAX_NAME else ""


def filled(template: str, words: Mapping[str, str], *, safe: str = "/+~") -> str:
    """Put percent-encoded ``words`` into a ``file_url``; raises SetupError at an unknown one."""
    unknown = [w for w in _WORD.findall(template) if w[1:-1] not in words]
    if unknown:
        raise SetupError(
            f"watch.file_url: {template} has {', '.join(unknown)}; known here are "
            + ", ".join(f"{{{word}}}" for word in words),
            resolution="Mend watch.file_url in tool.toml.",
        )
    return _WORD.sub(lambda m: quote(words[m[0][1:-1]], safe=safe), template)

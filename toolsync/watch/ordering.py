"""The orders of package indexes (PEP 440) and of npm's registries (semver.org), as Debian's.

Each function returns a Debian spelling, so that dpkg orders those as the ecosystem orders what it
publishes: ``1.0.post1`` is older than ``1.0.1`` and becomes ``1.0+post1``.
"""

from __future__ import annotations

import re

_PEP_440 = re.compile(
    r"v?(?:(?P<epoch>\d{1,9})!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_number>\d*))?"
    r"(?:-(?P<bare_post>\d+)|(?P<post>[-_.]?(?:post|rev|r)[-_.]?(?P<post_number>\d*)))?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_number>\d*))?(?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?",
    re.IGNORECASE,
)
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "pre": "rc", "preview": "rc"}
_SEMVER = re.compile(
    r"[v=]?(?P<core>\d+\.\d+\.\d+)(?:-(?P<pre>[0-9A-Za-z.-]+))?(?:\+(?P<build>[0-9A-Za-z.-]+))?"
)


def by_pep_440(version: str) -> tuple[int, str] | None:
    """Return the epoch, and the Debian spelling of the rest; None where it is no such version."""
    found = _PEP_440.fullmatch(version.strip())
    if found is None:
        return None
    spelled = found["release"]
    if found["pre"]:
        word = found["pre"].lower()
        spelled += f"~{_PRE.get(word, word)}{int(found['pre_number'] or 0)}"
    if found["post"] or found["bare_post"]:
        spelled += f"+post{int(found['bare_post'] or found['post_number'] or 0)}"
    if found["dev"]:
        # Before all prereleases of what it is of; two tildes go before one.
        spelled += f"~~dev{int(found['dev_number'] or 0)}"
    if found["local"]:
        spelled += _local(re.sub("[-_]", ".", found["local"].lower()))
    return int(found["epoch"] or 0), spelled


def _local(label: str) -> str:
    """Return a local label so that dpkg puts it before ``+post``, and numbers behind words."""
    first = label.partition(".")[0]
    if first.isdigit():
        return f"+oz.{label}"
    return f"+oz+{label}" if first >= "p" else f"+{label}"


def by_semver(version: str) -> str | None:
    """Return the Debian spelling; None where it is no such version."""
    found = _SEMVER.fullmatch(version.strip())
    if found is None:
        return None
    pre = f"~{found['pre']}" if found["pre"] else ""
    return f"{found['core']}{pre}" + (f"+{found['build']}" if found["build"] else "")

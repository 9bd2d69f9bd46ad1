"""The one gateway to git: what a repository names, one of its trees, and one of its tags.

A repository is a stranger's: no hook, no filter and no configuration but ours is used, only
the transports below are allowed, and nothing is ever checked out.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolsync.errors import Hostile, ProgramFailed, Unreachable
from toolsync.system.run import Done, run

_SECONDS = 600
_PROTOCOLS = "file:git:http:https:ssh"
_SIGNATURE = (b"-----BEGIN PGP SIGNATURE-----", b"-----BEGIN PGP MESSAGE-----")
_TAG_LIMIT = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Ref:
    """A name in a repository."""

    name: str
    """In full, such as ``refs/tags/v1.0``."""
    commit: str


def list_refs(url: str) -> tuple[Ref, ...]:
    """Return what ``git ls-remote`` names, without peeled tags; raises Unreachable."""
    with tempfile.TemporaryDirectory(prefix="toolsync-git-") as folder:
        out = _remote(url, Path(folder), "ls-remote", "--", url).out
    pairs = (line.split("\t", 1) for line in out.splitlines() if "\t" in line)
    return tuple(Ref(name, commit) for commit, name in pairs if not name.endswith("^{}"))


@contextmanager
def fetched(url: str, ref: str, *, whole: bool = False) -> Iterator[Tree]:
    """Give one ref of a repository, with all history and tags when ``whole``."""
    with tempfile.TemporaryDirectory(prefix="toolsync-git-") as folder:
        place = Path(folder)
        repository = place / "repository.git"
        _git(place, "init", "--quiet", "--bare", repository)
        want = ["--tags", "refs/heads/*:refs/heads/*"] if whole else ["--depth=1", "--no-tags"]
        words = (
            "--git-dir",
            str(repository),
            "fetch",
            "--quiet",
            "--force",
            "--no-recurse-submodules",
        )
        _remote(url, place, *words, *want[:1], *([] if whole else want[1:]), "--", url,
                *(want[1:] if whole else []), f"{ref}:refs/toolsync/wanted")  # fmt: skip
        yield Tree(place, repository, "refs/toolsync/wanted")


class Tree:
    """A fetched ref, in a folder that lives as long as the block."""

    def __init__(self, folder: Path, repository: Path, ref: str) -> None:
        self._folder, self._repository, self._ref = folder, repository, ref

    def archive(self, prefix: str, into: Path, *, everything: bool) -> None:
        """Write the tree as a tar; ``everything`` overrides export-ignore and export-subst."""
        if everything:
            attributes = self._repository / "info" / "attributes"
            attributes.parent.mkdir(exist_ok=True)
            attributes.write_text("* -export-ignore -export-subst\n", encoding="ascii")
        self._run("archive", "--format=tar", f"--prefix={prefix}/", f"--output={into}", self._ref)

    def describe(self, pretty: str, date: str) -> str:
        """Return a version for the commit: ``describe``, or a format of git-log(1)."""
        if pretty == "describe":
            return self._run("describe", "--tags", self._ref).out.strip().replace("-", ".")
        words = ("--max-count=1", f"--date=format:{date}", f"--pretty={pretty}", "--abbrev=7")
        out = self._run("log", *words, self._ref, utc=True).out
        return out.strip()

    def signed_tag(self) -> tuple[bytes, bytes] | None:
        """Return what the tag's signature stands over, and it; None where nothing is signed."""
        if self._run("cat-file", "-t", self._ref).out.strip() != "tag":
            return None
        log = self._folder / "tag"
        run("git", "--git-dir", self._repository, "cat-file", "tag", self._ref,
            timeout=_SECONDS, env=_environment(self._folder), log=log)  # fmt: skip
        if log.stat().st_size > _TAG_LIMIT:
            raise Hostile(f"the tag has more than {_TAG_LIMIT} bytes, the limit")
        content = log.read_bytes()
        starts = [content.find(mark) for mark in _SIGNATURE if mark in content]
        return (content[: min(starts)], content[min(starts) :]) if starts else None

    def _run(self, *words: str, utc: bool = False) -> Done:
        return _git(self._folder, "--git-dir", self._repository, *words, utc=utc)


def _remote(url: str, folder: Path, *words: str) -> Done:
    try:
        return _git(folder, *words)
    except ProgramFailed as error:
        said = str(error).partition("\n")[2].strip() or str(error)
        raise Unreachable(
            f"{url} could not be read by git: {said[:400]}",
            resolution="Look at the address, and whether the ref is still there.",
        ) from error


def _git(folder: Path, *words: str | Path, utc: bool = False) -> Done:
    return run("git", *words, timeout=_SECONDS, env=_environment(folder, utc=utc), cwd=folder)


def _environment(folder: Path, *, utc: bool = False) -> dict[str, str]:
    config = folder / "config"
    if not config.exists():
        # A repository on this disk may belong to another user; we only read it.
        config.write_text("[safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n")
    words = {
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(config),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        "GIT_ALLOW_PROTOCOL": _PROTOCOLS,
        "HOME": str(folder),
        "PATH": os.environ.get("PATH", os.defpath),
    }
    return words | ({"TZ": "UTC"} if utc else {})

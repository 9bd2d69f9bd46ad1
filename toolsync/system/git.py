"""The one gateway to git: what a repository names, one of its trees, and one of its tags.

A repository is a stranger's: no hook, no filter and no configuration but ours is used, only
the transports below are allowed, and nothing is ever checked out.
"""

from __future__ import annotations

import os
import re
import signal
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.errors import Hostile, ProgramFailed, Unreachable
from toolsync.system.isolation import Isolation
from toolsync.system.run import Done, run

ADVERTISED = "/info/refs?service=git-upload-pack"
"""What git asks of a web server first (gitprotocol-http(5))."""
_SECONDS = 600
_PROTOCOLS = "file:git:http:https:ssh"
_SIGNATURE = re.compile(
    rb"^-----BEGIN (PGP SIGNATURE|PGP MESSAGE|SSH SIGNATURE|SIGNED MESSAGE)-----", re.MULTILINE
)
"""OpenPGP, SSH and X.509 (git's gpg-interface.c)."""
_TAG_LIMIT = 1024 * 1024
_LARGEST = 4 * 1024 * 1024 * 1024
"""Bytes of one file that git may write, unless a caller allows less."""
_SHALLOW = "shallow capabilities"
"""What git says of a server that cannot cut history off."""


@dataclass(frozen=True, slots=True)
class Ref:
    """A name in a repository."""

    name: str
    """In full, such as ``refs/tags/v1.0``."""
    commit: str


def moved(url: str, answered: str) -> str:
    """Return the repository at ``url``, of which `ADVERTISED` was answered at ``answered``."""
    return answered.removesuffix(ADVERTISED) if answered.endswith(ADVERTISED) else url


def list_refs(url: str) -> tuple[Ref, ...]:
    """Return what ``git ls-remote`` names, without peeled tags; raises Unreachable."""
    with tempfile.TemporaryDirectory(prefix="toolsync-git-") as folder:
        out = _remote(url, Path(folder), "ls-remote", "--", url).out
    pairs = (line.split("\t", 1) for line in out.splitlines() if "\t" in line)
    return tuple(Ref(name, commit) for commit, name in pairs if not name.endswith("^{}"))


@contextmanager
def fetched(url: str, ref: str, *, whole: bool = False, limit: int = _LARGEST) -> Iterator[Tree]:
    """Yield one ref of a repository, with all history and tags when ``whole``.

    What git receives and what an archive comes to is at most ``limit`` bytes. Raises Unreachable,
    or Hostile at more.
    """
    with tempfile.TemporaryDirectory(prefix="toolsync-git-") as folder:
        place = Path(folder)
        repository = place / "repository.git"
        _git(place, "init", "--quiet", "--bare", repository, limit=limit)
        words = ["--git-dir", str(repository), "fetch", "--quiet", "--force"]
        words += ["--no-recurse-submodules"]
        wanted, ways = f"{ref}:refs/toolsync/wanted", list[tuple[list[str], list[str]]]()
        if whole:
            ways = [(["--tags"], ["refs/heads/*:refs/heads/*", wanted])]
        else:  # a dumb server cannot cut history off
            ways = [(["--depth=1", "--no-tags"], [wanted]), (["--no-tags"], [wanted])]
        for number, (options, refs) in enumerate(ways, 1):
            try:
                _remote(url, place, *words, *options, "--", url, *refs, limit=limit)
                break
            except Unreachable as error:
                if number == len(ways) or _SHALLOW not in str(error):
                    raise
        yield Tree(place, repository, "refs/toolsync/wanted", limit)


class Tree:
    """A fetched ref, in a folder that lives as long as the block."""

    def __init__(self, folder: Path, repository: Path, ref: str, limit: int) -> None:
        self._folder, self._repository, self._ref = folder, repository, ref
        self._limit = limit

    def archive(self, prefix: str, into: Path, *, everything: bool) -> None:
        """Write the tree as a tar; ``everything`` overrides export-ignore and export-subst."""
        if everything:
            attributes = self._repository / "info" / "attributes"
            attributes.parent.mkdir(exist_ok=True)
            attributes.write_text("* -export-ignore -export-subst\n", encoding="ascii")
        self._run("archive", "--format=tar", f"--prefix={prefix}/", f"--output={into}", self._ref)

    def describe(self, pretty: str, date: str) -> str:
        """Return a version for the commit: ``describe``, or a format of git-log(1), in UTC."""
        if pretty == "describe":
            return self._run("describe", "--tags", self._ref).out.strip().replace("-", ".")
        words = ("--max-count=1", f"--date=format-local:{date}", f"--pretty={pretty}", "--abbrev=7")
        out = self._run("log", *words, self._ref, utc=True).out
        return out.strip()

    def signed_tag(self) -> tuple[bytes, bytes] | None:
        """Return what the tag's signature stands over, and it; None where nothing is signed."""
        if self._run("cat-file", "-t", self._ref).out.strip() != "tag":
            return None
        log = self._folder / "tag"
        run("git", "--git-dir", self._repository, "cat-file", "tag", self._ref,
            timeout=_SECONDS, env=environment(self._folder), log=log)  # fmt: skip
        if log.stat().st_size > _TAG_LIMIT:
            raise Hostile(f"the tag has more than {_TAG_LIMIT} bytes, the limit")
        content = log.read_bytes()
        mark = _SIGNATURE.search(content)
        return (content[: mark.start()], content[mark.start() :]) if mark else None

    def _run(self, *words: str, utc: bool = False) -> Done:
        return _git(self._folder, "--git-dir", self._repository, *words, utc=utc, limit=self._limit)


def tag_named(text: bytes) -> tuple[str, str]:
    """Return the name that an annotated tag gives itself, and the commit that it is of.

    Both are empty where it is of no commit: a server could pass an old tag off under a new name,
    so who trusts a signature must ask what it was made over (git-hash-object's tag format).
    """
    fields = dict(line.partition(b" ")[::2] for line in text.partition(b"\n\n")[0].split(b"\n"))
    if fields.get(b"type") != b"commit":
        return "", ""
    return fields.get(b"tag", b"").decode("utf-8", "replace"), fields.get(b"object", b"").decode()


def _remote(url: str, folder: Path, *words: str, limit: int = _LARGEST) -> Done:
    try:
        return _git(folder, *words, limit=limit)
    except ProgramFailed as error:
        said = str(error).partition("\n")[2].strip() or str(error)
        raise Unreachable(
            f"{url} could not be read by git: {said[:400]}",
            resolution="Look at the address, and whether the ref is still there.",
        ) from error


def _git(folder: Path, *words: str | Path, utc: bool = False, limit: int = _LARGEST) -> Done:
    return git_in(folder, *words, env=environment(folder, utc=utc), limit=limit)


def git_in(
    folder: Path,
    *words: str | Path,
    env: Mapping[str, str],
    limit: int,
    seconds: float = _SECONDS,
    ok: Sequence[int] = (0,),
) -> Done:
    """Run git, which writes below ``folder`` alone; raises Hostile at a file of ``limit`` bytes."""
    isolation, done = Isolation(file=limit), None
    try:
        done = run(
            *("git", *words),
            timeout=seconds,
            env=env,
            cwd=folder,
            isolation=isolation,
            ok=(*ok, 128 + signal.SIGXFSZ),
        )
    except ProgramFailed:
        if not _is_over(folder, limit):
            raise
    if done is None or done.code not in ok:
        raise Hostile(
            f"a repository's pack or archive has more than {limit} bytes, the limit",
            resolution="Raise [limits] in toolsync.toml if it is rightly that large.",
        )
    return done


def _is_over(folder: Path, limit: int) -> bool:
    """Say whether a file has grown to its limit: what git says may be a server's words."""
    files = (Path(top, name) for top, _, names in os.walk(folder) for name in names)
    return any(path.lstat().st_size >= limit for path in files)


def environment(folder: Path, *, utc: bool = False) -> dict[str, str]:
    """Return the environment that keeps hooks, prompts and configuration out."""
    config = folder / "config"
    if not config.exists():
        # A repository on this disk may belong to another user; we only read it.
        # Redirects are followed before, by who may judge where they lead.
        config.write_text(
            "[safe]\n\tdirectory = *\n[core]\n\thooksPath = /dev/null\n"
            "[http]\n\tfollowRedirects = false\n"
        )
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

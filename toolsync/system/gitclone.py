"""A clone that is changed and pushed: the one gateway to git for a repository that we write to.

As in `git`, no hook, no filter and no configuration but ours is used, and only its transports.
Nothing is ever forced: what the other side does not take as it is, is told. A token reaches git
from its file by way of a helper, and stands in no command line, variable or log.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from toolsync.model.errors import Hostile, ProgramFailed, Unreachable
from toolsync.system.git import environment, git_in
from toolsync.system.isolation import Isolation
from toolsync.system.run import Done, run

_ASKPASS = """#!/bin/sh
case "$1" in
    Username*) printf '%s\\n' "$TOOLSYNC_GIT_USER" ;;
    *) cat -- "$TOOLSYNC_GIT_TOKEN" ;;
esac
"""
_MOST_REFS = 100_000
"""Names that a repository may have."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How the other side knows us; what is empty is not given."""

    user: str = ""
    token_file: str = ""
    identity: str = ""
    known_hosts: str = ""

    def variables(self, folder: Path) -> dict[str, str]:
        """Return what git is told, by variables that hold no secret; a helper is written."""
        found = {}
        if self.token_file:
            helper = folder / "askpass"
            helper.write_text(_ASKPASS, encoding="ascii")
            helper.chmod(0o700)
            found = {
                "GIT_ASKPASS": str(helper),
                "TOOLSYNC_GIT_USER": self.user or "oauth2",
                "TOOLSYNC_GIT_TOKEN": str(Path(self.token_file).expanduser()),
            }
        ssh = ["ssh", "-oBatchMode=yes"]
        if self.identity:
            ssh += ["-oIdentitiesOnly=yes", "-i", str(Path(self.identity).expanduser())]
        if self.known_hosts:
            hosts = Path(self.known_hosts).expanduser()
            ssh += ["-oStrictHostKeyChecking=yes", f"-oUserKnownHostsFile={hosts}"]
        return {**found, "GIT_SSH_COMMAND": shlex.join(ssh)}


class Clone:
    """A repository in ``folder`` with a tree, and the one at ``url`` that it is pushed to."""

    def __init__(
        self, folder: Path, url: str, access: Access, *, limit: int, seconds: float
    ) -> None:
        self.folder, self.url, self._limit, self._seconds = folder, url, limit, seconds
        self.tree = folder / "tree"
        self._env = {**environment(folder), **access.variables(folder)}
        self.git("init", "--quiet", str(self.tree), inside=False)

    def remote(self) -> dict[str, str]:
        """Return what the other side names: the object of each branch and tag, by full name."""
        lines = self._asked("ls-remote", "--", self.url).out.splitlines()
        if len(lines) > _MOST_REFS:
            raise Hostile(f"{self.url} names {len(lines)} refs, wanted at most {_MOST_REFS}")
        pairs = (line.split("\t", 1) for line in lines if "\t" in line)
        return {name: found for found, name in pairs if not name.endswith("^{}")}

    def fetch(self, refs: Sequence[str]) -> None:
        """Take these refs, by their full names, under the same names."""
        if refs:
            words = ("fetch", "--quiet", "--no-tags", "--force", "--no-recurse-submodules")
            self._asked(*words, "--update-head-ok", "--", self.url, *(f"{r}:{r}" for r in refs))

    def push(self, refs: Sequence[str]) -> None:
        """Give these refs, all or none; raises Unreachable where they are not taken."""
        given = [name if ":" in name else f"{name}:{name}" for name in refs]
        self._asked("push", "--quiet", "--atomic", "--no-verify", "--", self.url, *given)

    def object(self, name: str) -> str:
        """Return the object that a revision names, empty where there is none."""
        done = self.git("rev-parse", "--verify", "--quiet", "--end-of-options", name, ok=(0, 1))
        return done.out.strip()

    def differing(self, one: str, other: str, *paths: str) -> list[str]:
        """Return the paths by which two trees differ, at most a hundred."""
        words = ("diff-tree", "-r", "-z", "--name-only", "--no-renames", one, other, "--")
        return [p for p in self.git(*words, *paths).out.split("\0") if p][:100]

    def git(
        self,
        *words: str,
        inside: bool = True,
        env: Mapping[str, str] | None = None,
        ok: Sequence[int] = (0,),
    ) -> Done:
        """Run git in the tree; raises as `run`, Hostile where a file grows past the limit."""
        where = ("-C", str(self.tree)) if inside else ()
        return git_in(
            self.folder,
            *(*where, *words),
            env={**self._env, **(env or {})},
            limit=self._limit,
            seconds=self._seconds,
            ok=ok,
        )

    def program(self, *words: str | Path, env: Mapping[str, str]) -> Done:
        """Run a program of git's kind (gbp, pristine-tar) in the tree, with git's environment."""
        isolation = Isolation(file=self._limit)
        given = {**self._env, **env}
        return run(*words, timeout=self._seconds, env=given, cwd=self.tree, isolation=isolation)

    def _asked(self, *words: str) -> Done:
        """Run what speaks to the other side; raises Unreachable with what that says."""
        try:
            return self.git(*words)
        except ProgramFailed as error:
            said = str(error).partition("\n")[2].strip() or str(error)
            raise Unreachable(
                f"git could not {words[0]} with {self.url}: {said[:400]}",
                resolution="Look at [git] repository, and whether toolsync may write there"
                " (token_file, identity, known_hosts).",
            ) from error

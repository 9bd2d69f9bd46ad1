"""Git repositories for tests: made by the real git, served as smart and as dumb servers do."""

from __future__ import annotations

import base64
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tests.servers.web import Answer, Asked, Web
from tests.support.keys import Keys

_WHO = ("-c", "user.name=A", "-c", "user.email=a@a.invalid", "-c", "init.defaultBranch=main")
_BACKEND = "/usr/lib/git-core/git-http-backend"


class Repository:
    """A repository with one file, and a commit for every tag."""

    def __init__(self, folder: Path, *tags: str) -> None:
        self.folder = folder
        self.git("init", "--quiet", str(folder), at=folder.parent)
        for tag in tags:
            self.release(tag)

    def git(self, *words: str, at: Path | None = None, keys: Keys | None = None) -> str:
        """Run git in the repository and return what it printed."""
        env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")}
        env |= {"GIT_CONFIG_NOSYSTEM": "1", "HOME": "/nonexistent"}
        env |= {"GNUPGHOME": str(keys.home)} if keys else {}
        command = ["git", "-C", str(at or self.folder), *_WHO, *words]
        done = subprocess.run(command, capture_output=True, text=True, env=env, timeout=60)
        assert done.returncode == 0, f"{' '.join(command)}:\n{done.stdout}{done.stderr}"
        return done.stdout.strip()

    def release(
        self, tag: str, *, keys: Keys | None = None, signer: str = "", ssh: Path | None = None
    ) -> None:
        """Commit and tag; signed by ``signer``, one of ``keys``, or by a secret SSH key."""
        (self.folder / "hello").write_text(f"#!/bin/sh\necho {tag}\n")
        self.git("add", ".")
        self.git("commit", "--quiet", "--allow-empty", "--message", tag)
        how = ["--sign", f"--local-user={signer}"] if signer else ["--annotate"]
        how = ["--sign", f"--local-user={ssh}"] if ssh else how
        form = ["-c", "gpg.format=ssh"] if ssh else []
        self.git(*form, "tag", *how, "--message", tag, tag, keys=keys)

    def serve_smart(self, web: Web, path: str = "/hello.git") -> str:
        """Answer ``path`` through git's own CGI program and return the repository's address."""

        def answer(asked: Asked) -> Answer:
            return _backend(self.folder / ".git", path, asked)

        for route in ("/info/refs", "/git-upload-pack"):
            web.serve_by(path + route, answer)
        return web.url + path

    def serve_dumb(self, web: Web, path: str = "/dumb.git") -> str:
        """Serve the repository's files as any web server does, and return its address."""
        self.git("update-server-info")
        for file in (self.folder / ".git").rglob("*"):
            if file.is_file():
                name = file.relative_to(self.folder / ".git").as_posix()
                web.serve(f"{path}/{name}", file.read_bytes(), type="text/plain", etag='"1"')
        return web.url + path


class Writable:
    """A bare repository that takes pushes over HTTP from who shows a token."""

    def __init__(self, web: Web, folder: Path, *, token: str = "") -> None:
        self.folder, self.path = folder, f"/{folder.name}"
        self._wanted = base64.b64encode(f"oauth2:{token}".encode()).decode() if token else ""
        self.before: Callable[[], None] = _nothing
        """Called before a push is taken."""
        self.after: Callable[[], None] = _nothing
        """Called when it was taken, before that is said."""
        words = ("git", "init", "--quiet", "--bare", "--initial-branch=debian/latest", str(folder))
        subprocess.run(words, check=True, timeout=60)
        words = ("git", "-C", str(folder), "config", "http.receivepack", "true")
        subprocess.run(words, check=True, timeout=60)
        self.serve(web)

    def serve(self, web: Web) -> None:
        """Answer at ``path``, which may be another by now."""
        self.url = web.url + self.path
        for route in ("/info/refs", "/git-upload-pack", "/git-receive-pack"):
            web.serve_by(self.path + route, self._answer)

    def _answer(self, asked: Asked) -> Answer:
        shown = asked.headers.get("authorization", "")
        if self._wanted and shown != f"Basic {self._wanted}":
            return Answer(status=401, headers={"WWW-Authenticate": 'Basic realm="git"'})
        pushing = asked.path.endswith("/git-receive-pack") and b"refs/" in asked.body
        if pushing:
            self.before()
        found = _backend(self.folder, self.path, asked)
        if pushing:
            self.after()
        return found


def _nothing() -> None:
    pass


def _backend(repository: Path, path: str, asked: Asked) -> Answer:
    """Answer through git-http-backend(1)."""
    parts = urlsplit(asked.path)
    env = {
        "GIT_PROJECT_ROOT": str(repository),
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": parts.path.removeprefix(path),
        "QUERY_STRING": parts.query,
        "REQUEST_METHOD": asked.method,
        "CONTENT_TYPE": asked.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(asked.body)),
        "HTTP_CONTENT_ENCODING": asked.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
        "PATH": os.environ["PATH"],
    }
    done = subprocess.run([_BACKEND], input=asked.body, capture_output=True, env=env)
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    pairs = (line.partition(": ") for line in head.decode().splitlines())
    headers = {name: value for name, _, value in pairs}
    status = int(headers.pop("Status", "200").split()[0])
    return Answer(body, status, headers)

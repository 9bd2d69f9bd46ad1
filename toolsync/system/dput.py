"""The gateway to dput: bring a signed source upload to Launchpad's server, over FTP or SFTP.

dput's exit status is no proof in either direction. What can be known is told apart: files go
in the order of the .changes, which goes last itself, and Launchpad drops an upload that has
none. So where an upload failed before the .changes was begun, nothing was uploaded; where it
failed later, or was stopped, nobody here can tell.

Debian 12's dput speaks no SFTP, and with ``scp`` it neither ends well nor stops at the first
file that fails. So for SFTP dput checks signatures and digests, and OpenSSH's sftp carries the
files in a batch, which stops at its first failure and never asks.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from toolsync.model.errors import ProgramFailed, SetupError, TookTooLong, Unreachable
from toolsync.system.run import Done, require, run

_OUTPUT = 256 * 1024
"""Bytes; a dput that asks for something on a closed stdin can repeat itself for ever."""
_BEGUN = re.compile(r"^\s*(?:Uploading (\S+?)(?:: |$)|sftp> put \S+ \S+/(\S+)$)", re.MULTILINE)
_NOT_CONNECTED = re.compile(
    r"Connection failed|Wrong Password|Server closed the connection|Directory to upload to does"
    r"|connect to host \S+ port \d+|Could not resolve|Name or service not known"
    r"|Host key verification failed|Permission denied \(|No route to host",
)
_CHATTER = ("gpg:", "Note:", "Please consult", "Checking signature", "this configuration")
_OURS = re.compile(r"Host key verification failed|Permission denied \(|Wrong Password")


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where uploads go, and how."""

    host: str
    """A name or address, with ``:PORT`` where it is not the usual one."""
    method: str
    """``ftp`` or ``sftp``."""
    login: str
    incoming: str
    """The folder there, such as ``~owner/ubuntu/ppa``."""
    known_hosts: str = ""
    identity: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """What one try came to."""

    result: str
    """``sent``: dput says so; ``not-sent``: it cannot have been; ``unknown``: it may have been."""
    said: str
    """dput's last words."""


def send(
    changes: Path, server: Server, *, env: Mapping[str, str], seconds: float, folder: Path
) -> Sent:
    """Upload what ``changes`` names; all files lie beside it.

    ``env`` names the GnuPG home in which dput checks the signatures, ``folder`` is to work in.
    Raises ProgramMissing without dput, SetupError when the server refuses us for good.
    """
    require("dput")
    config = folder / "dput.cf"
    config.write_text(_stanza(server), encoding="utf-8")
    dput = ("dput", "--config", config, "--no-upload-log")
    _check((*dput, "--check-only", "launchpad", changes), env, folder)
    if server.method == "ftp":
        return _tried((*dput, "launchpad", changes), changes, server, env, seconds, folder)
    return _tried(_sftp(changes, server, folder), changes, server, env, seconds, folder)


def _check(words: Sequence[str | Path], env: Mapping[str, str], folder: Path) -> None:
    """Let dput judge signatures and digests; what it refuses, Launchpad drops without a word."""
    try:
        run(*words, timeout=300, limit=_OUTPUT, env=env, cwd=folder)
    except ProgramFailed as error:
        raise SetupError(
            f"dput refuses the upload before it is sent: {_lines(str(error))}",
            resolution="See that the key is alive: toolsync doctor --target ppa:…",
        ) from error


def _tried(
    words: Sequence[str | Path],
    changes: Path,
    server: Server,
    env: Mapping[str, str],
    seconds: float,
    folder: Path,
) -> Sent:
    """Run what uploads, and say what is known then."""
    try:
        done = run(*words, timeout=seconds, limit=_OUTPUT, env=env, cwd=folder, ok=range(-64, 256))
    except ProgramFailed as error:  # stopped: it took too long, or spoke too much
        return Sent(result="unknown", said=str(error))
    if done.code == 0:
        return Sent(result="sent", said=_last(done))
    result = "not-sent" if _before_changes(done, changes.name) else "unknown"
    if result == "not-sent" and _OURS.search(done.out + done.err):
        raise SetupError(
            f"{server.host} refuses the upload: {_last(done)}",
            resolution="Mend login, identity and known_hosts in [ppa] of toolsync.toml;"
            " `toolsync doctor --target ppa:…` looks at them.",
        )
    return Sent(result=result, said=_last(done))


def _sftp(changes: Path, server: Server, folder: Path) -> tuple[str | Path, ...]:
    """Return the command that carries all files in one session, the .changes last.

    ``-F none``: what ssh_config asks for (an environment, say) Launchpad's server may not answer.
    """
    names = [e["name"] for e in _changes(changes)["Files"]]
    where = f"./{server.incoming.strip('/')}"
    batch = folder / "batch"
    lines = (f"put {changes.parent / name} {where}/{name}\n" for name in (*names, changes.name))
    batch.write_text("".join(lines), encoding="utf-8")
    options = [f"-o{option}" for option in ssh_options(server)]
    host = server.host.rpartition(":")[0] or server.host
    return ("sftp", "-F", "none", "-b", batch, *options, f"{server.login}@{host}")


def _changes(path: Path) -> Any:
    from debian.deb822 import Changes

    return Changes(path.read_text(encoding="utf-8"))


def _stanza(server: Server) -> str:
    fqdn = server.host if server.method == "ftp" else server.host.partition(":")[0]
    return (
        "[launchpad]\n"
        f"fqdn = {fqdn}\n"
        "method = ftp\n"
        "passive_ftp = 1\n"
        f"incoming = {server.incoming.strip('/')}/\n"
        f"login = {server.login if server.method == 'ftp' else 'anonymous'}\n"
        "allow_unsigned_uploads = 0\n"
        "progress_indicator = 0\n"
        "run_dinstall = 0\n"
        "check_version = 0\n"
    )


def reach(server: Server, folder: Path) -> str:
    """Log in, look for the folder that takes uploads, send nothing; return what was found.

    Raises Unreachable when nobody answers, SetupError when we are not let in.
    """
    if server.method == "ftp":
        return _reach_ftp(server)
    batch = folder / "batch"
    batch.write_text("pwd\n", encoding="ascii")
    options = [f"-o{option}" for option in ssh_options(server)]
    host = server.host.rpartition(":")[0] or server.host
    words: tuple[str | Path, ...] = ("sftp", "-F", "none", "-b", batch, *options)
    try:
        done = run(*words, f"{server.login}@{host}", timeout=90, limit=_OUTPUT, ok=range(256))
    except TookTooLong as error:
        raise Unreachable(f"{server.host}: {error}", resolution="Try again later.") from error
    if done.code == 0:
        return f"lets {server.login} in over SFTP"
    if _OURS.search(done.out + done.err):
        raise SetupError(
            f"{server.host} does not let {server.login} in: {_last(done)}",
            resolution="Register the SSH key on Launchpad (+editsshkeys); [ppa] login is the"
            " Launchpad id, identity the key's file, known_hosts the server's key.",
        )
    raise Unreachable(f"{server.host}: {_last(done)}", resolution="Try again later.")


def _reach_ftp(server: Server) -> str:
    import ftplib

    host, _, port = server.host.partition(":")
    try:
        with ftplib.FTP(timeout=30) as ftp:  # noqa: S321 (Launchpad's way; uploads are signed)
            ftp.connect(host, int(port or 21))
            ftp.login(server.login, "toolsync@")
    except ftplib.all_errors as error:
        raise Unreachable(
            f"{server.host} does not take uploads over FTP: {error}",
            resolution="Try again later; or go by SFTP: [ppa] method, login, known_hosts.",
        ) from error
    return f"lets {server.login} in over FTP"


def ssh_options(server: Server) -> tuple[str, ...]:
    """Return what ssh_config(5) is told: never ask, trust the given host keys alone.

    Raises SetupError where no file of host keys is named or it cannot be read.
    """
    path = Path(server.known_hosts).expanduser() if server.known_hosts else None
    if path is None or not path.is_file():
        raise SetupError(
            f"SFTP to {server.host} needs its host key, but there is no file"
            f" {path or '(none is named)'}",
            resolution="Write it with `ssh-keyscan HOST > FILE`, compare it with the fingerprint"
            " that Launchpad publishes, and name it: [ppa] known_hosts.",
        )
    options = [
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        f"UserKnownHostsFile={path}",
        "GlobalKnownHostsFile=/dev/null",
        "ConnectTimeout=30",
        "ServerAliveInterval=15",
        "ServerAliveCountMax=4",
    ]
    if ":" in server.host:
        options.append(f"Port={server.host.rpartition(':')[2]}")
    if server.identity:
        options += [f"IdentityFile={Path(server.identity).expanduser()}", "IdentitiesOnly=yes"]
    return tuple(options)


def _before_changes(done: Done, changes: str) -> bool:
    """Say whether dput's words prove that it ended before it began with the .changes."""
    said = f"{done.out}\n{done.err}"
    begun = [name or other for name, other in _BEGUN.findall(said)]
    if changes in begun:
        return False
    return bool(begun) or _NOT_CONNECTED.search(said) is not None


def _last(done: Done) -> str:
    return _lines(f"{done.out}\n{done.err}") or f"nothing (status {done.code})"


def _lines(text: str) -> str:
    """Return the last lines that tell something, without what is said at every upload."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if not line.startswith(_CHATTER)]
    return "; ".join((telling or lines)[-3:])[:400]

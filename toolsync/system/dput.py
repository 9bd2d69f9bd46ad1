"""The gateway to dput: bring a signed source upload to Launchpad's server, over FTP or SFTP.

dput's exit status is no proof in either direction. What can be known is told apart: files go
in the order of the .changes, which goes last itself, and Launchpad drops an upload that has
none. So where dput failed before it began with the .changes, nothing was uploaded; where it
failed later, or was stopped, nobody here can tell.

SFTP goes through method ``scp`` (OpenSSH's scp speaks SFTP since 9.0): it takes ports, keys
and known_hosts as ssh does, never asks, and both dput and dput-ng have it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from toolsync.errors import ProgramFailed, SetupError, TookTooLong
from toolsync.system.run import Done, require, run

_OUTPUT = 256 * 1024
"""Bytes; a dput that asks for something on a closed stdin can repeat itself for ever."""
_BEGUN = re.compile(r"^\s*Uploading (\S+?)(?:: |$)", re.MULTILINE)
_NOT_CONNECTED = re.compile(
    r"Connection failed|Wrong Password|Server closed the connection|Directory to upload to does"
    r"|connect to host \S+ port \d+|Could not resolve|Name or service not known"
    r"|Host key verification failed|Permission denied \(|No route to host",
)
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
    """The folder there, such as ``~owner/ubuntu/ppa/``."""
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
    words = ("dput", "--config", config, "--no-upload-log", "launchpad", changes)
    try:
        done = run(*words, timeout=seconds, limit=_OUTPUT, env=env, cwd=folder, ok=range(-64, 256))
    except TookTooLong as error:
        return Sent(result="unknown", said=str(error))
    except ProgramFailed as error:  # it was stopped in a flood of words
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


def _stanza(server: Server) -> str:
    lines = [
        "[launchpad]",
        f"incoming = {server.incoming}",
        f"login = {server.login}",
        "allow_unsigned_uploads = 0",
        "progress_indicator = 0",
        "run_dinstall = 0",
        "check_version = 0",
    ]
    if server.method == "ftp":
        lines += [f"fqdn = {server.host}", "method = ftp", "passive_ftp = 1"]
    else:
        lines += [f"fqdn = {_host(server)}", "method = scp", "ssh_config_options ="]
        lines += [f" {option}" for option in ssh_options(server)]
    return "\n".join(lines) + "\n"


def _host(server: Server) -> str:
    return server.host.rpartition(":")[0] or server.host


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
    begun = [name for name in _BEGUN.findall(said) if name not in ("to", "launchpad")]
    if changes in begun:
        return False
    return bool(begun) or _NOT_CONNECTED.search(said) is not None


def _last(done: Done) -> str:
    lines = [line.strip() for line in f"{done.out}\n{done.err}".splitlines() if line.strip()]
    return "; ".join(lines[-3:])[:400] or f"nothing (status {done.code})"

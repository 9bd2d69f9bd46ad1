"""Launchpad's own upload server on the loopback, over FTP and SFTP, with faults by script.

::

    with UploadServer(folder) as server:
        server.add_person("maker", ssh_public_key_file)
        … dput to ftp://127.0.0.1:{server.ftp_port}/~maker/ubuntu/stable …
        server.sessions()                         # what arrived, one folder for each session
        server.fault("refuse", when=".changes")   # the next session's
        LaunchpadServer(server.incoming)          # decides about it

Faults of a session: ``refuse`` answers a file with 550, ``no-folder`` the change of folder;
``cut`` breaks the connections within a file, ``hang`` never answers; ``lie-failed`` keeps
what arrived and says 550, ``lie-stored`` says that all went well and keeps nothing of it.
``when`` is a part of the name of the file at which it happens, any file by default.

It is the program that runs at Launchpad, in an environment of its own that ``make`` builds.
Each session's files come to ``incoming`` at its end, whole or not, as they do there.

What clients of its SFTP side must know (tried with OpenSSH 9.2 and dput-ng 1.35):
- dput-ng's method ``sftp`` works and ends with 0; the dput of Debian 12 has no such method.
- OpenSSH's sftp and scp never end where ssh_config sends an environment, as Debian's does
  (``SendEnv LANG LC_*``): give ``-F none``. sftp in a batch then ends with 0.
- scp refuses ``~owner/…`` ("server expand-path extension is required"): it takes ``./~owner/…``,
  and ends with 1 although the file has arrived; and each scp is a session of its own.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).parents[2]
PYTHON = ROOT / ".venv" / "txpkgupload" / "bin" / "python"
_KINDS = {"ssh-ed25519": "ED25519", "ssh-rsa": "RSA", "ssh-dss": "DSA"}
FAULTS = ("refuse", "no-folder", "cut", "hang", "lie-failed", "lie-stored")


class UploadServer:
    """The server; its context starts and stops it. ``folder`` is its own, made if need be."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.incoming = folder, folder / "incoming"
        self.ftp_port = self.sftp_port = 0
        self.known_hosts = folder / "known_hosts"
        """For ssh(1): the server's key, by address and port."""
        self._people: dict[str, list[tuple[str, str]]] = {}
        self._faults = 0
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> UploadServer:
        for name in ("incoming", "partial", "faults"):
            (self.folder / name).mkdir(parents=True, exist_ok=True)
        make_ssh_key(self.folder / "host_key", "rsa")
        self._write_people()
        assert PYTHON.exists(), (
            f"{PYTHON} is missing: make {PYTHON.parent.parent.parent}/.txpkgupload"
        )
        with (self.folder / "log").open("w") as log:
            self._process = subprocess.Popen(
                [PYTHON, Path(__file__).with_name("upload_main.py"), self.folder],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, (self.folder / "log").read_text()
        ports = json.loads(line)
        self.ftp_port, self.sftp_port = ports["ftp"], ports["sftp"]
        key = (self.folder / "host_key.pub").read_text().split()
        self.known_hosts.write_text(f"[127.0.0.1]:{self.sftp_port} {key[0]} {key[1]}\n")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is not None and self._process.stdout is not None:
            self._process.kill()
            self._process.wait()
            self._process.stdout.close()

    def add_person(self, name: str, *public_keys: Path) -> None:
        """Let a person in over SFTP with these SSH keys (FTP lets everybody in)."""
        words = [path.read_text().split() for path in public_keys]
        self._people[name] = [(_KINDS[word[0]], word[1]) for word in words]
        self._write_people()

    def fault(self, kind: str, *, when: str = "", times: int = 1) -> None:
        """Give the next ``times`` sessions this fault."""
        assert kind in FAULTS, kind
        for _ in range(times):
            self._faults += 1
            self._write(f"faults/{self._faults:06}.json", json.dumps({"kind": kind, "when": when}))

    def clear_faults(self) -> None:
        """Be well again."""
        for path in (self.folder / "faults").iterdir():
            path.unlink(missing_ok=True)

    def settings(self, method: str, identity: Path) -> dict[str, str]:
        """Return what [ppa] says to upload here; ``identity`` is the ssh key for ``sftp``."""
        if method == "ftp":
            return {"method": "ftp", "host": f"127.0.0.1:{self.ftp_port}"}
        return {
            "method": "sftp",
            "host": f"127.0.0.1:{self.sftp_port}",
            "login": "maker",
            "known_hosts": str(self.known_hosts),
            "identity": str(identity),
        }

    def sessions(self, *, count: int = 0, seconds: float = 30) -> list[Path]:
        """Return the folders of the sessions that have ended, oldest first.

        A session ends a moment after its client: wait for ``count`` of them, if given.
        """
        deadline = time.monotonic() + seconds
        while True:
            found = sorted(self.incoming.glob("upload-*"), key=lambda p: p.name[-6:])
            if len(found) >= count or time.monotonic() > deadline:
                return found
            time.sleep(0.02)

    def _write_people(self) -> None:
        self._write("people.json", json.dumps(self._people))

    def _write(self, name: str, text: str) -> None:
        """Write a file that the server may read at any moment."""
        staged = self.folder / ".staged"
        staged.write_text(text)
        staged.rename(self.folder / name)


def make_ssh_key(path: Path, kind: str = "ed25519") -> Path:
    """Make an SSH key without a passphrase and return its public half."""
    command = ["ssh-keygen", "-q", "-t", kind, "-N", "", "-C", "", "-m", "PEM", "-f", str(path)]
    public = path.with_name(f"{path.name}.pub")
    if not public.exists():
        subprocess.run(command, check=True, stdin=subprocess.DEVNULL)
    return public

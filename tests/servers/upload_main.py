"""Run Launchpad's own upload server (txpkgupload) on the loopback; see `uploadserver`.

Runs with the interpreter of .venv/txpkgupload. txpkgupload's own start-up binds every address
and reads its settings in a way that newer YAML libraries refuse, so its parts are put together
here. Its one argument is a folder; ports are printed as one line of JSON. Faults are files
``faults/NUMBER.json`` there, one for each session, taken lowest first.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from lazr.sshserver.auth import NoSuchPersonWithName, PublicKeyFromLaunchpadChecker
from lazr.sshserver.service import Factory
from twisted.conch.interfaces import ISFTPServer
from twisted.conch.ssh.filetransfer import FX_FAILURE, SFTPError
from twisted.conch.ssh.keys import Key
from twisted.cred.portal import Portal
from twisted.internet import defer, reactor
from twisted.python import components
from txpkgupload.plugin import PkgUploadAvatar, Realm
from txpkgupload.twistedftp import FTPServiceFactory, FTPWithEPSV
from txpkgupload.twistedsftp import SFTPFile, SFTPServer

HOME = Path(sys.argv[1])
LOOPBACK = "127.0.0.1"
ERROR = "550 Requested action not taken: internal server error"


def take_fault() -> dict[str, str]:
    """Return the fault that a new session is to have; most have none."""
    for path in sorted((HOME / "faults").glob("*.json")):
        fault: dict[str, str] = json.loads(path.read_text())
        path.unlink()
        return fault
    return {"kind": "", "when": ""}


class People:
    """Stands for Launchpad's server of accounts; people.json says who has which SSH keys."""

    def callRemote(self, method: str, name: str) -> Any:  # noqa: N802
        known = json.loads((HOME / "people.json").read_text())
        if name not in known:
            return defer.fail(NoSuchPersonWithName(name))
        return defer.succeed({"id": 1, "name": name, "keys": known[name]})


class FaultyFtp(FTPWithEPSV):  # type: ignore[misc]
    """The FTP side, with the faults that users have met."""

    def connectionMade(self) -> None:  # noqa: N802
        self.fault = take_fault()
        super().connectionMade()

    def getDTPPort(self, factory: Any, interface: str = "") -> Any:  # noqa: N802
        return super().getDTPPort(factory, interface=LOOPBACK)

    def ftp_CWD(self, path: str) -> Any:  # noqa: N802
        if self.fault["kind"] == "no-folder":
            return self.failed()
        return super().ftp_CWD(path)

    def ftp_STOR(self, path: str) -> Any:  # noqa: N802
        kind = self.fault["kind"] if self.fault["when"] in path else ""
        if kind == "refuse":
            return self.failed()
        if kind == "hang":
            reactor.callLater(0, self.resumeProducing)  # else its client's end goes unnoticed
            return defer.Deferred()
        if kind == "cut":
            self.dtpInstance.dataReceived = self.half
        stored = super().ftp_STOR(path)
        if kind == "lie-failed":
            stored.addCallback(lambda _: self.failed())
        if kind == "lie-stored":
            stored.addCallback(self.lose)
        return stored

    def half(self, data: bytes) -> None:
        """Take half of what a file's first bytes are, and break off."""
        data_connection = self.dtpInstance
        data_connection._cons.write(data[: len(data) // 2])
        for transport in (self.transport, data_connection.transport):
            transport.abortConnection()

    def failed(self) -> Any:
        self.sendLine(ERROR)
        return defer.succeed(None)

    def lose(self, result: Any) -> Any:
        for path in Path(self.shell._current_upload).rglob("*"):
            if path.is_file():
                path.unlink()
        return result


class FaultyFile(SFTPFile):  # type: ignore[misc]
    """A file that arrives over SFTP, with a fault."""

    def __init__(self, filename: str, kind: str, avatar: Any) -> None:
        super().__init__(filename)
        self.kind, self.avatar = kind, avatar

    def writeChunk(self, offset: int, data: bytes) -> Any:  # noqa: N802
        if self.kind == "hang":
            return defer.Deferred()
        if self.kind == "cut":
            super().writeChunk(offset, data[: len(data) // 2])
            self.avatar.conn.transport.transport.abortConnection()
            return defer.Deferred()
        return super().writeChunk(offset, data)

    def close(self) -> None:
        if self.kind == "lie-failed":
            raise SFTPError(FX_FAILURE, ERROR)
        if self.kind == "lie-stored":
            Path(self.filename).unlink(missing_ok=True)


class FaultySftp(SFTPServer):  # type: ignore[misc]
    """The SFTP side, with the same faults."""

    def __init__(self, avatar: Any) -> None:
        self.fault = take_fault()
        super().__init__(avatar)

    def openFile(self, filename: bytes, flags: int, attrs: Any) -> Any:  # noqa: N802
        kind = self.fault["kind"] if self.fault["when"] in os.fsdecode(filename) else ""
        if kind in ("refuse", "no-folder"):
            raise SFTPError(FX_FAILURE, ERROR)
        return FaultyFile(super().openFile(filename, flags, attrs).filename, kind, self._avatar)


def main() -> None:
    incoming, temp, key = (str(HOME / name) for name in ("incoming", "partial", "host_key"))
    ftp = FTPServiceFactory(0, incoming, temp, 60).ftpfactory
    ftp.protocol = FaultyFtp
    components.ALLOW_DUPLICATES = True
    components.registerAdapter(FaultySftp, PkgUploadAvatar, ISFTPServer)
    people = People()
    portal = Portal(Realm(people, incoming, temp))
    portal.registerChecker(PublicKeyFromLaunchpadChecker(people))
    sftp = Factory(portal, private_key=Key.fromFile(key), public_key=Key.fromFile(f"{key}.pub"))
    ports = {
        name: reactor.listenTCP(0, factory, interface=LOOPBACK).getHost().port
        for name, factory in (("ftp", ftp), ("sftp", sftp))
    }
    print(json.dumps(ports), flush=True)  # noqa: T201
    reactor.run()


if __name__ == "__main__":
    main()

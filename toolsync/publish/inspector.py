"""Look at one local archive as `intact` does, and keep what was found whole."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from pathlib import Path

from toolsync.model.errors import Damaged, ProgramFailed
from toolsync.publish.checked import Checked, read_checked, write_checked
from toolsync.publish.intact import Fault, damaged, inspect
from toolsync.publish.served import check_signers
from toolsync.publish.settling import Settling
from toolsync.system.work import Workshop


class Inspector:
    """What is known of how whole an archive is; asked anew after each `forget`."""

    def __init__(self, root: Path, settling: Settling, workshop: Workshop) -> None:
        self._root, self._settling, self._workshop = root, settling, workshop
        self._last: tuple[tuple[Fault, ...], Checked] | None = None
        self._sources: tuple[Checked, Mapping[str, Set[str]]] | None = None

    def look(self, *, deep: bool = False) -> tuple[Fault, ...]:
        """Return what is not as it must be, by what was written down; changes nothing.

        With ``deep`` every file is digested, and the databases are compared.
        """
        if deep:
            self._last = self._whole(read_checked(self._root))
        return self._found()[0]

    def checked(self) -> Checked:
        """Return what the last look found whole."""
        return self._found()[1]

    def sources(self, series: str) -> Set[str]:
        """Return the source packages of which the last look found anything in a series' index."""
        found = self.checked()
        if self._sources is None or self._sources[0] is not found:
            own = {s.series: {entry.source for entry in s.entries} for s in found.suites}
            self._sources = found, own
        return self._sources[1].get(series, frozenset())

    def forget(self) -> None:
        """Look again at the next question: the archive was changed."""
        self._last = None

    def look_and_keep(self, *, deep: bool = False) -> tuple[Fault, ...]:
        """Return what is not as it must be, and write down what is; databases are compared, too.

        With ``deep`` every file is digested, as where nothing was ever written down. The caller
        holds the state's lock.
        """
        before = read_checked(self._root)
        faults, found = self._whole(before, deep=deep or not before.suites)
        if found != before and (self._root / "conf").is_dir():
            write_checked(self._root, found)
        self._last = faults, found
        return faults

    def doubt(self, paths: Set[str]) -> None:
        """Let these files be digested at each look from now on, though their times are as before.

        A disk that loses a byte changes no time.
        """
        known = read_checked(self._root)
        marks = {path: mark for path, mark in known.marks.items() if path not in paths}
        if marks != known.marks:
            write_checked(self._root, replace(known, marks=marks))
        self.forget()

    def require_index(self) -> None:
        """Raise Damaged where indices or databases are not whole: nothing can be added then."""
        self.forget()
        self._settling.reprepro.require_free()
        faults, found = self._found()
        about = [fault for fault in faults if not fault.source]
        if not about and (fault := self._of_databases(found)):
            about = [fault]
        if about:
            raise damaged(self._root, about)

    def fault_of(self, source: str) -> Damaged | None:
        """Return the error for what keeps instances from a source package, None if nothing does."""
        about = [fault for fault in self.look() if fault.source in ("", source)]
        return damaged(self._root, about) if about else None

    def _whole(self, before: Checked, *, deep: bool = True) -> tuple[tuple[Fault, ...], Checked]:
        faults, found = self._inspect(before, deep=deep)
        whole = not any(fault.path.startswith("d") for fault in faults)  # db, dists
        fault = self._of_databases(found) if whole else None
        return ((*faults, fault) if fault else faults), found

    def _found(self) -> tuple[tuple[Fault, ...], Checked]:
        if self._last is None:
            self._last = self._inspect(read_checked(self._root), deep=False)
        return self._last

    def _inspect(self, before: Checked, *, deep: bool) -> tuple[tuple[Fault, ...], Checked]:
        promise = self._settling.keys.written()
        signers = promise.signing if promise else ()
        faults, found = inspect(self._root, before, signed=self._signed, signers=signers, deep=deep)
        if found.suites and not any(fault.path.startswith("dists/") for fault in faults):
            tracked = any(e.path.endswith(".dsc") for s in found.suites for e in s.entries)
            path, how = self._settling.reprepro.database_fault(tracked=tracked)
            faults += (Fault(path=path, message=how),) if path else ()
        return faults, found

    def _of_databases(self, found: Checked) -> Fault | None:
        """Compare what the databases hold with what the indices name."""
        if not found.suites:
            return None
        series: list[str] = []
        wanted: set[str] = set()
        for suite in found.suites:
            series.append(suite.series)
            wanted.update(suite.lists)
        with self._workshop.folder("databases") as folder:
            try:
                lost = sorted(wanted - self._settling.reprepro.listed(series, folder))
            except (ProgramFailed, OSError) as error:
                return Fault(path="db/packages.db", message=f"cannot be read: {error}")
        how = f"does not know {', '.join(lost[:3])}"
        return Fault(path="db/packages.db", message=how) if lost else None

    def _signed(self, path: Path) -> tuple[str, tuple[str, ...]]:
        """Return the text of an InRelease and by whom it is signed, which is asked of gpgv.

        While other keys or another layout are promised than what is served was made by, it is
        about to be written anew: then nobody is asked, and nothing is kept.
        """
        if not self._settling.is_settled():
            text = path.read_text(encoding="utf-8", errors="replace")
            return text.partition("\n\n")[2].partition("-----BEGIN PGP SIGNATURE")[0], ()
        signers = self._settling.signers
        with self._workshop.folder("signature") as folder:
            text = check_signers([path], self._settling.public_key, signers, folder=folder)
        return text, signers

"""Workers that build nothing real: they sleep, die or lie; and what is asked of them.

As a program it is such a worker: ``python3 -m tests.support.fleet BROKER STORE NAME HOW``.
"""

from __future__ import annotations

import hashlib
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from tests.support.archives import Item, gz, tar
from tests.support.mutations import MIT
from tests.support.releases import parser
from tests.support.rig import environment
from toolsync.build.chroot import Chroots
from toolsync.build.stage import Product
from toolsync.config.definition import Tool
from toolsync.config.settings import Config
from toolsync.fleet.build import BuildAsked, read_asked
from toolsync.fleet.kind import Doer, Machine
from toolsync.fleet.look import LOOK, LookAsked, LookSeen, Watched
from toolsync.fleet.scan import SCAN, ScanAsked, ScanRead
from toolsync.fleet.surface import SURFACE, SurfaceAsked, SurfaceRead
from toolsync.http.client import Http
from toolsync.license.terms import Terms, from_json, to_json
from toolsync.model.errors import Damaged, PackageFailed
from toolsync.model.release import Release
from toolsync.model.values import Blob
from toolsync.system.clock import SystemClock
from toolsync.system.store import Store
from toolsync.system.work import Workshop
from toolsync.watch.look import Sighting

INTERVAL = 0.1
"""Seconds between two requests of all workers together to one host."""
NOTHING = Blob(name="none", sha256="0" * 64, size=1)


def asked_for(store: Store, number: int = 0, *, version: str = "1.0-1") -> BuildAsked:
    """Return a question about a source package that is in the store."""
    source = f"hello{number}" if number else "hello"
    dsc = f"Format: 3.0 (quilt)\nSource: {source}\nBinary: {source}, {source}-doc\n".encode()
    files = [(f"{source}_{version}.dsc", dsc), (f"{source}_1.0.orig.tar.xz", source.encode())]
    return BuildAsked(
        name=source,
        version=version,
        series="bookworm",
        architecture="amd64",
        files=tuple(store.add_bytes(data, name) for name, data in files),
        backend="host",
        tests=False,
        lint=False,
        rebuild=False,
        known=(),
    )


def packed(asked: BuildAsked, store: Store, **fields: str) -> Product:
    """Return what an honest worker makes, in the store; ``fields`` are other ones of its .deb."""
    return _made(asked, store, _deb(asked, store, **fields))


def ported(asked: BuildAsked, store: Store) -> Product:
    """Make a package of the architecture, and unless it is asked for alone one for all."""
    own = _deb(asked, store, Architecture=asked.architecture)
    doc = _deb(asked, store, Package=f"{asked.name}-doc", Source=asked.name)
    return _made(asked, store, own, *(() if asked.alone else (doc,)))


def forgetful(asked: BuildAsked, store: Store) -> Product:
    """Make the like with a command for each architecture, but from 2.0 on not for i386."""
    without = asked.architecture == "i386" and not asked.version.startswith("1.")
    own = _deb(asked, store, "" if without else "usr/bin/hello", Architecture=asked.architecture)
    doc = _deb(asked, store, "usr/bin/hello-all", Package=f"{asked.name}-doc", Source=asked.name)
    return _made(asked, store, own, *(() if asked.alone else (doc,)))


def for_all(asked: BuildAsked, store: Store) -> Product:
    """Make what is for all architectures, too, where another build has made that."""
    return ported(replace(asked, alone=False), store)


def _deb(asked: BuildAsked, store: Store, script: str = "", **fields: str) -> Blob:
    """Return a .deb that is in the store, with a script at a path where one is named."""
    control = {
        "Package": asked.name,
        "Version": asked.version,
        "Architecture": "all",
        "Maintainer": "T <t@t.example>",
        "Description": "nothing",
        "Section": "misc",
        "Priority": "optional",
        **fields,
    }
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree" / "DEBIAN"
        tree.mkdir(parents=True)
        (place := tree.parent / "usr/share/doc" / control["Package"]).mkdir(parents=True)
        (place / "README").write_text("nothing\n")
        if script:
            (path := tree.parent / script).parent.mkdir(parents=True)
            path.write_text("#!/bin/sh\n")
            path.chmod(0o755)
        (tree / "control").write_text("".join(f"{k}: {v}\n" for k, v in control.items()))
        plain = control["Version"].partition(":")[2] or control["Version"]
        deb = Path(folder) / f"{control['Package']}_{plain}_{control['Architecture']}.deb"
        subprocess.run(
            ["dpkg-deb", "--root-owner-group", "-b", tree.parent, deb],
            check=True,
            stdout=subprocess.DEVNULL,
        )
        return store.add_file(deb)


def _made(asked: BuildAsked, store: Store, *debs: Blob) -> Product:
    files = (*asked.files, *debs)
    return Product(
        changes=changes_of(asked, files, store),
        files=files,
        builder="a test's",
        tests="none",
        log=store.add_bytes(b"log", "log.build"),
    )


def changes_of(asked: BuildAsked, files: tuple[Blob, ...], store: Store) -> Blob:
    """Return a .changes of these files, in the store."""
    lines = "".join(f" {blob.sha256} {blob.size} {blob.name}\n" for blob in files)
    listed = "".join(f" {_md5(b, store)} {b.size} misc optional {b.name}\n" for b in files)
    debs = [blob.name.removesuffix(".deb") for blob in files if blob.name.endswith(".deb")]
    architectures = dict.fromkeys(name.rpartition("_")[2] for name in debs)
    text = (
        f"Format: 1.8\nDate: Tue, 14 Nov 2023 22:13:20 +0000\nSource: {asked.name}\n"
        f"Binary: {asked.name} {asked.name}-doc\n"
        f"Architecture: {' '.join(['source', *architectures])}\nMaintainer: T <t@t.example>\n"
        f"Description:\n {asked.name} - x\nChanges:\n x\n"
        f"Version: {asked.version}\nDistribution: {asked.series}\n"
        f"Checksums-Sha256:\n{lines}Files:\n{listed}"
    )
    name = f"{asked.name}_{asked.version}_{asked.architecture}.changes"
    return store.add_bytes(text.encode(), name)


def _md5(blob: Blob, store: Store) -> str:
    """Return a file's MD5; of one that is not there any that looks like it."""
    try:
        data = store.path(blob).read_bytes()
    except Damaged:
        data = b""
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def changes_with(made: Product, store: Store, old: str, new: str) -> Product:
    """Return something made with another text in its .changes."""
    text = store.path(made.changes).read_text()
    assert old in text
    data = text.replace(old, new).encode()
    return replace(made, changes=store.add_bytes(data, made.changes.name))


def other_bytes(asked: BuildAsked, store: Store) -> Product:
    """Say that a file is in the store which is not."""
    made = packed(asked, store)
    gone = replace(made.files[-1], sha256=hashlib.sha256(b"no").hexdigest())
    files = (*made.files[:-1], gone)
    return replace(made, files=files, changes=changes_of(asked, files, store))


def other_names(asked: BuildAsked, store: Store) -> Product:
    """Name a file so that it would lie elsewhere."""
    made = packed(asked, store)
    files = (*made.files[:-1], replace(made.files[-1], name="../../etc/cron.d/x.deb"))
    return replace(made, files=files, changes=changes_of(asked, files, store))


def other_package(asked: BuildAsked, store: Store) -> Product:
    """Pass off another package as what was asked for."""
    return packed(asked, store, Package="sudo", Version="9:9")


def stowaway(asked: BuildAsked, store: Store) -> Product:
    """Add a package of another name, as if it came of this source."""
    return packed(asked, store, Package="openssh-server", Source=asked.name)


def other_version(asked: BuildAsked, store: Store) -> Product:
    """Give a package a version that is above all others."""
    return packed(asked, store, Version="9:99", Source=f"{asked.name} ({asked.version})")


def bomb(asked: BuildAsked, store: Store) -> Product:
    """State a small size for what is a large file."""
    made = packed(asked, store)
    huge = store.add_bytes(bytes(20_000_000), made.files[-1].name)
    files = (*made.files[:-1], replace(huge, size=100))
    return replace(made, files=files, changes=changes_of(asked, files, store))


def endless(asked: BuildAsked, store: Store) -> Product:
    """Say more than anybody wants to read."""
    return replace(packed(asked, store), builder="x" * 6_000_000)


def blames(asked: BuildAsked, store: Store) -> Product:
    """Say that the package cannot be built."""
    raise PackageFailed(f"{asked.name} did not build", resolution="Mend it.")


def suicide(asked: BuildAsked, store: Store) -> Product:
    """Die with all that belongs to it, as by a power cut."""
    os.killpg(0, signal.SIGKILL)
    raise AssertionError


def sleeping(seconds: float) -> Callable[[BuildAsked, Store], Product]:
    """Return a build that only sleeps."""

    def build(asked: BuildAsked, store: Store) -> Product:
        made = packed(asked, store)
        time.sleep(seconds)
        return made

    return build


def machine(store: Store, folder: Path) -> Machine:
    """Return what a worker's tasks are done with; nothing can be built with it."""
    config = Config(file=folder / "toolsync.toml", state=folder / "state", tool_folders=())
    workshop = Workshop(folder / "state", "")
    chroots = Chroots(
        folder, mirror="", days=1, workshop=workshop, clock=SystemClock(), told=lambda _: None
    )
    return Machine(config=config, store=store, workshop=workshop, chroots=chroots)


def release(store: Store, **files: bytes) -> ScanAsked:
    """Return a question about the terms of a release that is in the store."""
    named = {"LICENSE": MIT.encode(), "pkg__a_py": b"x = 1\n", **files}
    items = [Item(name=f"t-1/{n.replace('__', '/')}", data=data) for n, data in named.items()]
    orig = store.add_bytes(gz(tar(items)), "t_1.orig.tar.gz")
    return ScanAsked(orig=orig, components=(), before=None)


def of_another(asked: ScanAsked, there: Machine) -> object:
    """Pass off the terms of other files as the release's."""
    other = release(there.store, pkg__b_py=b"y = 2\n")
    return SCAN.do(other, there)


def left_out(asked: ScanAsked, there: Machine) -> object:
    """Keep silent about a file."""
    return _retold(asked, there, lambda terms: replace(terms, files=terms.files[:-1]))


def moved(asked: ScanAsked, there: Machine) -> object:
    """Exchange the paths of two files, so that what one says is said of the other."""

    def change(terms: Terms) -> Terms:
        one, *between, other = terms.files
        pair = replace(one, digest=other.digest), replace(other, digest=one.digest)
        return replace(terms, files=(pair[0], *between, pair[1]))

    return _retold(asked, there, change)


def of_this_machine(asked: ScanAsked, there: Machine) -> object:
    """Say that the license text lies in a file of whoever reads that later."""

    def change(terms: Terms) -> Terms:
        mains = tuple(replace(text, file="../../../etc/shadow") for text in terms.mains)
        return replace(terms, mains=mains)

    return _retold(asked, there, change)


def nested(asked: ScanAsked, there: Machine) -> object:
    """Put lists into lists until whoever reads them falls."""
    return ScanRead(terms=there.store.add_bytes(b"[" * 100_000, "terms.json"), problems=())


def wide(asked: ScanAsked, there: Machine) -> object:
    """Say more of what depends on what than any release does."""
    return _retold(asked, there, lambda terms: replace(terms, requires=("x",) * 600_000))


def no_terms(asked: ScanAsked, there: Machine) -> object:
    """Put something else into the store."""
    return ScanRead(terms=there.store.add_bytes(b"[]", "terms.json"), problems=())


def not_there(asked: ScanAsked, there: Machine) -> object:
    """Put nothing into the store."""
    return ScanRead(terms=replace(NOTHING, name="terms.json"), problems=())


def _retold(asked: ScanAsked, there: Machine, change: Callable[[Terms], Terms]) -> ScanRead:
    read = SCAN.do(asked, there)
    assert isinstance(read, ScanRead)
    terms = from_json(there.store.path(read.terms).read_bytes())
    assert terms is not None
    return replace(read, terms=there.store.add_bytes(to_json(change(terms)), "terms.json"))


def pages(*tools: Tool, known: Sighting | None = None) -> LookAsked:
    """Return a question about the pages of tools."""
    return LookAsked(
        pages=tuple(
            Watched(tool=t.name, watch=t.watch, verify=t.verify, epoch=t.epoch, known=known)
            for t in tools
        )
    )


def _seen(asked: LookAsked, there: Machine, change: Callable[[Release], Release]) -> object:
    seen = LOOK.do(asked, there)
    assert isinstance(seen, LookSeen)
    return LookSeen(
        seen=tuple(
            replace(
                one,
                sighting=one.sighting
                and replace(one.sighting, releases=tuple(map(change, one.sighting.releases))),
            )
            for one in seen.seen
        )
    )


def of_another_tool(asked: LookAsked, there: Machine) -> object:
    """Name a release of a tool that was not asked for."""
    return _seen(asked, there, lambda release: release._replace(tool="sudo"))


def a_path(asked: LookAsked, there: Machine) -> object:
    """Name a version that would lie elsewhere."""
    return _seen(asked, there, lambda release: release._replace(version="1/../../etc"))


def a_file(asked: LookAsked, there: Machine) -> object:
    """Name an address on the coordinator's own disk."""
    return _seen(asked, there, lambda release: release._replace(url="file:///etc/passwd"))


def twice(asked: LookAsked, there: Machine) -> object:
    """Name a release twice."""
    seen = LOOK.do(asked, there)
    assert isinstance(seen, LookSeen)
    (one,) = seen.seen
    assert one.sighting is not None
    releases = (*one.sighting.releases, one.sighting.releases[-1])
    return LookSeen(seen=(replace(one, sighting=replace(one.sighting, releases=releases)),))


def as_before(asked: LookAsked, there: Machine) -> object:
    """Say that a page has not changed that nobody has seen."""
    seen = LOOK.do(asked, there)
    assert isinstance(seen, LookSeen)
    sighting = seen.seen[0].sighting
    assert sighting is not None
    return LookSeen(seen=(replace(seen.seen[0], sighting=replace(sighting, changed=False)),))


LOOK_LIES: dict[str, Callable[[LookAsked, Machine], object]] = {
    "of_another_tool": of_another_tool,
    "a_path": a_path,
    "a_file": a_file,
    "twice": twice,
    "as_before": as_before,
}


def offered(store: Store) -> SurfaceAsked:
    """Return a question about the surface of a tree that is in the store."""
    program = Item(name="t-1/bin/a", data=parser("'--x'", "'--y'").encode(), mode=0o755)
    orig = store.add_bytes(gz(tar([program])), "t_1.orig.tar.gz")
    return SurfaceAsked(orig=orig, components=(), debs=(), commands=(), probe=False)


def no_surface(asked: SurfaceAsked, there: Machine) -> object:
    """Put something else into the store."""
    return SurfaceRead(surface=there.store.add_bytes(b"[]", "surface.json"))


SURFACE_LIES: dict[str, Callable[[SurfaceAsked, Machine], object]] = {"no_surface": no_surface}
SCAN_LIES: dict[str, Callable[[ScanAsked, Machine], object]] = {
    "of_another": of_another,
    "left_out": left_out,
    "moved": moved,
    "of_this_machine": of_this_machine,
    "nested": nested,
    "wide": wide,
    "no_terms": no_terms,
    "not_there": not_there,
}
LIES = {
    "other_bytes": other_bytes,
    "other_names": other_names,
    "other_package": other_package,
    "stowaway": stowaway,
    "other_version": other_version,
    "bomb": bomb,
    "endless": endless,
}
WAYS = {
    **LIES,
    "honest": packed,
    "suicide": suicide,
    "ported": ported,
    "forgetful": forgetful,
    "for_all": for_all,
    "blames": blames,
}
QUEUES = "build.amd64,look,scan,surface"


def start(
    broker: str, store: str, name: str, how: str, queues: str = QUEUES
) -> subprocess.Popen[bytes]:
    """Start a worker."""
    return subprocess.Popen(
        [sys.executable, "-m", "tests.support.fleet", broker, store, name, how, queues],
        env=environment(),
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    """Kill a worker with all that it has started."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@contextmanager
def worker(
    broker: str, store: str, name: str, how: str, queues: str = QUEUES
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a worker for the block."""
    process = start(broker, store, name, how, queues)
    try:
        yield process
    finally:
        stop(process)


def main(broker: str, url: str, name: str, how: str, queues: str = QUEUES) -> None:
    """Be a worker."""
    from toolsync.fleet.broker import make_app
    from toolsync.fleet.politeness import bucket_of
    from toolsync.fleet.worker import offer, serve
    from toolsync.system.fleetstore import open_store

    with tempfile.TemporaryDirectory() as folder:
        store = open_store(Path(folder) / "cache", url)
        app = make_app(broker, 60)
        bucket = bucket_of(broker, INTERVAL, 1)
        http = Http(user_agent="toolsync-tests", timeout=5, retries=0, elsewhere=bucket.wait)
        there = replace(machine(store, Path(folder)), http=http)
        offer(app, name, doers(there, how), SystemClock())
        serve(app, name, queues.split(","), 1)


def doers(there: Machine, how: str) -> dict[str, Doer]:
    """Return what does each kind of task, one of them in a way of its own."""
    way, _, seconds = how.partition(":")
    build = sleeping(float(seconds)) if way == "sleep" else WAYS.get(way, packed)
    scan, look = SCAN_LIES.get(way, SCAN.do), LOOK_LIES.get(way, LOOK.do)
    surface = SURFACE_LIES.get(way, SURFACE.do)
    return {
        "build": lambda data: build(read_asked(data), there.store),
        "look": lambda data: look(LOOK.read(data), there),
        "scan": lambda data: scan(SCAN.read(data), there),
        "surface": lambda data: surface(SURFACE.read(data), there),
    }


if __name__ == "__main__":
    main(*sys.argv[1:])

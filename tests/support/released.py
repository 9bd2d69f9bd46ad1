"""A release that went the whole way without a build: real gates and proofs, packages of paper."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from tests.servers.web import Web
from tests.support.keys import Keys
from tests.support.rig import Rig
from tests.support.tiny import archive, publish, write_tool
from toolsync.config.definition import Tool
from toolsync.model.release import (
    Blob,
    Built,
    Compatible,
    Confirmed,
    Licensed,
    Receipt,
    Release,
    SourcePackage,
    dump,
)
from toolsync.pipeline.context import Context, opened
from toolsync.pipeline.gates import package_cleared
from toolsync.pipeline.road import licensed
from toolsync.pipeline.stages import BUILD, CONFIRM, PACKAGE, PUBLISH
from toolsync.pipeline.work import key_of, work_on
from toolsync.setup.settings import load_config
from toolsync.setup.tools import load_tool
from toolsync.system.clock import SystemClock


@contextmanager
def open_bench(rig: Rig) -> Iterator[Context]:
    """Give everything that a run works with, in this process and in silence."""

    def silent(done: int, total: int | None) -> None:
        pass

    with opened(
        load_config(rig.file, rig.state),
        tell=lambda event: None,
        progress=lambda name: silent,
        clock=SystemClock(),
    ) as context:
        yield context


def release_of(tool: Tool, version: str = "1.0") -> Release:
    """Return a release as the tiny vendor's page names it."""
    name = f"{tool.name}-{version}.tar.gz"
    return Release(
        tool=tool.name,
        version=version,
        raw_version=version,
        url=f"{tool.watch.url}{name}",
        filename=name,
        page=tool.watch.url,
    )


def take(
    context: Context, tool: Tool, version: str = "1.0", series: str = "bookworm"
) -> Compatible:
    """Take a release through all gates; its package is of paper, and nothing is built."""
    one = release_of(tool, version)
    context.journal.releases.see(tool.name, version, dump(one))
    return judged(context, tool, licensed(context, tool, one), series)


def judged(context: Context, tool: Tool, item: Licensed, series: str = "bookworm") -> Compatible:
    """Take a release that the gates over its files let pass through those over its package."""
    source = _on_paper(context, item, series)
    context.memory.do(PACKAGE, key_of(source, "package"), item, dict, lambda: source)
    key = key_of(source, "build")
    if context.journal.results.get(key) is None:
        context.journal.results.record(key, inputs="", outcome="skipped", started="")
    return package_cleared(work_on(context, tool, item.release), source)


def _on_paper(context: Context, item: Licensed, series: str) -> SourcePackage:
    release, orig = item.release, item.unpacked.orig
    version = f"{release.version}-0debian1~ppa1~deb12.1"
    name = f"{release.tool}_{version}"
    files = (_made(context, f"{name}.dsc"), _made(context, f"{name}.debian.tar.xz"), orig)
    return SourcePackage(
        licensed=item,
        series=series,
        name=release.tool,
        version=version,
        content="0" * 64,
        revision=1,
        files=files,
    )


def _made(context: Context, name: str) -> Blob:
    return context.store.add_bytes(f"{name}\n".encode(), name)


def signed_tool(rig: Rig, web: Web, keys: Keys, folder: Path) -> Tool:
    """Return a tool whose one release is signed by its vendor."""
    publish(web, "1.0")
    file = folder / "hello-1.0.tar.gz"
    file.write_bytes(archive("1.0"))
    fingerprint = keys.make("Vendor")
    signature = keys.sign(file, folder / "hello-1.0.tar.gz.asc", fingerprint)
    web.serve("/dl/hello-1.0.tar.gz.asc", signature.read_bytes())
    home = write_tool(rig.tools, web.url + "/dl/", "1.0")
    toml = (home / "tool.toml").read_text()
    proof = f'[verify]\nmethod = "openpgp"\nsignature = "{{url}}.asc"\nkeys = ["{fingerprint}"]\n'
    head, _, rest = toml.partition("[verify]")
    (home / "tool.toml").write_text(head + proof + rest[rest.index("[license]") :])
    keys.export(home / "keys" / "vendor.asc", fingerprint)
    return load_tool(home)


def deliver_on_paper(context: Context, cleared: Compatible) -> Confirmed:
    """Record that a package was built, published and confirmed, of made-up files."""
    source = cleared.source
    name = f"{source.name}_{source.version}"
    deb = _made(context, f"{name}_all.deb")
    built = Built(
        source=source,
        changes=_made(context, f"{name}_all.changes"),
        files=(*source.files, deb),
        builder="host",
        tests="1 passed",
        log=_made(context, f"{name}.log"),
    )
    item = replace(cleared, package=built)
    receipt = Receipt(item=item, target="local", where="file:/archive")
    confirmed = Confirmed(
        receipt=receipt, statement="apt got it", served=built.files, fingerprint="F"
    )
    memory = context.memory
    memory.do(BUILD, key_of(source, "build"), source, dict, lambda: built)
    memory.do(PUBLISH, key_of(source, "publish", "local"), item, dict, lambda: receipt)
    memory.do(CONFIRM, key_of(source, "confirm", "local"), receipt, dict, lambda: confirmed)
    return confirmed


def retrying(context: Context) -> Context:
    """Return a context whose stages are done again, though nothing changed."""
    return replace(context, memory=context.memory.retrying(True))

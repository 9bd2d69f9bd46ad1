"""A release that went the whole way without a build: real gates and proofs, packages of paper."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.servers.web import Web
from tests.support.keys import Keys
from tests.support.rig import Rig
from tests.support.tiny import archive, publish, write_tool
from toolsync.config.definition import Tool, load_tool
from toolsync.config.settings import load_config
from toolsync.journal.records import Key
from toolsync.model.release import (
    Blob,
    Built,
    Compatible,
    Confirmed,
    Receipt,
    Release,
    SourcePackage,
    dump,
)
from toolsync.pipeline.clear import clear
from toolsync.pipeline.context import Context, opened
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


def take(context: Context, tool: Tool, version: str = "1.0") -> Compatible:
    """Take a release through both gates."""
    one = release_of(tool, version)
    context.journal.see(tool.name, version, dump(one))
    return clear(context, tool, one)


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


def deliver_on_paper(context: Context, cleared: Compatible, series: str = "bookworm") -> Confirmed:
    """Record that a release was packaged, built, published and confirmed, of made-up files."""
    release, orig = cleared.release, cleared.licensed.unpacked.orig
    version = f"{release.version}-0debian1~ppa1~deb12.1"
    name = f"{release.tool}_{version}"

    def made(ending: str) -> Blob:
        return context.store.add_bytes(f"{name}{ending}\n".encode(), name + ending)

    dsc, debian, deb = made(".dsc"), made(".debian.tar.xz"), made("_all.deb")
    source = SourcePackage(
        compatible=cleared,
        series=series,
        name=release.tool,
        version=version,
        content="0" * 64,
        revision=1,
        files=(dsc, debian, orig),
    )
    built = Built(
        source=source,
        changes=made("_all.changes"),
        files=(dsc, debian, orig, deb),
        builder="host",
        tests="1 passed",
        log=made(".log"),
    )
    receipt = Receipt(item=built, target="local", where="file:/archive")
    confirmed = Confirmed(
        receipt=receipt, statement="apt got it", served=(dsc, debian, orig, deb), fingerprint="F"
    )
    scope = f"{series}/1"
    steps: list[tuple[str, Any, dict[str, object], str]] = [
        ("package", source, {"compatible": cleared}, scope),
        ("build", built, {"source": source}, scope),
        ("publish", receipt, {"item": built}, f"{scope}@local"),
        ("confirm", confirmed, {"receipt": receipt}, f"{scope}@local"),
    ]
    for stage, value, before, where in steps:
        key = Key(tool=release.tool, version=release.version, stage=stage, scope=where)
        context.steps.do(key, type(value), before, {}, _always(value))
    return confirmed


def _always(value: Any) -> Callable[[], Any]:
    return lambda: value


def retrying(context: Context) -> Context:
    """Return a context whose stages are done again, though nothing changed."""
    return replace(context, steps=replace(context.steps, retry=True))

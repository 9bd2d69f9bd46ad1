"""Pages that stall, drip, lie or never end, among healthy ones: these are answered as if alone."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from tests.servers.web import Answer, Web
from tests.support.watching import tool_with
from toolsync.config.definition import Tool
from toolsync.config.settings import Config, Limits
from toolsync.pipeline.context import Context, opened
from toolsync.pipeline.survey import check
from toolsync.system.clock import SystemClock

_JOBS = 150
PAGE = '<a href="tool-1.0.tar.gz">x</a>'
SICK: dict[str, tuple[Answer, str, str]] = {
    "stalls": (Answer(PAGE, delay=60), "unreachable", "could not be reached|did not finish"),
    "drips": (Answer(PAGE * 99, trickle=0.3), "unreachable", "did not finish within 5 s"),
    "circles": (Answer(status=302, headers={"Location": "/circles"}), "unreachable", "in circles"),
    "another": (Answer(b"\x89PNG", headers={"Content-Type": "image/png"}), "drifted", "image/png"),
    "lies": (Answer(PAGE, headers={"Content-Length": "99999"}, cut=9), "unreachable", "broke off"),
    "endless": (Answer(PAGE * 40_000, chunked=True), "drifted", "more than 1000000 bytes"),
}
HEALTHY = Answer(PAGE, headers={"Content-Type": "text/html"}, delay=3.5)


@contextmanager
def bench_at(state: Path) -> Iterator[Context]:
    config = Config(
        file=state / "toolsync.toml", state=state, tool_folders=(),
        timeout=5, retries=0, jobs=_JOBS,
        limits=Limits(page_bytes=1_000_000, page_seconds=5),
    )  # fmt: skip
    with opened(
        config,
        tell=lambda event: None,
        progress=lambda name: lambda done, total: None,
        clock=SystemClock(),
    ) as context:
        yield context


def tools(port: str, names: Sequence[str], network: int) -> list[Tool]:
    """Return a tool for each page, each on a host of its own: all of 127/8 is this machine."""
    return [
        replace(
            tool_with(
                kind="html",
                url=f"http://127.{network}.{n // 250}.{n % 250 + 1}:{port}/{name}",
                pattern=r"tool-(?P<version>[\d.]+)\.tar\.gz",
            ),
            name=f"{name}-{n}",
        )
        for n, name in enumerate(names)
    ]


@pytest.mark.slow
def test_200_sick_pages_among_200_healthy_ones(tmp_path: Path) -> None:
    with Web("0.0.0.0") as web:
        port = web.url.rpartition(":")[2]
        for name, (answer, _, _) in SICK.items():
            web.serve_each(f"/{name}", answer)
        web.serve_each("/healthy", HEALTHY)
        healthy = tools(port, ["healthy"] * 200, 1)
        sick = tools(port, [list(SICK)[n % len(SICK)] for n in range(200)], 2)
        with bench_at(tmp_path / "one") as context:
            start = time.monotonic()
            alone = check(context, healthy, _JOBS)
            usual = time.monotonic() - start
        mixed = [tool for pair in zip(sick, healthy, strict=True) for tool in pair]
        with bench_at(tmp_path / "two") as context:
            start = time.monotonic()
            found = check(context, mixed, _JOBS)
            taken = time.monotonic() - start
    assert {outcome.status for outcome in alone} == {"new"}
    by_name = {outcome.tool: outcome for outcome in found}
    assert {by_name[tool.name].status for tool in healthy} == {"new"}
    for tool in sick:
        _, status, said = SICK[tool.name.partition("-")[0]]
        outcome = by_name[tool.name]
        assert outcome.status == status, outcome
        assert any(words in outcome.message for words in said.split("|")), outcome
    assert taken <= 2 * usual, f"{taken:.1f} s with sick pages, {usual:.1f} s without"

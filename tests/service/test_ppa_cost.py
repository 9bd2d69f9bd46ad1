"""How often Launchpad is asked: little when nothing is to be done, for any number of tools."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.servers.launchpad_archive import Source
from tests.servers.web import Web
from tests.support.ppas import SERIES, Goods, Yard
from tests.support.ppasync import Site
from tests.support.tiny import publish

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
TOOLS, AT_MOST = 50, 10


def test_fifty_tools_in_four_series_with_nothing_to_do(tmp_path: Path, goods: Goods) -> None:
    yard = Yard(tmp_path, goods)
    series = (*SERIES, "trixie")
    for number in range(TOOLS):
        for name in series:
            source = Source(
                name=f"tool-{number}",
                version=f"1.0-0ubuntu1~ppa1~{name}.1",
                files={},
                changes_name="",
                changes=b"",
                binaries=((f"tool-{number}", "all"),),
                section="utils",
                signer="maker",
            )
            yard.ppa.accept(source, name, yard.now)
    yard.later(hours=1)
    target = yard.target()
    states = {target.state(name, f"tool-{n}") for n in range(TOOLS) for name in series}
    cost = yard.server.cost()
    yard.close()
    assert len(states) == TOOLS * len(series)
    assert "" not in states
    assert sum(cost.values()) <= AT_MOST, cost
    sys.stdout.write(f"\n{TOOLS} tools x {len(series)} series, nothing to do: {told(cost)}\n")


@pytest.mark.slow
def test_one_new_release_and_then_nothing(
    tmp_path: Path, goods: Goods, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = Site(tmp_path / "site", goods.keys, goods.key, web)
    monkeypatch.setenv("PATH", f"{site.stub()}:/usr/bin:/bin:/usr/sbin:/sbin")
    runs: list[Counter[str]] = []

    def run() -> None:
        before = site.server.cost()
        site.sync()
        runs.append(site.server.cost() - before)
        site.later(minutes=31)

    for _ in range(4):
        run()
    assert site.states() == dict.fromkeys(SERIES, "confirmed")
    assert sum(runs[-1].values()) <= AT_MOST, runs[-1]
    publish(web, "1.0", "1.1")
    whole = len(runs)
    while {u.upstream for u in site.uploads() if u.state == "confirmed"} != {"1.0", "1.1"}:
        run()
        assert len(runs) < 12
    site.close()
    lines = [f"run {number}: {told(cost)}" for number, cost in enumerate(runs, 1)]
    sys.stdout.write(
        "\n".join(["", f"first release, then from run {whole + 1} on one more:", *lines, ""])
    )
    assert max(sum(cost.values()) for cost in runs) <= 40, runs


def told(cost: Counter[str]) -> str:
    words = ", ".join(f"{name} {count}" for name, count in sorted(cost.items()))
    return f"{sum(cost.values())} requests ({words})"

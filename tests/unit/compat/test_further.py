"""What further architectures lose holds a release as what the first one loses does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.ported import NAME, built_for, source_for
from tests.support.tiny_packages import Context
from toolsync.compat.change import Change
from toolsync.compat.further import as_told
from toolsync.compat.gate import judge
from toolsync.config.definition import CompatPolicy, Tool, Verify, Watch
from toolsync.config.licensing import LicensePolicy
from toolsync.config.settings import Config
from toolsync.gate.record import Asked
from toolsync.model.judgment import Judgment
from toolsync.model.release import Blob, Built

TABLE = f"usr/share/{NAME}/table"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path)


def whole(context: Context, upstream: str, *architectures: str, table: tuple[str, ...]) -> Built:
    """Return a release's packages, with a table on those architectures."""
    source = source_for(context, upstream)
    first, *others = [
        built_for(
            context, source, name, alone=name != architectures[0], more=(TABLE,) * (name in table)
        )
        for name in architectures
    ]
    return replace(first, others=tuple(others))


def judged(
    context: Context, new: Built, old: Built, before: Blob | None, **policy: object
) -> Judgment:
    earlier = {one.made_for: (*one.debs, *old.for_all) for one in old.others}
    compat = CompatPolicy(probe=False, **policy)  # type: ignore[arg-type]
    tool = Tool(
        name=NAME, folder=context.root, summary="", homepage="", watch=Watch(kind="html"),
        verify=Verify(), license=LicensePolicy(), compat=compat, source=NAME, series=(),
    )  # fmt: skip
    return judge(
        Asked(
            item=new,
            tool=tool,
            config=Config(file=context.root, state=context.root, tool_folders=()),
            store=context.store,
            workshop=context.workshop,
            before=before,
            before_version="1.0" if before else "",
            approved=frozenset(),
            earlier=earlier if before else {},
        )
    )


BOTH = ("amd64", "i386")
THREE = (*BOTH, "arm64")


@pytest.mark.parametrize(
    ("architectures", "kept_on", "told"),
    [
        (BOTH, BOTH, []),
        (BOTH, ("amd64",), [f"{TABLE} on i386"]),
        (BOTH, ("i386",), [f"{TABLE} on amd64"]),
        (BOTH, (), [TABLE]),
        (THREE, ("amd64",), [f"{TABLE} on i386 and arm64"]),
        (THREE, ("i386",), [f"{TABLE} on amd64 and arm64"]),
        (THREE, (), [TABLE]),
    ],
)
def test_a_file_that_goes_is_told_with_where_it_goes(
    context: Context, architectures: tuple[str, ...], kept_on: tuple[str, ...], told: list[str]
) -> None:
    old = whole(context, "1.0", *architectures, table=architectures)
    new = whole(context, "2.0", *architectures, table=kept_on)
    first = judged(context, old, old, None)
    said = judged(context, new, old, first.kept)
    found = [f for f in said.findings if f.code == "path"]
    assert [finding.message.partition(":")[0] for finding in found] == told
    assert said.verdict == ("breaking" if told else "same")
    assert said.passes is not bool(told)
    assert said.report is not None
    report = context.store.path(said.report).read_text()
    assert all(name in report and name in said.summary for name in told)


def test_a_decision_is_over_where_it_goes_too(context: Context) -> None:
    old = whole(context, "1.0", *BOTH, table=BOTH)
    first = judged(context, old, old, None)
    said = [
        judged(context, whole(context, version, *BOTH, table=kept_on), old, first.kept)
        for version, kept_on in (("2.0", ("amd64",)), ("2.1", ("i386",)), ("2.2", ()))
    ]
    assert len({one.subject for one in said}) == 3


def test_what_moves_into_a_package_for_all_is_lost_by_nobody(context: Context) -> None:
    old = whole(context, "1.0", *BOTH, table=BOTH)
    source = source_for(context, "2.0")
    new = replace(
        built_for(context, source, "amd64", doc=(TABLE,)),
        others=(built_for(context, source, "i386", alone=True),),
    )
    assert judged(context, new, old, judged(context, old, old, None).kept).verdict == "same"


def test_what_is_not_known_any_more_of_one_is_unknown(context: Context) -> None:
    old = whole(context, "1.0", *BOTH, table=BOTH)
    new = whole(context, "2.0", *BOTH, table=BOTH)
    first = judged(context, old, old, None)
    context.store.path(old.others[0].debs[0]).unlink()
    said = judged(context, new, old, first.kept)
    assert (said.verdict, said.passes) == ("unknown", False)
    assert "surface on i386: tiny-tool_1.0-" in said.findings[0].message
    assert judged(context, new, old, first.kept, unknown="pass").passes


def test_an_architecture_that_is_new_loses_nothing(context: Context) -> None:
    old = whole(context, "1.0", "amd64", table=("amd64",))
    new = whole(context, "2.0", *BOTH, table=("amd64",))
    assert judged(context, new, old, judged(context, old, old, None).kept).verdict == "same"


def change(name: str, kind: str = "path", severity: str = "breaking") -> Change:
    return Change(kind=kind, name=name, severity=severity, proof="p")


@pytest.mark.parametrize(
    ("first", "others", "told"),
    [
        # What commands say was looked at on the first alone.
        ([change("c -x", "option")], {"i386": []}, {("c -x", "breaking")}),
        # The same is milder on one.
        (
            [change("d", "dependency", "risky")],
            {"i386": [change("d", "dependency")]},
            {("d on amd64", "risky"), ("d on i386", "breaking")},
        ),
        ([change("a")], {}, {("a", "breaking")}),
    ],
)
def test_each_change_is_told_once(
    context: Context,
    first: list[Change],
    others: Mapping[str, list[Change]],
    told: set[tuple[str, str]],
) -> None:
    item = built_for(context, source_for(context), "amd64")
    found = [(one.full_name, one.severity) for one in as_told(item, first, others)]
    assert sorted(found) == sorted(told)

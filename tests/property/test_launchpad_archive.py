"""Laws of a PPA's records, whatever is uploaded and however time passes."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.servers.launchpad_archive import BUILT, Pace, Ppa, Source

START = datetime(2026, 1, 1, tzinfo=UTC)
uploads = st.lists(
    st.tuples(
        st.integers(0, 90),
        st.sampled_from(["1.0", "1.1", "2.0~rc1", "2.0"]),
        st.sampled_from(["jammy", "noble"]),
        st.sampled_from([("Needs building", BUILT), ("Currently building", "Failed to build")]),
    ),
    max_size=6,
    unique_by=lambda upload: upload[1],
)


def lived(uploaded: list[tuple[int, str, str, tuple[str, ...]]], step: int, end: int) -> Ppa:
    """Return a PPA after ``end`` minutes, looked at every ``step`` minutes and at each upload."""
    ppa = Ppa(owner="maker", name="stable", displayname="stable", pace=Pace())
    moments = sorted({*range(0, end, step), *(u[0] for u in uploaded), end})
    for moment in (m for m in moments if m <= end):
        now = START + timedelta(minutes=moment)
        ppa.advance(now)
        for _, version, series, script in (u for u in uploaded if u[0] == moment):
            source = Source(
                name="tiny",
                version=version,
                files={},
                changes_name="",
                changes=b"",
                binaries=(("tiny", "all"),),
                section="utils",
                signer="maker",
            )
            for build in ppa.builds_of(ppa.accept(source, series, now)):
                build.script = script
        ppa.advance(now)
    return ppa


def standing(ppa: Ppa) -> list[tuple[str, ...]]:
    return [(p.name, p.version, p.series, p.arch, p.status) for p in (*ppa.sources, *ppa.binaries)]


@settings(max_examples=40, deadline=None)
@given(uploads, st.integers(91, 300))
def test_it_does_not_matter_how_often_somebody_looks(
    uploaded: list[tuple[int, str, str, tuple[str, ...]]], end: int
) -> None:
    assert sorted(standing(lived(uploaded, 1, end))) == sorted(standing(lived(uploaded, 37, end)))


@settings(max_examples=40, deadline=None)
@given(uploads, st.integers(0, 300))
def test_one_version_is_served_and_none_is_forgotten(
    uploaded: list[tuple[int, str, str, tuple[str, ...]]], end: int
) -> None:
    ppa = lived(uploaded, 7, end)
    served = Counter(
        (p.name, p.series, p.arch) for p in (*ppa.sources, *ppa.binaries) if p.status == "Published"
    )
    assert all(count == 1 for count in served.values())
    assert {p.version for p in ppa.sources} == {v for at, v, _, _ in uploaded if at <= end}

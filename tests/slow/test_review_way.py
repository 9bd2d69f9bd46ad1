"""A hold at the license gate and its review, from start to end, on the command line."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.rig import Rig
from tests.support.tiny import archive, write_tool

pytestmark = pytest.mark.slow

FREE = Path("/usr/share/common-licenses/Apache-2.0").read_text()
CHANGED = FREE + "\n\nYou may use the Work for evaluation only, and never for a fee.\n"
WORSE = CHANGED + "\nAnd you owe us your first-born cloud.\n"
GATES = '[license]\nexpression = "Apache-2.0"\n'


def offer(rig: Rig, web: Web, releases: dict[str, str]) -> None:
    """Put releases with these license texts on the page, and pin them."""
    files = {v: archive(v, extra={"LICENSE": text}) for v, text in releases.items()}
    links = "".join(f'<a href="hello-{v}.tar.gz">{v}</a>\n' for v in files)
    web.serve("/dl/", f"<html><body>{links}</body></html>")
    for version, data in files.items():
        web.serve(f"/dl/hello-{version}.tar.gz", data, type="application/gzip", etag='"1"')
    pins = "".join(f'"{v}" = "{hashlib.sha256(d).hexdigest()}"\n' for v, d in files.items())
    proof = f'[verify]\nmethod = "pins"\n[verify.pins]\n{pins}'
    write_tool(rig.tools, web.url + "/dl/", toml=proof + GATES)


def status(rig: Rig, *words: str, ends: int) -> str:
    (row,) = rig.json(*words, "hello", status=ends)
    assert row["tool"] == "hello"
    return str(row["status"])


def debs(rig: Rig) -> list[str]:
    return sorted(name for name in rig.pool() if name.endswith(".deb"))


def test_changed_terms_wait_for_a_person_and_go_on_as_decided(rig: Rig, web: Web) -> None:
    offer(rig, web, {"1.0": FREE})
    assert status(rig, "sync", ends=0) == "up-to-date"

    # The license changes: it stops at the gate, and everything says so.
    offer(rig, web, {"1.0": FREE, "1.1": CHANGED})
    assert status(rig, "check", ends=0) == "new"
    assert status(rig, "sync", ends=3) == "held"
    assert status(rig, "check", ends=3) == "held"
    assert status(rig, "status", ends=3) == "held"
    told = rig.run("why", "hello").stdout
    assert "1.1 waits for a person. The terms may not pass by themselves" in told
    assert "toolsync review hello" in told
    assert "hello  1.1" in rig.run("review", status=3).stdout
    screen = rig.run("review", "hello", status=3).stdout
    for part in ("license: block (against 1.0)", "evaluation", f"{web.url}/dl/hello-1.1.tar.gz"):
        assert part in screen
    screen = rig.run("review", "hello", "--diff", status=3).stdout
    for part in ("terms: LICENSE", "evaluation only, and never", "+echo 1.1", "packaging: "):
        assert part in screen
    (item,) = rig.json("review", "hello", "--diff", status=3)
    assert [c["path"] for c in item["changes"]["source"]["changes"]] == ["LICENSE", "hello"]
    assert len(debs(rig)) == 1

    # A person approves: exactly that goes on, and the evidence says who.
    decided = rig.json("approve", "hello", "1.1", "--reason", "legal has agreed to these")
    assert status(rig, "check", ends=0) == "new"
    assert status(rig, "sync", ends=0) == "up-to-date"
    assert len(debs(rig)) == 2
    proof = rig.json("evidence", "hello", "1.1")["predicate"]
    (decision,) = [d for d in proof["decisions"] if d["stage"] == "license"]
    assert decision == decided[0]
    assert decision["reason"] == "legal has agreed to these"
    assert decision["subject"] == proof["license"]["judgment"]["subject"]

    # The same terms go on by themselves, and say by whose approval.
    offer(rig, web, {"1.1": CHANGED, "1.2": CHANGED})
    assert status(rig, "sync", ends=0) == "up-to-date"
    proof = rig.json("evidence", "hello", "1.2")["predicate"]
    assert proof["license"]["judgment"]["verdict"] == "silent"

    # Other terms ask again; rejected, they are never offered again.
    offer(rig, web, {"1.2": CHANGED, "1.3": WORSE})
    assert status(rig, "sync", ends=3) == "held"
    rig.run("reject", "hello", "1.3", "--reason", "never")
    assert status(rig, "check", ends=0) == "up-to-date"
    assert status(rig, "sync", ends=0) == "up-to-date"
    assert "1.3 was rejected by" in rig.run("why", "hello").stdout
    assert len(debs(rig)) == 3

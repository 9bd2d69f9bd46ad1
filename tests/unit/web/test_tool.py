"""A tool's page: why, what waits, history, versions, evidence to take away."""

from __future__ import annotations

import json

import pytest

from tests.support.gallery import Story
from tests.support.served import Site
from toolsync.journal.key import Key
from toolsync.journal.keydates import KeyDate
from toolsync.system.store import Store

EVIL = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>\x1b[2J\u202egnp.exe"


@pytest.fixture
def read(site: Site) -> Site:
    site.log_in(role="reader")
    return site


def sign(site: Site, data: bytes) -> None:
    """Keep signed evidence of a release of awscli's."""
    blob = Store(site.folder / "state" / "store").add_bytes(data, "awscli_1.46.3.json")
    journal = site.journal()
    journal.evidence.keep("awscli", "1.46.3", blob, "0" * 64)
    journal.close()


def test_the_overview_leads_to_all_that_is_known(read: Site) -> None:
    journal = read.journal()
    dates = [KeyDate(fingerprint="AB" * 20, primary="AB" * 20, ends="2031-01-01T00:00:00Z")]
    journal.keydates.keep("awscli", dates)
    (last,) = journal.log.of("awscli", 1)
    journal.close()
    assert '<a href="/tool/awscli">awscli</a>' in read.get("/").text
    page = read.get("/tool/awscli").text
    assert "awscli is " in page  # the sentence of toolsync why
    assert page.count("<li class=") == 24  # a release each
    newest = page.partition("<ol")[2].partition("</li>")[0]
    assert "<b>published</b> <small>bookworm, noble, trixie</small>" in newest
    assert f"{last.stage} <small>{last.scope}</small>" in newest
    assert "AB" * 20 in page
    assert '<svg class="lag"' in page
    assert "[watch]" in page  # its definition
    assert "1.46.23-1<wbr>~bookworm1" in page
    held = read.get("/tool/ec2-ami-tools").text
    assert "the terms changed in LICENSE.txt" in held
    assert "with one more clause" in held
    for path in ("/tool/nothing", "/tool/awscli/evidence/9", "/tool/nothing/evidence/1"):
        assert read.get(path).status_code == 404, path


def test_signed_evidence_is_taken_away_as_the_store_has_it(site: Site) -> None:
    data = json.dumps({"payload": "e30=", "text": EVIL}).encode()
    sign(site, data)
    path = "/tool/awscli/evidence/1.46.3"
    assert site.get(path).status_code == 303  # to the login
    site.log_in(role="reader")
    answer = site.get(path)
    assert (answer.status_code, answer.data) == (200, data)
    assert answer.headers["Content-Disposition"] == "attachment; filename=awscli_1.46.3.json"
    assert answer.headers["Cache-Control"] == "no-store"
    sign(site, bytes(17 * 1024 * 1024))
    answer = site.get(path)
    assert (answer.status_code, "--output FOLDER" in answer.text) == (413, True)
    sign(site, b"x" * 1000)
    kept = (site.folder / "state" / "store").rglob("*")
    (file,) = (one for one in kept if one.is_file() and one.stat().st_size == 1000)
    file.chmod(0o600)
    file.write_bytes(b"y" * 1000)
    assert site.get(path).status_code == 503  # other bytes than were signed
    assert site.get("/tool/awscli").status_code == 200


def test_a_faulty_definition_is_told(read: Site) -> None:
    (read.folder / "tools" / "awscli" / "tool.toml").write_text("nonsense")
    page = read.get("/tool/awscli")
    assert page.status_code == 200
    assert "cannot be read" in page.text
    assert "tool.toml" in page.text


def test_hostile_texts_are_shown_and_do_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    held = EVIL + "m" * 1_000_000
    story = Story(name="evil", summary="x", versions=["1", "2"], lags=[3], held=held, diff=EVIL)
    site = Site(tmp_path_factory.mktemp("evil"), [story])
    site.log_in(role="reader")
    journal = site.journal()
    journal.log.add(Key(tool="evil", version=EVIL, stage="license"), EVIL, EVIL * 1000)
    journal.close()
    page = site.get("/tool/evil").text
    assert "&lt;script&gt;alert(1)" in page
    for sign_ in ("<img", "<script>", "\x1b", "\u202e"):
        assert sign_ not in page
    assert len(page) < 100_000

"""What reviewers have done in a browser: by the command line's functions, and told in the log."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.servers.web import Web
from tests.support.answering import answering
from tests.support.served import PASSWORD, Site
from tests.support.tiny import publish, write_tool
from toolsync.journal.key import Key
from toolsync.journal.log import Entry as Line
from toolsync.system.clock import stamp
from toolsync.web.app import application
from toolsync.web.entry import DONE, FAILED, GOES, Entry, told
from toolsync.web.errands import Errands

TOOL = "euca2ools"
PATH = f"/tool/{TOOL}"
EVIL = "<script>alert(1)</script>'\"><img src=x onerror=alert(2)>"


@pytest.fixture
def site(site: Site) -> Site:
    site.log_in()
    return site


def shown(site: Site, page: str = PATH) -> str:
    found = re.search(r'name="shown" value="([^"]+)"', site.get(page).text)
    assert found
    return found[1]


def over(site: Site, place: str) -> str:
    """Return the page of an errand when nothing more comes of it."""
    entry = site.shared.errands.get(place.rpartition("/")[2])
    assert entry
    end = time.monotonic() + 120
    while not entry.over:
        assert time.monotonic() < end, list(entry.lines)
        time.sleep(0.05)
    return site.get(place).text


def asked(site: Site, name: str = TOOL) -> list[str]:
    journal = site.journal()
    found = [line.message for line in journal.log.of(name) if line.event == "asked"]
    journal.close()
    return found


def test_a_tool_is_retired_and_followed_again(site: Site) -> None:
    form = {"act": "retire", "reason": "nobody has it", "shown": shown(site)}
    answer = site.post(f"{PATH}/ask", page=PATH, **form)
    assert answer.status_code == 303
    page = over(site, answer.headers["Location"])
    assert f"Done: {TOOL} is retired" in page
    assert asked(site) == ["by ann (web): retire nobody has it"]
    assert "It was retired." in site.get(PATH).text
    assert site.get(f"/api/v1/tools/{TOOL}").status_code == 404
    form |= {"act": "resume", "reason": "they do", "shown": shown(site)}
    over(site, site.post(f"{PATH}/ask", page=PATH, **form).headers["Location"])
    assert "It was retired." not in site.get(PATH).text
    assert "asked" in site.get("/now").text


def test_what_was_shown_of_a_tool_must_hold_still(site: Site) -> None:
    for form in (
        {"act": "retry", "shown": "0" * 24},
        {"act": "retry"},
        {"act": "remove", "shown": shown(site)},
    ):
        answer = site.post(f"{PATH}/ask", page=PATH, **form)
        assert answer.status_code == (400 if form["act"] == "remove" else 409)
    form = {"act": "retire", "shown": shown(site)}
    answer = site.post(f"{PATH}/ask", page=PATH, **form)
    assert (answer.status_code, "eason is empty" in answer.text) == (400, True)
    assert (asked(site), site.shared.errands.all()) == ([], [])


def test_what_cannot_be_done_is_told(site: Site) -> None:
    page = site.get("/now").text
    assert f'aria-label="Try again: {TOOL}"' in page
    form = {"act": "promote", "version": EVIL, "shown": shown(site)}
    answer = site.post(f"{PATH}/ask", page=PATH, **form)
    page = over(site, answer.headers["Location"])
    assert "Not done: there is no staging PPA" in page
    for text in (page, site.get("/now").text):
        assert "<script>alert" not in text
        assert "<img" not in text


def test_a_tool_is_made_of_an_address_as_it_was_shown(site: Site, web: Web, tmp_path: Path) -> None:
    publish(web, "1.0")
    write_tool(tmp_path / "unused", web.url + "/dl/", "1.0", "1.1")
    answer = site.post("/address", page="/address", url=f"{web.url}/dl/", name="hi")
    place = answer.headers["Location"]
    page = over(site, place)
    assert "What would be written" in page, page
    wrong = site.post(place, page=place, shown="0" * 64)
    assert (wrong.status_code, (site.folder / "tools" / "hi").exists()) == (409, False)
    token = shown(site, place)
    publish(web, "1.0", "1.1")
    page = over(site, site.post(place, page=place, shown=token).headers["Location"])
    made = site.folder / "tools" / "hi" / "tool.toml"
    assert ("defines hi now" in page) is made.is_file()
    assert made.is_file() or "another definition than the one that was shown" in page
    assert len(asked(site, "hi")) == 2


def test_the_api_asks_for_the_same(site: Site) -> None:
    def ask(**given: object) -> tuple[int, dict[str, object]]:
        answer = site.browser.post("/api/v1/asked", json=given, headers=token)
        return answer.status_code, json.loads(answer.text)

    token = {"Authorization": f"Bearer {_token(site)}"}
    for given, status in (
        ({"act": "retry", "tool": "nothing"}, 404),
        ({"act": "sweep", "tool": TOOL}, 400),
        ({"act": "retry", "tool": 7}, 400),
        ({"act": "retry", "tool": ""}, 404),
        ({"act": "propose", "url": "file:///etc/passwd"}, 400),
        ({"act": "propose", "url": "http://x/" + "y" * 3000}, 400),
    ):
        assert ask(**given)[0] == status, given
    code, made = ask(act="retire", tool=TOOL, reason="gone")
    assert code == 202
    over(site, f"/asked/{made['number']}")
    (line,) = asked(site)
    assert line == "by ann (token ci): retire gone"
    (one,) = json.loads(site.get("/api/v1/asked").text)["asked"]
    assert (one["state"], one["number"]) == ("done", made["number"])
    assert site.get("/api/v1/asked/99").status_code == 404


def test_what_was_asked_for_is_known_to_the_next_server(site: Site) -> None:
    form = {"act": "retire", "reason": "nobody has it", "shown": shown(site)}
    place = site.post(f"{PATH}/ask", page=PATH, **form).headers["Location"]
    over(site, place)
    before = {"act": "promote", "version": EVIL, "shown": shown(site)}
    failed = site.post(f"{PATH}/ask", page=PATH, **before).headers["Location"]
    over(site, failed)
    journal = site.journal()
    line = "by ann (web): retry"
    journal.log.add(Key(tool=TOOL, version="", stage="", scope="7"), "asked", line)
    journal.close()
    site.app, site.shared = application(site.load, errand=site.errand)  # it begins anew
    site.browser = site.app.test_client()
    site.post("/login", name="ann", password=PASSWORD)
    page = site.get(place).text
    assert f"Done: {TOOL} is retired" in page
    assert "Asked for by ann (web)" in page
    assert "Not done: there is no staging PPA" in site.get(failed).text
    assert "Not done: it was ended before" in site.get("/asked/7").text
    rows = json.loads(site.get("/api/v1/asked").text)["asked"]
    assert [row["asked"]["act"] for row in rows] == ["promote", "retire", "retry"]
    assert "Retire: euca2ools" in site.get("/now").text
    for text in (page, site.get("/now").text, site.get(failed).text):
        assert "<script>alert" not in text


def test_what_goes_on_behind_the_door_is_under_way_until_its_time_is_over(site: Site) -> None:
    now = site.shared.clock.now()
    line = Line(
        at=stamp(now),
        tool=TOOL,
        version="",
        scope="7",
        stage="",
        event="asked",
        message="by x: y (web): retry",
    )
    (entry,) = told([line], now, outlive=True)
    assert (entry.state, entry.text("who"), entry.text("act")) == (GOES, "x: y (web)", "retry")
    (entry,) = told([line], now + timedelta(hours=13), outlive=True)
    assert entry.state == FAILED
    ended = replace(line, event="ended", message="done: hello 1.0 is published")
    (entry,) = told([ended, line], now, outlive=True)
    assert (entry.state, entry.came and entry.came.message) == (DONE, "hello 1.0 is published")
    odd = [replace(line, message=text) for text in ("by ann: erase", "retry", EVIL)]
    assert list(told([*odd, replace(line, scope="x")], now, outlive=True)) == []


@pytest.mark.parametrize(
    ("said", "version", "name", "same", "other"),
    [
        (
            "retry",
            "",
            TOOL,
            {"act": "retry", "early": False, "reason": ""},
            {"act": "retry", "tool": "awscli"},
        ),
        (
            "promote",
            "1.2",
            TOOL,
            {"act": "promote", "version": "1.2", "early": True},
            {"act": "promote", "version": "1.3"},
        ),
        (
            "retire nobody has it",
            "",
            TOOL,
            {"act": "retire", "reason": "nobody has it"},
            {"act": "retire", "reason": "gone"},
        ),
        (
            "adopt https://vendor.example/dl/",
            "",
            "hi",
            {"act": "adopt", "url": "https://vendor.example/dl/", "name": "hi", "shown": "0" * 64},
            {"act": "adopt", "url": "https://vendor.example/", "name": "hi", "shown": "0" * 64},
        ),
    ],
)
def test_what_the_log_tells_is_under_way_is_not_begun_again(
    site: Site,
    said: str,
    version: str,
    name: str,
    same: dict[str, object],
    other: dict[str, object],
) -> None:
    now = site.shared.clock.now()
    line = Line(
        at=stamp(now),
        tool=name,
        version=version,
        scope="7",
        stage="",
        event="asked",
        message=f"by joe (web): {said}",
    )
    common = {"who": "ann (web)"} | ({"tool": TOOL} if name == TOOL else {})
    for lines, number in (
        ([line], 7),
        ([replace(line, event="ended", message="done: it is so"), line], 0),
        ([replace(line, at=stamp(now - timedelta(hours=13)))], 0),
    ):
        errands = Errands(clock=site.shared.clock, words=["sleep", "20"])
        errands.remember(lines, outlive=True)
        assert errands.ask(common | other).number != 7
        assert (errands.ask(common | same).number == 7) is (number == 7)


def test_a_form_that_is_sent_again_after_a_restart_begins_nothing(site: Site) -> None:
    form = {"act": "retry", "shown": shown(site)}
    journal = site.journal()
    key = Key(tool=TOOL, version="", stage="", scope="7")
    journal.log.add(key, "asked", "by ann (web): retry")
    with answering(site.folder / "door", lambda _: {}) as questions:
        site.app, site.shared = application(site.load)  # as the pages' user; it begins anew
        site.browser = site.app.test_client()
        site.post("/login", name="ann", password=PASSWORD)
        answer = site.post(f"{PATH}/ask", page="/retired", **form)
        assert (answer.status_code, answer.headers.get("Location")) == (303, "/asked/7")
        assert questions == []
    journal.close()


def test_what_was_retired_is_listed_and_followed_again(site: Site) -> None:
    assert "Nothing was retired" in site.get("/retired").text
    form = {"act": "retire", "reason": f"gone {EVIL}".strip(), "shown": shown(site)}
    over(site, site.post(f"{PATH}/ask", page=PATH, **form).headers["Location"])
    page = site.get("/retired").text
    assert "by ann (web)" in page
    assert "<script>alert" not in page
    assert "1 retired" in site.get("/").text
    (row,) = json.loads(site.get("/api/v1/retired").text)["retired"]
    assert (row["tool"], row["who"], row["part"]) == (TOOL, "ann (web)", "")
    form = {"act": "resume", "reason": "they do", "shown": shown(site, "/retired")}
    over(site, site.post(f"{PATH}/ask", page="/retired", **form).headers["Location"])
    assert "Nothing was retired" in site.get("/retired").text


def test_only_so_much_waits_and_nothing_twice(site: Site) -> None:
    errands = Errands(clock=site.shared.clock, words=["sleep", "20"])
    first = errands.ask({"act": "retry", "tool": "t0", "who": "ann"})
    assert errands.ask({"act": "retry", "tool": "t0", "who": "joe"}) is first
    site.shared.errands._entries.update(
        {n: Entry(number=n, question={"act": "retry", "tool": f"t{n}"}, at="") for n in range(20)}
    )
    form = {"act": "retry", "shown": shown(site)}
    assert site.post(f"{PATH}/ask", page=PATH, **form).status_code == 429


def _token(site: Site) -> str:
    from tests.unit.web.test_guard import token

    return token(site, "reviewer")


@pytest.mark.parametrize("number", ["9" * 5000, "-1", "\u0661", "1e3", " 1", "999999999"])
def test_a_number_that_none_has_is_no_fault(site: Site, number: str) -> None:
    assert site.shared.errands.get(number) is None
    assert site.get(f"/asked/{number}").status_code == 404

"""A message is sent once: not lost to an outage or a kill, and not written twice."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers.web import Answer, Asked, Web
from tests.service.test_run import only
from tests.support.reporting import MailServer, last_status, message_of, publication, scene
from tests.support.rig import Rig
from toolsync.config.settings import Mail, Webhook
from toolsync.http.client import Http
from toolsync.journal.journal import Journal
from toolsync.journal.messages import Message
from toolsync.model.errors import SetupError, ToolsyncError, Unreachable
from toolsync.report import webhook
from toolsync.report.post import Post
from toolsync.setup.settings import load_config
from toolsync.system.clock import SystemClock

HELD = last_status(status="held", message="no", exit_status=3)


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    found = Journal.open(tmp_path / "journal.sqlite", SystemClock())
    yield found
    found.close()


@pytest.fixture
def http() -> Iterator[Http]:
    found = Http(user_agent="toolsync", timeout=5, retries=0)
    yield found
    found.close()


class Channel:
    """Takes messages while nothing is wrong with it."""

    def __init__(self) -> None:
        self.taken: list[Message] = []
        self.wrong: Exception | None = None

    def __call__(self, message: Message) -> None:
        if self.wrong:
            raise self.wrong
        self.taken.append(message)


class TestPost:
    def test_what_could_not_be_sent_is_sent_next_time_and_once(self, journal: Journal) -> None:
        channel = Channel()
        post = Post(journal, {"c": channel})
        channel.wrong = Unreachable("down")
        assert post.write(scene(HELD)) == 1
        assert [(name, str(error)) for name, error in post.send()] == [("c", "down")]
        assert post.write(scene(HELD)) == 0
        assert post.write(scene(last_status())) == 1
        channel.wrong = None
        assert post.send() == []
        assert [item["kind"] for got in channel.taken for item in got.data["items"]] == [
            *("held", "recovered")
        ]
        assert post.send() == []
        assert len(channel.taken) == 2

    def test_a_kill_after_the_other_sides_yes_sends_the_same_letter(self, journal: Journal) -> None:
        channel = Channel()
        post = Post(journal, {"c": channel})
        post.write(scene(HELD))
        channel(journal.messages.unsent("c")[0])  # and then the power goes
        post.send()
        first, second = channel.taken
        assert first.id == second.id
        assert first.data == second.data

    def test_one_channels_trouble_is_not_the_others(self, journal: Journal) -> None:
        bad, good = Channel(), Channel()
        bad.wrong = RuntimeError("what nobody foresaw")
        post = Post(journal, {"bad": bad, "good": good})
        post.write(scene(HELD))
        ((name, error),) = post.send()
        assert name == "bad"
        assert isinstance(error, ToolsyncError)
        assert len(good.taken) == 1

    def test_after_some_tries_the_others_hear_of_it(self, journal: Journal) -> None:
        channel = Channel()
        channel.wrong = Unreachable("down")
        post = Post(journal, {"c": channel})
        post.write(scene(HELD))
        post.send()
        assert post.unsent() == {}
        post.send()
        post.send()
        assert post.unsent() == {"c": "down"}

    def test_a_new_channel_hears_of_what_comes_and_not_of_years(self, journal: Journal) -> None:
        channel = Channel()
        post = Post(journal, {"c": channel})
        post.introduce()
        assert journal.messages.told("c") == {"published": "0"}
        assert post.write(scene(last_status(), publications=[publication(1)])) == 1
        post.introduce()
        assert journal.messages.told("c")["published"] == "1"


class TestWebhook:
    def body(self, asked: Asked) -> dict[str, object]:
        found: dict[str, object] = json.loads(asked.body)
        return found

    def test_json_carries_its_id_as_the_key_of_idempotency(self, web: Web, http: Http) -> None:
        url = web.serve("/hook", "ok")
        webhook.send(message_of("held <b>"), Webhook(url=url), http)
        (asked,) = web.asked
        assert asked.method == "POST"
        assert asked.headers["idempotency-key"] == "0" * 32
        assert asked.headers["content-type"] == "application/json"
        body = self.body(asked)
        assert body["id"] == "0" * 32
        assert body["items"] == [{"kind": "held", "tool": "hello", "text": "held <b>"}]

    def test_slack_gets_text_that_calls_nobody(self, web: Web, http: Http) -> None:
        url = web.serve("/hook", "ok")
        webhook.send(message_of("held <!channel> & co"), Webhook(url=url, form="slack"), http)
        text = self.body(web.asked[0])["text"]
        assert text == (
            "*toolsync: 1 held: hello*\n*Waiting for you*\n• held &lt;!channel&gt; &amp; co"
        )

    def test_matrix_is_put_under_the_letters_id_with_the_token(
        self, web: Web, http: Http, tmp_path: Path
    ) -> None:
        token = tmp_path / "token"
        token.write_text("s3cret\n")
        token.chmod(0o600)
        room = "/_matrix/client/v3/rooms/%21r%3Ax.example/send/m.room.message/" + "0" * 32
        web.serve(room, '{"event_id": "$1"}')
        settings = Webhook(
            url=web.url + "/", form="matrix", room="!r:x.example", token_file=str(token)
        )
        webhook.send(message_of("held <script>"), settings, http)
        (asked,) = web.asked
        assert (asked.method, asked.path) == ("PUT", room)
        assert asked.headers["authorization"] == "Bearer s3cret"
        body = self.body(asked)
        assert body["msgtype"] == "m.notice"
        assert "<li>held &lt;script&gt;</li>" in str(body["formatted_body"])
        assert "- held <script>" in str(body["body"])

    def test_matrix_without_a_room_is_a_fault_of_the_set_up(self, http: Http) -> None:
        with pytest.raises(SetupError, match="no room"):
            webhook.send(message_of("x"), Webhook(url="http://x.example", form="matrix"), http)

    @pytest.mark.parametrize("status", [302, 404, 500, 503])
    def test_an_answer_other_than_yes_is_no(self, web: Web, http: Http, status: int) -> None:
        url = web.serve("/hook", status=status, headers={"Location": "/other"})
        with pytest.raises(Unreachable, match=str(status)):
            webhook.send(message_of("x"), Webhook(url=url), http)
        assert len(web.asked) == 1  # neither tried again nor followed

    def test_a_hooks_address_is_its_secret(self, web: Web, http: Http) -> None:
        url = web.serve("/services/s3cret", "no", status=500)
        with pytest.raises(Unreachable) as caught:
            webhook.send(message_of("x"), Webhook(url=url, form="slack"), http)
        assert str(caught.value) == ("the webhook at 127.0.0.1 answered 500 Internal Server Error")

    def test_a_yes_is_one_whatever_follows(self, web: Web, http: Http) -> None:
        url = web.serve("/hook", b"x" * 10**6, cut=100)
        webhook.send(message_of("x"), Webhook(url=url), http)
        assert len(web.asked) == 1


def test_the_set_up_names_the_channels(tmp_path: Path) -> None:
    file = tmp_path / "toolsync.toml"
    file.write_text(
        '[report.mail]\nto = ["a@x.example"]\nfrom = "T <t@x.example>"\n'
        '[report.webhook]\nurl = "https://x.example/"\n[report.metrics]\npath = "/x/t.prom"\n'
    )
    report = load_config(file, None).report
    assert report.mail == Mail(to=("a@x.example",), sender="T <t@x.example>")
    assert report.webhook.form == "json"
    assert report.metrics == "/x/t.prom"
    file.write_text(
        '[report.mail]\nto = ["a b"]\nserver = "ftp://x"\n[report.metrics]\npath = "t.txt"\n'
        '[report.webhook]\nform = "irc"\n'
    )
    with pytest.raises(SetupError) as caught:
        load_config(file, None)
    for key in ("mail.to.0", "mail.server", "metrics.path", "webhook.form", "url"):
        assert key in str(caught.value)


def test_a_run_tells_by_mail_and_hook_and_is_quiet_the_second_time(rig: Rig, web: Web) -> None:
    """Every page is gone for good here: told when it has lasted, so a hold is made instead."""
    only(rig, web)
    (rig.tools / "broken").mkdir()
    (rig.tools / "broken" / "tool.toml").write_text("summary = 1\n")
    posts: list[Asked] = []

    def take(asked: Asked) -> Answer:
        posts.append(asked)
        return Answer("no", 503) if len(posts) == 1 else Answer("ok")

    hook = web.serve_by("/hook", take)
    with MailServer() as server:
        rig.configure(
            f'[http]\ntimeout = 5\nretries = 0\n[report.mail]\nto = ["op@x.example"]\n'
            f'server = "{server.url}"\n[report.webhook]\nurl = "{hook}"\n'
        )
        first = rig.run("run", status=5)
        second = rig.run("run", status=5)
    (got,) = server.received
    assert "broken is error" in got.get_content()
    assert "webhook: " in first.stderr
    assert "webhook" not in second.stderr
    assert [json.loads(asked.body)["id"] for asked in posts] == [
        json.loads(posts[0].body)["id"]
    ] * 2


def test_a_dry_run_says_what_would_be_told_and_tells_nobody(rig: Rig, web: Web) -> None:
    only(rig, web)
    (rig.tools / "broken").mkdir()
    (rig.tools / "broken" / "tool.toml").write_text("summary = 1\n")
    rig.configure("[http]\nretries = 0\n")
    rig.run("run", status=5)
    hook = web.serve("/hook", "ok")
    rig.configure(f'[http]\nretries = 0\n[report.webhook]\nurl = "{hook}"\n')
    for _ in range(2):
        (told,) = rig.json("run", "--dry-run", status=5)["letters"]
        assert told["channel"] == "webhook"
        assert "broken is error" in told["text"]
    assert web.requests("/hook") == []
    rig.run("run", status=5)
    assert len(web.requests("/hook")) == 1


def test_doctor_tries_the_ways_to_tell(rig: Rig, web: Web) -> None:
    with MailServer() as server:
        rig.configure(
            f'[report.mail]\nto = ["op@x.example"]\nserver = "{server.url}"\n'
            f'[report.webhook]\nurl = "{web.url}/s3cret"\nform = "matrix"\n'
        )
        checks = {check["subject"]: check for check in rig.json("doctor", status=5)}
    assert checks["report.mail"]["fine"]
    assert checks["report.webhook"]["message"].endswith("Matrix needs one")
    assert "s3cret" not in str(checks)
    assert server.received == []

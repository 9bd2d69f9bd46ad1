"""One week of a small archive, on driven time: a vendor's releases and mishaps, a timer and cron.

Everything is real but the time: servers on the loopback, gpg, builds, reprepro, apt. What the
operator receives is what `Week.mails` holds in the end;
``python -m tests.support.week FILE`` writes it down for the docs.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import sys
import sysconfig
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from flask.testing import FlaskClient

from tests.servers.web import Answer, Asked, Web
from tests.support.clock import DrivenClock
from tests.support.keys import Keys, throwaway_keys
from tests.support.reporting import MailServer
from tests.support.tiny import LICENSE, accepted, archive, publish, write_tool
from tests.support.views import browser, differing, differing_mail, views
from toolsync.config.definition import Tool
from toolsync.config.settings import Build, Config, Mail, Report
from toolsync.maintain.service import run_once
from toolsync.model.errors import Busy
from toolsync.pipeline.context import Context, opened
from toolsync.setup.settings import load_config
from toolsync.setup.tools import load_tools

MONDAY = datetime(2026, 6, 1, tzinfo=UTC)
VENDOR = "https://vendor.example"
FAKETIME = "/usr/lib/{}/faketime/libfaketime.so.1"
"""Debian's libfaketime, below the machine's own folder of libraries."""
JSON = "application/vnd.pypi.simple.v1+json"


def at(day: int, hour: int = 0, minute: int = 0) -> datetime:
    """Return a moment of the week; day 0 is Monday."""
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


_TIMED = (
    *("gpg", "gpgv", "reprepro", "apt-get", "apt-ftparchive", "dpkg-source", "dpkg-buildpackage"),
    *("dpkg-genchanges", "git"),
)
"""Programs that ask what time it is."""


@dataclass
class Week:
    """The set-up, the vendor and the operator."""

    root: Path
    web: Web
    server: MailServer
    keys: Keys
    clock: DrivenClock = field(default_factory=lambda: DrivenClock(MONDAY))
    statuses: list[tuple[datetime, str, int]] = field(default_factory=list)
    """When each run ended, who started it, and its exit status."""
    refused: list[str] = field(default_factory=list)
    """What was said to runs that met another."""
    happened: list[tuple[datetime, str]] = field(default_factory=list)
    """What the vendor and the operator did."""
    mails: list[tuple[datetime, str]] = field(default_factory=list)
    """When each mail arrived, and its text."""
    compared: int = 0
    """After how many runs all views were compared."""
    items_compared: int = 0
    """How many items of mails were compared with the other views."""
    mails_disagreed: list[str] = field(default_factory=list)
    """Where these said otherwise."""
    disagreed: list[str] = field(default_factory=list)
    """What they said of one tool that was not the same."""
    statuses_seen: set[str] = field(default_factory=set)
    _pages: FlaskClient | None = None

    def __post_init__(self) -> None:
        self.tools = self.root / "conf" / "tools"
        (self.root / "conf").mkdir()
        (self.root / "conf" / "toolsync.toml").write_text("")
        self.paint = {"0.1": hashlib.sha256(archive("0.1", name="paint")).hexdigest()}
        self.greet = ["2.0"]

    def config(self) -> Config:
        """Return the set-up: quick builds, mail to one operator."""
        base = load_config(self.root / "conf" / "toolsync.toml", self.root / "state")
        return replace(
            base,
            tool_folders=(self.tools,),
            mirrors={f"{VENDOR}/": f"{self.web.url}/"},
            retries=0,
            timeout=10,
            build=Build(backend="host", tests=False, lint=False, work=str(self.root / "work")),
            report=Report(
                silence_days=2,
                mail=Mail(
                    to=("operator@archive.example",),
                    sender="toolsync <toolsync@archive.example>",
                    server=self.server.url,
                ),
                metrics=str(self.root / "toolsync.prom"),
                page=str(self.root / "page"),
            ),
        )

    # who starts runs

    def timer(self) -> None:
        """Run as the timer does."""
        self._run("timer")

    def cron(self) -> None:
        """Run as cron does."""
        self._run("cron")

    def _run(self, who: str) -> None:
        with self._time_of_programs():
            status = self._whole_run()
        self.statuses.append((self.clock.moment, who, status))
        for message in self.server.received:
            self.mails.append((self.clock.moment, _as_text(message)))
            self._compare_mail(self.mails[-1][1])
        self.server.received.clear()

    def _whole_run(self) -> int:
        with opened(
            self.config(),
            tell=lambda _: None,
            progress=lambda _: lambda done, total: None,
            clock=self.clock,
            purpose="run",
        ) as context:
            tools, faults = load_tools(context.config)
            assert not faults
            status = run_once(context, tools).exit_status
            self._compare(context, tools)
            return status

    def _compare(self, context: Context, tools: Sequence[Tool]) -> None:
        """Note where the views disagree after a run."""
        if self._pages is None:
            self._pages = browser(self.config(), self.clock)
        found = views(context, tools, self._pages)
        told = differing(found, [tool.name for tool in tools])
        self.compared += 1
        self.disagreed += [f"{self.clock.moment:%a %H:%M} {line}" for line in told]
        self.statuses_seen |= set(found["API"].values())

    def _compare_mail(self, mail: str) -> None:
        """Note where other views say otherwise than a mail that has just come."""
        assert self._pages is not None
        count, told = differing_mail(mail, self._pages, self.root / "page")
        self.items_compared += count
        self.mails_disagreed += [f"{self.clock.moment:%a %H:%M} {line}" for line in told]

    @contextmanager
    def _time_of_programs(self) -> Iterator[None]:
        """Let gpg, reprepro, apt and all that is built see the week's time, too.

        A program has none of our variables but PATH, so each is met there by a script that sets
        the time and becomes the program.
        """
        bin_folder = self.root / "bin"
        bin_folder.mkdir(exist_ok=True)
        faked = {
            "LD_PRELOAD": FAKETIME.format(sysconfig.get_config_var("MULTIARCH")),
            "FAKETIME": f"@{self.clock.moment:%Y-%m-%d %H:%M:%S}",
            "DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            "TZ": "UTC",
        }
        words = "".join(f"export {name}='{value}'\n" for name, value in faked.items())
        for name in _TIMED:
            script = bin_folder / name
            script.write_text(f'#!/bin/sh\n{words}exec /usr/bin/{name} "$@"\n')
            script.chmod(0o755)
        before = os.environ["PATH"]
        os.environ["PATH"] = f"{bin_folder}:{before}"
        try:
            yield
        finally:
            os.environ["PATH"] = before

    # what the vendor has and does

    def begin(self) -> None:
        """Set up four tools with a release each."""
        publish(self.web, "1.0")
        write_tool(self.tools, f"{VENDOR}/dl/", "1.0", "1.1", "1.2")
        publish(self.web, "3.0", name="quiet", path="/quiet/")
        write_tool(self.tools, f"{VENDOR}/quiet/", "3.0", name="quiet")
        self._greet_is_followed()
        self._show_paint()
        text = (
            'summary = "paint"\nhomepage = "https://vendor.example/"\n[watch]\nkind = "index"\n'
            f'url = "{VENDOR}/simple/paint/"\nproject = "paint"\n[verify]\nmethod = "index"\n'
            f"{accepted(LICENSE)}"
            '[compat]\nprobe = false\nreason = "a test"\n'
        )
        write_tool(self.tools, VENDOR, name="paint")
        (self.tools / "paint" / "tool.toml").write_text(text)

    def hello_releases(self) -> None:
        publish(self.web, "1.0", "1.1")

    def hello_goes_down(self) -> None:
        self.web.serve("/dl/", "busy", status=503)

    def hello_recalls(self) -> None:
        publish(self.web, "1.0")

    def cron_meets_the_timer(self) -> None:
        """Start a second run from within the next one, while that looks at a page."""
        publish(self.web, "1.0", "1.1")
        page = '<a href="hello-1.0.tar.gz">1</a><a href="hello-1.1.tar.gz">2</a>'

        def answer(asked: Asked) -> Answer:
            publish(self.web, "1.0", "1.1")
            try:
                self._whole_run()
            except Busy as error:
                self.refused.append(str(error))
            return Answer(page, headers={"Content-Type": "text/html"})

        self.web.serve_by("/dl/", answer)

    def quiet_goes_down(self) -> None:
        self.web.serve("/quiet/", "gone", status=500)

    def quiet_is_back(self) -> None:
        publish(self.web, "3.0", name="quiet", path="/quiet/")

    def paint_is_replaced(self) -> None:
        self.paint["0.1"] = "f" * 64
        self._show_paint()

    def paint_is_put_right(self) -> None:
        self.paint["0.1"] = hashlib.sha256(archive("0.1", name="paint")).hexdigest()
        self._show_paint()

    def paint_releases(self) -> None:
        self.paint["0.2"] = hashlib.sha256(archive("0.2", name="paint")).hexdigest()
        self._show_paint()

    def greet_releases(self) -> None:
        self.greet.append("2.1")
        self._show_greet()

    def greets_key_is_renewed(self) -> None:
        self.keys.extend(self.signer, expire="20280101T000000", at="20260605T080000")
        self.keys.export(self.tools / "greet" / "keys" / "greet.asc", self.signer)

    def mail_is_down(self) -> None:
        self.server.answers = ["451 try again later"] * 99

    def mail_is_back(self) -> None:
        self.server.answers = []

    def _greet_is_followed(self) -> None:
        self.signer = self.keys.make("Greet", expire="20260603T120000")
        text = (
            f'[verify]\nmethod = "openpgp"\nsignature = "{{url}}.asc"\nkeys = ["{self.signer}"]\n'
            f"{accepted(LICENSE)}"
            '[compat]\nprobe = false\nreason = "a test"\n'
        )
        folder = write_tool(self.tools, f"{VENDOR}/greet/", name="greet", toml=text)
        self.keys.export(folder / "keys" / "greet.asc", self.signer)
        self._show_greet()

    def _show_greet(self) -> None:
        publish(self.web, *self.greet, name="greet", path="/greet/")
        for version in self.greet:
            data, signature = self.root / "data", self.root / "signature"
            data.write_bytes(archive(version, name="greet"))
            self.keys.sign(data, signature, self.signer, at="20260520T000000")
            self.web.serve(f"/greet/greet-{version}.tar.gz.asc", signature.read_bytes())

    def _show_paint(self) -> None:
        files = []
        for version, digest in self.paint.items():
            name = f"paint-{version}.tar.gz"
            data = archive(version, name="paint")
            url = self.web.serve(f"/files/{name}", data, type="application/gzip")
            url = url.replace(self.web.url, VENDOR)
            more = {"upload-time": "2026-06-06T07:00:00Z"} if version == "0.2" else {}
            files.append({"filename": name, "url": url, "hashes": {"sha256": digest}, **more})
        body = {"meta": {"api-version": "1.1"}, "name": "paint", "files": files}
        self.web.serve("/simple/paint/", json.dumps(body), type=JSON)


EVENTS: tuple[tuple[datetime, Callable[[Week], None], str], ...] = (
    (at(0, 9), Week.hello_releases, "The vendor publishes hello 1.1."),
    (at(1, 2), Week.hello_goes_down, "hello's page answers 503, for twelve hours."),
    (at(1, 14), Week.hello_releases, "hello's page is back."),
    (at(1, 15), Week.cron_meets_the_timer, "Cron starts a run while the timer's is at work."),
    (at(2, 10), Week.hello_recalls, "The vendor withdraws hello 1.1 from its page."),
    (at(2, 21), Week.hello_releases, "hello 1.1 is on the page again."),
    (at(3, 5), Week.quiet_goes_down, "quiet's page answers 500, for days."),
    (at(3, 9), Week.greet_releases, "The vendor publishes greet 2.1; its key lapsed yesterday."),
    (at(4, 9), Week.greets_key_is_renewed, "The operator puts greet's renewed key into keys/."),
    (at(4, 13), Week.paint_is_replaced, "The index names other bytes for paint 0.1."),
    (at(4, 19), Week.paint_is_put_right, "The index names the right bytes again."),
    (at(5, 6), Week.mail_is_down, "The mail server takes nothing, for a day."),
    (at(5, 7), Week.paint_releases, "The vendor publishes paint 0.2."),
    (at(6, 6), Week.mail_is_back, "The mail server is back."),
    (at(6, 11), Week.quiet_is_back, "quiet's page is back."),
)


def live(week: Week) -> None:
    """Let the week pass: the timer runs every four hours, cron twice a day a little later."""
    week.begin()
    moments: list[tuple[datetime, int, Callable[[], None]]] = []
    for moment, act, words in EVENTS:
        moments.append((moment, 0, lambda a=act, w=words: _act(week, a, w)))  # type: ignore[misc]
    for hour in range(0, 7 * 24, 4):
        moments.append((at(0, hour, 5), 1, week.timer))
        if hour % 12 == 0:
            moments.append((at(0, hour, 17), 1, week.cron))
    for moment, _, go in sorted(moments, key=lambda found: found[:2]):
        week.clock.moment = moment
        go()


def _act(week: Week, act: Callable[[Week], None], words: str) -> None:
    act(week)
    week.happened.append((week.clock.moment, words))


@contextmanager
def lived() -> Iterator[Week]:
    """Give a week that has passed."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="week-", dir="/tmp")))
        week = Week(
            root=folder,
            web=stack.enter_context(Web()),
            server=stack.enter_context(MailServer()),
            keys=stack.enter_context(throwaway_keys()),
        )
        live(week)
        yield week


def _as_text(message: object) -> str:
    from email.message import EmailMessage

    assert isinstance(message, EmailMessage)
    heads = "".join(f"{name}: {message[name]}\n" for name in ("From", "To", "Subject", "Date"))
    body = message.get_content().replace("\r\n", "\n").rstrip("\n")
    return f"{heads}\n{body}".replace(f"toolsync on {os.uname().nodename},", "toolsync on archive,")


def as_page(week: Week) -> str:
    """Return the week as a page of the docs."""
    runs = len(week.statuses)
    text = [_HEAD.format(runs=runs, mails=len(week.mails), events=len(week.happened))]
    told = [(moment, 0, f"**{moment:%A %H:%M}** {words}\n") for moment, words in week.happened]
    told += [
        (moment, 1, f"**{moment:%A %H:%M}** The operator receives:\n\n```\n{mail}\n```\n")
        for moment, mail in week.mails
    ]
    text += [words for _, _, words in sorted(told, key=lambda found: found[:2])]
    page = "\n".join(text).replace(f"{week.root}/conf", "/etc/toolsync")
    page = _CHECKPOINT.sub("(the head of the log of publications)\n", page)
    return page.replace(week.signer, "0123456789ABCDEF0123456789ABCDEF01234567")


_CHECKPOINT = re.compile(r"Head of the log of publications .*?\n\n— [^\n]*\n", re.DOTALL)
"""The signed head that each message ends in: another one at each writing."""
_HEAD = """# A week with toolsync

A small archive follows four tools of one vendor. A timer starts `toolsync run` every four hours,
and cron beside it twice a day. Below stands all that happened in the week ({events} events), and
all that the operator received: of {runs} runs, {mails} had something to say. `silence_days` is 2.

`tests/support/week.py` plays this week on real servers with real packages, only the time is
driven, and a test compares what comes of it with this page
(`python -m tests.support.week docs/explanation/a-week.md` writes it anew).
"""

if __name__ == "__main__":
    with lived() as passed:
        Path(sys.argv[1]).write_text(as_page(passed), encoding="utf-8")

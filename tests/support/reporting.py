"""What the tests of reports share: a scene made by hand, messages, and a mail server."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from types import TracebackType
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from toolsync.journal.messages import Message
from toolsync.journal.pages import PageRow
from toolsync.journal.publications import Publication
from toolsync.journal.runs import RunRow
from toolsync.journal.statuses import LastStatus
from toolsync.report.news import Scene
from toolsync.system.clock import stamp

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def ago(**span: float) -> str:
    return stamp(NOW - timedelta(**span))


def last_status(
    tool: str = "hello",
    status: str = "up-to-date",
    *,
    message: str = "1.0 is the newest and is published",
    exit_status: int = 0,
    since: str = ago(hours=1),
    newest: str = "1.0",
    current: str = "1.0",
    resolution: str = "",
) -> LastStatus:
    return LastStatus(
        tool=tool,
        status=status,
        current=current,
        newest=newest,
        message=message,
        resolution=resolution,
        exit_status=exit_status,
        since=since,
    )


def page(tool: str = "hello", *, answered: str = ago(hours=1)) -> PageRow:
    return PageRow(
        tool=tool,
        definition="",
        sighting={},
        status="answered",
        message="",
        resolution="",
        exit_status=0,
        looked=ago(hours=1),
        answered=answered,
    )


def publication(number: int, tool: str = "hello", series: str = "bookworm") -> Publication:
    return Publication(
        id=number,
        tool=tool,
        version="1.0",
        series=series,
        revision="1",
        target="local",
        at=ago(hours=1),
        released=ago(hours=3),
    )


def scene(
    *statuses: LastStatus,
    pages: Sequence[PageRow] = (page(),),
    publications: Sequence[Publication] = (),
    gap: tuple[RunRow, RunRow] | None = None,
    unsent: Mapping[str, str] | None = None,
    warnings: Mapping[str, Sequence[str]] | None = None,
    failure: str = "",
) -> Scene:
    return Scene(
        now=NOW,
        statuses={s.tool: s for s in statuses},
        pages={p.tool: p for p in pages},
        publications=publications,
        gap=gap,
        unsent=unsent or {},
        warnings=warnings or {},
        failure=failure,
        silence=timedelta(days=3),
    )


def message_of(
    *texts: str, kind: str = "held", subject: str = "toolsync: 1 held: hello"
) -> Message:
    items = [{"kind": kind, "tool": "hello", "text": text} for text in texts]
    data = {"subject": subject, "host": "here", "items": items, "more": 0}
    return Message(id="0" * 32, channel="c", data=data, made=stamp(NOW), tries=0, error="")


class _Controller(Controller):
    """Serves on a socket that is bound already, so that no other test takes its port."""

    def __init__(self, bound: socket.socket, handler: object, options: dict[str, Any]) -> None:
        self._bound = bound
        super().__init__(handler, hostname="127.0.0.1", port=bound.getsockname()[1], **options)

    def _create_server(self) -> Any:
        return self.loop.create_server(self._factory_invoker, sock=self._bound)


@dataclass
class MailServer:
    """A real SMTP server on the loopback; ``answers`` are given to the next mails."""

    received: list[EmailMessage] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    options: dict[str, Any] = field(default_factory=dict)

    def __enter__(self) -> MailServer:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._controller = _Controller(self._socket, self, self.options)
        self._controller.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._controller.stop()

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self._controller.port}"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = self.answers.pop(0) if self.answers else "250 taken"
        if answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            found = message_from_bytes(envelope.content, policy=default)
            assert isinstance(found, EmailMessage)
            self.received.append(found)
        return answer

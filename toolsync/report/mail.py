"""Write a message as a mail (RFC 5322) and hand it over.

The libraries of mail are imported where one is written: to read the settings none is needed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from toolsync.config import keys
from toolsync.config.settings import Config, Mail
from toolsync.journal.messages import Message
from toolsync.report.channel import Channel, Send
from toolsync.system.secret import secret

if TYPE_CHECKING:
    from toolsync.http.client import Http
    from toolsync.system.mail import Server

_LINE = 900
"""Within RFC 5322's 998; folded earlier, a subject comes out with a space too many."""


def send(message: Message, recipient: str, settings: Mail, sender: str) -> None:
    """Hand a message to sendmail or to the server; raises what `system.mail` raises.

    Tried again it is the same mail with the same Message-ID.
    """
    from email.utils import parseaddr

    from toolsync.system.mail import by_sendmail, by_smtp

    address = parseaddr(sender)[1]
    mail = compose(message, recipient, sender)
    if settings.server:
        by_smtp(mail, address, recipient, _server(settings))
        return
    with tempfile.NamedTemporaryFile(prefix="toolsync-mail-") as file:
        file.write(mail.replace(b"\r\n", b"\n"))
        file.flush()
        by_sendmail(Path(file.name), address, recipient)


def ready(settings: Mail) -> str:
    """Say how mail would leave; raise what keeps it from leaving."""
    from toolsync.system.mail import greet, sendmail

    if not settings.server:
        return f"by {sendmail()}"
    greet(_server(settings))
    return f"{settings.server} answers"


def _server(settings: Mail) -> Server:
    from toolsync.system.mail import Server

    password = secret(settings.password_file, "[report.mail] password_file")
    return Server(url=settings.server, user=settings.user, password=password)


def compose(message: Message, recipient: str, sender: str) -> bytes:
    """Return the whole mail, with CRLF at the ends of lines."""
    from email.message import EmailMessage
    from email.policy import SMTP
    from email.utils import format_datetime, parseaddr

    from toolsync.report.message import as_text

    data: Mapping[str, object] = message.data
    mail = EmailMessage(policy=SMTP.clone(max_line_length=_LINE))
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = data["subject"]
    mail["Date"] = format_datetime(datetime.fromisoformat(message.made))
    mail["Message-ID"] = f"<{message.id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's vacation may answer
    mail.set_content(as_text(data, message.made), cte="quoted-printable")
    return mail.as_bytes()


def _open(config: Config, _: Http) -> Mapping[str, Send]:
    """Give each address by itself: what one has taken is not sent again for another's sake."""
    settings = config.report.mail
    sender = settings.sender or config.maintainer
    return {
        f"mail:{address}": partial(send, recipient=address, settings=settings, sender=sender)
        for address in settings.to
    }


_ADDRESS = r"[^<>@\s]+@[^<>@\s]+"

MAIL = Channel(
    name="mail",
    about="mail of what changed",
    is_set_up=lambda config: bool(config.report.mail.to),
    ready=lambda config: ready(config.report.mail),
    open=_open,
    settings={
        "to": keys.texts(
            "addresses, each gets a mail of its own",
            each="an address, NAME@HOST",
            pattern=f"^{_ADDRESS}$",
            least=1,
        ),
        "from": keys.text(
            "the sender: NAME <ADDRESS>, or an address",
            pattern=rf"^([^<>@\r\n]+ <{_ADDRESS}>|{_ADDRESS})$",
        ),
        "server": keys.text(
            "smtp://HOST[:PORT] or smtps://HOST[:PORT]; this machine's sendmail if empty",
            pattern=r"^(|smtps?://[^/@\s:]+(:[0-9]+)?/?)$",
        ),
        "user": keys.text("who logs in to the server"),
        "password_file": keys.text("a file that holds the password and nothing else"),
    },
    needs=("to",),
)

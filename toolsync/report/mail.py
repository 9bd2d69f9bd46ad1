"""Write a message as a mail (RFC 5322) and hand it over."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from pathlib import Path

from toolsync.config.settings import Mail
from toolsync.journal.messages import Message
from toolsync.report.message import as_text
from toolsync.report.secret import secret
from toolsync.system.mail import Server, by_sendmail, by_smtp, greet, sendmail

_POLICY = SMTP.clone(max_line_length=900)
"""Within RFC 5322's 998; folded earlier, a subject comes out with a space too many."""


def send(message: Message, recipient: str, settings: Mail, sender: str) -> None:
    """Hand a message to sendmail or to the server; raises what `system.mail` raises.

    Tried again it is the same mail with the same Message-ID.
    """
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
    if not settings.server:
        return f"by {sendmail()}"
    greet(_server(settings))
    return f"{settings.server} answers"


def _server(settings: Mail) -> Server:
    password = secret(settings.password_file, "[report.mail] password_file")
    return Server(url=settings.server, user=settings.user, password=password)


def compose(message: Message, recipient: str, sender: str) -> bytes:
    """Return the whole mail, with CRLF at the ends of lines."""
    data: Mapping[str, object] = message.data
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = recipient
    mail["Subject"] = data["subject"]
    mail["Date"] = format_datetime(datetime.fromisoformat(message.made))
    mail["Message-ID"] = f"<{message.id}@{parseaddr(sender)[1].rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: nobody's vacation may answer
    mail.set_content(as_text(data, message.made), cte="quoted-printable")
    return mail.as_bytes()

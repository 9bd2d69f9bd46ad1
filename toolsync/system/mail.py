"""Hand a mail to the machine's own sendmail, or to a server by SMTP (RFC 5321).

One mail has one recipient, so that it is either taken or not. Every wait is bounded. A password
goes over TLS only, and TLS is used wherever the server offers it.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from toolsync.model.errors import SetupError, ToolsyncError, Unreachable
from toolsync.system import deadline
from toolsync.system.deadline import Deadline
from toolsync.system.headers import plain
from toolsync.system.isolation import Isolation
from toolsync.system.run import require, run

_SECONDS = 60.0
_PLACES = (Path("/usr/sbin"), Path("/usr/lib"), Path("/usr/local/sbin"))
"""Where sendmail is (FHS, LSB), which is not always on PATH."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Which server takes mail, and who we are to it."""

    url: str
    """``smtp://HOST[:PORT]`` or ``smtps://HOST[:PORT]``."""
    user: str = ""
    password: str = ""


def by_sendmail(
    message: Path, sender: str, recipient: str, folders: Sequence[Path] = _PLACES
) -> None:
    """Give the mail in a file to sendmail, which keeps it and tries until it is delivered.

    Raises ProgramMissing, or ProgramFailed when it does not take it.
    """
    program = sendmail(folders)
    words = ("-i", "-f", sender, "--", recipient)
    home = {"HOME": str(Path.home())}  # what stands in for sendmail may have its settings there
    isolation = Isolation(set_uid=True)
    run(program, *words, timeout=_SECONDS, given=message, isolation=isolation, env=home)


def sendmail(folders: Sequence[Path] = _PLACES) -> str:
    """Return sendmail's path; raises ProgramMissing."""
    found = (folder / "sendmail" for folder in folders)
    return require(next((str(path) for path in found if path.exists()), "sendmail"))


def greet(server: Server) -> None:
    """See that the server answers and lets us in; raises what `by_smtp` raises."""
    _with(server, "anybody", lambda smtp: None)


def by_smtp(message: bytes, sender: str, recipient: str, server: Server) -> None:
    """Give the mail to a server.

    Raises Unreachable where a later try may work, SetupError where none will.
    """
    _with(server, recipient, lambda smtp: smtp.sendmail(sender, [recipient], message))


def _with(server: Server, recipient: str, act: Callable[[smtplib.SMTP], object]) -> None:
    with Deadline(_SECONDS) as limit:
        try:
            smtp = _connected(server)
            with closing(smtp):
                deadline.watch(smtp.sock)
                _log_in(smtp, server)
                act(smtp)
                with suppress(smtplib.SMTPException, OSError):
                    smtp.quit()  # it was taken, whatever is said now
        except (smtplib.SMTPException, OSError, ValueError) as error:
            raise _in_words(error, server, recipient, late=limit.passed) from error


def _connected(server: Server) -> smtplib.SMTP:
    """Return a connection, with TLS where the server offers it, and logged in."""
    parts = urlsplit(server.url)
    host = parts.hostname or ""
    if parts.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(host, parts.port or 465, timeout=_SECONDS, context=context)
    smtp = smtplib.SMTP(host, parts.port or 25, timeout=_SECONDS)
    try:
        smtp.ehlo()
        if smtp.has_extn("starttls"):
            smtp.starttls(context=ssl.create_default_context())
            smtp.ehlo()
    except BaseException:
        smtp.close()
        raise
    return smtp


def _log_in(smtp: smtplib.SMTP, server: Server) -> None:
    if not server.user:
        return
    if not isinstance(smtp.sock, ssl.SSLSocket):
        raise SetupError(
            f"{server.url} offers no TLS, and a password is not sent without it",
            resolution="Name an smtps: server, or leave out [report.mail] user.",
        )
    smtp.login(server.user, server.password)


def _in_words(
    error: smtplib.SMTPException | OSError | ValueError,
    server: Server,
    recipient: str,
    *,
    late: bool,
) -> ToolsyncError:
    """Return an error for what the library raised; ``late`` says that time ran out."""
    if late:
        return Unreachable(f"{server.url} did not take a mail within {_SECONDS:.0f} s")
    if isinstance(error, ssl.SSLCertVerificationError):
        return Unreachable(
            f"{server.url} has a certificate that is not trusted: {error.verify_message}",
            resolution="Name the server as its certificate does, or install its authority.",
        )
    code, said = _answer(error)
    told = f"{server.url} did not take a mail to {recipient}: {plain(said, 300)}"
    if 500 <= code < 600:
        return SetupError(told, resolution="Mend [report.mail] in toolsync.toml; it is kept.")
    return Unreachable(told, resolution="Nothing to do: the next run sends it.")


def _answer(error: Exception) -> tuple[int, str]:
    """Return the server's code and words, 0 and our own where it gave none."""
    code: int
    said: bytes | str
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        code, said = next(iter(error.recipients.values()))
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
    else:
        return 0, str(error) or type(error).__name__
    words = said.decode(errors="replace") if isinstance(said, bytes) else said
    return code, f"{code} {words}"

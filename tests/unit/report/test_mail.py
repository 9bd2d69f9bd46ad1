"""Mail: what is written, and what a real server or sendmail gets and says."""

from __future__ import annotations

import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from aiosmtpd.smtp import AuthResult

from tests.support.reporting import MailServer, message_of
from toolsync.config.settings import Mail
from toolsync.model.errors import SetupError, Unreachable
from toolsync.report import mail
from toolsync.system.mail import by_sendmail
from toolsync.system.secret import secret

SENDER = "toolsync <toolsync@archive.example>"
TO = "operator@archive.example"


@pytest.fixture
def server() -> Iterator[MailServer]:
    with MailServer() as found:
        yield found


def send(server: MailServer, user: str = "", password_file: str = "") -> None:
    settings = Mail(server=server.url, user=user, password_file=password_file)
    mail.send(message_of("hello is held: ünlikely"), TO, settings, SENDER)


def test_a_server_gets_one_mail_that_names_itself(server: MailServer) -> None:
    send(server)
    (got,) = server.received
    assert got["Subject"] == "toolsync: 1 held: hello"
    assert (got["From"], got["To"]) == (SENDER, TO)
    assert got["Message-ID"] == f"<{'0' * 32}@archive.example>"
    assert got["Auto-Submitted"] == "auto-generated"
    assert "  * hello is held: ünlikely\r\n" in got.get_content()


def test_nothing_from_outside_makes_a_header(server: MailServer) -> None:
    bad = message_of("x", subject="toolsync: 1 held: x y")
    mail.send(bad, TO, Mail(server=server.url), SENDER)
    assert server.received[0].keys().count("Subject") == 1
    with pytest.raises(ValueError, match="linefeed"):
        mail.compose(message_of("x", subject="a\nBcc: evil@x.example"), TO, SENDER)


def test_a_long_subject_arrives_as_it_was(server: MailServer) -> None:
    subject = f"toolsync: 3 held: {'a' * 60}, {'b' * 60}, {'c' * 60}"
    mail.send(message_of("x", subject=subject), TO, Mail(server=server.url), SENDER)
    assert server.received[0]["Subject"] == subject


def test_a_passing_refusal_is_for_later_and_a_lasting_one_for_the_set_up(
    server: MailServer,
) -> None:
    server.answers = ["451 come again", "554 never"]
    with pytest.raises(Unreachable, match="451 come again"):
        send(server)
    with pytest.raises(SetupError, match="554 never"):
        send(server)
    send(server)
    assert len(server.received) == 1


def test_a_server_that_is_not_there_is_for_later() -> None:
    with pytest.raises(Unreachable, match="smtp://127"):
        mail.send(message_of("x"), TO, Mail(server="smtp://127.0.0.1:9"), SENDER)


def test_a_password_is_not_sent_in_the_clear(server: MailServer, tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("secret\n")
    file.chmod(0o640)
    with pytest.raises(SetupError, match="no TLS"):
        send(server, user="me", password_file=str(file))
    assert server.received == []


def test_over_tls_it_logs_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-keyout", key, "-out", cert, "-days", "2", "-subj", "/CN=127.0.0.1"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
        ],
        check=True,
        capture_output=True,
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    logins: list[tuple[object, ...]] = []

    def check(
        server: object, session: object, envelope: object, how: str, data: object
    ) -> AuthResult:
        logins.append((how, data))
        return AuthResult(success=True)

    (tmp_path / "password").write_text("secret")
    (tmp_path / "password").chmod(0o600)
    options = {"tls_context": context, "require_starttls": True, "authenticator": check}
    with MailServer(options=options) as server:
        with pytest.raises(Unreachable, match="not trusted"):
            send(server)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        send(server, user="me", password_file=str(tmp_path / "password"))
    assert len(server.received) == 1
    assert len(logins) == 1


@pytest.mark.parametrize(("text", "mode"), [("", 0o600), ("two\nlines", 0o600), ("s", 0o644)])
def test_a_secret_is_one_line_and_not_for_everybody(tmp_path: Path, text: str, mode: int) -> None:
    file = tmp_path / "secret"
    file.write_text(text)
    file.chmod(mode)
    with pytest.raises(SetupError, match="is no secret"):
        secret(str(file), "key")


def test_a_secret_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        secret(str(tmp_path / "none"), "key")


def test_sendmail_gets_it_on_stdin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "sendmail"
    program.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/words\ncat > {tmp_path}/mail\n')
    program.chmod(0o755)
    message = tmp_path / "message"
    message.write_bytes(mail.compose(message_of("held"), TO, SENDER).replace(b"\r\n", b"\n"))
    by_sendmail(message, "a@b.example", TO, folders=(tmp_path,))
    assert (tmp_path / "words").read_text() == f"-i -f a@b.example -- {TO}\n"
    assert (tmp_path / "mail").read_bytes() == message.read_bytes()

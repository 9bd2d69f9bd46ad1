"""Write a message for another program: generic JSON, Slack's form, or a notice in a Matrix room.

Tried again it is the same message under the same id: JSON carries it as Idempotency-Key, Matrix
as the transaction's id, and both let the other side take it once. Slack has no such thing.
"""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import quote

from toolsync.config import keys
from toolsync.config.record import listing
from toolsync.config.settings import Config, Webhook
from toolsync.journal.messages import Message
from toolsync.model.errors import SetupError, ToolsyncError, Unreachable
from toolsync.model.text import escaped_json
from toolsync.report.channel import Channel, Send
from toolsync.system.headers import bare, host_of
from toolsync.system.secret import secret

if TYPE_CHECKING:
    from toolsync.http.client import Http

_SECONDS = 60.0
_TOKEN = "[report.webhook] token_file"  # noqa: S105 (a setting's name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to send, and where."""

    method: str
    url: str
    body: Mapping[str, object]
    headers: Mapping[str, str]


def ready(settings: Webhook) -> str:
    """Say where messages would go; raise SetupError when the settings cannot work."""
    nothing = {"subject": "", "items": []}
    sample = Message(id="", channel="", data=nothing, made="", tries=0, error="")
    FORMS[settings.form](sample, settings)
    secret(settings.token_file, _TOKEN)
    return f"{settings.form} to {host_of(settings.url)}"


def send(message: Message, settings: Webhook, http: Http) -> None:
    """Send a message once.

    Raises Unreachable where a later try may work, SetupError for no usable token. Neither tells
    more of the address than its host, since a hook's address is its secret.
    """
    try:
        _send(message, settings, http)
    except ToolsyncError as error:
        kind = SetupError if isinstance(error, SetupError) else Unreachable
        told = str(error).replace(bare(settings.url), f"the webhook at {host_of(settings.url)}")
        raise kind(told, resolution=error.resolution) from None


def _send(message: Message, settings: Webhook, http: Http) -> None:
    made = FORMS[settings.form](message, settings)
    token = secret(settings.token_file, _TOKEN)
    headers = {"Content-Type": "application/json", **made.headers}
    headers |= {"Authorization": f"Bearer {token}"} if token else {}
    body = escaped_json(json.dumps(made.body, ensure_ascii=False)).encode()
    http.send(made.method, made.url, body, headers=headers, seconds=_SECONDS)


def _json(message: Message, settings: Webhook) -> Request:
    body = {"id": message.id, "made": message.made, **message.data}
    headers = {"Idempotency-Key": message.id}
    return Request(method="POST", url=settings.url, body=body, headers=headers)


def _slack(message: Message, settings: Webhook) -> Request:
    from toolsync.report.message import sections

    lines = [f"*{_for_slack(message.data['subject'])}*"]
    for heading, texts in sections(message.data):
        lines += [f"*{heading}*", *(f"• {_for_slack(text)}" for text in texts)]
    return Request(method="POST", url=settings.url, body={"text": "\n".join(lines)}, headers={})


def _for_slack(text: str) -> str:
    """Return a text in which nothing calls people or makes links (Slack's three characters)."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _matrix(message: Message, settings: Webhook) -> Request:
    """Return ``PUT …/send/m.room.message/TXN`` (Matrix client-server API v1.1 and later)."""
    if not settings.room:
        raise SetupError(
            "[report.webhook] names no room, and Matrix needs one",
            resolution='Add room = "!ID:HOST" to it.',
        )
    from toolsync.report.message import sections

    room = quote(settings.room, safe="")
    plain, rich = [message.data["subject"]], [f"<b>{html.escape(message.data['subject'])}</b>"]
    for heading, texts in sections(message.data):
        plain += [f"{heading}:", *(f"- {text}" for text in texts)]
        items = "".join(f"<li>{html.escape(text)}</li>" for text in texts)
        rich.append(f"<p>{html.escape(heading)}</p><ul>{items}</ul>")
    return Request(
        method="PUT",
        url=f"{settings.url.rstrip('/')}/_matrix/client/v3/rooms/{room}/send/m.room.message/"
        + message.id,
        body={
            "msgtype": "m.notice",
            "body": "\n".join(plain),
            "format": "org.matrix.custom.html",
            "formatted_body": "".join(rich),
        },
        headers={},
    )


FORMS: Mapping[str, Callable[[Message, Webhook], Request]] = {
    "json": _json,
    "slack": _slack,
    "matrix": _matrix,
}


def _open(config: Config, http: Http) -> Mapping[str, Send]:
    return {"webhook": partial(send, settings=config.report.webhook, http=http)}


WEBHOOK = Channel(
    name="webhook",
    about="an address that is told by HTTP",
    is_set_up=lambda config: bool(config.report.webhook.url),
    ready=lambda config: ready(config.report.webhook),
    open=_open,
    settings={
        "url": keys.address("an http or https address; for matrix that of the homeserver"),
        "form": keys.choice(listing(list(FORMS)), list(FORMS)),
        "room": keys.text("the Matrix room, !ID:HOST", pattern=r"^![^\s/]+$"),
        "token_file": keys.text("a file that holds the access token and nothing else"),
    },
    needs=("url",),
)

"""The table of report channels; no other can be set up."""

from __future__ import annotations

from collections.abc import Mapping

from toolsync.report.channel import Channel
from toolsync.report.mail import MAIL
from toolsync.report.webhook import WEBHOOK

CHANNELS: Mapping[str, Channel] = {channel.name: channel for channel in (MAIL, WEBHOOK)}

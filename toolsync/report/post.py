"""Tell each channel what is news to it, and send what it has not taken yet.

A message is kept with the note of what it tells before anybody sends it, and leaves only when
the other side has taken it: none is lost to a server that is down or to a kill, and one that
was sent is never written again. A kill between the other side's yes and our note of it sends
the same message under the same id once more.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from toolsync.config.settings import Config
from toolsync.http.client import Http
from toolsync.journal.journal import Journal
from toolsync.model.errors import ToolsyncError, unforeseen
from toolsync.report.channel import Channel, Send
from toolsync.report.channels import CHANNELS
from toolsync.report.message import as_text, message
from toolsync.report.news import Scene, latest, news
from toolsync.system.clock import stamp

_MANY = 3
"""Tries after which other channels hear that one does not work."""


@dataclass(frozen=True, slots=True)
class Post:
    """The channels of a set-up, by name."""

    journal: Journal
    channels: Mapping[str, Send]

    def introduce(self) -> None:
        """Let new channels know from where on publications are told to them.

        Before a run's work, so that nothing of it is missed though the run be killed.
        """
        for channel in self.channels:
            if "published" not in self.journal.messages.told(channel):
                newest = latest(self.journal.publications.all())
                self.journal.messages.tell(channel, {"published": newest}, "", None)

    def write(self, scene: Scene) -> int:
        """Write a message to each channel that has news; return how many were written."""
        written = 0
        for channel in self.channels:
            found = news(scene, self.journal.messages.told(channel), channel)
            if not found.states:
                continue
            name, data = message(
                found, now=stamp(scene.now), channel=channel, checkpoint=scene.checkpoint
            )
            self.journal.messages.tell(channel, found.states, name, data if found.items else None)
            written += bool(found.items)
        return written

    def preview(self, scene: Scene) -> list[tuple[str, str]]:
        """Return what each channel would be told: its name, and the message's text."""
        found = {c: news(scene, self.journal.messages.told(c), c) for c in self.channels}
        made = stamp(scene.now)
        return [
            (channel, as_text(data, made))
            for channel, fresh in found.items()
            if fresh.items
            for _, data in [message(fresh, now=made, channel=channel, checkpoint=scene.checkpoint)]
        ]

    def send(self) -> list[tuple[str, ToolsyncError]]:
        """Send all messages, oldest first; return each channel's trouble. One stops its channel."""
        troubles = []
        for channel, send in self.channels.items():
            for waiting in self.journal.messages.unsent(channel):
                try:
                    send(waiting)
                except Exception as error:  # noqa: BLE001 (no channel's trouble is another's)
                    told = error if isinstance(error, ToolsyncError) else unforeseen(error)
                    self.journal.messages.not_sent(waiting, str(told))
                    troubles.append((channel, told))
                    break
                self.journal.messages.sent(waiting)
        return troubles

    def unsent(self) -> dict[str, str]:
        """Return the channels that have not worked for several tries, with what was said."""
        found = {channel: self.journal.messages.unsent(channel)[:1] for channel in self.channels}
        return {
            c: first[0].error for c, first in found.items() if first and first[0].tries >= _MANY
        }


def open_post(
    config: Config, journal: Journal, http: Http, channels: Mapping[str, Channel] = CHANNELS
) -> Post:
    """Return everyone whom the set-up names; ``channels`` are all the ways that there are."""
    told: dict[str, Send] = {}
    for channel in channels.values():
        if channel.is_set_up(config):
            told |= channel.open(config, http)
    return Post(journal, told)

"""Real gpg, dput and sftp against Launchpad's own upload server, as it works and as it fails."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.servers.upload import FAULTS, UploadServer, make_ssh_key
from tests.support.ppas import Goods, Row, Yard
from tests.support.tiny_packages import passed
from toolsync.config.settings import Ppa as Settings
from toolsync.model.errors import Held, ToolsyncError, Unreachable, Waiting
from toolsync.publish.ppa import PpaTarget
from toolsync.system import dput

pytestmark = [
    pytest.mark.slow,
    pytest.mark.xdist_group("uploadserver"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def uploads(tmp_path: Path) -> Iterator[UploadServer]:
    with UploadServer(tmp_path / "uploads") as server:
        server.add_person("maker", make_ssh_key(tmp_path / "id"))
        yield server


@pytest.mark.parametrize("method", ["ftp", "sftp"])
def test_each_fault_ends_in_one_upload_or_a_named_state(
    method: str, tmp_path: Path, goods: Goods, uploads: UploadServer
) -> None:
    lines = []
    for number, (kind, when) in enumerate((k, w) for k in FAULTS for w in (".orig.", ".changes")):
        for session in uploads.incoming.iterdir():
            shutil.rmtree(session)  # of the upload before, for another Launchpad
        yard = Yard(tmp_path / str(number), goods, uploads.incoming)
        way = uploads.settings(method, tmp_path / "id")
        given: dict[str, Any] = {**yard.settings, **way, "alternative": ""}
        settings = Settings(**given, seconds=3)
        uploads.fault(kind, when=when)
        row = yard.row()
        runs, state = until_settled(yard, row, settings)
        uploads.clear_faults()
        tries = "+".join(one["result"] for one in row.detail["tries"])
        lines.append(f"{kind:<10} {when:<8} {tries:<18} {state:<9} after {runs} runs")
        assert state in ("published", "lost"), (kind, when, row.detail)
        assert len(yard.ppa.sources) == (state == "published"), (kind, when)
        rejected = [mail for mail in yard.server.mails if "eject" in mail.subject]
        assert not rejected or state == "lost", (kind, when, rejected)
        yard.close()
    head = f"over {method.upper()}: fault, in which file, what each try came to, the end"
    sys.stdout.write("\n".join(["", head, *lines, ""]))


def until_settled(yard: Yard, row: Row, settings: Settings) -> tuple[int, str]:
    """Run until the upload is published or a person has to look; return how many runs it took."""

    def send(changes: Path, server: dput.Server, env: Mapping[str, str]) -> dput.Sent:
        with yard.goods.workshop.folder("dput") as folder:
            return dput.send(changes, server, env=env, seconds=settings.seconds, folder=folder)

    words: dict[str, Any] = {"settings": settings, "send": send}
    for run in range(1, 12):
        target: PpaTarget = yard.target(**words)
        try:
            target.confirm(target.publish(passed(yard.goods.source()), row), row)
        except (Waiting, Unreachable):
            yard.later(minutes=21)
        except Held:
            return run, row.state
        except ToolsyncError as error:
            raise AssertionError(row.detail) from error
        else:
            return run, row.state
    raise AssertionError(row.detail)

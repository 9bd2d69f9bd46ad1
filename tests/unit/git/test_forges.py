"""Which forge a repository lies on, and what is believed of its answers."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.servers.git import Writable
from tests.servers.requests import Forge as Server
from tests.servers.web import Web
from toolsync.config.settings import Config, Git
from toolsync.git.forge import Draft, opened
from toolsync.git.forges import FORGES, forge_at
from toolsync.git.place import Place
from toolsync.model.errors import Drifted, SetupError, Unreachable
from toolsync.pipeline.context import open_http
from toolsync.system.clock import SystemClock

DRAFT = Draft(branch="toolsync/1", base="debian/latest", title="t", text="x")


def place(tmp_path: Path, url: str, *, forge: str = "", api: str = "") -> Place:
    token = tmp_path / "token"
    token.write_text("s3cret\n")
    token.chmod(0o600)
    return Place(url=url, settings=Git(forge=forge, api=api, token_file=str(token)))


@pytest.mark.parametrize(
    ("url", "name", "root"),
    [
        (
            "https://salsa.debian.org/team/sub/hello.git",
            "gitlab",
            "https://salsa.debian.org/api/v4/projects/team%2Fsub%2Fhello",
        ),
        (
            "git@salsa.debian.org:team/hello.git",
            "gitlab",
            "https://salsa.debian.org/api/v4/projects/team%2Fhello",
        ),
        (
            "ssh://git@github.com/team/hello",
            "github",
            "https://api.github.com/repos/team/hello",
        ),
        (
            "https://codeberg.org/team/hello.git",
            "forgejo",
            "https://codeberg.org/api/v1/repos/team/hello",
        ),
    ],
)
def test_the_address_tells(tmp_path: Path, url: str, name: str, root: str) -> None:
    config = Config(file=tmp_path / "c", state=tmp_path, tool_folders=())
    with closing(open_http(config, SystemClock())) as http:
        forge, api = forge_at(place(tmp_path, url), http)
    assert (forge.name, api.root) == (name, root)


def test_a_forge_that_nothing_tells_is_asked_for(tmp_path: Path) -> None:
    config = Config(file=tmp_path / "c", state=tmp_path, tool_folders=())
    with closing(open_http(config, SystemClock())) as http:
        with pytest.raises(SetupError, match="does not tell which forge"):
            forge_at(place(tmp_path, "https://git.example/team/hello.git"), http)
        with pytest.raises(SetupError, match="needs a token"):
            forge_at(Place(url="https://github.com/a/b", settings=Git()), http)


@pytest.mark.parametrize("name", FORGES)
@pytest.mark.parametrize("answer", ["<html>", "[1]", "{}", '[{"head": 1}]', "[" * 100_000])
def test_what_is_no_forges_answer_is_said_to_be_so(
    tmp_path: Path, web: Web, name: str, answer: str
) -> None:
    config = Config(file=tmp_path / "c", state=tmp_path, tool_folders=(), retries=0)
    at = place(tmp_path, "https://git.example/team/hello.git", forge=name, api=web.url)
    with closing(open_http(config, SystemClock())) as http:
        forge, api = forge_at(at, http)
        path = api.root.removeprefix(web.url)
        web.serve(f"{path}/{'merge_requests' if name == 'gitlab' else 'pulls'}", answer)
        with pytest.raises((Drifted, Unreachable)):
            opened(forge, api, DRAFT)


@pytest.mark.parametrize("kind", FORGES)
def test_a_request_that_became_anothers_is_not_believed(
    tmp_path: Path, web: Web, kind: str
) -> None:
    config = Config(file=tmp_path / "c", state=tmp_path, tool_folders=(), retries=0)
    server = Server(web, Writable(web, tmp_path / "hello.git", token="s3cret"), kind)
    number = server.fork("toolsync/1")
    at = place(tmp_path, "https://git.example/team/hello.git", forge=kind, api=web.url)
    with closing(open_http(config, SystemClock())) as http:
        forge, api = forge_at(at, http)
        assert forge.find(api, "toolsync/1", "debian/latest") is None
        with pytest.raises(Drifted, match="merges from another project's branch"):
            forge.get(api, number)

"""What was seen is remembered by a digest of the definition: known ones never change theirs."""

from __future__ import annotations

from pathlib import Path

from toolsync.model.values import dump
from toolsync.pipeline.memory import fingerprint
from toolsync.setup.tools import load_tool

TOML = r"""
summary = "one"
homepage = "https://one.example/"
[watch]
kind = "github"
url = "https://github.example/one/one"
pattern = 'v?(?P<version>\d[\d.]*)'
mangle = ["s/_/./g"]
min_age = 2
ignore = {"1.0" = "broken"}
[verify]
method = "openpgp"
signature = "{url}.asc"
keys = ["0123456789ABCDEF0123456789ABCDEF01234567"]
"""
REPR = (
    "Watch(kind='github', url='https://github.example/one/one', project='', "
    r"pattern='v?(?P<version>\\d[\\d.]*)', xpath='', path='', member='', file_url='', "
    "releases='tags', prereleases=False, mangle=('s/_/./g',), backlog=1, min_age=2, "
    "ignore={'1.0': 'broken'}, branch='', lists='', user_agent='', text='')"
)
WATCH = "4fbdcf3d78a3d0585ca0b580519f732b1a4e02f212ab8d0eb79ac8279a4f9dfa"
VERIFY = "b2e4f782f94415fd718f5308dc5ee8640e56fdb2a972d6e58e4608ba1ba81716"
"""As the version before there were records wrote them into journals."""


def test_a_known_definition_keeps_its_digests(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    (folder / "debian").mkdir(parents=True)
    (folder / "debian" / "control").write_text("Source: one\n")
    (folder / "tool.toml").write_text(TOML)
    tool = load_tool(folder)
    assert fingerprint(dump(tool.watch)) == WATCH
    assert fingerprint(dump(tool.verify)) == VERIFY
    assert repr(tool.watch) == REPR
    assert tool.watch.rolls

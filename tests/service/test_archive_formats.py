"""What the archive's own files promise to apt: indices by their digests, and an end of belief."""

from __future__ import annotations

import gzip
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.service.test_damage import flip
from tests.support.clock import DrivenClock
from tests.support.tiny_packages import Context, passed
from toolsync.config.settings import Local
from toolsync.model.errors import Damaged
from toolsync.publish import byhash, index
from toolsync.publish.local import LocalArchive
from toolsync.publish.served import Offer, look
from toolsync.setup.settings import load_config


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return Context(tmp_path)


@contextmanager
def serving(archive: Path, then: Callable[[], object]) -> Iterator[str]:
    """Serve a folder; call ``then`` once when an InRelease was sent, before anything else is."""
    lock, waiting = threading.Lock(), [then]

    class Handler(SimpleHTTPRequestHandler):
        def do_GET(self) -> None:
            with lock:
                super().do_GET()
                if self.path.endswith("/InRelease") and waiting:
                    waiting.pop()()

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(archive))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def offer(target: LocalArchive) -> Offer:
    promise = target.keys.promised()
    assert promise is not None
    key = target.stanza("bookworm").partition("Signed-By:\n")[2].replace("\n .\n", "\n\n")
    return Offer(
        stanza=target.stanza("bookworm"),
        key="\n".join(line.strip() for line in key.splitlines()) + "\n",
        fingerprints=promise.signing,
        newest=None,
    )


def test_an_instance_that_reads_between_two_generations_gets_the_older_one_whole(
    context: Context, tmp_path: Path
) -> None:
    """apt has the InRelease of one generation, and asks for indices when the next one is shown."""
    target = context.archive()
    target.publish(passed(context.built()))
    newer = passed(context.built(upstream="1.1"))
    with serving(context.root / "archive", lambda: target.publish(newer)) as url:
        instance = tmp_path / "instance"
        instance.mkdir()
        look(offer(context.archive(Local(url=url))), instance)
        (read,) = (instance / "lists").glob("*_binary-*_Packages*")
        assert "Version: 1.0-" in read.read_text()
        assert "Version: 1.1-" not in read.read_text()
    assert target.newest("tiny-tool", "bookworm") == newer.source.version
    suite = context.root / "archive/dists/bookworm"
    release = (suite / "Release").read_text()
    for name, (_, digest) in byhash.listed(release).items():
        if (suite / name).exists():
            assert (suite / byhash.place(name, digest)).read_bytes() == (suite / name).read_bytes()


def test_an_index_that_was_replaced_long_ago_goes_and_one_that_was_just_now_stays(
    context: Context,
) -> None:
    """Its age counts from its end, and not from its beginning."""
    suite = context.root / "archive/dists/bookworm"
    target = context.archive()
    target.publish(passed(context.built()))
    first = {path.name for path in byhash.kept(suite)}
    long_ago = (datetime.now(UTC) - byhash.KEPT - timedelta(hours=1)).timestamp()
    for path in byhash.kept(suite):
        os.utime(path, (long_ago, long_ago))
    target.publish(passed(context.built(upstream="1.1")))
    second = {path.name for path in byhash.kept(suite)}
    assert first < second
    for path in byhash.kept(suite):
        if path.name in first:
            os.utime(path, (long_ago, long_ago))
    target.publish(passed(context.built(upstream="1.2")))
    third = {path.name for path in byhash.kept(suite)}
    assert second - first <= third
    named = {digest for _, digest in byhash.listed((suite / "Release").read_text()).values()}
    assert third & first == named & first


@pytest.mark.parametrize("which", ["named", "replaced"])
def test_what_is_damaged_of_them_is_told_and_hinders(context: Context, which: str) -> None:
    target = context.archive()
    target.publish(passed(context.built()))
    target.publish(passed(context.built(upstream="1.1")))
    suite = context.root / "archive/dists/bookworm"
    named = {digest for _, digest in byhash.listed((suite / "Release").read_text()).values()}
    path = next(p for p in byhash.kept(suite) if (p.name in named) == (which == "named"))
    assert "files are as they were signed" in target.examine()
    flip(path)
    with pytest.raises(Damaged, match=path.name):
        context.archive().examine()


def test_belief_in_an_index_ends_and_each_day_it_is_signed_anew(context: Context) -> None:
    """Nothing else changes by that, and apt takes it."""
    settings, clock = Local(valid_days=10), DrivenClock(datetime.now(UTC))
    context.clock = clock
    target = context.archive(settings)
    receipt = target.publish(passed(context.built()))
    until = index.valid_until(context.root / "archive", "bookworm")
    assert until is not None
    assert timedelta(days=9, hours=23) < until - datetime.now(UTC) <= timedelta(days=10)
    assert not target.settle()
    state = target.state("bookworm", "tiny-tool")
    clock.sleep(23 * 3600)
    assert not context.archive(settings).settle()
    clock.sleep(2 * 3600)
    packages = gzip.decompress(_packages(context).read_bytes())
    assert context.archive(settings).settle()
    newer = index.valid_until(context.root / "archive", "bookworm")
    assert newer is not None
    assert newer >= until  # reprepro signs by the real clock
    assert context.archive(settings).state("bookworm", "tiny-tool") == state
    assert gzip.decompress(_packages(context).read_bytes()) == packages
    target.confirm(receipt)
    context.archive(Local()).settle()
    assert index.valid_until(context.root / "archive", "bookworm") is None


def _packages(context: Context) -> Path:
    return next((context.root / "archive/dists/bookworm").glob("main/binary-*/Packages.gz"))


def test_the_service_s_index_has_an_end_unless_it_is_told_otherwise(tmp_path: Path) -> None:
    file = tmp_path / "toolsync.toml"
    file.write_text("")
    assert load_config(file, Path("/var/lib/toolsync")).local.valid_days == 14
    assert load_config(file, tmp_path).local.valid_days == 0
    file.write_text("[local]\nvalid_days = 0\n")
    assert load_config(file, Path("/var/lib/toolsync")).local.valid_days == 0

"""A machine that adds the archive stays as it is until somebody asks (docs/adr/0027)."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.slow.test_key_instances import serving
from tests.support.chroots import Instance, make_chroot
from tests.support.tiny_packages import Context, passed
from tests.unit.config.test_asking import settings as set_up
from toolsync.config.asking import to_install
from toolsync.config.settings import Local

pytestmark = pytest.mark.slow

DPKG = "dpkg-query -W"


@pytest.mark.parametrize(
    ("series", "names"),
    [
        ("bookworm", ("amazon-ec2-utils", "awscli")),
        ("trixie", ("awscli",)),
        ("noble", ("ec2-instance-connect",)),
    ],
)
def test_a_full_upgrade_changes_nothing_until_a_package_is_asked_for(
    series: str, names: tuple[str, ...], tmp_path: Path
) -> None:
    make_chroot(tmp_path, series)
    (tmp_path / "context").mkdir()
    context = Context(tmp_path / "context", (series,))
    instance = Instance(tmp_path, series)
    instance.run(
        # What the distribution itself has newer than the chroot is none of the archive's doing.
        "apt-get update -q && apt-get full-upgrade -q -y"
        " && apt-get install -q -y --no-install-recommends " + " ".join(names)
    )
    before = instance.run(DPKG)

    def publish(upstream: str) -> None:
        for name in (*names, "tiny-tool"):
            built = context.built(name=name, upstream=upstream, series=series)
            context.archive(settings).publish(passed(built))

    archive = tmp_path / "context" / "archive"
    archive.mkdir()
    with serving(archive) as address:
        settings = Local(url=address.rstrip("/"))
        publish("99")
        instance.add_archive(context.archive(settings).stanza(series))
        instance.run("apt-get full-upgrade -q -y")
        assert instance.run(DPKG) == before
        instance.run("apt-get install -q -y tiny-tool")  # which nobody else has
        assert instance.run("tiny-tool") == "tiny-tool 99\n"

        words = to_install(set_up(settings), names[:1], series)
        instance.run(f"apt-get install -q -y {words}")
        assert f"{names[0]}\t99-" in instance.run(DPKG)
        publish("100")
        instance.run("apt-get update -q && apt-get full-upgrade -q -y")
        assert f"{names[0]}\t100-" in instance.run(DPKG)
        assert instance.run("tiny-tool") == "tiny-tool 100\n"
        for name in names[1:]:
            assert f"{name}\t99" not in instance.run(DPKG)
            assert f"{name}\t100" not in instance.run(DPKG)

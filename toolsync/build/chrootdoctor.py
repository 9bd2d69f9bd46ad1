"""What has to be right on a machine before clean chroots can be built in, each as a look."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from toolsync.build.backend import Looks
from toolsync.build.chroot import check_chroot_folder, chroot_folder
from toolsync.build.keyrings import archive_keyring
from toolsync.build.mapping import require_mapping
from toolsync.config.settings import Config
from toolsync.model.errors import OutOfSpace, ProgramFailed, SetupError
from toolsync.system.run import run


def looks(config: Config) -> Looks:
    """Give all that unprivileged chroots need, in the builder's own words."""
    for series in config.series:
        yield f"keys of {series}", partial(_keyring, series)
    yield "subordinate ids", _mapping
    yield "user namespaces", _namespace
    yield "chroots", partial(_chroots, chroot_folder(config.build.chroots))


def _keyring(series: str) -> str:
    return str(archive_keyring(series))


def _mapping() -> str:
    require_mapping()
    return "65536 users and groups can be mapped"


def _chroots(folder: Path) -> str:
    check_chroot_folder(folder)
    return f"in {folder}"


def _namespace() -> str:
    """Make a user namespace as the builder does."""
    try:
        run("unshare", "--map-root-user", "--map-auto", "true", timeout=30)
    except (ProgramFailed, OutOfSpace) as error:  # the kernel says ENOSPC where none are allowed
        raise SetupError(
            f"no user namespace can be made: {error}",
            resolution="Allow it: sysctl kernel.unprivileged_userns_clone=1 (Debian),"
            " kernel.apparmor_restrict_unprivileged_userns=0 (Ubuntu), user.max_user_namespaces"
            " above 0; in a container, let its host allow nesting. Or build without chroots:"
            " [build] backend = 'host'.",
        ) from error
    return "can be made"

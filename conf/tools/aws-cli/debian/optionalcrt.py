"""Lend the parts of awscrt that are there, and name those that are not.

The AWS CLI wants the awscrt of its own month. Where the system has none, or one
from before the release that it needs, everything is treated as absent: a name
can still be passed around and asked for its members, and only its use fails,
with a sentence that says what is missing. Half an awscrt is never used.
"""

import importlib
from typing import Any

PROBES = (
    ("awscrt.checksums", "combine_crc64nvme"),
    ("awscrt.checksums", "XXHash"),
    ("awscrt.crypto", "EC"),
    ("awscrt.io", "set_log_level"),
    ("awscrt.s3", "S3FileIoOptions"),
    ("awscrt.s3", "get_recommended_throughput_target_gbps"),
)
"""What the youngest parts of the AWS CLI use of awscrt."""

ANSWERS = {
    "awscrt.io.init_logging": None,
    "awscrt.io.set_log_level": None,
    "awscrt.s3.is_optimized_for_system": False,
}
"""What a call means without awscrt: there is no log to set, and no fast S3 client."""


class NeedsCrt(Exception):
    """Something was used that only awscrt can do."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"this needs {name}, and a recent enough python3-awscrt is not installed; "
            "the other commands work without it (see /usr/share/doc/awscli2/README.Debian)"
        )


class Missing:
    """A name of awscrt that is not there."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> "Missing":
        if name.startswith("__"):
            raise AttributeError(name)
        return Missing(f"{self._name}.{name}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Answer where there is an answer without awscrt; otherwise say what is missing."""
        if self._name in ANSWERS:
            return ANSWERS[self._name]
        raise NeedsCrt(self._name)

    def __or__(self, other: Any) -> "Missing":
        return self

    __ror__ = __or__

    def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
        return ()


def _complete() -> bool:
    try:
        return all(hasattr(importlib.import_module(m), name) for m, name in PROBES)
    except ImportError:
        return False


HAS_CRT = _complete()


def module(path: str) -> Any:
    """Return the module ``path`` (awscrt, awscrt.io, …), or a name that fails when used."""
    return importlib.import_module(path) if HAS_CRT else Missing(path)


def member(path: str, name: str) -> Any:
    """Return what ``from path import name`` gives, or a name that fails when used."""
    if not HAS_CRT:
        return Missing(f"{path}.{name}")
    found = importlib.import_module(path)
    return getattr(found, name) if hasattr(found, name) else module(f"{path}.{name}")


def checksums(space: dict[str, Any]) -> None:
    """Leave in botocore.httpchecksum, whose globals are ``space``, what works without awscrt.

    The default becomes CRC32, as version 1 and boto3 have it without awscrt.
    """
    if HAS_CRT:
        return
    known, names = space["_CHECKSUM_CLS"], space["_SUPPORTED_CHECKSUM_ALGORITHMS"]
    known["crc32"] = space["Crc32Checksum"]
    for name in [name for name, made in known.items() if made.__name__.startswith("Crt")]:
        del known[name]
    names[:] = list(known)
    space["DEFAULT_CHECKSUM_ALGORITHM"] = "CRC32"


def combining(space: dict[str, Any]) -> None:
    """Tell s3transfer.checksums that checksums of parts cannot be joined without awscrt."""
    if not HAS_CRT:
        space["_CHECKSUM_KEY_TO_ALGORITHM"].clear()

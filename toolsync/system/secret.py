"""Read a password or a token from the file that holds nothing else."""

from __future__ import annotations

from pathlib import Path

from toolsync.model.errors import SetupError


def secret(file: str, key: str) -> str:
    """Return the secret in ``file``, empty if none is named; ``key`` is who names it.

    Raises SetupError when it cannot be read, is empty, or everybody may read it.
    """
    if not file:
        return ""
    path = Path(file).expanduser()
    try:
        everybody = path.stat().st_mode & 0o004
        text = path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SetupError(
            f"{path}, named by {key}, cannot be read: {error}",
            resolution="Let the user who runs toolsync read it, and nobody else.",
        ) from error
    if everybody or not text or not text.isprintable():
        fault = "everybody may read it" if everybody else "it holds no single line"
        raise SetupError(
            f"{path}, named by {key}, is no secret: {fault}",
            resolution=f"Write one line into it, then: chmod o= {path}",
        )
    return text

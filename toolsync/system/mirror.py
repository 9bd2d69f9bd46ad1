"""Ask an archive's mirror whether it answers: our own look, where a log would only say so."""

from __future__ import annotations

_SECONDS = 30.0


def answers(url: str, series: str) -> bool:
    """Say whether a mirror gives the index of a series; that it has none is an answer, too."""
    address = f"{url.rstrip('/')}/dists/{series}/InRelease"
    if not address.startswith(("http://", "https://")):
        return True  # a folder of this machine's: there is nobody to be away
    import urllib.error  # heavy, and few commands ask
    import urllib.request

    try:
        with urllib.request.urlopen(address, timeout=_SECONDS) as answer:  # noqa: S310 (as above)
            return bool(answer.read(1))
    except urllib.error.HTTPError as error:
        return error.code < 500 and error.code not in (408, 425, 429)
    except (OSError, ValueError):
        return False

"""Get a token from Launchpad: a person allows it in a browser, whenever that may be.

A request token that nobody has looked at yet may be asked about again; so it is kept, and
another process can go on with it, on a machine without a terminal too.
"""

from __future__ import annotations

import json
from pathlib import Path

from toolsync.model.errors import SetupError, Unreachable
from toolsync.system.launchpadhttp import require_launchpadlib, said
from toolsync.system.private import private_folder
from toolsync.system.store import replace_file

_LEVEL = "WRITE_PRIVATE"
"""What a person is asked to allow: with less a private PPA is not seen, or not copied to."""
_UNSEEN = "not yet been reviewed"


class Authorization:
    """One attempt to get a token: show `url` to a person, and `finish` until it says yes.

    ``token`` is where the token is written; the request token is kept beside it meanwhile.
    """

    def __init__(self, root: str, consumer: str, token: Path) -> None:
        require_launchpadlib()
        from launchpadlib import uris
        from launchpadlib.credentials import AccessToken, Credentials

        self._web = uris.web_root_for_service_root(uris.lookup_service_root(root))
        self._credentials = Credentials(consumer)
        self._token, self._request = token, request_of(token)
        self.url: str
        """The page on which a person allows it."""
        kept = self._kept()
        if kept is None:
            self._begin()
        else:
            self.url = kept["url"]
            self._credentials._request_token = AccessToken(kept["key"], kept["secret"])

    def finish(self) -> bool:
        """Exchange what was allowed for a token and write it, mode 0600; say whether it was.

        Raises SetupError where it was refused or forgotten, Unreachable while Launchpad fails.
        """
        from lazr.restfulclient.errors import HTTPError

        try:
            self._credentials.exchange_request_token_for_access_token(web_root=self._web)
        except HTTPError as error:
            if error.response.status not in (401, 403):
                raise Unreachable(
                    f"Launchpad gives no token: {said(error)}", resolution="Try again later."
                ) from error
            if _UNSEEN in said(error):
                return False
            self._request.unlink(missing_ok=True)
            what = "somebody refused it" if error.response.status == 403 else said(error)
            raise SetupError(
                f"Launchpad gives no token: {what}",
                resolution="Begin anew, with another address: toolsync launchpad login",
            ) from error
        except Exception as error:
            raise Unreachable(
                f"Launchpad gives no token: {error}", resolution="Try again later."
            ) from error
        replace_file(self._token, self._credentials.serialize(), mode=0o600)
        self._request.unlink(missing_ok=True)
        return True

    def _begin(self) -> None:
        try:
            page = self._credentials.get_request_token(web_root=self._web)
        except Exception as error:
            raise Unreachable(
                f"Launchpad gives no request token: {error}", resolution="Try again later."
            ) from error
        self.url = f"{page}&allow_permission={_LEVEL}"
        token = self._credentials._request_token
        kept = {"web": self._web, "url": self.url, "key": token.key, "secret": token.secret}
        private_folder(self._request.parent)
        replace_file(self._request, json.dumps(kept).encode(), mode=0o600)

    def _kept(self) -> dict[str, str] | None:
        """Return the request token of an earlier attempt at the same Launchpad, if there is one."""
        try:
            kept: dict[str, str] = json.loads(self._request.read_bytes())
            return kept if kept["web"] == self._web and kept["key"] and kept["url"] else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None


def request_of(token: Path) -> Path:
    """Return where the request token lies that is to become ``token``."""
    return token.with_name("request")

"""Accounts and tokens: what is kept of them, and what goes with an account."""

from __future__ import annotations

from toolsync.journal.accounts import Token
from toolsync.journal.journal import Journal


def test_an_account_goes_with_its_tokens(journal: Journal) -> None:
    accounts = journal.accounts
    accounts.keep("ann", "reader", "s1")
    accounts.keep("ann", "reviewer", "s2")
    accounts.keep("joe", "reader", "s3")
    assert [(a.name, a.role, a.secret) for a in accounts.all()] == [
        ("ann", "reviewer", "s2"),
        ("joe", "reader", "s3"),
    ]
    for owner in ("ann", "joe"):
        accounts.keep_token(
            Token(name=f"{owner}-ci", digest=owner, account=owner, role="reader", made="", ends="")
        )
    assert accounts.token("ann") == accounts.tokens()[0]
    accounts.remove("ann")
    assert (accounts.get("ann"), accounts.token("ann")) == (None, None)
    assert [t.name for t in accounts.tokens()] == ["joe-ci"]
    assert (accounts.remove_token("joe-ci"), accounts.remove_token("joe-ci")) == (True, False)

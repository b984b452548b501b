"""Calls that leave no trace, and calls that pretend another time."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

from t1data.sandbox.core import Account
from t1data.sandbox.values import moment


@contextmanager
def trial(account: Account, *, dry: bool) -> Iterator[None]:
    """Undo at the end whatever was written inside, if the call is dry; random codes repeat afterwards."""
    if not dry:
        yield
        return
    random_state = account.random.getstate()
    account.db.execute("SAVEPOINT trial")
    try:
        yield
    finally:
        account.db.execute("ROLLBACK TO trial")
        account.db.execute("RELEASE trial")
        account.random.setstate(random_state)


def at(account: Account, now: str | None) -> Account:
    """Return the same account, on the same store, as it looks at another time; itself for None."""
    if now is None:
        return account
    moved = copy.copy(account)
    moved._clock = lambda: moment(now)
    return moved

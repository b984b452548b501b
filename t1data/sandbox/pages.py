"""Lists of the Management API, one page at a time."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from t1data.sandbox import queries
from t1data.sandbox.core import Account, Call, Reply

LARGEST_PAGE = 1000


def answer_page(
    account: Account,
    call: Call,
    query: str,
    values: Sequence[Any],
    *,
    sorts: Mapping[str, str],
    to_json: Callable[[list[sqlite3.Row]], list[dict[str, Any]]],
    counted: bool = False,
) -> Reply:
    """Answer with the page that ``pageSize``, ``skip`` and ``sort`` ask for.

    Parameters
    ----------
    account : Account
        Where the rows are.
    call : Call
        Its query says which page; ``withTotalResultSize=true`` asks for the size of the whole list besides.
    query : str
        A SELECT without ORDER BY; every row has an ``id``.
    values : sequence
        Its parameters.
    sorts : mapping of str to str
        The names that ``sort`` may hold, and their columns.
    to_json : callable
        Turns the rows of the page into the API's objects.
    counted : bool
        Whether this list tells its whole size unasked, as that of attributes does.
    """
    size = queries.whole(call, "pageSize", default=LARGEST_PAGE, least=1, most=LARGEST_PAGE)
    skip = queries.whole(call, "skip", default=0, least=0)
    ordered = f"{query} ORDER BY {_order(call, sorts)} LIMIT ? OFFSET ?"
    rows = account.db.execute(ordered, (*values, size + 1, skip)).fetchall()
    data = to_json(rows[:size])
    if queries.flag(call, "withTotalResultSize") or counted:
        total = account.db.execute(f"SELECT count(*) FROM ({query})", values).fetchone()[0]  # noqa: S608
        return Reply(200, {"totalResultSize": total, "hasMore": len(rows) > size, "data": data})
    return Reply(200, {"hasMore": len(rows) > size, "data": data})


def _order(call: Call, sorts: Mapping[str, str]) -> str:
    """Return the ORDER BY of ``sort``: names with commas between, a minus for descending."""
    wanted = call.query.get("sort") or "id"
    columns = []
    for name in wanted.split(","):
        column = {"id": "id", **sorts}.get(name.removeprefix("-"))
        if column is None:
            raise queries.bad_parameter("sort", f"must name fields out of: id, {', '.join(sorts)}")
        columns.append(f"{column} DESC" if name.startswith("-") else column)
    return ", ".join([*columns, "id"])

"""From a diff to the actions that make an audience the same, with what must be said before anybody is taken out."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, Literal, get_args

import pyarrow as pa
import pyarrow.compute as pc

from t1data.audiences.columns import ID
from t1data.audiences.diff import hold
from t1data.audiences.frames import to_frame
from t1data.audiences.guards import check_removals
from t1data.audiences.result import AudienceDiff
from t1data.audiences.sides import Input, open_input, open_inputs
from t1data.audiences.ways import Ways, Word
from t1data.errors import InputError
from t1data.words import many

if TYPE_CHECKING:
    import pandas as pd

Mode = Literal["mirror", "add", "remove"]

_SCHEMA = pa.schema([(ID, pa.string()), ("action", pa.string()), ("audience_id", pa.int64()), ("known", pa.bool_())])


def plan_audience(
    diff: AudienceDiff,
    audience_id: int,
    *,
    mode: Mode = "mirror",
    max_removed: int | None = None,
    known: Any = None,
    encoding: Word = None,
    delimiter: Word = None,
    sheet: Word = None,
) -> pd.DataFrame:
    """Return the actions that make an audience of `before` one of `after`; nothing is sent.

    Parameters
    ----------
    diff : AudienceDiff
        From `diff_audiences`.
    audience_id : int
        The number of the audience.
    mode : {"mirror", "add", "remove"}
        All actions, only those that add, or only those that take out.
    max_removed : int, optional
        How many members may be taken out, when these are more than 1,000 or more than a tenth of `before`. When
        `after` is empty, exactly how many.
    known : path, frame or Arrow stream, optional
        The ids that the account has, in a column ``integration_id``. To add an id that it does not have makes a profile
        of that id, which nobody may have meant.
    encoding, delimiter, sheet : str, optional
        How `known` is read, as for `diff_audiences`.

    Returns
    -------
    DataFrame
        ``integration_id, action, audience_id, known``, by action and id; an action is ``add`` or ``delete``, and
        `known` is missing where it was not looked up. ``plan.attrs`` has the counts ``added, removed, unknown, twins``;
        `unknown` is None where it was not looked up.

    Raises
    ------
    InputError
        `after` is empty or suddenly small, or some of its rows have no id, so that those would be taken out whom they
        mean. The message has the number that allows it.

    Examples
    --------
    >>> import pandas as pd
    >>> june, july = pd.DataFrame({"integration_id": ["1", "2"]}), pd.DataFrame({"integration_id": ["2", "3"]})
    >>> plan = plan_audience(diff_audiences(june, july), 748, max_removed=1)
    >>> plan[["integration_id", "action", "audience_id"]].to_dict("records")[0]
    {'integration_id': '3', 'action': 'add', 'audience_id': 748}
    >>> plan.attrs
    {'added': 1, 'removed': 1, 'unknown': None, 'twins': 0}
    """
    ways = Ways(encoding, delimiter, sheet)
    return plan_of(diff, audience_id, mode=mode, max_removed=max_removed, known=_known(known, ways))


def _known(data: Any, ways: Ways) -> Input | None:
    if data is not None:
        return open_inputs({"known": data}, on=ID, ways=ways)[0]
    if ways != Ways():
        raise InputError("encoding, delimiter and sheet say how known is read, and it was not given")
    return None


def plan_of(
    diff: AudienceDiff, audience_id: int, *, mode: Mode, max_removed: int | None, known: Input | None
) -> pd.DataFrame:
    """Return a plan, as `plan_audience` does, with the known ids opened."""
    _check_audience(audience_id)
    if mode not in get_args(Mode):
        raise InputError(f"mode: got {mode!r}, valid are {', '.join(map(repr, get_args(Mode)))}")
    if mode != "add":
        _check_removals(diff, max_removed)
    added = _ids(diff, "added") if mode != "remove" else _none()
    removed = _ids(diff, "removed") if mode != "add" else _none()
    unknown = None if known is None else _unknown(added, known)
    parts = [_actions(added, "add", audience_id, unknown), _actions(removed, "delete", audience_id, None)]
    plan = to_frame(pa.concat_tables(parts).to_reader())
    counts = {"added": len(added), "removed": len(removed), "unknown": None if unknown is None else len(unknown)}
    plan.attrs.update(counts | {"twins": diff.counts["twins"]})
    return plan


def _check_audience(audience_id: int) -> None:
    if isinstance(audience_id, bool) or not isinstance(audience_id, Integral) or audience_id < 1:
        raise InputError(f"audience_id: got {audience_id!r}, valid is the number of an audience, 1 or more")


def _check_removals(diff: AudienceDiff, max_removed: int | None) -> None:
    removed, members = diff.counts["removed"], diff.counts["before"]
    if not removed:
        return
    if diff.counts["problems_after"]:
        first = diff.problems[diff.problems["side"] == "after"].iloc[0]
        raise InputError(
            f"after has {many(diff.counts['problems_after'], 'row')} without an id that can be read, and whom they mean"
            f" would be taken out. Mend them; the first is row {first['row']}: {first['message']}"
        )
    if not diff.counts["after"] and max_removed != removed:
        raise InputError(
            f"after ({diff.after}) is empty, so that all {many(removed, 'member')} would be taken out. If that is"
            f" meant, say max_removed={removed}. Nothing was sent"
        )
    check_removals(removed, members, max_removed=max_removed, what="the plan")


def _none() -> pa.ChunkedArray:
    return pa.chunked_array([], pa.string())


def _ids(diff: AudienceDiff, table: str) -> pa.ChunkedArray:
    ids = [batch.column(0) for batch in diff.stream(table)]
    return pa.chunked_array(ids, pa.string())


def _unknown(added: pa.ChunkedArray, known: Input) -> pa.ChunkedArray:
    """Return the ids that would become profiles without a person."""
    joining = open_input(pa.table({ID: added}), name="after", on=ID)
    return _ids(hold(known, joining, compare=[]), "added")


def _actions(ids: pa.ChunkedArray, action: str, audience_id: int, unknown: pa.ChunkedArray | None) -> pa.Table:
    count = len(ids)
    known = pa.nulls(count, pa.bool_()) if unknown is None else pc.invert(pc.is_in(ids, value_set=unknown))
    return pa.table([ids, pa.repeat(action, count), pa.repeat(int(audience_id), count), known], schema=_SCHEMA)

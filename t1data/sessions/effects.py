"""What sessions came to: their effects, their totals, and what each campaign did for all of them together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from t1data.bulk.effects import (
    DISCOUNTS,
    REFUSALS,
    Answer,
    Effect,
    answers_of,
    campaigns_in,
    effects_in,
    frame_of_effects,
    ids_in,
    make_frame,
)
from t1data.journal.outcomes import Input, head_of
from t1data.journal.reads import reading
from t1data.journal.runs import GoodsReader, Run
from t1data.tables.ids import read_ids

if TYPE_CHECKING:
    import pandas as pd

TOTALS = {
    "session_id": "string",
    "integration_id": "string",
    "state": "string",
    "total": "Float64",
    "cart_item_total": "Float64",
    "additional_cost_total": "Float64",
    "discount": "Float64",
    "net": "Float64",
    "points": "Float64",
    "effects": "Int64",
}
"""The columns of the totals, with their dtypes. Amounts are in the currency of the Application, `points` in points."""

CAMPAIGNS = {
    "campaign": "string",
    "sessions": "Int64",
    "effects": "Int64",
    "discount": "Float64",
    "points": "Float64",
    "revenue": "Float64",
    "share_of_sessions": "Float64",
    "share_of_revenue": "Float64",
    "discount_rate": "Float64",
}
"""The columns of a summary by campaign, with their dtypes. Shares and rates are between 0 and 1."""

POINTS = frozenset({"addLoyaltyPoints"})
_ZERO = Decimal(0)


@dataclass(frozen=True)
class _Standing:
    """A session as it stands after its last line that the server accepted."""

    row: int
    session_id: str | None
    integration_id: str | None
    answer: Answer
    effects: list[Effect]

    def granted(self, kinds: frozenset[str], campaign: int | None = None) -> Decimal:
        """Return the sum of what effects of these kinds grant, in all or by one campaign."""
        mine = (each for each in self.effects if campaign in (None, each.campaign_id))
        return sum((Decimal(each.amount) for each in mine if each.type in kinds and each.amount is not None), _ZERO)

    def amount(self, name: str) -> Decimal | None:
        """Return a total that the answer tells; None when it does not."""
        session = self.answer.get("customerSession")
        value = session.get(name) if isinstance(session, dict) else None
        return Decimal(value) if isinstance(value, int | Decimal) else None

    @property
    def state(self) -> str | None:
        """Its state, as the server tells it."""
        session = self.answer.get("customerSession")
        return session.get("state") if isinstance(session, dict) else None


def effect_frame(journal: Path, source: Input | None) -> pd.DataFrame:
    """Return one line an effect, on the index of the sessions; see `t1data.bulk.effects.COLUMNS`."""
    sessions, customers = _ids(journal, source)
    return frame_of_effects(journal, source, sessions=sessions, customers=customers)


def total_frame(journal: Path, source: Input | None) -> pd.DataFrame:
    """Return one line a session, as it stands after its last line that was accepted; see `TOTALS`.

    ``total`` is what the session costs before discounts, ``net`` what is left of it. The discount is that of the last
    line alone, since each update of a session is evaluated anew.
    """
    standing = list(_standing(journal, source))
    records = []
    for each in standing:
        total, discount = each.amount("total"), each.granted(DISCOUNTS)
        amounts = (
            total,
            each.amount("cartItemTotal"),
            each.amount("additionalCostTotal"),
            discount,
            None if total is None else total - discount,
            each.granted(POINTS),
        )
        ids = each.session_id, each.integration_id, each.state
        records.append((*ids, *map(_number, amounts), len(each.effects)))
    return make_frame(records, TOTALS, source, [each.row for each in standing])


def campaign_frame(journal: Path, source: Input | None) -> pd.DataFrame:
    """Return one line a campaign that did something, indexed by ``campaign_id``; see `summarise_effects`."""
    import pandas as pd

    names: dict[int, str] = {}
    found: defaultdict[int, list[_Standing]] = defaultdict(list)
    every = [each for each in _standing(journal, source) if each.state != "cancelled"]
    for each in every:
        names |= campaigns_in(each.answer)
        touched = {effect.campaign_id for effect in each.effects if effect.type not in REFUSALS}
        for campaign in touched - {None, 0}:
            found[int(campaign or 0)].append(each)
    records = [(names.get(campaign), *_summary(campaign, found[campaign], every)) for campaign in sorted(found)]
    frame = pd.DataFrame(records, columns=list(CAMPAIGNS), dtype=object).astype(CAMPAIGNS)
    return frame.set_index(pd.Index(sorted(found), name="campaign_id", dtype="int64"))


def _summary(campaign: int, touched: list[_Standing], every: list[_Standing]) -> tuple[Any, ...]:
    discount = sum((each.granted(DISCOUNTS, campaign) for each in touched), _ZERO)
    points = sum((each.granted(POINTS, campaign) for each in touched), _ZERO)
    effects = sum(effect.campaign_id == campaign for each in touched for effect in each.effects)
    revenue, all_revenue = _revenue(touched), _revenue(every)
    return (
        len(touched),
        effects,
        _number(discount),
        _number(points),
        _number(revenue),
        len(touched) / len(every),
        _share(revenue, all_revenue),
        _share(discount, revenue),
    )


def _revenue(sessions: Iterable[_Standing]) -> Decimal | None:
    """Return what sessions cost together, before discounts; None when some answer does not tell."""
    totals = [each.amount("total") for each in sessions]
    known = [total for total in totals if total is not None]
    return sum(known, _ZERO) if len(known) == len(totals) else None


def _share(part: Decimal | None, whole: Decimal | None) -> float | None:
    return float(part / whole) if part is not None and whole else None


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def summarise_effects(run: Run) -> pd.DataFrame:
    """Return what each campaign did for the sessions of a run.

    Parameters
    ----------
    run : Run
        Of `t1data.update_sessions`, a what-if run or not.

    Returns
    -------
    DataFrame
        Indexed by ``campaign_id``: ``campaign`` (its name), ``sessions`` (touched: it did something other than refuse a
        code), ``effects``, ``discount`` (money granted), ``points``, ``revenue`` (what the touched sessions cost before
        discounts), ``share_of_sessions``, ``share_of_revenue`` (of all sessions of the run) and ``discount_rate`` (of
        that revenue). Each session counts once, as it stands after its last line; one that was cancelled counts not.

    Raises
    ------
    AttributeError
        A run of another job.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> rule = {"name": "5 off", "when": {}, "then": [{"effect": "setDiscount", "name": "OFF", "amount": 5}]}
    >>> with t1.Sandbox() as sandbox:
    ...     sandbox.load({"campaigns": [{"id": 9, "name": "Sale", "rules": [rule]}]})
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     sessions = pd.DataFrame({"session_id": ["s1"], "integration_id": ["001"]})
    ...     items = pd.DataFrame({"session_id": ["s1"], "sku": ["a"], "quantity": [2], "price": [10.0]})
    ...     run = t1.update_sessions(client, sessions, items, dry=True, progress=False)
    >>> summarise_effects(run)[["campaign", "sessions", "discount", "discount_rate"]].values.tolist()
    [['Sale', 1, 5.0, 0.25]]
    """
    return run.goods("campaigns")


def _standing(journal: Path, source: Input | None) -> Iterator[_Standing]:
    """Yield every session once, at its last line that was accepted."""
    sessions, customers = _ids(journal, source)
    last: dict[Any, tuple[int, Answer]] = {}
    for row, answer in answers_of(journal):
        session = sessions.get(row, ids_in(answer)[0])
        last[session if session is not None else row] = (row, answer)
    for row, answer in sorted(last.values(), key=lambda found: found[0]):
        session, customer = ids_in(answer)
        ids = sessions.get(row, session), customers.get(row) or customer
        yield _Standing(row, *ids, answer, effects_in(answer))


def _ids(journal: Path, source: Input | None) -> tuple[dict[int, str | None], dict[int, str | None]]:
    """Return row → session and row → customer, from the input if it is there."""
    sessions: dict[int, str | None] = {}
    customers: dict[int, str | None] = {}
    with reading(journal) as db:
        ids = head_of(db, journal).facts["layout"]["ids"]
    for rows, batch in source.rows() if source is not None else ():
        for found, column in ((sessions, ids["session"]), (customers, ids["profile"])):
            if column is not None:
                found.update(zip(rows.tolist(), read_ids(batch.column(column)).text.to_pylist(), strict=True))
    return sessions, customers


GOODS: dict[str, GoodsReader] = {"effects": effect_frame, "totals": total_frame, "campaigns": campaign_frame}
"""What a run of sessions brings home."""

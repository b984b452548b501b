"""Effects that the rule engine answered with: kept with each answer, and one line an effect in a frame.

A request of a job that reads effects holds one row, so an answer belongs to the last row of its batch.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from t1data.bulk.batches import Batch
from t1data.bulk.job import Goods
from t1data.journal.answers import answers_by_row
from t1data.journal.outcomes import Input
from t1data.tables.labels import BY_NUMBER

if TYPE_CHECKING:
    import pandas as pd

Answer = dict[str, Any]
Names = Mapping[int, str | None]

COLUMNS = {
    "session_id": "string",
    "integration_id": "string",
    "effect_type": "string",
    "campaign_id": "Int64",
    "campaign": "string",
    "rule_index": "Int64",
    "rule": "string",
    "name": "string",
    "value": "Float64",
    "code": "string",
    "position": "Int64",
    "reason": "string",
    "props": "string",
}
"""The columns of a frame of effects, with their dtypes; the same when there is no effect."""

DISCOUNTS = frozenset(
    {"setDiscount", "setDiscountPerItem", "setDiscountPerAdditionalCost", "setDiscountPerAdditionalCostPerItem"}
)
REFUSALS = frozenset({"rejectCoupon", "rejectReferral"})


@dataclass(frozen=True)
class Effect:
    """One effect, whichever version of the API told it.

    Attributes
    ----------
    type : str
        Such as ``"setDiscount"``.
    campaign_id, rule_index : int or None
        Where it comes from.
    rule : str or None
        The rule's name; version 1 tells none.
    props : mapping
        What it says; numbers are exact.
    """

    type: str
    campaign_id: int | None
    rule_index: int | None
    rule: str | None
    props: Mapping[str, Any]

    @property
    def amount(self) -> Decimal | int | None:
        """The number that it grants, None where it grants none."""
        value = self.props.get("value")
        return value if isinstance(value, int | Decimal) and not isinstance(value, bool) else None

    def text(self, name: str) -> str | None:
        """Return a text that it says."""
        value = self.props.get(name)
        return value if isinstance(value, str) else None


# What the values of version 1 are, which names none: by place, for the effects of which it is known.
_OLD_PROPS = {
    "setDiscount": ("name", "value", "scope"),
    "addLoyaltyPoints": ("name", "programId", "subLedgerId", "value", "recipientIntegrationId"),
    "acceptCoupon": ("value",),
    "acceptReferral": ("value",),
    "rejectCoupon": ("value", "rejectionReason"),
    "rejectReferral": ("value", "rejectionReason"),
}


def read_goods(batch: Batch, body: bytes) -> Goods:
    """Say whether an answer has what an answer of the rule engine has."""
    try:
        effects_in(parse(body))
    except ValueError:
        return Goods(
            np.zeros(len(batch), dtype=bool),
            "the server says that all went well, but its answer has no effects; its bytes are kept: t1data runs raw",
        )
    return Goods(np.ones(len(batch), dtype=bool))


def parse(body: bytes) -> Answer:
    """Read an answer, its numbers exact; raise ValueError when it is no JSON object."""
    answer = json.loads(body, parse_float=Decimal)
    if not isinstance(answer, dict):
        raise ValueError("no JSON object")
    return answer


def effects_in(answer: Answer) -> list[Effect]:
    """Return the effects of an answer, in either form of the API; raise ValueError when it has no list of them.

    Examples
    --------
    >>> [found.amount for found in effects_in({"event": {"effects": [[7, 1, 0, ["setDiscount", "SALE", 5]]]}})]
    [5]
    """
    event = answer.get("event")
    old = event.get("effects") if isinstance(event, dict) else None
    found = answer.get("effects", old)
    if not isinstance(found, list):
        raise ValueError("no list of effects")
    return [_new(item) if isinstance(item, dict) else _old(item) for item in found if isinstance(item, dict | list)]


def _new(item: dict[str, Any]) -> Effect:
    props = item.get("props")
    return Effect(
        str(item.get("effectType")),
        item.get("campaignId"),
        item.get("ruleIndex"),
        item.get("ruleName"),
        props if isinstance(props, dict) else {},
    )


def _old(item: list[Any]) -> Effect:
    campaign, _, rule, call = item if len(item) == 4 else (None, None, None, None)
    kind, *values = call if isinstance(call, list) and call else [None]
    names = _OLD_PROPS.get(str(kind), ())
    props = {names[place] if place < len(names) else str(place): value for place, value in enumerate(values)}
    return Effect(str(kind), campaign, rule, None, props)


def answers_of(journal: Path) -> Iterator[tuple[int, Answer]]:
    """Yield row and answer of every row that the server accepted, in the order of the rows."""
    for row, body in answers_by_row(journal):
        yield row, parse(body)


def campaigns_in(answer: Answer) -> dict[int, str]:
    """Return the names of the campaigns that an answer tells of."""
    found = answer.get("triggeredCampaigns")
    named = [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []
    return {item["id"]: item["name"] for item in named if "id" in item and "name" in item}


def effect_frame(journal: Path, source: Input | None) -> pd.DataFrame:
    """Return the effects of a run, one line an effect, on the input's index (for a file: the row number, from 1).

    Parameters
    ----------
    journal : Path
        Its kept answers are read.
    source : Input, optional
        The customers are read from it.

    Returns
    -------
    DataFrame
        `COLUMNS`. ``value`` is what an effect grants: money for discounts, points for points. ``position`` is that of
        the item in its cart, from 0. ``props`` is all that the effect says, as JSON.
    """
    return frame_of_effects(journal, source, sessions={}, customers=_customers(source))


def frame_of_effects(journal: Path, source: Input | None, *, sessions: Names, customers: Names) -> pd.DataFrame:
    """Return `effect_frame` with the ids by row; what is not in them is read from the answers."""
    names: dict[int, str] = {}
    found = []
    for row, answer in answers_of(journal):
        names |= campaigns_in(answer)
        session, customer = ids_in(answer)
        ids = sessions.get(row, session), customers.get(row, customer)
        found += [(row, *ids, effect) for effect in effects_in(answer)]
    records = [(session, customer, *_cells(effect, names)) for _, session, customer, effect in found]
    return make_frame(records, COLUMNS, source, [row for row, *_ in found])


def ids_in(answer: Answer) -> tuple[str | None, str | None]:
    """Return the ids of session and customer that an answer tells."""
    session = answer.get("customerSession", answer.get("session"))
    told = session if isinstance(session, dict) else {}
    return told.get("integrationId"), told.get("profileId") or None


def _cells(effect: Effect, names: Mapping[int, str]) -> tuple[Any, ...]:
    amount, campaign = effect.amount, effect.campaign_id
    position = effect.props.get("position")
    return (
        effect.type,
        campaign,
        None if campaign is None else names.get(campaign),
        effect.rule_index,
        effect.rule,
        effect.text("name"),
        None if amount is None else float(amount),
        effect.text("value"),
        None if position is None else int(position),
        effect.text("rejectionReason"),
        _json(effect.props),
    )


def _json(props: Mapping[str, Any]) -> str:
    return json.dumps(dict(props), default=float, ensure_ascii=False)


def _customers(source: Input | None) -> dict[int, str | None]:
    """Return row → customer of a whole input."""
    found: dict[int, str | None] = {}
    for rows, ids in source.ids() if source is not None else ():
        found.update(zip(rows.tolist(), ids.to_pylist(), strict=True))
    return found


def make_frame(
    records: list[tuple[Any, ...]], columns: Mapping[str, str], source: Input | None, rows: list[int]
) -> pd.DataFrame:
    """Return records as a frame of these dtypes, each on the label of its row."""
    import pandas as pd

    frame = pd.DataFrame(records, columns=list(columns), dtype=object)
    frame = frame.astype(dict(columns))
    labels = BY_NUMBER if source is None else source.labels
    return frame.set_index(labels.index_of(rows))

"""The frame of codes, held against one made by hand from the same answer."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.sandbox import Status

CREATE = "create_referrals_for_multiple_advocates"
TEXTS = {
    "integration_id": "advocateProfileIntegrationId",
    "code": "code",
    "friend_integration_id": "friendProfileIntegrationId",
}
NUMBERS = {
    "referral_id": "id",
    "campaign_id": "campaignId",
    "usage_limit": "usageLimit",
    "usage_counter": "usageCounter",
}
TIMES = {"start_date": "startDate", "expiry_date": "expiryDate", "created": "created"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox(seed=7) as running:
        running.load({"campaigns": [{"id": 45, "name": "Friends", "features": ["referrals"]}]})
        yield running


@pytest.fixture(scope="module")
def client(sandbox: t1.Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[t1.Client]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("T1DATA_RUNS", str(tmp_path_factory.mktemp("runs")))
        with t1.Client(sandbox.base_url, sandbox.api_key, rate=None) as made:
            yield made


def answered(sandbox: t1.Sandbox, client: t1.Client, advocates: pd.DataFrame, data: list[Any]) -> t1.Run:
    sandbox.faults.clear()
    sandbox.faults.add(Status(201, body={"totalResultSize": len(data), "data": data}), on=CREATE, first=1)
    return t1.create_referrals(client, advocates, campaign_id=45, progress=False)


# --- the plain way --------------------------------------------------------------------------------------


def by_hand(advocates: pd.DataFrame, data: list[Any]) -> pd.DataFrame:
    """Give each advocate the first of their codes that nobody has yet; of a code that stands twice the last counts."""
    left = {item["code"]: item for item in data if isinstance(item, dict) and names_somebody(item)}
    lines: dict[str, dict[str, Any]] = {}
    for label, advocate in advocates["integration_id"].items():
        mine = [code for code, item in left.items() if item["advocateProfileIntegrationId"] == advocate]
        if mine:
            lines[str(label)] = left.pop(mine[0])

    def column(wire: str) -> list[Any]:
        return [line.get(wire) for line in lines.values()]

    return pd.DataFrame(
        {
            **{name: pd.array(column(wire), dtype="string") for name, wire in TEXTS.items()},
            **{name: pd.array(column(wire), dtype="Int64") for name, wire in NUMBERS.items()},
            **{name: times(column(wire)) for name, wire in TIMES.items()},
            "batch": pd.array([1] * len(lines), dtype="Int64"),
        },
        index=advocates.index[advocates.index.isin(list(lines))],
    )


def names_somebody(item: dict[str, Any]) -> bool:
    return isinstance(item.get("code"), str) and isinstance(item.get("advocateProfileIntegrationId"), str)


def times(cells: list[str | None]) -> Any:
    found = [cell and datetime.fromisoformat(cell) for cell in cells]
    plain = [moment and (moment.astimezone(UTC) if moment.tzinfo else moment).replace(tzinfo=None) for moment in found]
    return pd.Series(np.array(plain, "datetime64[us]")).dt.tz_localize("UTC").array


# --- answers as they can come ---------------------------------------------------------------------------

NAMES = ["a", "b", "c", "Zoë", ""]
SOME_TIME = st.one_of(
    st.none(),
    st.sampled_from(["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2020-02-29T12:00:00"]),
    st.sampled_from(["2021-07-01T00:00:00+02:00", "2021-07-01T00:00:00.123456789Z", "2021-07-01T10:00Z"]),
    st.datetimes(timezones=st.just(UTC)).map(lambda moment: moment.isoformat().replace("+00:00", "Z")),
)
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "friendProfileIntegrationId": st.none() | st.text(st.characters(codec="utf-8"), max_size=3),
    **{wire: st.none() | st.integers(-(2**63), 2**63 - 1) for wire in NUMBERS.values()},
    **{wire: SOME_TIME for wire in TIMES.values()},
    "attributes": st.none() | st.dictionaries(st.text(max_size=2), st.booleans(), max_size=2),
    "surprise": st.none() | st.lists(st.floats(allow_nan=False), max_size=2),
}
CODE = st.fixed_dictionaries(
    {
        "advocateProfileIntegrationId": st.sampled_from([*NAMES, "stranger", None, 5]),
        "code": st.sampled_from([*"ABCDEFG", None]),
    },
    optional=FIELDS,
)


@settings(max_examples=30)
@given(
    names=st.lists(st.sampled_from(NAMES[:4]), min_size=1, max_size=6),
    data=st.lists(CODE | st.sampled_from([None, 5, "x", {}, []]), max_size=8),
)
def test_the_frame_is_the_one_made_by_hand(
    sandbox: t1.Sandbox, client: t1.Client, names: list[str], data: list[Any]
) -> None:
    advocates = pd.DataFrame({"integration_id": names}, index=[f"row {n}" for n in range(len(names))])
    run = answered(sandbox, client, advocates, data)
    expected = by_hand(advocates, data)
    pd.testing.assert_frame_equal(run.codes, expected)
    assert run.counts["accepted"] == len(expected)
    assert run.counts["in_doubt"] == len(names) - len(expected)


def test_the_lines_of_many_requests_stand_in_the_order_of_the_rows(sandbox: t1.Sandbox, client: t1.Client) -> None:
    sandbox.faults.clear()
    names = [f"advocate {n % 3000}" for n in range(6000)]
    limits = [n % 2 for n in range(6000)]  # rows of the same terms share requests
    frame = pd.DataFrame({"integration_id": names, "usage_limit": limits}, index=range(100, 6100))
    codes = t1.create_referrals(client, frame, campaign_id=45, progress=False).codes
    assert codes.index.tolist() == frame.index.tolist()
    assert codes["integration_id"].tolist() == names
    assert codes["usage_limit"].tolist() == limits
    assert codes["code"].is_unique
    assert codes["batch"].nunique() == 6


@pytest.mark.parametrize(
    ("field", "value", "column", "shown"),
    [
        ("friendProfileIntegrationId", 5, "friend_integration_id", "5"),
        ("friendProfileIntegrationId", {"id": 5}, "friend_integration_id", "{'id': 5}"),
        ("code", "HALF-\ud800", "code", "HALF-\\ud800"),
        ("usageLimit", "3", "usage_limit", 3),
        ("usageLimit", 3.0, "usage_limit", 3),
        ("usageLimit", 2.5, "usage_limit", None),
        ("usageLimit", 2**70, "usage_limit", None),
        ("usageLimit", [], "usage_limit", None),
        ("created", "soon", "created", None),
        ("created", 5, "created", None),
        ("created", "0001-01-01T00:00:00+05:00", "created", None),
    ],
)
def test_a_value_of_an_odd_type_costs_no_code(
    sandbox: t1.Sandbox, client: t1.Client, field: str, value: Any, column: str, shown: Any
) -> None:
    advocates = pd.DataFrame({"integration_id": ["a", "b"]}, index=["x", "y"])
    data = [{"advocateProfileIntegrationId": name, "code": name * 3, "usageLimit": 7} for name in "ba"]
    run = answered(sandbox, client, advocates, [data[0], data[1] | {field: value}])
    assert run.counts["accepted"] == 2
    cell = run.codes.loc["x", column]
    assert pd.isna(cell) if shown is None else cell == shown
    assert run.codes["usage_limit"]["y"] == 7
    assert run.codes["code"].notna().all()
    assert repr(run.codes)

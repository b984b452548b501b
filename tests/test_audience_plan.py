"""Plans of actions: what they hold, and what keeps an audience from being emptied by mistake."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.errors import InputError

ID = "integration_id"


def ids_of(*ids: str | None) -> pa.Table:
    return pa.table({ID: pa.array(ids, pa.string())})


def many(first: int, last: int) -> pa.Table:
    return ids_of(*(f"{number:06d}" for number in range(first, last)))


@settings(max_examples=20, deadline=None)
@given(st.sets(st.text("ab0 é", min_size=1, max_size=2)), st.sets(st.text("ab0 é", min_size=1, max_size=2)))
def test_a_plan_makes_before_into_after(before: set[str], after: set[str]) -> None:
    diff = t1.diff_audiences(ids_of(*before), ids_of(*after))
    plan = t1.plan_audience(diff, 748, max_removed=diff.counts["removed"])
    members = set(before)
    for integration_id, action in zip(plan[ID], plan["action"], strict=True):
        members.add(integration_id) if action == "add" else members.remove(integration_id)
    assert members == after
    assert len(plan) == len(before ^ after)
    assert (plan.attrs["added"], plan.attrs["removed"]) == (len(after - before), len(before - after))


def test_a_plan_is_a_plain_frame() -> None:
    plan = t1.plan_audience(t1.diff_audiences(ids_of("1", "2"), ids_of("2", "007")), 748, max_removed=1)
    assert list(plan) == [ID, "action", "audience_id", "known"]
    assert plan.iloc[:, :3].to_numpy().tolist() == [["007", "add", 748], ["1", "delete", 748]]
    assert plan["known"].isna().all()
    assert plan["known"].dtype == "boolean"
    assert plan.attrs == {"added": 1, "removed": 1, "unknown": None, "twins": 0}
    assert t1.plan_audience(t1.diff_audiences(ids_of("1"), ids_of("1")), 748).dtypes.equals(plan.dtypes)


@pytest.mark.parametrize("mode", ["add", "remove"])
def test_a_plan_can_go_one_way(mode: Any) -> None:
    diff = t1.diff_audiences(many(0, 50), many(10, 60))
    plan = t1.plan_audience(diff, 748, mode=mode, max_removed=10)
    assert set(plan["action"]) == {"add" if mode == "add" else "delete"}
    assert len(plan) == 10


@pytest.mark.parametrize(
    ("before", "after", "removed"),
    [(many(0, 100), many(11, 100), 11), (many(0, 20_000), many(1001, 20_000), 1001), (many(0, 3), many(1, 3), 1)],
    ids=["more than a tenth", "more than a thousand", "one of three"],
)
def test_a_suddenly_small_audience_is_refused_with_the_number_that_allows_it(
    before: Any, after: Any, removed: int
) -> None:
    diff = t1.diff_audiences(before, after)
    for number in (None, removed - 1, 0):
        with pytest.raises(InputError, match=f"would take out {removed:,} of .* say max_removed={removed}"):
            t1.plan_audience(diff, 748, max_removed=number)
    assert t1.plan_audience(diff, 748, max_removed=removed).attrs["removed"] == removed
    assert len(t1.plan_audience(diff, 748, mode="add")) == 0


def test_a_tenth_and_a_thousand_need_no_word() -> None:
    assert len(t1.plan_audience(t1.diff_audiences(many(0, 100), many(10, 100)), 748)) == 10
    assert len(t1.plan_audience(t1.diff_audiences(many(0, 20_000), many(1000, 20_000)), 748)) == 1000


def test_an_empty_file_empties_nothing_unless_the_exact_number_is_said(tmp_path: Path) -> None:
    (tmp_path / "july.csv").write_text("integration_id\n")
    diff = t1.diff_audiences(many(0, 500), tmp_path / "july.csv")
    for number in (None, 499, 501, 10**9):
        with pytest.raises(InputError, match=r"july\.csv\) is empty, .* all 500 members .* max_removed=500"):
            t1.plan_audience(diff, 748, max_removed=number)
    assert len(t1.plan_audience(diff, 748, max_removed=500)) == 500


def test_rows_without_an_id_take_nobody_out() -> None:
    diff = t1.diff_audiences(ids_of(*map(str, range(100))), ids_of(*map(str, range(1, 100)), None))
    with pytest.raises(
        InputError, match=r"after has 1 row without an id that can be read, .* the first is row 100: The row has no"
    ):
        t1.plan_audience(diff, 748, max_removed=1)
    assert len(t1.plan_audience(diff, 748, mode="add")) == 0
    before = t1.diff_audiences(ids_of(*map(str, range(100)), None), ids_of(*map(str, range(1, 100))))
    assert len(t1.plan_audience(before, 748)) == 1


def test_ids_that_the_account_does_not_have_are_counted_and_marked(tmp_path: Path) -> None:
    known = tmp_path / "customers.csv"
    known.write_text("integrationId\n1\n2\n3\n")
    diff = t1.diff_audiences(ids_of(*map(str, range(1, 40))), ids_of(*map(str, range(2, 42)), "ghost"))
    plan = t1.plan_audience(diff, 748, known=known)
    assert plan.attrs["unknown"] == 3
    assert plan[~plan["known"].fillna(True)][ID].tolist() == ["40", "41", "ghost"]
    assert plan["known"].isna().tolist() == [False, False, False, True]
    assert t1.plan_audience(diff, 748, known=ids_of("40", "41", "ghost")).attrs["unknown"] == 0


def test_known_ids_can_be_in_a_file_of_another_encoding(tmp_path: Path) -> None:
    path = tmp_path / "known.csv"
    path.write_bytes("integration_id;x\nä;1\n".encode("cp1252"))
    diff = t1.diff_audiences(pa.table({ID: ["b"]}), pa.table({ID: ["b", "ä", "ö"]}))
    with pytest.raises(InputError, match=r"input 'known': .* Pass the right encoding="):
        t1.plan_audience(diff, 748, known=path)
    assert t1.plan_audience(diff, 748, known=path, encoding="cp1252").attrs["unknown"] == 1
    with pytest.raises(InputError, match="say how known is read, and it was not given"):
        t1.plan_audience(diff, 748, encoding="cp1252")


@pytest.mark.parametrize("number", [0, -1, True, "748", 7.5, None])
def test_an_audience_is_a_number(number: Any) -> None:
    with pytest.raises(InputError, match="audience_id: got"):
        t1.plan_audience(t1.diff_audiences(ids_of("1"), ids_of("1")), number)


def test_a_mode_is_one_of_three() -> None:
    with pytest.raises(InputError, match="mode: got 'mirrored', valid are 'mirror', 'add', 'remove'"):
        t1.plan_audience(t1.diff_audiences(ids_of("1"), ids_of("1")), 748, mode="mirrored")  # type: ignore[arg-type]


def test_a_plan_goes_into_an_audience_as_it_is() -> None:
    with t1.Sandbox() as sandbox:
        sandbox.load({"audiences": [{"id": 748, "name": "Regulars"}]})
        with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key) as client:
            for wanted in (("007", "Anna", 'a"b, c', "é"), ("7", "Anna", "é", "new")):
                diff = t1.diff_audiences(t1.fetch_members(client, 748), ids_of(*wanted))
                plan = t1.plan_audience(diff, 748, max_removed=diff.counts["removed"])
                assert t1.apply_audience(client, plan, progress=False).counts["accepted"] == len(plan)
                assert sorted(t1.fetch_members(client, "Regulars")[ID]) == sorted(wanted)

"""Members, overlaps and history of audiences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import t1data as t1
from t1data.errors import InputError, NotFoundError

ID = "integration_id"


def ids_of(*ids: str | None) -> pa.Table:
    return pa.table({ID: pa.array(ids, pa.string())})


# --- overlaps -----------------------------------------------------------------------------------------------

some_audiences = st.dictionaries(
    st.sampled_from(["regulars", "VIPs", "members", 'it"s'.replace('"', "'"), "é"]),
    st.lists(st.sampled_from(["1", "01", "a", "A", "é"]), max_size=6),
    min_size=2,
)


@settings(max_examples=25, deadline=None)
@given(some_audiences)
def test_overlaps_are_what_sets_say(audiences: dict[str, list[str]]) -> None:
    found = t1.overlaps({name: ids_of(*ids) for name, ids in audiences.items()})
    sets = {name: set(ids) for name, ids in audiences.items()}
    for name, ids in sets.items():
        for other, others in sets.items():
            assert found.matrix.loc[name, other] == len(ids & others)
    everyone = set().union(*sets.values())
    segments = Counter(tuple(id_ in ids for ids in sets.values()) for id_ in everyone)
    assert dict(zip(found.segments.index, found.segments["members"], strict=True)) == dict(segments)
    assert found.members == found.segments["members"].sum() == len(everyone)
    assert found.segments["members"].is_monotonic_decreasing


def test_overlaps_say_counts_and_hold_no_ids(tmp_path: Path) -> None:
    path = tmp_path / "vips.csv"
    path.write_text("integration_id\nsecret\n007\n")
    found = t1.overlaps({"<b>regulars": ids_of("secret", "secret", "8", None), "vips": path})
    assert repr(found) == "<Overlaps 3 customers in 2 audiences, 3 segments>"
    assert str(found).splitlines()[1:3] == ["<b>regulars: 2", "vips: 2"]
    assert "1 row of <b>regulars without an id" in str(found)
    assert "secret" not in str(found) + found._repr_html_()
    assert "<b>regulars" not in found._repr_html_()
    assert found.to_dict()["matrix"] == {
        "<b>regulars": {"<b>regulars": 2, "vips": 1},
        "vips": {"<b>regulars": 1, "vips": 2},
    }
    assert found.segments.index.names == ["<b>regulars", "vips"]


def test_an_empty_audience_overlaps_with_nothing() -> None:
    found = t1.overlaps({"a": ids_of(), "b": ids_of()})
    assert (found.members, len(found.segments), int(found.matrix.to_numpy().sum())) == (0, 0, 0)


@pytest.mark.parametrize(
    ("audiences", "said"),
    [
        ({"a": ids_of("1")}, "of 2 to 62 audiences"),
        ([ids_of("1")] * 2, "a mapping of name"),
        ({f"{n}": ids_of("1") for n in range(63)}, "of 2 to 62"),
        ({"a": ids_of("1"), 2: ids_of("1")}, "got the name 2"),
        ({"a": ids_of("1"), "b": 5}, "input 'b': Rows cannot be read from"),
        ({"a": ids_of("1"), "e": ids_of(), "b": pa.table({ID: [7]})}, r"text in a .* numbers \(int64\) in b"),
    ],
)
def test_overlaps_of_what_is_no_audience_are_refused(audiences: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        t1.overlaps(audiences)


# --- history ------------------------------------------------------------------------------------------------


def test_a_history_is_read_from_the_snapshots_of_a_folder(tmp_path: Path) -> None:
    pq.write_table(ids_of("3", "4"), tmp_path / "2026-07-03.parquet")
    (tmp_path / "2026-07-01.csv").write_text("profileintegrationid\n1\n2\n2\n")
    (tmp_path / "2026-07-02.csv").write_text("integration_id\n2\n3\n4\n")
    (tmp_path / "2026-07-04.csv").write_text("integration_id\n")
    for other in ("notes.txt", ".2026-07-05.csv", "_old.csv"):
        (tmp_path / other).write_text("nothing\n")
    history = t1.audience_history(tmp_path)
    assert history.reset_index().to_numpy().tolist() == [
        ["2026-07-01", 2, pd.NA, pd.NA],
        ["2026-07-02", 3, 2, 1],
        ["2026-07-03", 2, 0, 1],
        ["2026-07-04", 0, 0, 2],
    ]
    assert set(map(str, history.dtypes)) == {"Int64"}


def test_a_folder_without_snapshots_has_no_history(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no snapshot"):
        t1.audience_history(tmp_path)
    with pytest.raises(InputError, match="is no folder"):
        t1.audience_history(tmp_path / "nowhere")


# --- members ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def sandbox() -> Iterator[t1.Sandbox]:
    with t1.Sandbox() as running:
        running.load({"audiences": [{"id": 748, "name": "Regulars"}, {"id": 749, "name": "Nobody"}]})
        yield running


@pytest.fixture
def client(sandbox: t1.Sandbox) -> Iterator[t1.Client]:
    with t1.Client(sandbox.base_url, sandbox.api_key, management_key=sandbox.management_key) as client:
        yield client


@pytest.mark.parametrize("method", ["export", "list"])
def test_members_come_home_with_their_ids_as_they_are(client: t1.Client, method: Any) -> None:
    ids = ["007", "7", 'say "hi"', "a,b", "é", "NA", *(f"customer {number}" for number in range(1100))]
    actions = [{"action": "add", "profileIntegrationId": id_, "audienceId": 748} for id_ in ids]
    for start in range(0, len(actions), 1000):
        client.update_customer_profile_audiences({"data": actions[start : start + 1000]})
    members = t1.fetch_members(client, 748, method=method)
    assert sorted(members[ID]) == sorted(ids)
    pd.testing.assert_frame_equal(t1.fetch_members(client, "Regulars", method=method), members)
    nobody = t1.fetch_members(client, 749, method=method)
    assert (len(nobody), nobody.dtypes.equals(members.dtypes)) == (0, True)


def test_members_that_cannot_be_read_say_why(client: t1.Client, sandbox: t1.Sandbox) -> None:
    with pytest.raises(NotFoundError):
        t1.fetch_members(client, 999)
    for wrong, said in (("Strangers", "the account has none named"), (0, "1 or more"), (True, "valid is the number")):
        with pytest.raises(InputError, match=said):
            t1.fetch_members(client, wrong)
    with pytest.raises(InputError, match="method: got 'sdk', valid are 'export', 'list'"):
        t1.fetch_members(client, 748, method="sdk")  # type: ignore[arg-type]
    with (
        t1.Client(sandbox.base_url, sandbox.api_key) as without,
        pytest.raises(InputError, match="with a management key, and this client has none"),
    ):
        t1.fetch_members(without, 748)

"""One look over a whole source: which ids stand twice, found by hashes that must not depend on the neighbours."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from t1data.tables.source import open_source
from t1data.tables.survey import are_among, hash_ids, survey

ids = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
long_ids = st.builds(str.__mul__, ids, st.integers(1, 9))  # some beyond what is hashed by whole columns


@settings(deadline=None)
@given(st.lists(long_ids | st.none(), min_size=1, max_size=30), st.data())
def test_an_id_has_the_same_hash_wherever_it_stands(values: list[str | None], data: st.DataObject):
    at = data.draw(st.integers(0, len(values) - 1))
    array = pa.array(values, pa.string())
    assert hash_ids(array)[at] == hash_ids(array.slice(at, 1))[0] == hash_ids(pa.array([values[at]], pa.string()))[0]


@settings(deadline=None)
@given(st.sets(long_ids, max_size=50))
def test_different_ids_have_different_hashes(values: set[str]):
    assert len(set(hash_ids(pa.array(sorted(values), pa.string())).tolist())) == len(values)


def test_ids_that_differ_in_single_digits_have_different_hashes():
    digits = [f"{high:08d}{low:08d}" for high in range(300) for low in range(300)]
    assert len(set(hash_ids(pa.array(digits)).tolist())) == len(digits)


def test_ids_that_stand_twice_are_found_however_far_apart_and_beside_longer_ones():
    values = [f"customer-{at}" for at in range(20_000)]
    values[3], values[19_990], values[10_000] = "twice", "twice", "x" * 900
    found = survey(open_source(pa.table({"id": values})), "id")
    assert found.rows == 20_000
    twice = are_among(pa.array(["twice", "customer-7", None, "x" * 900]), found.repeated)
    assert twice.tolist() == [True, False, False, False]


def test_ids_that_stand_twice_are_found_across_the_parts_that_are_compared_at_once(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("t1data.tables.survey._PART", 3)
    values = [f"customer-{at % 7}" for at in range(9)] + ["alone"]
    found = survey(open_source(pa.table({"id": values})), "id").repeated
    twice = are_among(pa.array([f"customer-{at}" for at in range(7)] + ["alone"]), found)
    assert twice.tolist() == [True, True, False, False, False, False, False, False]

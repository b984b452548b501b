"""Words of a server that are written down say nothing of the customers whom they are about."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from t1data.bulk.refusals import MASK, mask

texts = st.text(min_size=4, max_size=30).filter(lambda text: text.strip() == text and MASK not in text)


@given(value=texts, cut=st.integers(0, 60))
def test_no_words_however_they_are_cut_hold_a_value_that_was_sent(value: str, cut: int) -> None:
    pieces = json.dumps({"integrationId": "id", "attributes": {"x": value}}).encode() + b","
    for form in (value, json.dumps(value)[1:-1], json.dumps(value, ensure_ascii=False)[1:-1]):
        said = f"refused: <{form}> is no good, nor is <{form}>"
        shown = said if cut >= len(said) else said[:cut] + MASK
        told = mask(f'op: status 500, "{shown}"', pieces)
        assert form not in told
        begun = form[:4] if len(form) > 4 else form
        assert f"<{begun}" not in told


def test_a_word_that_only_looks_like_a_value_stays() -> None:
    assert mask("the administrator said no", b'{"x":"admin"},') == "the administrator said no"

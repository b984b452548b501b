"""What the tests of columns share: a slice as the readers hand it out, and the wire as a strict reader sees it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from t1data.tables.encode import Encoded, Encoder
from t1data.tables.layout import resolve_layout


@dataclass(frozen=True)
class Part:
    """A slice."""

    batch: pa.RecordBatch
    rows: np.ndarray


class Number(str):
    """A number as it was written."""


def encode(columns: dict[str, pa.Array], *, first: int = 0, is_text: bool = False, **options: Any) -> Encoded:
    return encode_batch(pa.RecordBatch.from_pydict(columns), first=first, is_text=is_text, **options)


def encode_batch(batch: pa.RecordBatch, *, first: int = 0, **options: Any) -> Encoded:
    layout = resolve_layout(batch.schema, **options)
    return Encoder(layout).encode(Part(batch, np.arange(first, first + len(batch))))


def one_column(array: pa.Array, **options: Any) -> Encoded:
    return encode({"integration_id": pa.array(map(str, range(len(array))), pa.string()), "value": array}, **options)


def profiles(encoded: Encoded) -> list[dict[str, Any]]:
    """The profiles, their numbers as the text that was written."""
    found = []
    for piece in encoded.pieces.to_pylist():
        assert piece.endswith(b"},")
        found.append(json.loads(piece[:-1], parse_float=Number, parse_int=Number, parse_constant=pytest.fail))
    assert len(found) == len(encoded.rows) == len(encoded.ids)
    assert [profile["integrationId"] for profile in found] == encoded.ids.to_pylist()
    return found


def attributes(encoded: Encoded) -> list[dict[str, Any]]:
    return [profile["attributes"] for profile in profiles(encoded)]


def values(encoded: Encoded, name: str = "value") -> list[Any]:
    return [found.get(name) for found in attributes(encoded)]


def codes(encoded: Encoded) -> list[tuple[int, str]]:
    return [(problem.row, problem.code) for problem in encoded.problems]

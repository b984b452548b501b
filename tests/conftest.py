"""What all tests share."""

from __future__ import annotations

from collections import Counter

import pytest


def pytest_itemcollected(item: pytest.Item) -> None:
    # schemathesis names all tests of a function alike.
    if label := getattr(item, "operation_label", None):
        item._id = item._id.with_params(label)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    twins = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twins:
        raise pytest.UsageError(f"several tests have one name, and pytest-xdist would run one of them: {twins[:3]}")

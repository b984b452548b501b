"""The first and the last word of a run of the tests: each has a name of its own, and the forms were walked.

It stands here and not beside the walks, since a process that only hands tests out to others reads this file alone.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from chromium import CHROMIUM, NONE_FOUND, REQUIRED
from hypothesis import settings

settings.register_profile("t1data", deadline=None)  # no test is about how fast an example is on a busy machine
settings.load_profile("t1data")

WALKED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[WALKED] = []
    config.pluginmanager.register(Walks(config.stash[WALKED]))


def pytest_itemcollected(item: pytest.Item) -> None:
    # schemathesis names all tests of a function alike.
    if label := getattr(item, "operation_label", None):
        item._id = item._id.with_params(label)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    twins = [name for name, count in Counter(item.nodeid for item in items).items() if count > 1]
    if twins:
        raise pytest.UsageError(f"several tests have one name, and pytest-xdist would run one of them: {twins[:3]}")


class Walks:
    """Hears of every test, also of those that other processes ran."""

    def __init__(self, walked: list[str]) -> None:
        self.walked = walked

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.nodeid.startswith("tests/browser/"):
            self.walked.append(report.nodeid)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    if CHROMIUM is None:
        terminalreporter.write_line(f"tests/browser: {NONE_FOUND}", red=True)


def pytest_sessionfinish(session: pytest.Session) -> None:
    hands_out = not hasattr(session.config, "workerinput")
    if REQUIRED and hands_out and not session.config.stash[WALKED]:
        session.exitstatus = pytest.ExitCode.TESTS_FAILED

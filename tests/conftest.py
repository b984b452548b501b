"""The last word of a run of the tests: whether the forms were walked in a real browser.

It stands here and not beside the walks, since a process that only hands tests out to others reads this file alone.
"""

from __future__ import annotations

from typing import Any

import pytest
from chromium import CHROMIUM, NONE_FOUND, REQUIRED

WALKED = pytest.StashKey[list[str]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[WALKED] = []
    config.pluginmanager.register(Walks(config.stash[WALKED]))


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

"""The table of states, by itself: it is what every button of every form follows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from t1data.forms.states import BUTTONS, PRIMARY, TABLE, Event, State, enabled, follows, is_busy

STATES = get_args(State)
EVENTS = get_args(Event)


def reached_from(start: State) -> set[State]:
    found, ahead = {start}, [start]
    while ahead:
        new = set(TABLE[ahead.pop()].values()) - found
        found |= new
        ahead += new
    return found


def ways_into(state: State) -> Iterator[tuple[State, Event]]:
    yield from ((before, event) for before, row in TABLE.items() for event, after in row.items() if after == state)


def test_the_table_names_every_state_and_every_event() -> None:
    assert set(TABLE) == set(STATES)
    assert {event for row in TABLE.values() for event in row} == set(EVENTS)


def test_every_state_is_reached_from_an_empty_form_and_every_state_can_be_left_for_a_new_check() -> None:
    assert reached_from("empty") == set(STATES)
    assert all("checking" in reached_from(state) for state in STATES)


def test_only_what_was_checked_is_sent() -> None:
    assert [state for state in STATES if "run" in enabled(state)] == ["checked", "tried"]
    assert [state for state in STATES if "try_one" in enabled(state)] == ["checked"]
    assert {before for before, _ in ways_into("checked")} == {"checking", "unconfirmed"}
    assert {before for before, _ in ways_into("tried")} == {"trying"}
    assert {before for before, _ in ways_into("trying")} == {"checked"}


def test_a_change_of_a_field_asks_for_another_check_unless_a_run_goes_on() -> None:
    assert {state for state in STATES if is_busy(state)} == {"trying", "running", "paused", "cancelling"}
    assert {TABLE[state]["change"] for state in STATES if not is_busy(state)} == {"changed"}
    assert "run" not in enabled("changed")


def test_what_goes_on_can_be_cancelled_and_nothing_else_can() -> None:
    assert [state for state in STATES if "cancel" in enabled(state)] == ["trying", "running", "paused"]


def test_what_was_not_finished_can_be_resumed() -> None:
    assert {state for state in STATES if "resume" in enabled(state)} == {"cancelled", "stopped"}


def test_a_run_that_was_left_behind_is_taken_up_only_while_nothing_goes_on() -> None:
    taking = {state for state in STATES if "take_up" in TABLE[state]}
    assert taking == {state for state in STATES if not is_busy(state)} - {"checking"}


def test_the_button_that_stands_out_is_one_that_works_or_will() -> None:
    assert all(event in BUTTONS for event in PRIMARY.values())
    assert all(event in enabled(state) for state, event in PRIMARY.items() if state != "unconfirmed")


@given(st.lists(st.sampled_from(EVENTS), max_size=40))
def test_no_order_of_events_sends_what_was_not_checked_since_the_last_change(events: list[Event]) -> None:
    state: State = "empty"
    checked = False
    for event in events:
        after = follows(state, event)
        if after is None:
            continue
        if event in ("change", "check", "failed", "refused", "again"):
            checked = False
        if event in ("passed", "asks"):
            checked = True
        assert not (event == "run" and not checked)
        state = after

"""What a form of a job looks like: headings, buttons, lines. It knows how to show, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial

import ipywidgets as W
from pandas import NA

from t1data.forms import html
from t1data.forms.browser import Courier, copyable
from t1data.forms.data import DataChooser
from t1data.forms.fields import LAYOUT, STYLE, box
from t1data.forms.job import Job, Planned
from t1data.forms.parts import Parts
from t1data.forms.pieces import button, framed, row, show
from t1data.forms.states import BUTTONS, PRIMARY, Event, State, enabled
from t1data.forms.words import in_labels

LABELS: Mapping[Event, str] = {
    "check": "Check",
    "try_one": "Send one row",
    "run": "Run",
    "pause": "Pause",
    "go_on": "Go on",
    "cancel": "Cancel",
    "resume": "Resume",
    "again": "Run again with the failed rows only",
}

_HINTS: Mapping[Event, str] = {
    "check": "Read all rows and say what would be sent; sends nothing",
    "try_one": "Send the first row that can be sent, to see what becomes of it; Run then sends the others",
    "run": "Send what was checked",
    "pause": "Send nothing more until Go on; requests on their way end as they would",
    "go_on": "End the pause",
    "cancel": "Stop; what was sent stays, the rest can be resumed",
    "resume": "Send what is not settled yet",
    "again": "Take the failed rows as new rows, to be checked and sent",
}


class Face:
    """The widgets of one form.

    Parameters
    ----------
    jobs : sequence of Job
        What it is a form of; of several, one is chosen.
    parts : Parts
        Their fields.
    chooser : DataChooser
        Its first section.
    left : Widget
        Runs that were left behind.
    press : callable
        Called with the button that was pressed.
    save, load : callable
        What the two buttons for the choices do, given the file's name.
    problems : callable
        What the button for the rows does that cannot be sent.
    task : str
        What the choice of a job is called.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        *,
        parts: Parts,
        chooser: DataChooser,
        left: W.Widget,
        press: Callable[[Event], None],
        save: Callable[[str], None],
        load: Callable[[str], None],
        problems: Callable[[], None],
        task: str = "What to do",
    ) -> None:
        job = jobs[0]
        self.buttons = {event: button(LABELS[event], _HINTS[event], partial(press, event)) for event in _events(job)}
        titles = [(each.choice, place) for place, each in enumerate(jobs)]
        self.choice = W.Dropdown(options=titles, description=task, style=STYLE, layout=LAYOUT)
        self.courier = Courier()
        self.status, self.progress, self.plan = W.HTML(), W.HTML(), W.HTML()
        self._problems = button("Download problems", "All rows that cannot be sent, and why", problems)
        self.words = W.Text(description="Type to confirm", style=STYLE, layout=LAYOUT)
        self.outcome = W.VBox([])
        self.code, self.set_code = copyable("code")
        self._end_heading = W.HTML(html.heading("4. Outcome"))
        last = [event for event in ("resume", "again") if event in self.buttons]
        self._ending = W.VBox([self.outcome, row(self.buttons[event] for event in last)])
        self._codes = W.VBox([W.HTML(html.heading("5. The same in code")), self.code])
        steps = self._steps([event for event in self.buttons if event not in last])
        top = [W.HTML(html.heading(job.title, level=2) + html.note(job.about)), left]
        choice = [self.choice] if len(jobs) > 1 else []
        self._rows = W.VBox([W.HTML(html.heading("1. Rows")), chooser.widget])
        options = [W.HTML(html.heading("2. Columns and options")), *choice, *self._options(parts, save, load)]
        self.widget = framed([*top, self._rows, *options, *steps, self.courier.widget])
        for widget in (self.words, self._problems, self._end_heading, self._ending, self._codes):
            show(widget, False)
        self.turn_to(job)

    def turn_to(self, job: Job) -> None:
        """Show what this job has."""
        show(self._rows, job.rows)
        if "try_one" in self.buttons:
            show(self.buttons["try_one"], job.one_first)

    def _steps(self, first: Iterable[Event]) -> list[W.Widget]:
        """Return what follows once rows and options are chosen."""
        return [
            W.HTML(html.heading("3. Check and run")),
            self.words,
            row(self.buttons[event] for event in first),
            self.status,
            self.progress,
            self.plan,
            row([self._problems]),
            self._end_heading,
            self._ending,
            self._codes,
        ]

    def _options(self, parts: Parts, save: Callable[[str], None], load: Callable[[str], None]) -> list[W.Widget]:
        folded = W.VBox(parts.widgets(folded=True))
        more = box("More options")
        more.observe(lambda change: show(folded, change["new"]), "value")
        show(folded, False)
        file = W.Text(value="choices.json", description="Choices as a file", style=STYLE, layout=LAYOUT)
        folded.children += (
            file,
            row(
                [
                    button("Save choices", "Write the columns and options to this file", lambda: save(file.value)),
                    button("Load choices", "Take columns and options from this file", lambda: load(file.value)),
                ]
            ),
        )
        return [*parts.widgets(folded=False), more, folded]

    def draw(self, state: State, *, asks: str | None) -> None:
        """Let those buttons work that the state names, and make one stand out."""
        working = enabled(state)
        for event, each in self.buttons.items():
            each.disabled = event not in working
            (each.add_class if PRIMARY.get(state) == event else each.remove_class)("t1-primary")
        show(self.words, asks is not None and state in ("unconfirmed", "checked"))
        self.words.description = "Type to confirm" if asks is None else f"Type: {asks}"

    def say(self, text: str) -> None:
        """Say where the form is."""
        self.status.value = html.status(text)

    def complain(self, text: str, *, word: str = "Error") -> None:
        """Say what went wrong."""
        self.status.value = html.alert(text, word=word)

    def show_plan(self, plan: str, *, problems: bool) -> None:
        """Show a plan, and whether there are rows that cannot be sent."""
        self.plan.value = plan
        show(self._problems, problems)

    def clear(self) -> None:
        """Take a plan, and how far a run is, off the page."""
        self.progress.value = ""
        self.show_plan("", problems=False)

    def show_outcome(self, children: Iterable[W.Widget], *, again: bool) -> None:
        """Show how a run ended."""
        self.outcome.children = list(children)
        if "again" in self.buttons:
            show(self.buttons["again"], again)
        for widget in (self._end_heading, self._ending):
            show(widget, True)

    def hide_outcome(self) -> None:
        """Take the end of an earlier run off the page."""
        for widget in (self._end_heading, self._ending):
            show(widget, False)

    def show_code(self, text: str) -> None:
        """Show the lines that do the same."""
        self.set_code(text)
        show(self._codes, True)


def spoken(code: str) -> str:
    """Write the code of a reason as people say it: ``"not a number"``."""
    return code.replace("_", " ")


def _events(job: Job) -> list[Event]:
    """Return the buttons that a form of this job has."""
    without: set[Event] = set() if job.resumable else {"resume", "again"}
    if not job.one_first:
        without.add("try_one")
    return [event for event in BUTTONS if event not in without]


def plan_html(planned: Planned, *, labels: Mapping[str, str], show_rows: bool, most: int) -> str:
    """Return a plan: what would be sent, and what would not, by reason and by row."""
    told = html.bullets(planned.lines) + ("" if planned.plot is None else html.drawing(planned.plot()))
    problems = planned.problems
    if problems is None or problems.empty:
        return told
    reasons = [(spoken(code), count) for code, count in planned.reasons.items()]
    told += html.table("Rows that cannot be sent", ["Reason", "Rows"], reasons)
    head, columns = ["Row", "Column", "Reason"], ["column", "code"]
    if show_rows:
        head, columns = [*head, "What is wrong"], [*columns, "message"]
    first = problems.head(most)
    rows = [
        (str(label), "" if column is NA else column, spoken(code), *(in_labels(each, labels) for each in words))
        for label, (column, code, *words) in zip(first.index, first[columns].itertuples(index=False), strict=True)
    ]
    more = len(problems) - len(first)
    return told + html.table("The first of them", head, rows) + html.note(f"and {more:,} more" if more else "")

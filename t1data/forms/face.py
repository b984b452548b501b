"""What a form of a job looks like: headings, buttons, lines. It knows how to show, and decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial

import ipywidgets as W
from pandas import NA

from t1data.forms import html
from t1data.forms.browser import Courier, copyable
from t1data.forms.data import DataChooser
from t1data.forms.fields import LAYOUT, STYLE, box
from t1data.forms.job import Job, Planned
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
    "try_one": "Send the first row that can be sent, to see that it arrives",
    "run": "Send what was checked",
    "pause": "Send nothing more until Go on; requests on their way end as they would",
    "go_on": "End the pause",
    "cancel": "Stop; what was sent stays, the rest can be resumed",
    "resume": "Send what is not settled yet",
    "again": "Take the failed rows as new rows, to be checked and sent",
}


def button(label: str, hint: str, press: Callable[[], None]) -> W.Button:
    """Return a button; without a hint it would be called "null"."""
    made = W.Button(description=label, tooltip=hint)
    made.on_click(lambda _: press())
    return made


def row(widgets: Iterable[W.Widget]) -> W.HBox:
    """Return widgets side by side, on as many lines as they need."""
    box = W.HBox(list(widgets))
    box.add_class("t1-buttons")
    return box


def framed(children: Iterable[W.Widget]) -> W.VBox:
    """Return the frame of a form, with its sheet."""
    box = W.VBox([W.HTML(html.style(), layout={"display": "none"}), *children])
    box.add_class("t1-form")
    return box


def show(widget: W.Widget, shown: bool) -> None:
    """Show a widget, or take it off the page."""
    widget.layout.display = None if shown else "none"


class Face:
    """The widgets of one form.

    Parameters
    ----------
    job : Job
        What it is a form of.
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
    """

    def __init__(
        self,
        job: Job,
        *,
        chooser: DataChooser,
        left: W.Widget,
        press: Callable[[Event], None],
        save: Callable[[str], None],
        load: Callable[[str], None],
        problems: Callable[[], None],
    ) -> None:
        self.buttons = {
            event: button(LABELS[event], _HINTS[event], partial(press, event))
            for event in BUTTONS
            if event != "try_one" or job.try_one is not None
        }
        self.courier = Courier()
        self.status, self.progress, self.plan = W.HTML(), W.HTML(), W.HTML()
        self._problems = button("Download problems", "All rows that cannot be sent, and why", problems)
        self.words = W.Text(description="Type to confirm", style=STYLE, layout=LAYOUT)
        self.outcome = W.VBox([])
        self.code, self.set_code = copyable("code")
        self._end_heading = W.HTML(html.heading("4. Outcome"))
        self._ending = W.VBox([self.outcome, row([self.buttons["resume"], self.buttons["again"]])])
        self._codes = W.VBox([W.HTML(html.heading("5. The same in code")), self.code])
        first = [event for event in self.buttons if event not in ("resume", "again")]
        self.widget = framed(
            [
                W.HTML(html.heading(job.title, level=2) + html.note(job.about)),
                left,
                W.HTML(html.heading("1. Rows")),
                chooser.widget,
                W.HTML(html.heading("2. Columns and options")),
                *self._parts(job, save, load),
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
                self.courier.widget,
            ]
        )
        for widget in (self.words, self._problems, self._end_heading, self._ending, self._codes):
            show(widget, False)

    def _parts(self, job: Job, save: Callable[[str], None], load: Callable[[str], None]) -> list[W.Widget]:
        folded = W.VBox([part.widget for part in job.parts if part.folded])
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
        return [*(part.widget for part in job.parts if not part.folded), more, folded]

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


def plan_html(planned: Planned, *, labels: Mapping[str, str], show_rows: bool, most: int) -> str:
    """Return a plan: what would be sent, and what would not, by reason and by row."""
    told = html.bullets(planned.lines)
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

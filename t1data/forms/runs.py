"""The form of all runs of this machine: look into one, go on with it, find out about rows in doubt."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ipywidgets as W

from t1data.bulk.stop import StopReport, stop_run
from t1data.client import Client
from t1data.errors import ConfigError, InputError
from t1data.forms import html
from t1data.forms.browser import Courier
from t1data.forms.fields import LAYOUT, STYLE, offer
from t1data.forms.flight import Flight, Tell
from t1data.forms.job import ClientSource, Launch, Result, run_of
from t1data.forms.left import STOPPING, has_file, place_of
from t1data.forms.outcome import outcome_widgets, sentence_of
from t1data.forms.pieces import bundle, button, framed, row
from t1data.forms.request import client_of
from t1data.forms.words import counted, error_line, many
from t1data.forms.work import EVERY, work
from t1data.history import list_runs, open_run, reconcile, resume
from t1data.journal.runs import Run

MOST = 50

WITHOUT_FIELD = {
    "client": "given to the form, or connected on the page",
    "data": "rows that were in memory are given in the form that sent them, or in code",
    "folder": "the usual one, or T1DATA_RUNS",
    "progress": "the bar and the line of the form",
    "control": "the button Cancel",
    "application_id": "only makes a long look shorter; in code or in a shell",
    "resend_in_doubt": "makes things twice: said in code or in a shell only",
}
"""Parameters of `list_runs`, `open_run`, `resume` and `reconcile` that no field feeds, each with its reason."""


class RunsForm:
    """Lists runs, the newest first, and shows the one that is picked.

    Parameters
    ----------
    client : Client or connection form, optional
        Needed to resume and to look on the server.
    show_rows : bool
        Whether any goods are shown.
    every : float
        Seconds between two looks at what goes on.

    Attributes
    ----------
    run : Run or None
        The one that is shown.
    widget : Widget
        All of it, for pages that hold more.
    """

    def __init__(self, client: ClientSource | None = None, *, show_rows: bool = True, every: float = EVERY) -> None:
        self.run: Run | None = None
        self.error: BaseException | None = None
        self._source, self._show_rows, self._every = client, show_rows, every
        self._flight: Flight | None = None
        self._thread: threading.Thread | None = None
        self._journals: dict[str, str] = {}
        self._unsettled: set[str] = set()
        self._going: set[str] = set()
        self._courier = Courier()
        self._list, self._said, self._progress = W.HTML(), W.HTML(), W.HTML()
        self._pick = W.Dropdown(options=(), description="Run", style=STYLE, layout=LAYOUT)
        self._old = W.Checkbox(
            value=False, description="Resume also if it began more than a day ago", indent=False, layout=LAYOUT
        )
        self._buttons = {
            "list": button("Look again", "List the runs of this machine", self._safe(self.refresh)),
            "show": button("Show", "Show how the run ended", self._safe(self._show)),
            "resume": button("Resume", "Send what is not settled yet", self._safe(self._resume)),
            "cancel": button("Cancel", "Stop it where it is being sent", self._safe(self._cancel)),
            "reconcile": button(
                "Look on the server", "Find out what became of rows in doubt; changes nothing", self._safe(self._look)
            ),
        }
        self._outcome = W.VBox([])
        self.widget = framed(
            [
                W.HTML(html.heading("Runs", level=2) + html.note("What this machine has sent, the newest first.")),
                self._list,
                self._pick,
                self._old,
                row(self._buttons.values()),
                self._said,
                self._progress,
                self._outcome,
                self._courier.widget,
            ]
        )
        self._pick.observe(lambda _: self._draw(), "value")
        self._safe(self.refresh)()

    def refresh(self) -> None:
        """Read again which runs there are."""
        frame = list_runs().head(MOST)
        lines = [_line(str(id_), dict(line)) for id_, line in frame.iterrows()]
        head = ["Run", "Began (UTC)", "What", "Rows", "Outcomes"]
        self._list.value = html.table(many(len(lines), "run"), head, lines) if lines else html.note("No runs yet.")
        self._journals = dict(zip(map(str, frame.index), frame["journal"], strict=True))
        unsettled = frame[(frame["unsent"] > 0) | (frame["in_doubt"] > 0)]
        self._unsettled = set(map(str, unsettled.index))
        self._going = set(map(str, frame.index[frame["in_use"].notna()]))
        offer(self._pick, [(id_, id_) for id_ in self._journals])
        self._draw()

    def wait(self, timeout: float | None = None) -> None:
        """Return when nothing is under way; for code, since people see it on the page."""
        if self._thread is not None:
            self._thread.join(timeout)

    def __repr__(self) -> str:
        return f"<Form Runs: {many(len(self._pick.options), 'run')}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return bundle(self.widget, repr(self))

    def _safe(self, act: Callable[[], None]) -> Callable[[], None]:
        def safe() -> None:
            try:
                act()
            except Exception as error:  # noqa: BLE001  (what a handler raises is shown nowhere)
                self._fail(error)

        return safe

    def _fail(self, error: BaseException) -> None:
        self.error, self._flight = error, None
        self._said.value = html.alert(error_line(error))
        self._draw()

    def _draw(self) -> None:
        picked, busy = self._pick.value is not None, self._flight is not None
        self._buttons["show"].disabled = busy or not picked
        for name in ("resume", "reconcile"):
            self._buttons[name].disabled = busy or self._pick.value not in self._unsettled - self._going
        self._buttons["cancel"].disabled = not busy and self._pick.value not in self._going

    def _picked(self) -> str:
        return str(self._journals[self._pick.value])

    def _show(self) -> None:
        self._show_run(open_run(self._picked()))

    def _show_run(self, run: Run) -> None:
        self.run = run
        self._said.value = html.status(
            f"It is going on, {place_of(run.in_use)}. Cancel stops it there."
            if run.in_use
            else sentence_of(run, cancelled=False)
        )
        self._outcome.children = outcome_widgets(
            run,
            job=None,
            courier=self._courier,
            say=lambda text: setattr(self._said, "value", html.status(text)),
            complain=lambda text: setattr(self._said, "value", html.alert(text)),
            show_rows=self._show_rows,
        )

    def _client(self) -> Client:
        if self._source is None:
            raise ConfigError("This form has no client: make it with one, t1.forms.runs(client)")
        return client_of(self._source)

    def _with_file(self) -> str:
        if not has_file(Path(self._picked())):
            raise InputError("This run's rows were in memory: go on in a form of its kind, with the same rows chosen")
        return self._picked()

    def _resume(self) -> None:
        client, journal, old = self._client(), self._with_file(), self._old.value
        self._launch(
            lambda progress, control: resume(client, journal, progress=progress, control=control, resume_old=old)
        )

    def _launch(self, launch: Launch) -> None:
        tell = Tell(
            line=lambda done, line: setattr(self._progress, "value", html.bar(done, line)),
            quarter=lambda done: setattr(self._said, "value", html.status(f"Running, {done} % done.")),
            done=self._ended,
            failed=self._fail,
        )
        self._said.value = html.status("Running.")
        self._flight = Flight(launch, tell=tell, every=self._every)
        self._thread = self._flight.thread
        self._draw()

    def _ended(self, result: Result) -> None:
        run = run_of(result)
        self._flight, self._progress.value = None, ""
        self._safe(self.refresh)()
        self._safe(lambda: self._show_run(run))()

    def _look(self) -> None:
        client, journal = self._client(), self._with_file()
        self._said.value = html.status("Looking on the server.")
        self._thread = work(
            lambda: reconcile(client, journal),
            done=self._ended,
            failed=self._fail,
            every=self._every,
        )

    def _cancel(self) -> None:
        if self._flight is not None:
            self._flight.cancel()
            self._said.value = html.status("Cancelling: it ends as soon as requests on their way are answered.")
            return
        journal = self._picked()
        self._said.value = html.status(STOPPING)
        self._thread = work(lambda: stop_run(journal), done=self._tell_of_stop, failed=self._fail, every=self._every)

    def _tell_of_stop(self, report: StopReport) -> None:
        self._safe(self.refresh)()
        self._said.value = html.status(str(report))


def _line(id_: str, line: Mapping[str, Any]) -> tuple[Any, ...]:
    began = f"{line['started_at']:%Y-%m-%d %H:%M}"
    going = f", going on {place_of(line['in_use'])}" if line["in_use"] else ""
    return id_, began, line["operation"].replace("_", " "), int(line["rows"]), f"{counted(line)}{going}"


def runs(client: ClientSource | None = None, *, show_rows: bool = True) -> RunsForm:
    """Return a form of all runs of this machine.

    Parameters
    ----------
    client : Client or connection form, optional
        Needed to resume one and to look on the server; not to look into one.
    show_rows : bool
        Whether codes are shown: five at most.

    Returns
    -------
    RunsForm
        ``form.run`` is the run that is shown.

    Examples
    --------
    >>> runs()  # doctest: +SKIP
    <Form Runs: 3 runs>
    """
    return RunsForm(client, show_rows=show_rows)

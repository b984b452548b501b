"""From a checked request to a run: one row, all rows, pause, cancel, resume, and how it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from t1data.errors import InputError
from t1data.forms import html
from t1data.forms.flight import Flight, Tell
from t1data.forms.job import ClientSource, Job, Launch, Result, run_of
from t1data.forms.left import Left
from t1data.forms.outcome import failed_rows, outcome_widgets, sentence_of
from t1data.forms.request import Request, client_of, rows_of
from t1data.forms.stage import Stage
from t1data.forms.states import Event
from t1data.forms.words import counted
from t1data.forms.work import work
from t1data.history import open_run, resume
from t1data.journal.runs import Run


class Sending:
    """Sends what it is given, and shows what became of it.

    Parameters
    ----------
    jobs : sequence of Job
        Of the form.
    stage : Stage
        Of the form.
    source : Client or connection form
        A resume takes the client that is connected by then: the key may be a new one.
    show_rows : bool
        Whether any goods are shown.
    every : float
        Seconds between two looks.

    Attributes
    ----------
    result : Run, or what knows one, or None
        What the public function returned last.
    """

    def __init__(
        self, jobs: Sequence[Job], stage: Stage, *, source: ClientSource, show_rows: bool, every: float
    ) -> None:
        self.result: Result | None = None
        self._jobs, self._stage, self._source = jobs, stage, source
        self._show_rows, self._every = show_rows, every
        self._flight: Flight | None = None
        self._request: Request | None = None  # that of the last run; none when this was left behind by another form
        self._rows: Any = None

    def try_one(self, request: Request | None) -> None:
        """Send the first row that can be sent."""
        send = None if request is None else request.job.try_one
        if request is None or send is None or not self._stage.fire("try_one"):
            return
        self._unlock(request)
        self._stage.say("Sending one row.")
        self._stage.follow(
            work(
                lambda: send(request.client, request.chosen.data, request.values),
                done=self._stage.guarded(self._tried),
                failed=self._stage.guarded(self._not_tried),
                every=self._every,
            )
        )

    def start(self, request: Request | None) -> None:
        """Send all rows of a checked request."""
        if request is None or not self._stage.fire("run"):
            return
        self._unlock(request)
        self._request, self._rows = request, rows_of(request.job, request.chosen)
        self._launch(request.send)

    def resume(self) -> None:
        """Send what the last run left unsettled."""
        if self.result is None:
            return
        run, request, client = run_of(self.result), self._request, client_of(self._source)
        if request is None or request.job.again is None:
            self._go_on_with(run, event="resume", old=False)
        elif self._stage.fire("resume"):
            same, more = replace(request, client=client), {**request.job.again, "journal": run.journal}
            self._launch(lambda progress, control: same.send(progress, control, **more))

    def resume_left(self, left: Left, *, rows: Any, old: bool) -> None:
        """Go on with a run that was left behind; rows that it read from memory are those that are chosen now."""
        if not left.has_file and rows is None:
            raise InputError("This run's rows were in memory: choose the same rows under 1. Rows, and resume it again")
        self._request, self._rows = None, rows
        self._go_on_with(left, event="take_up", old=old)

    def _go_on_with(self, run: Run | Left, *, event: Event, old: bool) -> None:
        client, rows = client_of(self._source), self._rows
        if not self._stage.fire(event):
            return
        self._launch(
            lambda progress, control: resume(
                client, run.journal, data=rows, progress=progress, control=control, resume_old=old
            )
        )

    def pause(self) -> None:
        """Let no new request start."""
        if self._flight is not None and self._stage.fire("pause"):
            self._flight.pause()
            self._stage.say("Paused. Go on, or cancel; what was sent stays.")

    def go_on(self) -> None:
        """End a pause."""
        if self._flight is not None and self._stage.fire("go_on"):
            self._flight.go_on()
            self._stage.say("Running.")

    def cancel(self) -> None:
        """Stop; what is not sent can be resumed."""
        if self._flight is not None and self._stage.fire("cancel"):
            self._flight.cancel()
            self._stage.say("Cancelling: it ends as soon as requests on their way are answered.")

    def show(self, result: Result) -> None:
        """Show how a run ended."""
        run = run_of(result)
        self._stage.face.show_outcome(
            outcome_widgets(
                result,
                job=self._job_of(run),
                courier=self._stage.face.courier,
                say=self._stage.say,
                complain=self._stage.complain,
                show_rows=self._show_rows,
            ),
            again=bool(failed_rows(run)) and self._job_of(run).resumable,
        )

    def _job_of(self, run: Run) -> Job:
        return next((job for job in self._jobs if job.function == run.operation), self._jobs[0])

    def show_left(self, left: Left, rows: Any) -> None:
        """Show how far a run came that was left behind; rows that it read from memory are those that are chosen now."""
        self.show(open_run(left.journal, data=rows))

    def _unlock(self, request: Request) -> None:
        if name := request.client.live_name:
            request.client.unlock(name)  # the person has typed it: it is among the words that the check asked for

    def _launch(self, launch: Launch) -> None:
        face = self._stage.face
        face.hide_outcome()
        self._stage.say("Running.")
        tell = Tell(
            line=lambda done, line: setattr(face.progress, "value", html.bar(done, line)),
            quarter=lambda done: self._stage.say(f"Running, {done} % done."),
            done=self._stage.guarded(self._ended),
            failed=self._stage.guarded(self._broke),
        )
        self._flight = Flight(self._jobs[0].title, launch, tell=tell, every=self._every)
        self._stage.follow(self._flight.thread)

    def _tried(self, run: Run) -> None:
        accepted = run.counts["accepted"] == run.rows
        self._stage.fire("asks" if self._stage.asks and not accepted else "passed")
        if accepted:
            self._stage.say("One row was sent and accepted. Run sends the others, and this one again.")
        else:
            reasons = "; ".join(str(text) for text in run.failures["message"].dropna().head(1))
            self._stage.complain(f"One row was sent: {counted(run.counts)}. {reasons or run.stopped or ''}")

    def _not_tried(self, error: BaseException) -> None:
        self._stage.fire("failed")
        self._stage.fail(error)

    def _ended(self, result: Result) -> None:
        self.result, run = result, run_of(result)
        cancelled = self._flight is not None and self._flight.cancelled
        self._stage.fire("complete" if run.complete else "incomplete")
        self._stage.face.clear()
        self._stage.say(sentence_of(run, cancelled=cancelled, resumable=self._job_of(run).resumable))
        self.show(result)

    def _broke(self, error: BaseException) -> None:
        self._stage.fire("failed")
        self._stage.fail(error)

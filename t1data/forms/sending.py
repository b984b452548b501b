"""From a checked request to a run: one row, all rows, pause, cancel, resume, and how it ended."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from t1data.bulk.stop import StopReport, stop_run
from t1data.errors import InputError
from t1data.forms import html
from t1data.forms.flight import Flight, Tell
from t1data.forms.job import ClientSource, Job, Launch, Result, run_of
from t1data.forms.left import STOPPING, Left
from t1data.forms.outcome import failed_rows, outcome_widgets, sentence_of
from t1data.forms.request import Request, client_of, rows_of
from t1data.forms.stage import Stage
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
    ended : callable
        Called once a run has ended, however it did.

    Attributes
    ----------
    result : Run, or what knows one, or what a call returned, or None
        What the public function returned last.
    """

    def __init__(
        self,
        jobs: Sequence[Job],
        stage: Stage,
        *,
        source: ClientSource,
        show_rows: bool,
        every: float,
        ended: Callable[[], None],
    ) -> None:
        self.result: Any = None
        self._jobs, self._stage, self._source = jobs, stage, source
        self._show_rows, self._every, self._tell_end = show_rows, every, ended
        self._flight: Flight | None = None
        self._request: Request | None = None  # that of the last run; none when this was left behind by another form
        self._rows: Any = None

    def try_one(self, request: Request | None) -> None:
        """Send the first row of a checked request that can be sent."""
        if request is not None and request.job.one_first and self._stage.fire("try_one"):
            self._begin(request, first=1)

    def start(self, request: Request | None) -> None:
        """Send all rows of a checked request, or all others once the first was tried."""
        if request is None:
            return
        going_on = self._rest() if self._stage.state == "tried" and request.job.resumable else None
        if not self._stage.fire("run"):
            return
        if going_on is not None:
            self._launch(going_on)
        else:
            self._begin(request)

    def _begin(self, request: Request, *, first: int | None = None) -> None:
        if name := request.client.live_name:
            request.client.unlock(name)  # the person has typed it: it is among the words that the check asked for
        self._request, self._rows = request, rows_of(request.job, request.chosen)
        self._launch(request.send, first=first)

    def resume(self) -> None:
        """Send what the last run left unsettled."""
        if self.result is not None:
            going_on = self._rest()
            if self._stage.fire("resume"):
                self._launch(going_on)

    def _rest(self) -> Launch:
        """Return what goes on with the last run, by the client that is connected now."""
        assert self.result is not None
        run, request = run_of(self.result), self._request
        if request is None or request.job.again is None:
            return self._resumption(run)
        same = replace(request, client=client_of(self._source))
        more = {**request.job.again, "journal": run.journal}
        return lambda progress, control: same.send(progress, control, **more)

    def resume_left(self, left: Left, *, rows: Any, old: bool) -> None:
        """Go on with a run that was left behind; rows that it read from memory are those that are chosen now."""
        if not left.has_file and not self._jobs[0].resumable:
            raise InputError("What this run was to do was in memory only: check again, which finds what is left to do")
        if not left.has_file and rows is None:
            raise InputError("This run's rows were in memory: choose the same rows under 1. Rows, and resume it again")
        self._request, self._rows = None, None if left.has_file else rows
        going_on = self._resumption(left, old=old)
        if self._stage.fire("take_up"):
            self._launch(going_on)

    def stop_left(self, left: Left) -> None:
        """Stop a run wherever it is being sent."""
        self._stage.say(STOPPING)
        self._stage.follow(
            work(
                lambda: stop_run(left.journal),
                done=self._stage.guarded(self._tell_of_stop),
                failed=self._stage.guarded(self._stage.fail),
                every=self._every,
            )
        )

    def _tell_of_stop(self, report: StopReport) -> None:
        self._tell_end()
        self._stage.say(str(report))

    def _resumption(self, run: Run | Left, *, old: bool = False) -> Launch:
        client, rows = client_of(self._source), self._rows
        return lambda progress, control: resume(
            client, run.journal, data=rows, progress=progress, control=control, resume_old=old
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
        return next((job for job in self._jobs if run.operation in (job.operation, job.function)), self._jobs[0])

    def show_left(self, left: Left, rows: Any) -> None:
        """Show how far a run came that was left behind; rows that it read from memory are those that are chosen now."""
        self.show(open_run(left.journal, data=None if left.has_file else rows))

    def _launch(self, launch: Launch, *, first: int | None = None) -> None:
        face = self._stage.face
        face.hide_outcome()
        self._stage.say("Running." if first is None else "Sending one row.")
        tell = Tell(
            line=lambda done, line: setattr(face.progress, "value", html.bar(done, line)),
            quarter=lambda done: self._stage.say(f"Running, {done} % done."),
            done=self._stage.guarded(self._ended),
            failed=self._stage.guarded(self._broke),
        )
        self._flight = Flight(launch, tell=tell, every=self._every, first=first)
        self._stage.follow(self._flight.thread)

    def _called(self, job: Job, result: Any) -> None:
        self.result = result
        self._stage.fire("complete")
        self._stage.face.clear()
        self._stage.say(" ".join(["Done:", *job.remarks(result)]))

    def _ended(self, result: Any) -> None:
        if self._request is not None and not self._request.job.rows:
            self._called(self._request.job, result)
            return
        self.result, run = result, run_of(result)
        trying, settled = self._stage.state == "trying", bool(run.counts["accepted"] + run.counts["refused"])
        self._stage.fire("complete" if run.complete else "tried" if trying and settled else "incomplete")
        self._stage.face.clear()
        if self._stage.state == "tried":
            self._tell_of_one(run)
        else:
            cancelled = self._flight is not None and self._flight.cancelled
            self._stage.say(sentence_of(run, cancelled=cancelled, resumable=self._job_of(run).resumable))
        self.show(result)
        self._tell_end()

    def _tell_of_one(self, run: Run) -> None:
        if run.counts["refused"]:
            (said,) = run.failures.query("outcome == 'refused'")["message"].head(1)
            self._stage.complain(f"One row was sent: {counted({'refused': 1})}. {said}")
        else:
            self._stage.say("One row was sent and accepted. Run sends the others.")

    def _broke(self, error: BaseException) -> None:
        self._stage.fire("failed")
        self._stage.fail(error)
        self._tell_end()

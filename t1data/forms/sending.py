"""From a checked request to a run: one row, all rows, pause, cancel, resume, and how it ended."""

from __future__ import annotations

from t1data.errors import InputError
from t1data.forms import html
from t1data.forms.data import Chosen
from t1data.forms.flight import Flight, Tell
from t1data.forms.job import ClientSource, Job, Launch
from t1data.forms.left import Left
from t1data.forms.outcome import failed_rows, outcome_widgets, sentence_of
from t1data.forms.request import Request, client_of
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
    job : Job
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
    run : Run or None
        The last one.
    """

    def __init__(self, job: Job, stage: Stage, *, source: ClientSource, show_rows: bool, every: float) -> None:
        self.run: Run | None = None
        self._job, self._stage, self._source = job, stage, source
        self._show_rows, self._every = show_rows, every
        self._flight: Flight | None = None
        self._rows: Chosen | None = None

    def try_one(self, request: Request) -> None:
        """Send the first row that can be sent."""
        send = self._job.try_one
        if send is None or not self._stage.fire("try_one"):
            return
        self._unlock(request)
        self._stage.say("Sending one row.")
        self._stage.follow(
            work(
                lambda: send(request.client, request.chosen.data, request.arguments),
                done=self._stage.guarded(self._tried),
                failed=self._stage.guarded(self._not_tried),
                every=self._every,
            )
        )

    def start(self, request: Request) -> None:
        """Send all rows of a checked request."""
        if not self._stage.fire("run"):
            return
        self._unlock(request)
        self._rows = request.chosen
        send = self._job.send
        self._launch(
            lambda progress, control: send(
                request.client, request.chosen.data, progress=progress, control=control, **request.arguments
            )
        )

    def resume(self) -> None:
        """Send what the last run left unsettled."""
        if self.run is not None:
            self._go_on_with(self.run, self._rows, event="resume", old=False)

    def resume_left(self, left: Left, *, rows: Chosen | None, old: bool) -> None:
        """Go on with a run that was left behind; rows that it read from memory are those that are chosen now."""
        if not left.has_file and rows is None:
            raise InputError("This run's rows were in memory: choose the same rows under 1. Rows, and resume it again")
        self._go_on_with(left, None if left.has_file else rows, event="take_up", old=old)

    def _go_on_with(self, run: Run | Left, rows: Chosen | None, *, event: Event, old: bool) -> None:
        client = client_of(self._source)
        data = rows.data if rows is not None else None
        if not self._stage.fire(event):
            return
        self._rows = rows
        self._launch(
            lambda progress, control: resume(
                client, run.journal, data=data, progress=progress, control=control, resume_old=old
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

    def show(self, run: Run) -> None:
        """Show how a run ended."""
        self._stage.face.show_outcome(
            outcome_widgets(
                run,
                courier=self._stage.face.courier,
                say=self._stage.say,
                complain=self._stage.complain,
                goods=self._job.goods,
                labels=self._job.labels,
                show_rows=self._show_rows,
            ),
            again=bool(failed_rows(run)),
        )

    def show_left(self, left: Left) -> None:
        """Show how far a run came that was left behind."""
        self.show(open_run(left.journal))

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
        self._flight = Flight(self._job.title, launch, tell=tell, every=self._every)
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

    def _ended(self, run: Run) -> None:
        self.run = run
        cancelled = self._flight is not None and self._flight.cancelled
        self._stage.fire("complete" if run.complete else "incomplete")
        self._stage.face.clear()
        self._stage.say(sentence_of(run, cancelled=cancelled))
        self.show(run)

    def _broke(self, error: BaseException) -> None:
        self._stage.fire("failed")
        self._stage.fail(error)

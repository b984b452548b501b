"""A form over a job: what is chosen is checked, what was checked is sent, and what was sent is shown."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from t1data.errors import InputError, T1DataError
from t1data.exports import export_for_people
from t1data.forms.choices import load_choices, save_choices
from t1data.forms.data import Chosen, DataChooser
from t1data.forms.face import Face, plan_html
from t1data.forms.job import ClientSource, Job, Planned, run_of
from t1data.forms.left import LeftBehind, find_left
from t1data.forms.outcome import bring, hold_failed_rows
from t1data.forms.parts import Parts
from t1data.forms.peek import peek_at
from t1data.forms.pieces import bundle
from t1data.forms.request import Request, client_of, gather, rows_of
from t1data.forms.sending import Sending
from t1data.forms.stage import Stage
from t1data.forms.states import Event, State, is_busy
from t1data.forms.work import EVERY, background, work

SHOWN = 5
OVERTAKEN = 2.0
"""Seconds in which a change may arrive after a click that the person made after it: clicks are sent at once, what is
typed is not."""


class JobForm:
    """A form that checks, sends and shows; `t1data.forms` has a function for each that there is.

    Parameters
    ----------
    job : Job
        What it is a form of.
    client : Client or connection form
        Where to.
    data : object, optional
        Rows, if the code gives them.
    others : sequence of Job
        Jobs that can be chosen in place of the first; parts that they share are one on the page.
    task : str
        What this choice is called.
    show_rows : bool
        Whether any cell of any row is shown.
    clock : callable
        Monotonic seconds.
    every : float
        Seconds between two looks at a run.

    Attributes
    ----------
    widget : Widget
        All of it, for pages that hold more.
    """

    def __init__(
        self,
        job: Job,
        client: ClientSource,
        *,
        data: Any = None,
        others: Sequence[Job] = (),
        task: str = "What to do",
        show_rows: bool = True,
        clock: Callable[[], float] = time.monotonic,
        every: float = EVERY,
    ) -> None:
        self._job, self._jobs = job, (job, *others)
        self._parts = Parts(self._jobs)
        self._source, self._show_rows, self._every, self._clock = client, show_rows, every, clock
        self._pressed, self._quiet = -OVERTAKEN, False
        self._request: Request | None = None
        self._problems: Any = None
        self._read: dict[str, Any] | None = None
        self._chooser = DataChooser(
            changed=lambda: self._safely(self._take_rows),
            refused=lambda text: self._stage.complain(text),
            given=data,
            paste=job.paste,
        )
        self._left = LeftBehind(
            show_run=lambda run: self._safely(lambda: self._sending.show_left(run, self._rows())),
            resume=lambda run, old: self._safely(lambda: self._sending.resume_left(run, rows=self._rows(), old=old)),
            stop=lambda run: self._safely(lambda: self._sending.stop_left(run)),
        )
        face = Face(
            self._jobs,
            parts=self._parts,
            chooser=self._chooser,
            left=self._left.widget,
            press=lambda event: self._safely(self._press, event),
            save=lambda path: self._safely(self._save, path),
            load=lambda path: self._safely(self._load, path),
            problems=lambda: self._safely(self._bring_problems),
            task=task,
        )
        self._stage = Stage(face, labels=self._parts.labels, lock=self._lock)
        self._sending = Sending(
            self._jobs, self._stage, source=client, show_rows=show_rows, every=every, ended=self._look_back
        )
        self.widget = face.widget
        self._begin()

    def _begin(self) -> None:
        face = self._stage.face
        face.words.observe(lambda _: self._safely(self._weigh_words), "value")
        face.choice.observe(lambda change: self._safely(self._turn_to, self._jobs[change["new"]]), "value")
        self._parts.watch(lambda: self._safely(self._change))
        self._parts.show(self._job)
        self._stage.say("Choose rows to begin.")
        self._stage.draw()
        self._safely(self._take_rows)
        self._stage.follow(background(lambda: self._safely(self._look_back)))

    # --- what code can ask ------------------------------------------------------------------------------

    @property
    def run(self) -> Any:
        """What the public function returned last, a `Run` or a record that knows one; None before that."""
        return self._sending.result

    @property
    def state(self) -> State:
        """Where the form is; see `t1data.forms.states`."""
        return self._stage.state

    @property
    def error(self) -> BaseException | None:
        """The last error, whole; the page says it in a sentence."""
        return self._stage.error

    def code(self) -> str:
        """Return the Python, and the shell line, that do what was checked last.

        Raises
        ------
        InputError
            Nothing was checked yet.
        """
        if self._request is None:
            raise InputError("Check first: the code is that of what was checked")
        return self._request.code()

    def wait(self, timeout: float | None = None) -> None:
        """Return when nothing is under way; for code, since people see it on the page.

        Raises
        ------
        TimeoutError
            After so many seconds something still is.
        """
        self._stage.wait(timeout)

    def __repr__(self) -> str:
        return f"<Form {self._jobs[0].title}: {self.state}>"

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        return bundle(self.widget, repr(self))

    # --- what happens on the page -----------------------------------------------------------------------

    def _safely(self, act: Callable[..., None], *given: Any) -> None:
        self._stage.guarded(act)(*given)

    def _press(self, event: Event) -> None:
        acts: Mapping[Event, Callable[[], None]] = {
            "check": self._check,
            "try_one": lambda: self._sending.try_one(self._request),
            "run": lambda: self._sending.start(self._request),
            "pause": self._sending.pause,
            "go_on": self._sending.go_on,
            "cancel": self._sending.cancel,
            "resume": self._sending.resume,
            "again": self._again,
        }
        acts[event]()

    def _lock(self, locked: bool) -> None:
        self._chooser.lock(locked)
        self._left.lock(locked)
        self._stage.face.choice.disabled = locked
        self._parts.lock(locked)

    def _turn_to(self, job: Job) -> None:
        """Do another job from now on."""
        self._job = job
        self._stage.face.hide_outcome()
        self._stage.face.turn_to(job)
        self._parts.show(job)
        self._change()

    def _change(self) -> None:
        if self._quiet or not self._stage.fire("change"):
            return
        self._stage.face.clear()
        self._stage.say("Check to see what would be sent." if self._request is None else "Changed: check again.")
        if self._chooser.chosen is not None and self._parts.reading() != self._read:
            self._look(self._chooser.chosen)
        if self._clock() - self._pressed < OVERTAKEN:
            self._safely(self._check)

    def _take_rows(self) -> None:
        if self._chooser.chosen is not None and not is_busy(self.state):
            self._pressed, self._read = -OVERTAKEN, None
            self._change()

    def _look(self, chosen: Chosen) -> None:
        """Show the columns of the chosen rows."""
        self._read = self._parts.reading()
        peek = peek_at(chosen.data, **self._read)
        self._quiet = True
        try:
            self._parts.look(peek)
        finally:
            self._quiet = False

    def _save(self, path: str) -> None:
        self._stage.say(f"Saved to {save_choices(path, self._job.function, self._job.arguments())}.")

    def _load(self, path: str) -> None:
        load_choices(path, self._job.function, self._job.parts)
        self._stage.say(f"Loaded {path}: check again.")

    # --- checking ---------------------------------------------------------------------------------------

    def _check(self) -> None:
        if not self._stage.fire("check"):
            return
        self._pressed = self._clock()
        self._request = self._stage.asks = None
        self._stage.face.words.value = ""
        self._stage.face.clear()
        try:
            request = gather(self._job, self._source, self._chooser.chosen)
        except T1DataError as error:
            self._miss_plan(None, error)
            return
        self._request = request
        self._stage.say("Checking all rows; nothing is sent.")
        self._stage.follow(
            work(
                request.plan,
                done=lambda planned: self._safely(self._show_plan, request, planned),
                failed=lambda error: self._safely(self._miss_plan, request, error),
                every=self._every,
            )
        )

    def _show_plan(self, request: Request, planned: Planned) -> None:
        if request is not self._request or self.state != "checking":
            return  # something was changed in the meantime
        self._request = request.settled(planned.settled)
        asks = " ".join(filter(None, [planned.words, request.client.live_name]))
        self._stage.asks = asks or None
        self._stage.fire("refused" if not planned.ready else "asks" if asks else "passed")
        self._look_back()
        elsewhere = " Another run to this account is going on; see above." if self._left.is_going_on else ""
        self._stage.say(f"{planned.said} Nothing was sent so far.{elsewhere}")
        plan = plan_html(planned, labels=self._job.labels, show_rows=self._show_rows, most=SHOWN)
        self._problems = planned.problems
        self._stage.face.show_plan(plan, problems=self._problems is not None and not self._problems.empty)
        self._stage.face.show_code(self.code())

    def _bring_problems(self) -> None:
        stage, problems = self._stage, self._problems.reset_index()
        write = partial(export_for_people, problems)
        bring(stage.face.courier, write, "problems.csv", say=stage.say, complain=stage.complain)

    def _miss_plan(self, request: Request | None, error: BaseException) -> None:
        if request is self._request and self._stage.fire("failed"):
            self._request = None
            self._stage.fail(error)

    def _weigh_words(self) -> None:
        typed = self._stage.face.words.value.strip()
        self._stage.fire("typed" if typed == self._stage.asks else "mistyped")

    # --- after a run ------------------------------------------------------------------------------------

    def _again(self) -> None:
        if self.run is not None and self._stage.fire("again"):
            run = run_of(self.run)
            self._chooser.choose(hold_failed_rows(run), f"the failed rows of run {run.id}")

    def _rows(self) -> Any:
        return rows_of(self._job, self._chooser.chosen)

    def _look_back(self) -> None:
        """Offer the runs of this job that were left behind, if it is known by now of which account."""
        try:
            base_url = client_of(self._source).base_url
        except T1DataError:
            base_url = None
        self._left.offer(find_left(operations=[job.operation or job.function for job in self._jobs], base_url=base_url))

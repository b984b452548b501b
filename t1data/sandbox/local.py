"""The sandbox as people hold it: start it, point a client at it, look at what it saw."""

from __future__ import annotations

import secrets
import sqlite3
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from os import PathLike, fspath
from types import TracebackType
from typing import Any

from t1data.sandbox import schema, seed
from t1data.sandbox.app import App, Keys
from t1data.sandbox.core import Account
from t1data.sandbox.faults import Faults
from t1data.sandbox.handlers import HANDLERS
from t1data.sandbox.idempotency import Replays
from t1data.sandbox.log import Requests
from t1data.sandbox.options import Options
from t1data.sandbox.server import LOOPBACK, Server


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """A local Talon.One on a loopback port, for one account, in a thread of this process.

    Parameters
    ----------
    port : int
        The port to listen on; 0 takes any free one.
    db : path, optional
        A SQLite file that keeps the account between runs; without one it lives in memory.
    options : Options, optional
        What no document settles about the API; also the rate limit.
    api_key, management_key : str, optional
        The keys that clients must show; random when left out.
    seed : int, optional
        Makes generated codes repeatable.
    now : callable
        Returns the account's time, aware; for created and expiry dates and the age of idempotency keys.
    clock : callable
        Returns seconds that never run back; for the rate limit and the times in `requests`.

    Attributes
    ----------
    api_key, management_key : str
        The two keys.
    faults : Faults
        What shall go wrong: ``faults.add(Status(503), on="update_customer_profiles_v2", first=2)``.
    requests : Requests
        What the server saw, oldest first.

    Examples
    --------
    >>> with Sandbox() as sandbox:
    ...     sandbox.base_url.startswith("http://127.0.0.1:")
    True
    """

    def __init__(
        self,
        *,
        port: int = 0,
        db: str | PathLike[str] | None = None,
        options: Options | None = None,
        api_key: str | None = None,
        management_key: str | None = None,
        seed: int | None = None,
        now: Callable[[], datetime] = _utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not 0 <= port <= 65535:
            raise ValueError(f"A port is a number from 0 to 65535, not {port}")
        self.api_key = api_key or secrets.token_hex(32)
        self.management_key = management_key or secrets.token_hex(32)
        self.faults = Faults()
        self.requests = Requests()
        self._port = port
        self._db = ":memory:" if db is None else fspath(db)
        self._options = options or Options()
        self._seed = seed
        self._now = now
        self._clock = clock
        self._replays = Replays(now)
        self._account: Account | None = None
        self._server: Server | None = None

    def __repr__(self) -> str:
        return f"<Sandbox at {self.base_url}>" if self._server else "<Sandbox, not running>"

    def __enter__(self) -> Sandbox:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def base_url(self) -> str:
        """The address, ``http://127.0.0.1:PORT``, while it runs."""
        if self._server is None:
            raise RuntimeError("The sandbox is not running: use it in a with block, or call start()")
        return f"http://{LOOPBACK}:{self._server.port}"

    def start(self) -> Sandbox:
        """Open the account and serve it; returns the sandbox itself.

        Raises
        ------
        OSError
            When the port is taken, or the file cannot be opened.
        ValueError
            When the file is no database of this version.
        """
        if self._server is None:
            account = self._open()
            try:
                self._server = self._serve(account)
            except BaseException:
                account.close()
                raise
            self._account = account
        return self

    def _open(self) -> Account:
        try:
            return Account(self._db, options=self._options, clock=self._now, seed=self._seed)
        except sqlite3.Error as error:
            raise OSError(f"{self._db}: {error}") from None

    def _serve(self, account: Account) -> Server:
        app = App(
            account,
            HANDLERS,
            keys=Keys(self.api_key, self.management_key),
            faults=self.faults,
            requests=self.requests,
            replays=self._replays,
            clock=self._clock,
        )
        return Server(app, port=self._port, on_close=app.close)

    def close(self) -> None:
        """Stop serving and close the account; a second call does nothing."""
        if self._server is not None and self._account is not None:
            self._server.close()
            self._account.close()
            self._server = self._account = None

    def load(self, source: str | PathLike[str] | Mapping[str, Any]) -> None:
        """Seed the account with attributes, campaigns, coupons, programs, giveaways.

        Parameters
        ----------
        source : path or mapping
            A seed file, a folder with one, or a dict of the same form: `t1data.sandbox.seed` describes it.

        Raises
        ------
        FileNotFoundError
            When there is no seed file.
        ValueError
            When the seed has faults; each is named, and nothing is loaded.
        """
        seed.load(self._running(), source)

    def reset(self) -> None:
        """Empty the account, and forget faults, requests and idempotency keys; address and keys stay."""
        account = self._running()
        with account.transaction() as db:
            schema.clear(db, created=account.now())
        self.faults.clear()
        self.requests.clear()
        self._replays.clear()

    def _running(self) -> Account:
        if self._account is None:
            raise RuntimeError("The sandbox is not running: use it in a with block, or call start()")
        return self._account

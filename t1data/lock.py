"""The lock on an environment that is marked live."""

from __future__ import annotations

from t1data.errors import ConfigError
from t1data.transport.operations import Operation


class LiveLock:
    """Refuses writes until it is opened with the environment's own name.

    Parameters
    ----------
    name : str or None
        The environment's name; None for one that is not live, which is never locked.

    Examples
    --------
    >>> lock = LiveLock("shop-live")
    >>> lock.open("shop-live")
    >>> lock.locked
    False
    """

    def __init__(self, name: str | None) -> None:
        self.name = name
        self.locked = name is not None

    def open(self, name: str) -> None:
        """Allow writes.

        Raises
        ------
        ConfigError
            It is not the environment's name.
        """
        if self.name is not None and name != self.name:
            raise ConfigError("This is not the name of the live environment that the client is connected to.")
        self.locked = False

    def check(self, operation: Operation) -> None:
        """Refuse a write while locked; reads are free.

        Raises
        ------
        ConfigError
            With the sentence that says how to go on.
        """
        if self.locked and operation.writes:
            raise ConfigError(
                f"{operation.name} would change the live environment {self.name!r}; nothing was sent. "
                "To go on, give its name: client.unlock(name)."
            )

"""Which rows of an input the account holds already as they are: read before anything is sent, and kept for a resume.

Beside the journal of a run that sends only what changed lie the journal of the reading (``….before``), which also
holds what the account said before, and one bit a row (``….unchanged``).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import numpy.typing as npt

from t1data.bulk.run import Going
from t1data.client import Client
from t1data.errors import JournalError
from t1data.journal.place import BEFORE, UNCHANGED
from t1data.journal.runs import Run
from t1data.profiles.compare import hold_against
from t1data.profiles.prepare import Prepared
from t1data.words import many
from t1data.writing import replacing

Bits = npt.NDArray[np.bool_]


def find_unchanged(client: Client, prepared: Prepared, going: Going, *, connections: int) -> Bits:
    """Return for each row whether the account holds it as it is; for a run that began already, as it was found then.

    Raises
    ------
    JournalError
        Not every customer could be read. Nothing was sent; the same call with the same journal reads on.
    """
    assert going.journal is not None
    journal = Path(going.journal)
    if (kept := _beside(journal, UNCHANGED)).is_file():
        return np.unpackbits(np.frombuffer(kept.read_bytes(), np.uint8), count=prepared.survey.rows).astype(bool)
    held = hold_against(client, prepared, going=going.ahead(before_of(journal)), connections=connections)
    require_read(held.run, journal)
    unchanged = np.zeros(prepared.survey.rows, dtype=bool)
    unchanged[held.same_rows()] = True
    return unchanged


def require_read(reading: Run, journal: Path) -> None:
    """Raise `JournalError` when not every customer could be read, so that nothing is known of some."""
    if unread := reading.counts["unsent"] + reading.counts["in_doubt"]:
        why = f" ({reading.stopped})" if reading.stopped else ""
        raise JournalError(
            f"{many(unread, 'customer')} could not be read{why}, so it is not known whether they changed. Nothing was"
            f" sent; call again with journal={str(journal)!r} to go on"
        )


def keep_unchanged(journal: Path, unchanged: Bits) -> None:
    """Write what a run found, beside its journal."""
    with replacing(_beside(journal, UNCHANGED), overwrite=True) as part:
        part.write_bytes(np.packbits(unchanged).tobytes())


def before_of(journal: Path) -> Path:
    """Return where the journal of the reading lies that a run began with."""
    return _beside(journal, BEFORE)


def _beside(journal: Path, suffix: str) -> Path:
    return journal.with_name(journal.name + suffix)

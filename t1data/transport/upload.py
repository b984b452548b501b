"""Files of members on their way up: as CSV, in a form."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable

from t1data.errors import InputError

MEMBER_COLUMN = "profileintegrationid"


def member_file(integration_ids: Iterable[str]) -> bytes:
    """Return the CSV of an audience's members; raise `InputError` for an id that is no text or empty."""
    if isinstance(integration_ids, str):
        raise InputError("import_members takes an iterable of ids, not one text.")
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([MEMBER_COLUMN])
    for number, integration_id in enumerate(integration_ids):
        if not isinstance(integration_id, str) or not integration_id:
            raise InputError(f"import_members takes ids as text that is not empty; number {number} is not.")
        writer.writerow([integration_id])
    try:
        return file.getvalue().encode()
    except UnicodeEncodeError:
        raise InputError("import_members got an id that is not valid Unicode (half a surrogate pair).") from None


def form(file: bytes, boundary: str) -> bytes:
    """Return the form that uploads a file, as its parts stand between the boundaries."""
    head = (
        f"--{boundary}\r\n"
        'Content-Disposition: form-data; name="upFile"; filename="members.csv"\r\n'
        "Content-Type: text/csv\r\n\r\n"
    )
    return head.encode() + file + f"\r\n--{boundary}--\r\n".encode()

"""Hold an input against the account: which cells an upsert would change, and whether they landed."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from t1data.bulk.progress import Control, Progress
from t1data.bulk.run import Going
from t1data.client import Client
from t1data.profiles.compare import BEFORE_AND_AFTER, SENT_AND_FOUND, Comparison, Names, compare
from t1data.profiles.prepare import Options, catalogue_of, prepare
from t1data.tables.duplicates import Policy
from t1data.tables.layout import Missing


def diff_profiles(
    client: Client,
    data: Any,
    *,
    id: str = "integration_id",
    attributes: Sequence[str] | Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    missing: Missing | Mapping[str, Missing] = "omit",
    duplicates: Policy = "reject",
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
    sample: int | None = None,
    seed: int = 0,
    journal: str | Path | None = None,
    connections: int = 8,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
) -> Comparison:
    """Return which cells an upsert would change; one customer a request is read, and nothing is changed.

    Parameters
    ----------
    client, data, id, attributes, ... :
        As for `upsert_profiles`.
    sample : int, optional
        So many customers, drawn by `seed`; all by default.
    seed : int
        Of the draw.
    journal, connections, progress, control :
        As for `fetch_inventories`; the journal keeps what was read.

    Returns
    -------
    Comparison
        ``differences`` has ``integration_id, attribute, before, after``: what the account has, and what the input says.

    Raises
    ------
    InputError, ConfigError, NotSentError, JournalError
        Before anything is read.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> people = pd.DataFrame({"integration_id": ["ada"], "Name": ["Ada"]})
    >>> with t1.Sandbox(seed=1) as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     _ = client.update_customer_profile_v2("ada", {"attributes": {"Name": "Countess"}})
    ...     t1.diff_profiles(client, people, progress=False).differences[["before", "after"]].values.tolist()
    [['Countess', 'Ada']]
    """
    options = Options(
        id, attributes, types, defaults, constants, missing, duplicates, tz, decimal, encoding, delimiter, sheet,
        truncate_times, allow_suspect_ids, ids_from_floats,
    )  # fmt: skip
    going = Going(journal, progress, control, resume_old=True)
    return _held(
        client, data, options, BEFORE_AND_AFTER, sample=sample, seed=seed, going=going, connections=connections
    )


def verify_profiles(
    client: Client,
    data: Any,
    *,
    id: str = "integration_id",
    attributes: Sequence[str] | Mapping[str, str] | None = None,
    types: Mapping[str, str] | None = None,
    defaults: Mapping[str, Any] | None = None,
    constants: Mapping[str, Any] | None = None,
    missing: Missing | Mapping[str, Missing] = "omit",
    duplicates: Policy = "reject",
    tz: str | None = None,
    decimal: str = ".",
    encoding: str | None = None,
    delimiter: str | None = None,
    sheet: str | None = None,
    truncate_times: bool = False,
    allow_suspect_ids: bool = False,
    ids_from_floats: bool = False,
    sample: int | None = None,
    seed: int = 0,
    journal: str | Path | None = None,
    connections: int = 8,
    progress: bool | Callable[[Progress], None] | None = None,
    control: Control | None = None,
) -> Comparison:
    """Read customers back after an upsert and hold them, field by field, against what was sent.

    Parameters
    ----------
    client, data, id, attributes, ... :
        As they were for `upsert_profiles`.
    sample : int, optional
        So many customers, drawn by `seed`; all by default.
    seed : int
        Of the draw.
    journal, connections, progress, control :
        As for `fetch_inventories`; the journal keeps what was read.

    Returns
    -------
    Comparison
        ``differences`` has ``integration_id, attribute, sent, found``, and no line when all is there.

    Raises
    ------
    InputError, ConfigError, NotSentError, JournalError
        Before anything is read.

    Examples
    --------
    >>> import pandas as pd
    >>> import t1data as t1
    >>> people = pd.DataFrame({"integration_id": ["ada", "grace"], "Name": ["Ada", "Grace"]})
    >>> with t1.Sandbox(seed=1) as sandbox:
    ...     client = t1.Client(sandbox.base_url, sandbox.api_key)
    ...     _ = t1.upsert_profiles(client, people, progress=False)
    ...     t1.verify_profiles(client, people, progress=False).same
    True
    """
    options = Options(
        id, attributes, types, defaults, constants, missing, duplicates, tz, decimal, encoding, delimiter, sheet,
        truncate_times, allow_suspect_ids, ids_from_floats,
    )  # fmt: skip
    going = Going(journal, progress, control, resume_old=True)
    return _held(client, data, options, SENT_AND_FOUND, sample=sample, seed=seed, going=going, connections=connections)


def _held(
    client: Client,
    data: Any,
    options: Options,
    names: Names,
    *,
    sample: int | None,
    seed: int,
    going: Going,
    connections: int,
) -> Comparison:
    client.reach()
    prepared = prepare(data, options, catalogue=catalogue_of(client))
    return compare(client, prepared, names=names, sample=sample, seed=seed, going=going, connections=connections)

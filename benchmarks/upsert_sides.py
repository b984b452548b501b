"""What each side of `upsert` does, in a process of its own: python -m benchmarks.upsert_sides SIDE PATH SOURCE URL."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pairs import Figures, spend

KEY = "a-key-of-a-benchmark"
BATCH = 1000


def t1data(path: Path, source: str, base_url: str) -> None:
    """Upsert with everything on: checks, journal, one outcome a row."""
    import t1data as t1
    from benchmarks.people import TIMES
    from t1data.profiles import upsert_profiles

    data = _frame(path, source) if source in ("frame", "objects") else path
    types = TIMES if source == "csv" and "plain" in path.name else None
    client = t1.Client(base_url, KEY, rate=None)

    def work() -> Figures:
        run = upsert_profiles(client, data, journal=path.parent / "run.sqlite", types=types, progress=False)
        return {"accepted": run.counts["accepted"]}

    spend(work)


def read(path: Path, source: str, base_url: str) -> None:
    """Read the file by pyarrow, batch by batch, and do nothing with it."""
    import pyarrow as pa
    import pyarrow.csv as pacsv
    import pyarrow.parquet as pq

    def parquet() -> None:
        for _ in pq.ParquetFile(path, pre_buffer=False).iter_batches():
            pass

    def csv() -> None:
        ids_are_text = pacsv.ConvertOptions(column_types={"integration_id": pa.string()})
        for _ in pacsv.open_csv(path, convert_options=ids_are_text):
            pass

    spend(csv if source == "csv" else parquet)


def requests(path: Path, source: str, base_url: str) -> None:
    """Send a thousand records at a time, as a script does that somebody writes in an afternoon."""
    import pandas as pd  # noqa: F401 - so that neither is loaded in what is measured
    import pyarrow.parquet  # noqa: F401
    import requests as http

    url = f"{base_url}/v2/customer_profiles?silent=yes"
    headers = {"Authorization": f"ApiKey-v1 {KEY}", "Content-Type": "application/json"}

    def profile(record: dict[str, Any]) -> dict[str, Any]:
        return {"integrationId": record.pop("integration_id"), "attributes": _known(record)}

    def work() -> None:
        records = _frame(path, source).to_dict("records")
        for start in range(0, len(records), BATCH):
            body = {"customerProfiles": list(map(profile, records[start : start + BATCH]))}
            http.put(url, data=json.dumps(body, default=str), headers=headers, timeout=60).raise_for_status()

    spend(work)


def sdk(path: Path, source: str, base_url: str) -> None:
    """Send a thousand customers at a time by the official SDK."""
    talon_one, api = _sdk(base_url)
    new = talon_one.MultipleCustomerProfileIntegrationRequestItem

    def item(record: dict[str, Any]) -> Any:
        return new(integration_id=record.pop("integration_id"), attributes=_known(record))

    def work() -> None:
        records = _frame(path, source).to_dict("records")
        for start in range(0, len(records), BATCH):
            items = list(map(item, records[start : start + BATCH]))
            api.update_customer_profiles_v2(
                talon_one.MultipleCustomerProfileIntegrationRequest(customer_profiles=items)
            )

    spend(work)


def sdk_one(path: Path, source: str, base_url: str) -> None:
    """Send one customer at a time by the official SDK."""
    talon_one, api = _sdk(base_url)

    new = talon_one.CustomerProfileIntegrationRequestV2

    def work() -> None:
        for record in _frame(path, source).to_dict("records"):
            api.update_customer_profile_v2(record.pop("integration_id"), new(attributes=_known(record)))

    spend(work)


def _sdk(base_url: str) -> tuple[Any, Any]:
    """Return the SDK and its client. pandas and pyarrow are our own, behind all that the SDK brings."""
    import talon_one

    sys.path.append(os.environ["T1DATA_PACKAGES"])
    import pandas as pd  # noqa: F401 - so that it is not loaded in what is measured
    import pyarrow.parquet  # noqa: F401

    header = "Authorization"
    terms = talon_one.Configuration(host=base_url, api_key={header: KEY}, api_key_prefix={header: "ApiKey-v1"})
    return talon_one, talon_one.IntegrationApi(talon_one.ApiClient(terms))


def _known(record: dict[str, Any]) -> dict[str, Any]:
    """Leave out what has no value: NaN, NaT and None."""
    import pandas as pd

    return {name: value for name, value in record.items() if pd.notna(value)}


def _frame(path: Path, source: str) -> Any:
    """Read the file by pandas; for `objects` into columns of Python values."""
    import pandas as pd

    if source == "csv":
        return pd.read_csv(path, dtype={"integration_id": str})
    frame = pd.read_parquet(path)
    return frame.astype(object) if source == "objects" else frame


WORK: dict[str, Callable[[Path, str, str], None]] = {
    "t1data": t1data,
    "read": read,
    "requests": requests,
    "sdk": sdk,
    "sdk-one": sdk_one,
}


if __name__ == "__main__":
    WORK[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])

"""What each side of `inventories` does, in a process of its own.

    python -m benchmarks.inventories_sides SIDE PATH [URL]

PATH holds answers, one a line. With an URL as many are fetched from there, else those in the file are made tables.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.pairs import spend

KEY = "0123456789abcdef0123456789abcdef"
SECTIONS = ("profile", "referrals", "coupons", "loyalty", "giveaways", "achievements")
TIMES = ("created", "startDate", "expiryDate", "endDate", "lastActivity", "joinDate")
PARTS = ("referrals", "coupons", "giveaways")
IN_FLIGHT = 64

# --- answers to frames --------------------------------------------------------------------------------


def orjson(path: Path) -> None:
    """Parse and do nothing with it."""
    import orjson as parser

    bodies = _bodies(path)

    def work() -> None:
        for body in bodies:
            parser.loads(body)

    spend(work)


def t1data(path: Path) -> None:
    """Make all ten frames, as `Inventories` does of the answers in its journal."""
    import pandas as pd  # noqa: F401 - so that it is not loaded in what is measured

    from t1data.bulk.cells import to_frame
    from t1data.inventories.tidy import Tidy

    bodies = _bodies(path)

    def work() -> None:
        tidy = Tidy()
        for number, body in enumerate(bodies):
            tidy.read(f"customer-{number:010d}", body)
        frames = {name: to_frame(table) for name, table in tidy.tables().items()}
        assert len(frames["coupons"]) == 3 * len(bodies)

    spend(work)


def pandas(path: Path) -> None:
    """Make five frames by `json_normalize`, their times typed, as a script does."""
    import pandas as pd

    bodies = _bodies(path)
    owner = [["profile", "integrationId"]]

    def work() -> None:
        found = [json.loads(body) for body in bodies]
        ledgers = [
            {"integrationId": one["profile"]["integrationId"], "program": program["id"], "ledger": name} | ledger
            for one in found
            for program in one["loyalty"]["programs"].values()
            for name, ledger in [("", program["ledger"]), *program["subLedgers"].items()]
        ]
        frames = [
            pd.json_normalize([one["profile"] for one in found]),
            *(pd.json_normalize(found, name, meta=owner) for name in PARTS),
            pd.json_normalize(ledgers),
        ]
        _typed(pd, frames)

    spend(work)


def sdk(path: Path) -> None:
    """Make five frames of the official SDK's models."""
    sys.path.append(os.environ["T1DATA_PACKAGES"])  # for pandas; what the SDK needs comes first
    import pandas as pd
    import talon_one

    bodies = [body.decode() for body in _bodies(path)]

    def work() -> None:
        found = [talon_one.CustomerInventory.from_json(body) for body in bodies]
        tables: dict[str, list[Any]] = {
            name: [] for name in ("profile", "referrals", "coupons", "giveaways", "ledgers")
        }
        for one in found:
            name = one.profile.integration_id
            tables["profile"].append(one.profile.to_dict())
            for part in PARTS:
                tables[part] += [{"integrationId": name, **each.to_dict()} for each in getattr(one, part)]
            for program in one.loyalty.programs.values():
                for key, ledger in [("", program.ledger), *program.sub_ledgers.items()]:
                    tables["ledgers"].append({"integrationId": name, "ledger": key, **ledger.to_dict()})
        for rows in tables.values():
            pd.DataFrame(rows)

    spend(work)


def _typed(pd: Any, frames: list[Any]) -> None:
    for frame in frames:
        for name in TIMES:
            if name in frame:
                frame[name] = pd.to_datetime(frame[name], utc=True, format="ISO8601")


def _bodies(path: Path) -> list[bytes]:
    return path.read_bytes().splitlines()


# --- from the server ----------------------------------------------------------------------------------


def fetch(path: Path, base_url: str, *, connections: int = 8) -> None:
    """Fetch by `fetch_inventories`, with journal and one outcome a row."""
    import pandas as pd  # noqa: F401

    import t1data as t1

    client = t1.Client(base_url, KEY, rate=None, connections=connections)
    ids, journals = _ids(path), path.parent
    t1.fetch_inventories(client, ids[:2], journal=journals / f"warm-{os.getpid()}.sqlite", progress=False)

    def work() -> dict[str, Any]:
        journal = journals / f"run-{os.getpid()}.sqlite"
        found = t1.fetch_inventories(client, ids, journal=journal, connections=connections, progress=False)
        return {"got": found.run.counts["accepted"]}

    spend(work)


def wide(path: Path, base_url: str) -> None:
    """The same with as many connections as the server serves at once, and some more, so that no place is ever free."""
    fetch(path, base_url, connections=IN_FLIGHT + 8)


def session(path: Path, base_url: str) -> None:
    """Fetch one after the other with a `requests` session."""
    import requests

    ids, http = _ids(path), requests.Session()
    http.headers["Authorization"] = f"ApiKey-v1 {KEY}"
    query = dict.fromkeys(SECTIONS, "true")

    def get(name: str) -> Any:
        return http.get(f"{base_url}/v1/customer_profiles/{name}/inventory", params=query).json()

    get(ids[0])
    spend(lambda: {"got": sum("profile" in get(name) for name in ids)})


def ready(path: Path, base_url: str) -> None:
    """Send ready requests through as many bare sockets, and look at nothing but the length of an answer."""
    query, host = "&".join(f"{name}=true" for name in SECTIONS), base_url.removeprefix("http://")
    head = f"/inventory?{query} HTTP/1.1\r\nHost: {host}\r\nAuthorization: ApiKey-v1 {KEY}\r\n\r\n"
    messages = iter([f"GET /v1/customer_profiles/{name}{head}".encode() for name in _ids(path)])
    lock, got = threading.Lock(), 0

    def work() -> None:
        nonlocal got
        address, _, port = host.partition(":")
        with socket.create_connection((address, int(port))) as sock:
            while message := _next(messages, lock):
                sock.sendall(message)
                _read(sock)
                with lock:
                    got += 1

    def run() -> dict[str, Any]:
        threads = [threading.Thread(target=work) for _ in range(IN_FLIGHT + 8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return {"got": got}

    spend(run)


def _next(messages: Any, lock: threading.Lock) -> bytes | None:
    with lock:
        return next(messages, None)


def _read(sock: socket.socket) -> None:
    found = sock.recv(65536)
    head, _, body = found.partition(b"\r\n\r\n")
    left = int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]) - len(body)
    while left > 0:
        left -= len(sock.recv(left))


def _ids(path: Path) -> list[str]:
    return [f"customer-{number:010d}" for number in range(sum(1 for _ in path.open("rb")))]


SIDES: dict[str, Callable[..., None]] = {
    "orjson": orjson,
    "t1data": t1data,
    "pandas": pandas,
    "sdk": sdk,
    "fetch": fetch,
    "session": session,
    "wide": wide,
    "ready": ready,
}


if __name__ == "__main__":
    SIDES[sys.argv[1]](Path(sys.argv[2]), *sys.argv[3:])

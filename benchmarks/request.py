"""What one request costs: ours, a `requests` session, and the standard library's bare connection, in one run.

python benchmarks/request.py [requests]
"""

from __future__ import annotations

import http.client
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from urllib.parse import urlsplit

import requests

from t1data.client import Client

ROUNDS = 5
KEY = "0123456789abcdef"
PATH = "/v2/customer_profiles?silent=yes"
HEADERS = {"Authorization": f"ApiKey-v1 {KEY}", "Content-Type": "application/json", "Accept": "application/json"}
BODY = b"x" * 280_000  # a batch of a thousand customers

# Reads and drops bodies, in a process of its own so that its cost is not counted.
SINK = """
import re, socket, threading

def serve(sock):
    buffer = memoryview(bytearray(1 << 20))
    while top := sock.recv(4096):
        while b"\\r\\n\\r\\n" not in top:
            top += sock.recv(4096)
        head, _, early = top.partition(b"\\r\\n\\r\\n")
        left = int(re.search(rb"(?i)content-length: (\\d+)", head)[1]) - len(early)
        while left > 0:
            left -= sock.recv_into(buffer, min(left, 1 << 20))
        sock.sendall(b"HTTP/1.1 204 Done\\r\\n\\r\\n")

server = socket.create_server(("127.0.0.1", 0))
print(f"http://127.0.0.1:{server.getsockname()[1]}", flush=True)
while True:
    threading.Thread(target=serve, args=server.accept()[:1], daemon=True).start()
"""


def ours(url: str) -> Callable[[], object]:
    """Send by the client, with all that it does."""
    client = Client(url, KEY, rate=None)
    return lambda: client.send("update_customer_profiles_v2", query={"silent": "yes"}, body=BODY)


def session(url: str) -> Callable[[], object]:
    """Send as most programs do."""
    made = requests.Session()
    return lambda: made.put(url + PATH, data=BODY, headers=HEADERS)


def bare(url: str) -> Callable[[], object]:
    """Send with nothing around it."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc)

    def send() -> None:
        connection.request("PUT", PATH, body=BODY, headers=HEADERS)
        connection.getresponse().read()

    return send


def cost(send: Callable[[], object], number: int) -> float:
    """Return microseconds of this process's CPU for one request."""
    before = time.process_time()
    for _ in range(number):
        send()
    return (time.process_time() - before) / number * 1e6


def main() -> None:
    """Measure the three ways in turn and print one line."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 300
    with subprocess.Popen([sys.executable, "-c", SINK], stdout=subprocess.PIPE, text=True) as sink:
        url = sink.stdout.readline().strip()
        ways = {make.__name__: make(url) for make in (ours, session, bare)}
        found = {name: [] for name in ways}
        for _ in range(ROUNDS):
            for name, send in ways.items():
                found[name].append(cost(send, number))
        sink.kill()
    mine, theirs, least = (statistics.median(found[name]) for name in ("ours", "session", "bare"))
    print(
        f"{mine:.0f} µs CPU a request of 0.28 MB: 1/{theirs / mine:.1f} of a requests session ({theirs:.0f} µs), "
        f"{mine / least:.1f} x a bare connection ({least:.0f} µs)"
    )


if __name__ == "__main__":
    main()

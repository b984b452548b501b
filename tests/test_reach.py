"""The first contact: it opens a connection, sends no request, and says at once what a person must mend."""

from __future__ import annotations

import socket
import ssl
import threading
import time as real_time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from certificate import self_signed
from clocks import Time
from fault_server import FaultServer, answer

from t1data.errors import CertificateError, ConnectError
from t1data.transport.address import parse_base_url
from t1data.transport.key import ApiKey
from t1data.transport.operations import OPERATIONS
from t1data.transport.retry import Limits
from t1data.transport.transport import Transport


def transport_to(url: str, time: Time, **options: Any) -> Transport:
    options.setdefault("environment", {})
    return Transport(parse_base_url(url), ApiKey("0123456789abcdef"), clock=time, wait=time.wait, **options)


@pytest.fixture
def closed_port() -> Iterator[int]:
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))  # bound and never listening: nobody else can get it meanwhile
        yield unheard.getsockname()[1]


def test_no_request_is_sent_and_the_connection_serves_the_first_one() -> None:
    with FaultServer(answer(204)) as server:
        transport = transport_to(server.url, Time())
        transport.reach()
        transport.reach()
        assert not server.ledger
        transport.send(OPERATIONS["update_customer_profiles_v2"], body=b"{}")
        transport.close()
    assert [entry.connection for entry in server.ledger] == [1]


def test_a_refused_connection_is_tried_once_more_and_then_told(closed_port: int) -> None:
    time = Time()
    with pytest.raises(ConnectError, match=f"Nobody answers at 127.0.0.1, port {closed_port}; check the base URL"):
        transport_to(f"http://127.0.0.1:{closed_port}", time).reach()
    assert time.waits == [0.5]


def test_an_unknown_name_is_told_as_such() -> None:
    with pytest.raises(ConnectError, match=r"The name nonexistent\.invalid is not known"):
        transport_to("https://nonexistent.invalid", Time()).reach()


class Resolver:
    """A name service that says nothing until it is let go."""

    def __init__(self, *addresses: tuple[str, int]) -> None:
        self.asked: list[str] = []
        self.free = threading.Event()
        self.addresses = addresses

    def __call__(self, host: str, port: int, **_: Any) -> list[Any]:
        self.asked.append(host)
        self.free.wait(20)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in self.addresses]


@pytest.fixture
def hanging() -> Iterator[Resolver]:
    resolver = Resolver()
    yield resolver
    resolver.free.set()


def test_a_name_service_that_hangs_is_not_waited_for_beyond_the_limit(hanging: Resolver) -> None:
    time, began = Time(), real_time.monotonic()
    transport = transport_to("https://shop.example", time, resolve=hanging, limits=Limits(connect=0.1))
    with pytest.raises(ConnectError, match=r"The name shop\.example was not looked up in time"):
        transport.reach()
    with pytest.raises(ConnectError, match="no connection after 8 attempts"):
        transport.send(OPERATIONS["create_referral"], body=b"{}")
    assert real_time.monotonic() - began < 10
    assert hanging.asked == ["shop.example"], "a look-up that is under way is not begun anew"


def test_the_deadline_of_a_request_bounds_the_look_up_too(hanging: Resolver) -> None:
    began = real_time.monotonic()
    transport = transport_to("https://shop.example", Time(), resolve=hanging, limits=Limits(attempts=1, deadline=0.1))
    with pytest.raises(ConnectError):
        transport.send(OPERATIONS["create_referral"], body=b"{}")
    assert real_time.monotonic() - began < 5


def test_every_address_of_a_name_is_tried_until_one_answers(closed_port: int) -> None:
    with FaultServer(answer(204)) as server:
        resolver = Resolver(("127.0.0.2", 0), ("127.0.0.1", 0))
        resolver.free.set()
        transport = transport_to(f"http://localhost:{server.port}", Time(), resolve=resolver)
        assert transport.send(OPERATIONS["update_customer_profiles_v2"], body=b"{}").attempts == 1
        transport.close()
        assert server.ledger[0].header("Host") == [f"localhost:{server.port}"]
    with pytest.raises(ConnectError, match="Nobody answers at localhost"):
        transport_to(f"http://localhost:{closed_port}", Time(), resolve=resolver).reach()


def test_a_proxy_on_the_way_is_named(closed_port: int) -> None:
    proxy = {"HTTPS_PROXY": f"http://127.0.0.1:{closed_port}"}
    with pytest.raises(ConnectError, match=r"No connection to shop\.example through the proxy that HTTPS_PROXY names"):
        transport_to("https://shop.example", Time(), environment=proxy).reach()


def test_a_certificate_that_does_not_hold_is_not_tried_again(tmp_path: Path) -> None:
    pem, time = tmp_path / "server.pem", Time()
    pem.write_text(self_signed("127.0.0.1"))
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(pem)
    with FaultServer(tls=tls) as server, pytest.raises(CertificateError, match="check the host's name"):
        transport_to(server.url, time).reach()
    assert time.waits == []

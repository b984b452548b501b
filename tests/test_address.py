"""Where requests may go: base URLs, proxies, and whose certificates are believed."""

from __future__ import annotations

import contextlib
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from certificate import self_signed
from fault_server import FaultServer, answer, slow_body
from hypothesis import given
from hypothesis import strategies as st

from t1data import errors
from t1data.transport.address import is_loopback, parse_base_url, proxy_for
from t1data.transport.key import ApiKey
from t1data.transport.operations import OPERATIONS
from t1data.transport.retry import Limits
from t1data.transport.transport import Transport

KEY = "0123456789abcdef"
REPEATABLE = OPERATIONS["update_customer_profiles_v2"]
ONCE = OPERATIONS["create_referral"]


def transport_to(url: str, **options: Any) -> Transport:
    options.setdefault("environment", {})
    return Transport(parse_base_url(url), ApiKey(KEY), **options)


def raised(call: Callable[[], object]) -> errors.RequestError:
    with pytest.raises(errors.RequestError) as caught:
        call()
    return caught.value


@pytest.mark.parametrize(
    "base_url",
    [
        "https://shop.europe-west1.talon.one",
        "https://shop.talon.one/",
        "https://shop.talon.one:8443",
        "https://192.0.2.7",
        "http://localhost:8080",
        "http://127.0.0.1:1",
        "http://127.200.3.4",
        "http://[::1]:8080",
    ],
)
def test_these_base_urls_are_good(base_url: str):
    assert parse_base_url(base_url).url == base_url.rstrip("/")


@pytest.mark.parametrize(
    ("base_url", "sentence"),
    [
        ("http://shop.talon.one", "Plain http"),
        ("http://localhost.evil.com", "Plain http"),
        ("http://127.0.0.1.nip.io", "Plain http"),
        ("http://0.0.0.0", "Plain http"),
        ("http://127.1", "Plain http"),
        ("http://0x7f000001", "Plain http"),
        ("http://2130706433", "Plain http"),
        ("http://[::ffff:127.0.0.1]", "Plain http"),
        ("http://[::ffff:8.8.8.8]", "Plain http"),
        ("http://localhost.", "no plain name"),
        ("https://key:secret@shop.talon.one", "user or password"),
        ("http://127.0.0.1@evil.com", "user or password"),
        ("http://127.0.0.1\\@evil.com", "backslash"),
        ("https://shop.talon.one/v2", "path"),
        ("https://shop.talon.one?x=1", "query or a fragment"),
        ("https://shop.talon.one#", "query or a fragment"),
        ("https://shop.talon.one\n", "blank"),
        ("https://shop talon.one", "blank"),
        ("https://shop.talon.one:99999", "port"),
        ("https://shop.talon.one:0", "port"),
        ("https://[::1", "cannot be read"),
        ("https://münchen.example", "ASCII"),
        ("ftp://shop.talon.one", "must begin with https"),
        ("shop.talon.one", "must begin with https"),
        ("", "missing"),
    ],
)
def test_a_base_url_that_leads_astray_is_refused_in_one_sentence(base_url: str, sentence: str):
    with pytest.raises(errors.ConfigError, match=sentence) as caught:
        parse_base_url(base_url)
    assert "secret" not in str(caught.value)


@given(st.text(max_size=30))
def test_plain_http_never_leaves_this_machine(host: str):
    with contextlib.suppress(errors.ConfigError):
        address = parse_base_url(f"http://{host}")
        assert is_loopback(address.host)


def test_a_netrc_file_and_proxies_for_http_change_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    netrc = tmp_path / "netrc"
    netrc.write_text("default login somebody password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with FaultServer() as server, FaultServer() as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        transport_to(server.url, environment=None).send(REPEATABLE)
    assert server.ledger[0].header("Authorization") == [f"ApiKey-v1 {KEY}"]
    assert proxy.ledger == []


def test_https_goes_through_the_proxy_by_connect_and_the_proxy_sees_no_key():
    with FaultServer(answer(403)) as proxy:
        environment = {"HTTPS_PROXY": proxy.url}
        transport = transport_to("https://shop.talon.one", environment=environment, limits=Limits(attempts=1))
        error = raised(lambda: transport.send(ONCE))
    assert type(error) is errors.ConnectError
    assert [(entry.method, entry.target) for entry in proxy.ledger] == [("CONNECT", "shop.talon.one:443")]
    assert proxy.ledger[0].header("Authorization") == []


@pytest.mark.parametrize(
    ("url", "environment", "proxy"),
    [
        ("https://shop.talon.one", {"https_proxy": "http://p:1"}, "http://p:1"),
        ("https://shop.talon.one", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "x, .talon.one"}, None),
        ("https://shop.talon.one", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "alon.one"}, "http://p:1"),
        ("https://shop.talon.one", {"HTTPS_PROXY": "http://p:1", "NO_PROXY": "*"}, None),
        ("https://shop.talon.one", {"ALL_PROXY": "http://p:1", "HTTP_PROXY": "http://p:1"}, None),
        ("https://127.0.0.1", {"HTTPS_PROXY": "http://p:1"}, None),
        ("http://localhost", {"HTTPS_PROXY": "http://p:1"}, None),
    ],
)
def test_which_proxy_is_used(url: str, environment: dict[str, str], proxy: str | None):
    assert proxy_for(parse_base_url(url), environment) == proxy


@pytest.mark.parametrize(
    "proxy",
    ["secret:3128", "socks5://secret:1080", "http://", "http://[secret", "http://secret:x", "http://secret:0", " "],
)
def test_a_proxy_that_cannot_be_one_is_refused_without_being_repeated(proxy: str):
    with pytest.raises(errors.ConfigError, match="HTTPS_PROXY must begin with http") as caught:
        proxy_for(parse_base_url("https://shop.talon.one"), {"HTTPS_PROXY": proxy})
    assert "secret" not in str(caught.value)


# --- TLS --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("tls") / "own.pem"
    path.write_text(self_signed("127.0.0.1", "localhost"))
    return path


def server_context(certificate: Path, newest: ssl.TLSVersion = ssl.TLSVersion.MAXIMUM_SUPPORTED) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    context.maximum_version = newest
    return context


@pytest.mark.parametrize("variable", ["REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"])
def test_own_roots_come_from_the_environment(certificate: Path, variable: str):
    with FaultServer(tls=server_context(certificate)) as server:
        transport = transport_to(server.url, environment={variable: str(certificate)})
        assert transport.send(REPEATABLE).status == 204
        transport.close()


def test_a_certificate_that_nobody_vouches_for_stops_at_once(certificate: Path):
    with FaultServer(tls=server_context(certificate)) as server:
        error = raised(lambda: transport_to(server.url).send(REPEATABLE))
    assert type(error) is errors.CertificateError
    assert error.attempts == 1
    assert server.ledger == []


def test_a_certificate_for_another_host_stops_at_once(tmp_path: Path):
    other = tmp_path / "other.pem"
    other.write_text(self_signed("shop.example"))
    with FaultServer(tls=server_context(other)) as server:
        transport = transport_to(server.url, environment={"SSL_CERT_FILE": str(other)})
        assert type(raised(lambda: transport.send(REPEATABLE))) is errors.CertificateError
    assert server.ledger == []


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
def test_old_tls_is_no_connection(certificate: Path):
    with FaultServer(tls=server_context(certificate, ssl.TLSVersion.TLSv1_1)) as server:
        environment = {"SSL_CERT_FILE": str(certificate)}
        transport = transport_to(server.url, environment=environment, limits=Limits(attempts=1))
        assert type(raised(lambda: transport.send(REPEATABLE))) is errors.ConnectError


def test_a_missing_file_of_roots_is_named_by_its_variable():
    with pytest.raises(errors.ConfigError, match="SSL_CERT_FILE"):
        transport_to("https://shop.talon.one", environment={"SSL_CERT_FILE": "no-such-file.pem"})


def test_the_deadline_holds_under_tls_too(certificate: Path):
    with FaultServer(slow_body(), tls=server_context(certificate)) as server:
        environment = {"SSL_CERT_FILE": str(certificate)}
        transport = transport_to(server.url, limits=Limits(deadline=0.3), environment=environment)
        assert type(raised(lambda: transport.send(ONCE))) is errors.NoAnswerError

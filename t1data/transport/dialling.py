"""How a connection is opened: TLS, own roots and the way through a proxy, as `requests` sets them up."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Mapping
from functools import partial
from http.client import HTTPConnection
from typing import Any, cast

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError
from urllib3.util.connection import create_connection

from t1data.transport.address import Address, proxy_for, tls_context
from t1data.transport.lines import Dial
from t1data.transport.lookup import Lookup
from t1data.transport.retry import Failure


def dialler(address: Address, timeout: float, environment: Mapping[str, str] | None, *, lookup: Lookup) -> Dial:
    """Make the function that opens a connection or says why it cannot.

    Parameters
    ----------
    address : Address
        Where to.
    timeout : float
        Seconds for the look-up of the name, and for each of its addresses.
    environment : mapping of str to str, optional
        Where proxy and roots are looked up.
    lookup : Lookup
        Finds the addresses.
    """
    pool = _pool(address, environment)

    def dial(seconds: float) -> HTTPConnection | Failure:
        connection = _connection(pool, timeout)
        cast(Any, connection)._new_conn = partial(_reached, connection, timeout, time.monotonic() + seconds, lookup)
        failure = _connect(connection)
        return failure or connection

    return dial


def _reached(connection: HTTPConnection, timeout: float, ends: float, lookup: Lookup) -> socket.socket:
    """Open a socket to the first address that answers; urllib3's own way looks the name up without a bound."""
    error: OSError = TimeoutError()
    options = cast(Any, connection).socket_options
    for place in lookup(connection.host, connection.port, min(timeout, ends - time.monotonic())):
        left = min(timeout, ends - time.monotonic())
        if left <= 0:
            break
        try:
            return create_connection((place, connection.port), left, socket_options=options)
        except OSError as failed:
            error = failed
    raise error


def _pool(address: Address, environment: Mapping[str, str] | None) -> Any:
    """Let `requests` choose the kind of connection and its settings."""
    adapter = HTTPAdapter()
    proxy = proxy_for(address, environment)
    tls: dict[str, Any] = (
        {"ssl_context": tls_context(DEFAULT_CA_BUNDLE_PATH, environment)} if address.scheme == "https" else {}
    )
    adapter.init_poolmanager(1, 1, **tls)
    manager = adapter.proxy_manager_for(proxy, **tls) if proxy else adapter.poolmanager
    return manager.connection_from_host(address.host, address.port, scheme=address.scheme)


def _connection(pool: Any, timeout: float) -> HTTPConnection:
    near = pool.proxy or pool
    connection: HTTPConnection = pool.ConnectionCls(host=near.host, port=near.port, timeout=timeout, **pool.conn_kw)
    if pool.proxy:
        connection.set_tunnel(pool.host, pool.port, headers=pool.proxy_headers)
    return connection


def _connect(connection: HTTPConnection) -> Failure | None:
    try:
        connection.connect()
    except ssl.SSLCertVerificationError:
        failure = Failure.CERTIFICATE
    except (OSError, HTTPError):
        failure = Failure.CONNECT
    else:
        return None
    connection.close()
    return failure

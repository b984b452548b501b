"""How a connection is opened: TLS, own roots and the way through a proxy, as `requests` sets them up."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from http.client import HTTPConnection
from typing import Any

from requests.adapters import HTTPAdapter
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError

from t1data.transport.address import Address, proxy_for, tls_context
from t1data.transport.lines import Dial
from t1data.transport.retry import Failure


def dialler(address: Address, timeout: float, environment: Mapping[str, str] | None) -> Dial:
    """Make the function that opens a connection or says why it cannot."""
    pool = _pool(address, environment)

    def dial() -> HTTPConnection | Failure:
        connection = _connection(pool, timeout)
        failure = _connect(connection)
        return failure or connection

    return dial


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

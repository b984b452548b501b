"""The first contact: whether a host can be reached at all, found out before a long job and without a request."""

from __future__ import annotations

from t1data.errors import CertificateError, ConnectError
from t1data.transport.address import Address
from t1data.transport.lines import Lines
from t1data.transport.lookup import Lookup
from t1data.transport.pace import Wait
from t1data.transport.retry import Failure

_TRIES, _PAUSE = 2, 0.5
_LAST_LOOK = 1.0  # seconds; a look-up that hangs has hung for longer by then, and is the same one


def make_contact(lines: Lines, address: Address, *, proxied: bool, wait: Wait, seconds: float, lookup: Lookup) -> None:
    """Open a connection, with one quick repeat, and keep it for the first request.

    Retries with ever longer waits are for a server that was there before. A host name with a typing error, a port
    where nobody listens and a certificate that does not hold are for a person to mend, who wants to know at once.

    Raises
    ------
    ConnectError, CertificateError
        With the sentence that says what is wrong.
    """
    for attempt in range(_TRIES):
        if attempt:
            wait(None, _PAUSE)
        line = lines.take(fresh=False, seconds=seconds)
        if not isinstance(line, Failure):
            line.reusable = True
            lines.put_back(line)
            return
        if line is Failure.CERTIFICATE:
            raise CertificateError(
                f"The certificate of {address.host} does not hold: check the host's name; own root certificates go "
                "into REQUESTS_CA_BUNDLE or SSL_CERT_FILE."
            )
    raise ConnectError(
        f"{_what_is_wrong(address, proxied, lookup)}; check the base URL, {address.url}. Nothing was sent."
    )


def _what_is_wrong(address: Address, proxied: bool, lookup: Lookup) -> str:
    if proxied:
        return f"No connection to {address.host} through the proxy that HTTPS_PROXY names"
    try:
        lookup(address.host, address.port, _LAST_LOOK)
    except TimeoutError:
        return f"The name {address.host} was not looked up in time: this machine's name service does not answer"
    except OSError:
        return f"The name {address.host} is not known to this machine's network"
    return f"Nobody answers at {address.host}, port {address.port}"

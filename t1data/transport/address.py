"""Where requests may go: the base URL, the proxy on the way, and whose certificates are believed."""

from __future__ import annotations

import ipaddress
import os
import re
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from t1data.errors import ConfigError

_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_UNFIT = re.compile(r"[\x00-\x20\x7f\\]")
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """One deployment's scheme, host and port."""

    scheme: str
    host: str
    port: int

    @property
    def authority(self) -> str:
        """Host and port as a request names them: no port where it is the usual one."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The base URL in one spelling: no path and no slash at the end."""
        return f"{self.scheme}://{self.authority}"


def parse_base_url(base_url: str) -> Address:
    """Read a base URL, and refuse every one that would send customers' data where it should not go.

    Parameters
    ----------
    base_url : str
        ``https://<name>.<region>.talon.one``. Plain ``http`` is for this machine alone: an address in
        127.0.0.0/8, ``[::1]``, or ``localhost``.

    Raises
    ------
    ConfigError
        With one sentence that says what to change. It never repeats the URL, which may hold a password.

    Examples
    --------
    >>> parse_base_url("https://shop.europe-west1.talon.one/").url
    'https://shop.europe-west1.talon.one'
    """
    if not isinstance(base_url, str) or not base_url:
        raise ConfigError("The base URL is missing: give it as https://<name>.<region>.talon.one.")
    parts = _split(base_url)
    if _UNFIT.search(base_url) or parts is None:
        raise ConfigError("The base URL cannot be read: it holds a blank, a backslash or a wrong port.")
    _refuse_extras(base_url, parts)
    address = Address(parts.scheme, _host(parts), parts.port or _PORTS[parts.scheme])
    if address.scheme == "http" and not is_loopback(address.host):
        raise ConfigError("Plain http is for this machine alone (127.0.0.1, [::1], localhost): use https.")
    return address


def _split(base_url: str) -> SplitResult | None:
    try:
        parts = urlsplit(base_url)
        return parts if parts.port != 0 else None
    except ValueError:
        return None


def _refuse_extras(base_url: str, parts: SplitResult) -> None:
    if parts.scheme not in _PORTS:
        raise ConfigError("The base URL must begin with https:// (or http:// for this machine).")
    if "@" in parts.netloc:
        raise ConfigError("The base URL holds a user or password: the API key is all that t1data needs.")
    if "?" in base_url or "#" in base_url:
        raise ConfigError("The base URL has a query or a fragment: give scheme and host alone.")
    if parts.path.strip("/"):
        raise ConfigError("The base URL has a path: give scheme and host alone; t1data adds /v1 and /v2.")


def _host(parts: SplitResult) -> str:
    host = parts.hostname or ""
    if ":" in host:
        try:
            return str(ipaddress.IPv6Address(host))
        except ValueError:
            raise ConfigError("The base URL's IPv6 address cannot be read.") from None
    if not _NAME.fullmatch(host):
        raise ConfigError("The base URL's host is no plain name: write it in ASCII (xn--… for others).")
    return host


def is_loopback(host: str) -> bool:
    """Tell whether a host is this machine by its spelling alone, since a name can point anywhere.

    Examples
    --------
    >>> is_loopback("127.0.0.9"), is_loopback("127.0.0.1.nip.io"), is_loopback("0.0.0.0")
    (True, False, False)
    """
    if host in ("localhost", "::1"):
        return True
    try:
        return ipaddress.IPv4Address(host).is_loopback
    except ValueError:
        return False


def proxy_for(address: Address, environment: Mapping[str, str] | None = None) -> str | None:
    """Find the proxy for an address: ``HTTPS_PROXY`` for https, less ``NO_PROXY``; never for this machine.

    Other proxy variables are ignored: without https a proxy would read the key.
    """
    found = os.environ if environment is None else environment
    proxy = found.get("HTTPS_PROXY") or found.get("https_proxy")
    if not proxy or address.scheme != "https" or is_loopback(address.host):
        return None
    if _is_excepted(address.host, found.get("NO_PROXY") or found.get("no_proxy") or ""):
        return None
    parts = _split(proxy)
    if parts is None or parts.scheme not in _PORTS or not parts.hostname:
        del proxy, parts
        raise ConfigError("HTTPS_PROXY must begin with http:// or https:// and name a host, as http://proxy:3128 does.")
    return proxy


def _is_excepted(host: str, exceptions: str) -> bool:
    names = [name.strip().lower().lstrip(".") for name in exceptions.split(",") if name.strip()]
    return any(name in ("*", host) or host.endswith(f".{name}") for name in names)


def tls_context(usual_roots: str, environment: Mapping[str, str] | None = None) -> ssl.SSLContext:
    """Build the TLS settings: always verified, 1.2 or newer; own roots through the environment alone.

    Parameters
    ----------
    usual_roots : str
        File of certificates that is believed when neither ``REQUESTS_CA_BUNDLE`` nor ``SSL_CERT_FILE`` is set.
    """
    found = os.environ if environment is None else environment
    name = next((n for n in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE") if found.get(n)), None)
    roots = found[name] if name else usual_roots
    try:
        folder = os.path.isdir(roots)
        context = ssl.create_default_context(capath=roots if folder else None, cafile=None if folder else roots)
    except OSError:
        raise ConfigError(f"{name or 'The bundle of root certificates'} names no file of certificates.") from None
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context

"""A self-signed certificate and its key, made by the standard library alone and thrown away after the test.

No key is kept in the repository, and no program such as openssl is needed. P-256 and just enough DER.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import secrets
from datetime import UTC, datetime, timedelta

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
A = P - 3
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
EC_PUBLIC_KEY, P_256 = "1.2.840.10045.2.1", "1.2.840.10045.3.1.7"
ECDSA_SHA256, COMMON_NAME = "1.2.840.10045.4.3.2", "2.5.4.3"
SUBJECT_KEY_ID, KEY_USAGE, ALT_NAME, CONSTRAINTS = "2.5.29.14", "2.5.29.15", "2.5.29.17", "2.5.29.19"


def self_signed(*hosts: str) -> str:
    """Make one PEM text that holds a fresh key and a certificate for these names and IP addresses."""
    key = secrets.randbelow(N - 1) + 1
    x, y = times(key, G)
    public = b"\x04" + x.to_bytes(32) + y.to_bytes(32)
    body = certificate_body(public, hosts)
    certificate = sequence(body, sequence(oid(ECDSA_SHA256)), bits(signature(key, body)))
    private = sequence(integer(1), tagged(0x04, key.to_bytes(32)), tagged(0xA0, oid(P_256)), tagged(0xA1, bits(public)))
    return pem("EC PRIVATE KEY", private) + pem("CERTIFICATE", certificate)


def certificate_body(public: bytes, hosts: tuple[str, ...]) -> bytes:
    name = sequence(tagged(0x31, sequence(oid(COMMON_NAME), tagged(0x0C, hosts[0].encode()))))
    now = datetime.now(UTC)
    span = sequence(time(now - timedelta(hours=1)), time(now + timedelta(hours=1)))
    public_key = sequence(sequence(oid(EC_PUBLIC_KEY), oid(P_256)), bits(public))
    number = integer(secrets.randbits(64))
    algorithm = sequence(oid(ECDSA_SHA256))
    version = tagged(0xA0, integer(2))
    extensions = tagged(0xA3, sequence(*extension_list(public, hosts)))
    return sequence(version, number, algorithm, name, span, name, public_key, extensions)


def extension_list(public: bytes, hosts: tuple[str, ...]) -> list[bytes]:
    yes = tagged(0x01, b"\xff")
    key_id = tagged(0x04, hashlib.sha256(public).digest()[:20])
    return [
        extension(CONSTRAINTS, yes, sequence(yes)),
        extension(KEY_USAGE, yes, tagged(0x03, b"\x02\x84")),
        extension(SUBJECT_KEY_ID, b"", key_id),
        extension(ALT_NAME, b"", sequence(*map(alternative_name, hosts))),
    ]


def extension(name: str, critical: bytes, value: bytes) -> bytes:
    return sequence(oid(name), critical, tagged(0x04, value))


def alternative_name(host: str) -> bytes:
    try:
        return tagged(0x87, ipaddress.ip_address(host).packed)
    except ValueError:
        return tagged(0x82, host.encode())


def signature(key: int, message: bytes) -> bytes:
    digest = int.from_bytes(hashlib.sha256(message).digest())
    nonce = secrets.randbelow(N - 1) + 1
    r = times(nonce, G)[0] % N
    return sequence(integer(r), integer(pow(nonce, -1, N) * (digest + r * key) % N))


def times(factor: int, point: tuple[int, int]) -> tuple[int, int]:
    total = None
    while factor:
        if factor & 1:
            total = point if total is None else add(total, point)
        point, factor = add(point, point), factor >> 1
    assert total is not None
    return total


def add(one: tuple[int, int], two: tuple[int, int]) -> tuple[int, int]:
    if one == two:
        slope = (3 * one[0] * one[0] + A) * pow(2 * one[1], -1, P)
    else:
        slope = (two[1] - one[1]) * pow(two[0] - one[0], -1, P)
    x = (slope * slope - one[0] - two[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


def tagged(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 128:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8)
    return bytes([tag, 128 | len(length)]) + length + content


def sequence(*parts: bytes) -> bytes:
    return tagged(0x30, b"".join(parts))


def integer(value: int) -> bytes:
    return tagged(0x02, value.to_bytes(value.bit_length() // 8 + 1))


def bits(content: bytes) -> bytes:
    return tagged(0x03, b"\0" + content)


def time(moment: datetime) -> bytes:
    return tagged(0x17, moment.strftime("%y%m%d%H%M%SZ").encode())


def oid(dotted: str) -> bytes:
    first, second, *rest = map(int, dotted.split("."))
    return tagged(0x06, bytes([40 * first + second]) + b"".join(map(base_128, rest)))


def base_128(number: int) -> bytes:
    digits = [number & 127]
    while number := number >> 7:
        digits.append(number & 127 | 128)
    return bytes(reversed(digits))


def pem(label: str, content: bytes) -> str:
    text = base64.encodebytes(content).decode()
    return f"-----BEGIN {label}-----\n{text}-----END {label}-----\n"

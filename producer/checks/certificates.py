"""When certificates end: the one field of X.509 that a check needs; pure.

A certificate is a sequence of a sequence of version, serial number, algorithm, issuer and validity (RFC 5280, section
4.1), each in DER: a tag, a length, the content.
"""

import base64
import re
from collections.abc import Iterator
from datetime import UTC, datetime

PEM = re.compile(rb"-----BEGIN CERTIFICATE-----(.+?)-----END CERTIFICATE-----", re.DOTALL)
VERSION, UTC_TIME = 0xA0, 0x17


def ends(pem: bytes) -> list[datetime]:
    """When each certificate of a PEM file ends. Raises ValueError where one cannot be read, or none is there."""
    try:
        found = [_end(base64.b64decode(b"".join(block.split()))) for block in PEM.findall(pem)]
    except (IndexError, StopIteration) as missing:
        raise ValueError("a part of the certificate is missing") from missing
    if not found:
        raise ValueError("there is no certificate in it")
    return found


def _end(der: bytes) -> datetime:
    [(_, certificate)] = _parts(der)
    _, to_be_signed = next(_parts(certificate))
    fields = [content for tag, content in _parts(to_be_signed) if tag != VERSION]
    _, (tag, text) = _parts(fields[3])
    stated = text.decode("ascii")
    if tag == UTC_TIME:  # two digits of the year: 1950 to 2049
        stated = ("19" if stated[:2] >= "50" else "20") + stated
    return datetime.strptime(stated, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC)


def _parts(der: bytes) -> Iterator[tuple[int, bytes]]:
    """The elements that stand one behind the other."""
    at = 0
    while at < len(der):
        tag, size, at = der[at], int.from_bytes(der[at + 1 : at + 2]), at + 2
        if size & 0x80:
            width = size & 0x7F
            size, at = int.from_bytes(der[at : at + width]), at + width
        if at + size > len(der):
            raise ValueError("the certificate is cut short")
        yield tag, der[at : at + size]
        at += size

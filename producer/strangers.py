"""A stranger's text to values, and what of it may be shown: the one place where that is done; pure.

TikTok, a sign server, a registry, a token endpoint, another worker's record, a file that somebody edited: what they say
is read here, or by protobuf. Whatever they say, a reader gives a value or raises `Unreadable`, and costs time and
memory in proportion to a bound that it names.
"""

import codecs
import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from email.utils import parsedate_to_datetime
from ipaddress import IPv6Address
from typing import Any
from urllib.parse import urlsplit

MOST_VALUES = 100_000
"""Of one JSON document. Each takes about 100 bytes; the gift lists of 2023 and 2024 have fewer than 18,000."""
MOST_ID = 2**63 - 1
"""Avro's and protobuf's longest."""
COOKIE_BYTES = 4096
"""RFC 6265, section 6.1: what user agents keep at least."""
SHOWN = 200

_STRUCTURE = (b",", b"[", b"{")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_TAG = b"<script"
_COOKIE_NAME = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]{1,256}")
"""A token: RFC 9110, section 5.6.2."""
_COOKIE_VALUE = re.compile(r'[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]*|"[\x21\x23-\x2B\x2D-\x3A\x3C-\x5B\x5D-\x7E]*"')
"""RFC 6265, section 4.1.1: no control letter, blank, comma, semicolon, backslash, nothing that is not ASCII."""
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(\.{_LABEL})*")
"""RFC 1123, section 2.1, in lower case, with the underscore of containers' names; IPv4 addresses are of this form."""
_BRACKETED = re.compile(r"\[[^\]]*\](:[0-9]+)?")
"""urlsplit overlooks what else stands behind the bracket."""
_URL_LETTERS = re.compile(r"[\x21-\x7E]+")
_DIGITS = re.compile(r"[0-9]{1,19}")


class Unreadable(ValueError):
    """What a stranger sent is not what it should be; the message says why and quotes nothing of it."""


def json_value(data: bytes | str, *, most_bytes: int, most_values: int = MOST_VALUES) -> Any:
    """Parse one JSON document (RFC 8259), UTF-8.

    Text in it can be written as UTF-8: a lone surrogate, which JSON can spell and UTF-8 cannot, becomes U+FFFD.
    """
    raw = data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data
    if len(raw) > most_bytes:
        raise Unreadable(f"it is longer than {most_bytes} bytes")
    # Each value but the first follows one of these, so they bound what the parser makes before it makes it.
    if sum(map(raw.count, _STRUCTURE)) >= most_values:
        raise Unreadable(f"it has more than {most_values} values")
    try:
        # Not by the codec utf-8-sig: it is loaded at its first use, which fails where no file can be opened.
        value = json.loads(raw.removeprefix(codecs.BOM_UTF8).decode(), parse_constant=_no_constant)
        return _clean(value) if _SURROGATE.search(raw) else value
    except RecursionError as cause:
        raise Unreadable("it is nested too deep") from cause
    except ValueError as cause:  # a number of more digits than Python converts is one
        raise Unreadable("it is not JSON") from cause


def json_object(data: bytes | str, *, most_bytes: int, most_values: int = MOST_VALUES) -> dict[str, Any]:
    """Parse one JSON object, as `json_value` does."""
    value = json_value(data, most_bytes=most_bytes, most_values=most_values)
    if not isinstance(value, dict):
        raise Unreadable("it is JSON, and no object")
    return value


def at(value: object, *path: str) -> dict[str, Any]:
    """Go down a path of objects; where there is none it ends at an empty one."""
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def integer(value: object, *, least: int = -(2**63), most: int = MOST_ID) -> int | None:
    """An integer within bounds (true and false are none); None for anything else."""
    return value if type(value) is int and least <= value <= most else None


def text(value: object, *, most: int = 1_000) -> str | None:
    """A text, cut to a length; None for anything else."""
    return value[:most] if isinstance(value, str) else None


def identifier(value: object) -> int | None:
    """An id above 0, within 63 bits, as a number or as decimal digits; None for anything else."""
    if isinstance(value, str) and _DIGITS.fullmatch(value):
        value = int(value)
    return integer(value, least=1)


def script(page: bytes, element_id: str) -> bytes | None:
    """The content of the first script element with this id in a page of HTML; None where there is none.

    One pass, whatever the page: what follows a tag is looked at once.
    """
    wanted = re.compile(rb"\sid\s*=\s*[\"']?" + re.escape(element_id.encode()) + rb"[\"']?(?=[\s/]|\Z)")
    end = 0
    while (start := page.find(_TAG, end)) >= 0:
        end = page.find(b">", start)
        if end < 0:
            return None
        # Where tags are left open, the last of them is what this one is.
        start = page.rfind(_TAG, start, end)
        if wanted.search(page, start, end):
            close = page.find(b"</script", end)
            return page[end + 1 : close] if close >= 0 else None
    return None


def header(values: Iterable[str], *, most: int = 1_000) -> str | None:
    """The first of a header's values, cut to a length; None where there is none. A header may come more than once."""
    return next((value[:most] for value in values), None)


def decimal_seconds(value: str | None) -> float | None:
    """Seconds as decimal digits, nine at the most; None for anything else."""
    digits = (value or "").strip(" \t")
    return float(digits) if re.fullmatch(r"[0-9]{1,9}", digits) else None


def seconds_between(later: str | None, earlier: str | None) -> float | None:
    """Seconds from one date of HTTP (RFC 9110, section 5.6.7) to another; None where either is none."""
    try:
        return (parsedate_to_datetime(later or "") - parsedate_to_datetime(earlier or "")).total_seconds()
    except (TypeError, ValueError, OverflowError, LookupError):
        return None


def seconds_after(date: str | None, moment: object) -> float | None:
    """Seconds from a date of HTTP to a moment; None where either is none.

    A moment is ISO 8601 with its zone, or seconds since 1970 as a number or as decimal digits.
    """
    try:
        began = parsedate_to_datetime(date or "")
        if isinstance(moment, str) and not _DIGITS.fullmatch(moment):
            return (datetime.fromisoformat(moment) - began).total_seconds()
        return float(seconds) - began.timestamp() if (seconds := identifier(moment)) is not None else None
    except (TypeError, ValueError, OverflowError, LookupError):
        return None


def cookies(set_cookie: Iterable[str]) -> dict[str, str]:
    """Names and values out of Set-Cookie headers, a header each; one that could not be sent back is left out.

    RFC 6265, section 5.2: what stands before the first semicolon, split at the first equals sign. Values stay as they
    are spelt, percent-encoding and all.
    """
    found: dict[str, str] = {}
    for line in set_cookie:
        name, equals, value = line[: COOKIE_BYTES + 1].partition(";")[0].partition("=")
        name, value = name.strip(" \t"), value.strip(" \t")
        short = bool(equals) and len(name) + len(value) < COOKIE_BYTES
        if short and _COOKIE_NAME.fullmatch(name) and _COOKIE_VALUE.fullmatch(value):
            found[name] = value
    return found


def cookie_header(value: str | None) -> str | None:
    """A whole Cookie header that somebody made for us: printable ASCII on one line; None for anything else."""
    value = (value or "").strip(" \t")
    return value if re.fullmatch(r"[\x20-\x7E]{1,16384}", value) else None


@dataclass(frozen=True, slots=True)
class URL:
    """A URL without user and fragment, whose host is a name or an address."""

    text: str = field(repr=False)
    """All of it, with its query, which may be a secret."""
    scheme: str
    host: str
    port: int | None
    query: str = field(repr=False)

    @property
    def place(self) -> str:
        """Scheme, host and port: what may be shown of it."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}" + (f":{self.port}" if self.port is not None else "")


def url(value: object, *, most: int = 8_192) -> URL:
    """Read a URL. Raises Unreadable, also for what browsers would mend: each repair is a second reading of it."""
    if not isinstance(value, str) or len(value) > most:
        raise Unreadable(f"it is no text of at most {most} letters")
    if not _URL_LETTERS.fullmatch(value) or "\\" in value:
        raise Unreadable("it has letters in it that a URL cannot have")
    try:
        parts = urlsplit(value)
        port = parts.port
    except ValueError as cause:
        raise Unreadable("its host or port is none") from cause
    if "@" in parts.netloc or "#" in value:
        raise Unreadable("it has a user or a fragment in it")
    host = parts.hostname or ""
    if not value.startswith(f"{parts.scheme}://") or not parts.scheme:
        raise Unreadable("it does not begin with a scheme in small letters")
    bracketed = parts.netloc.startswith("[")
    known = _BRACKETED.fullmatch(parts.netloc) and _is_ipv6(host) if bracketed else _HOST.fullmatch(host)
    if not known or port == 0 or parts.netloc.endswith(":"):
        raise Unreadable("its host or port is none")
    return URL(value, parts.scheme, host, port, parts.query)


def _is_ipv6(host: str) -> bool:
    try:
        return not IPv6Address(host).scope_id
    except ValueError:
        return False


def shown(value: str, *, most: int | None = SHOWN) -> str:
    """A text as it may stand on a terminal and in a log: what would move the cursor or turn the writing is escaped.

    Escaped is what Unicode does not count as printable: control letters (C0, C1), marks of direction, lone surrogates.
    None is no limit to its length.
    """
    cut = value if most is None or len(value) <= most else value[: most - 1] + "…"
    return cut if cut.isprintable() else "".join(map(_letter, cut))


def _letter(letter: str) -> str:
    return letter if letter.isprintable() else ascii(letter)[1:-1]


def _no_constant(name: str) -> None:
    raise ValueError(name)  # NaN and the infinities are Python's, not JSON's


def _clean(value: Any) -> Any:
    """The same value with text that can be encoded."""
    match value:
        case str() if not value.isascii():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_clean(item) for item in value]
        case dict():
            return {_clean(key): _clean(item) for key, item in value.items()}
        case _:
            return value

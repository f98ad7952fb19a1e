"""Proxies: a file of them, and what is wrong with the variables HTTPS_PROXY, NO_PROXY and their kin; pure.

httpx and websockets read the variables by themselves, each in its own way. What one of the two could not use is named
here, before there is a client, and never quoted: a proxy's password stands in it.
"""

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from ipaddress import IPv6Address
from urllib.parse import unquote

from producer import addresses
from producer.strangers import Unreadable

PROXIES = frozenset({"all_proxy", "http_proxy", "https_proxy", "socks_proxy", "ws_proxy", "wss_proxy"})
"""Names in any case, as urllib takes them."""
EXCEPTIONS = "no_proxy"
SOCKS = ("socks5", "socks5h")
SCHEMES = ("http", "https", *SOCKS)
"""What both libraries speak; socks5h lets the proxy look names up."""

_USER = re.compile(r"[!-~]+:[!-~]*")
_RESERVED = re.compile(r"[/?#\[\]\\@]")
_NETWORK = re.compile(r"[0-9.]+/[0-9]{1,2}")
_NAME = re.compile(r"(https?://|all://)?[*.]*[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+)*\.?(:[0-9]{1,4})?")


NAME_LETTERS = 48
"""Of a proxy's name, which goes into labels and keys."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that can be used."""

    name: str
    """Its host and port, which may be shown."""
    url: str = field(repr=False)
    """The whole, with its user and password."""

    @property
    def is_https(self) -> bool:
        """Whether it is itself spoken to by TLS."""
        return self.url.lower().startswith("https:")


def read_list(text: str) -> tuple[Proxy, ...]:
    """Read a file of proxies: a URL a line, blank lines and comments aside. Raises Unreadable, which names the lines.

    Proxies of one host and port, for different users, are told apart by their order.
    """
    found: dict[str, Proxy] = {}
    wrong: list[str] = []
    for number, line in enumerate(text.splitlines(), 1):
        url = line.strip()
        if not url or url.startswith("#"):
            continue
        if problem := _of_proxy(url):
            wrong.append(f"line {number} {problem}")
        elif any(proxy.url == url for proxy in found.values()):
            wrong.append(f"line {number} is there twice")
        else:
            proxy = Proxy(_name(url, found), url)
            found[proxy.name] = proxy
    if wrong or not found:
        raise Unreadable("; ".join(wrong) or "no proxy is in it")
    return tuple(found.values())


def _name(url: str, taken: Mapping[str, Proxy]) -> str:
    place = url.partition("://")[2].rpartition("@")[2].rstrip("/").lower()
    if len(place) > NAME_LETTERS:
        digest = hashlib.sha256(place.encode()).hexdigest()[:8]
        place = f"{place[: NAME_LETTERS - 9]}~{digest}"
    number = sum(name == place or name.startswith(f"{place}#") for name in taken)
    return f"{place}#{number + 1}" if number else place


def problems(environ: Mapping[str, str]) -> Iterator[str]:
    """Say what is wrong with each variable that a client of ours would read."""
    for name, value in sorted(environ.items()):
        if name.lower() in PROXIES and value:
            if problem := _of_proxy(value):
                yield f"{name} {problem}"
        elif name.lower() == EXCEPTIONS:
            for place, entry in enumerate(value.split(","), 1):
                if problem := _of_exception(entry.strip()):
                    yield f"{name}: entry {place} {problem}"


def _of_proxy(value: str) -> str | None:
    scheme, separator, rest = value.partition("://")
    if not separator:
        return "has no scheme; write it as http://host:port"
    scheme = scheme.lower()
    if scheme not in SCHEMES:
        return f"has a scheme that is not spoken here; there are {', '.join(SCHEMES)}"
    user, is_there, place = rest.rpartition("@")
    if is_there and not _USER.fullmatch(user):
        return "names a user without a password"
    if is_there and (_RESERVED.search(user) or not _is_encoded(user)):
        return "has letters in its user or password that must be percent-encoded"
    try:
        url = addresses.url(f"{scheme}://{place}")
    except Unreadable as unreadable:
        return f"cannot be used: {unreadable}"
    if re.search(r"[/?]", place.removesuffix("/")):
        return "has a path or a query, which mean nothing for a proxy"
    if scheme in SOCKS and url.port is None:
        return "has no port"
    return None


def _is_encoded(user: str) -> bool:
    try:
        unquote(user, errors="strict")
    except UnicodeDecodeError:
        return False
    return True


def _of_exception(entry: str) -> str | None:
    if entry in ("", "*") or _NETWORK.fullmatch(entry) or _NAME.fullmatch(entry):
        return None
    if "[" in entry:
        return "is in brackets; an IPv6 address stands there without them"
    if ":" in entry and "/" in entry:
        return "is a network of IPv6 addresses, of which httpx knows none; name addresses or hosts"
    return None if _is_ipv6(entry) else "is neither a name nor an address"


def _is_ipv6(entry: str) -> bool:
    address, has_interface, interface = entry.partition("%")
    try:
        IPv6Address(address)
    except ValueError:
        return False
    return not has_interface or (interface.isascii() and interface.isalnum())

"""Addresses that an operator gives us, of servers and of their pages; pure.

What is wrong with one is said without quoting it: credentials stand in such places by mistake.
"""

import re
from ipaddress import IPv4Address

from producer import strangers
from producer.strangers import Unreadable

_DOT_AT_THE_END = re.compile(r"^([a-z]+://[^:/?\[\]]*[^:/?\[\].])\.(?=[:/?]|$)")
"""Of a host's name, which says that it is whole."""


_LIKE_IPV4 = re.compile(r"[0-9]+(\.[0-9]+){3}")


def url(value: str) -> strangers.URL:
    """Read a URL. Raises Unreadable."""
    read = strangers.url(_DOT_AT_THE_END.sub(r"\1", value))
    if _LIKE_IPV4.fullmatch(read.host) and not _is_ipv4(read.host):
        raise Unreadable("its host looks like an address of IPv4 and is none")
    if any(label.startswith("xn--") and not _is_idn(label) for label in read.host.split(".")):
        raise Unreadable("its host looks like an internationalized name and is none")
    return read


def base_url(value: str) -> strangers.URL:
    """Read a URL that paths are put behind. Raises Unreadable."""
    read = url(value)
    if "?" in value:
        raise Unreadable("it has a query in it")
    return read


def upstream(value: str) -> None:
    """Read where LIVE rooms are: TikTok by its word, or a simulator by its URL. Raises Unreadable."""
    if value != "tiktok" and f".{base_url(value).host}".endswith(".tiktok.com"):
        raise Unreadable("TikTok itself is not named by a URL: say tiktok")


def servers(value: str) -> None:
    """Read Kafka's bootstrap servers: host:port, with commas. Raises Unreadable."""
    for place, server in enumerate(value.split(","), 1):
        address = server.strip()
        if re.search("[/?@]", address):
            raise Unreadable(f"server {place} is not host:port: it has more than that in it")
        try:
            url(f"kafka://{address}")
        except Unreadable as problem:
            raise Unreadable(f"server {place} is not host:port, with IPv6 in brackets: {problem}") from None


def without_query(value: str) -> str:
    """A URL as it may be shown."""
    return value.partition("?")[0]


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _is_idn(label: str) -> bool:
    try:
        return bool(label.encode().decode("idna"))
    except UnicodeError:
        return False

"""Whatever stands in the environment is settings or a refusal, and proxies that pass can be used by both clients."""

import urllib.request
from contextlib import suppress
from random import Random

import httpx
import pytest
from aiokafka.conn import collect_hosts
from websockets.proxy import parse_proxy

from producer import addresses, proxies, settings
from producer.errors import StartRefused
from producer.settings import Settings
from producer.strangers import Unreadable
from tests.fuzzing import fuzz

NAMES = [settings.variable(name) for name in Settings.model_fields]
PLACES = [
    *(
        "http://127.0.0.1:8100",
        "tiktok",
        "https://a",
        "http://u:p@a",
        "http://[::1",
        "http://a:x",
        "http://a/?b",
        "ftp://a",
    ),
    *("kafka:9092", "kafka:abc", "a:1,", "[::1]:1", "::1", "user:pass@kafka:1", "http://1.2.3.400"),
]
VALUES = [
    *PLACES,
    *("", "0", "1", "-1", "7", "1e400", "nan", "inf", "9" * 5_000, "0.5", "true", "yes", "sign", "direct", "all"),
    *("SASL_SSL", "SSL", "OAUTHBEARER", "PLAIN", "lz4", "none", ".example.com", ".a,.b.c,", "list.yaml", "\x00", "\n"),
    *("\udcff", "\u202e", "ä", "x" * 10_000, " ", "[]", "{}", "null"),
]
LEAST = {"PRODUCER_UPSTREAM": "tiktok", "PRODUCER_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}
PIECES = [
    *(
        "http",
        "https",
        "socks5",
        "socks5h",
        "socks4",
        "ws",
        "://",
        ":",
        "@",
        "[",
        "]",
        "/",
        "?",
        "#",
        "%",
        "%ff",
        "%20",
    ),
    *("a", "b.c", "p", "3128", "99999", "0", "::1", "127.0.0.1", "ü", "_", "-", ".", "*", ",", "fd00::", "/8", " "),
    *("localhost", "~", "!", "$", "&", "'", "(", ")", "+", "=", ";", "\\", "^", "|", '"', "<", "{", "\x00", "\udcff"),
]


def test_any_environment_is_settings_or_a_refusal() -> None:
    def make(chance: Random) -> dict[str, str]:
        environ = dict(LEAST) if chance.random() < 0.9 else {}
        names = chance.choices([*NAMES, "PRODUCER_X", "HTTPS_PROXY"], k=chance.randrange(4))
        return environ | {name: chance.choice(VALUES) for name in names}

    def read(given: dict[str, str]) -> None:
        try:
            settings.from_environ(given)
        except StartRefused as refused:
            assert len(str(refused)) < 5_000
            raise

    fuzz(make, read, StartRefused)


class Refused(ValueError):
    """There are problems."""


def test_a_proxy_that_passes_can_be_used_by_both_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def make(chance: Random) -> tuple[str, str]:
        name = chance.choice(["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"])
        value = "".join(chance.choices(PIECES, k=chance.randrange(1, 7)))
        if name != "NO_PROXY" and chance.random() < 0.8:
            value = f"{chance.choice(proxies.SCHEMES)}://{value}"
        return name, value

    def read(given: tuple[str, str]) -> None:
        name, value = given
        if problems := list(proxies.problems({name: value})):
            assert len(value) < 10 or value not in "".join(problems)
            raise Refused
        with monkeypatch.context() as patched:
            patched.setenv(name, value)
            httpx.AsyncClient(verify=False)  # makes a transport for each proxy and exception
            if name == "NO_PROXY":
                urllib.request.proxy_bypass("a.b:80")
            else:
                parse_proxy(value)

    fuzz(make, read, Refused)


def test_a_list_of_proxies_that_passes_can_be_used_by_both_clients() -> None:
    def make(chance: Random) -> str:
        lines = ["# ours", "", "http://me:pass@gate:7000", "socks5h://[::1]:1080"]
        return "\n".join(
            chance.choice([*lines, f"{chance.choice(proxies.SCHEMES)}://{''.join(chance.choices(PIECES, k=2))}"])
            for _ in range(chance.randrange(1, 4))
        )

    def read(given: str) -> None:
        listed = proxies.read_list(given)
        assert len({proxy.name for proxy in listed}) == len(listed)
        for proxy in listed:
            httpx.Proxy(proxy.url)
            parse_proxy(proxy.url)
            assert "@" not in proxy.name
            assert proxy.name.isascii()
            assert proxy.name.isprintable()

    fuzz(make, read, Unreadable)


def test_an_address_that_passes_can_be_used_by_its_client() -> None:
    """But for internationalized names, whose letters httpx looks at when it asks: producer.answers expects that."""

    def make(chance: Random) -> tuple[bool, str]:
        likely = ["a", "b.c", "xn--", "[::1]", "127.0.0.1", "1.2.3", ":9092", ".", ","]
        return chance.random() < 0.5, "".join(chance.choices([*PIECES, *likely, *likely], k=chance.randrange(1, 5)))

    def read(given: tuple[bool, str]) -> None:
        is_url, value = given
        if is_url:
            url = f"http://{value}"
            addresses.base_url(url)
            with suppress(UnicodeError):
                assert httpx.Request("GET", f"{url}/x").url.host
        else:
            addresses.servers(value)
            for host, port, _ in collect_hosts(value):
                assert host.encode("idna")
                assert 0 < port < 65_536

    fuzz(make, read, Unreadable)

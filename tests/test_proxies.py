"""producer.proxies: what a client of ours could not use is named, with its variable, and never quoted."""

import os

import pytest
from websockets.proxy import get_proxy
from websockets.uri import parse_uri

from producer import proxies
from producer.strangers import Unreadable


@pytest.mark.parametrize(
    "environ",
    [
        {},
        {"HTTPS_PROXY": ""},
        {"https_proxy": "http://proxy:3128"},
        {"HTTPS_PROXY": "http://proxy.example.com:3128/"},
        {"HTTP_PROXY": "https://user:p%40ss@10.0.0.1:8443"},
        {"ALL_PROXY": "socks5h://user:pass@[::1]:1080"},
        {"wss_proxy": "socks5://proxy:1080"},
        {"TRAVIS_APT_PROXY": "nonsense", "PROXY": "nonsense", "ftp_proxy": "nonsense"},
        {"NO_PROXY": "localhost, .svc.cluster.local,*.example.com,10.0.0.0/8,127.0.0.1:9092,::1,fe80::1%eth0,,*"},
    ],
    ids=str,
)
def test_what_both_libraries_can_use_is_no_problem(environ: dict[str, str]) -> None:
    assert list(proxies.problems(environ)) == []


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("proxy:3128", "has no scheme; write it as http://host:port"),
        ("proxy", "has no scheme; write it as http://host:port"),
        ("ws://proxy:3128", "has a scheme that is not spoken here; there are http, https, socks5, socks5h"),
        ("socks4://proxy:1080", "has a scheme that is not spoken here; there are http, https, socks5, socks5h"),
        ("socks5://proxy", "has no port"),
        ("http://canary@proxy:3128", "names a user without a password"),
        ("http://user:canary%ff@proxy:3128", "has letters in its user or password that must be percent-encoded"),
        ("http://user:can/ary@proxy:3128", "has letters in its user or password that must be percent-encoded"),
        ("http://proxy:99999", "cannot be used: its host or port is none"),
        ("http://[::1:3128", "cannot be used: its host or port is none"),
        ("http://:3128", "cannot be used: its host or port is none"),
        ("http://10.0.0.300:3128", "cannot be used: its host looks like an address of IPv4 and is none"),
        ("http://pröxy:3128", "cannot be used: it has letters in it that a URL cannot have"),
        ("http://proxy:3128/path", "has a path or a query, which mean nothing for a proxy"),
        ("http://proxy:3128?canary", "has a path or a query, which mean nothing for a proxy"),
    ],
)
@pytest.mark.parametrize("name", ["HTTPS_PROXY", "all_proxy"])
def test_what_one_of_them_could_not_use_is_a_sentence(name: str, value: str, problem: str) -> None:
    assert list(proxies.problems({name: value})) == [f"{name} {problem}"]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("a,[::1", "entry 2 is in brackets; an IPv6 address stands there without them"),
        ("[::1]", "entry 1 is in brackets; an IPv6 address stands there without them"),
        ("fd00::/8", "entry 1 is a network of IPv6 addresses, of which httpx knows none; name addresses or hosts"),
        ("a b", "entry 1 is neither a name nor an address"),
        ("1.2.3.4:x", "entry 1 is neither a name nor an address"),
        ("::%", "entry 1 is neither a name nor an address"),
        ("fe80::1%ü", "entry 1 is neither a name nor an address"),
        ("ü.de", "entry 1 is neither a name nor an address"),
    ],
)
def test_an_exception_that_httpx_could_not_read_is_a_sentence(value: str, problem: str) -> None:
    assert list(proxies.problems({"NO_PROXY": value})) == [f"NO_PROXY: {problem}"]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["ALL_PROXY"], None),
        (["ALL_PROXY", "HTTP_PROXY"], None),
        (["ALL_PROXY", "HTTPS_PROXY"], "http://https_proxy:1"),
        (["HTTPS_PROXY", "SOCKS_PROXY"], "socks5h://socks_proxy:1"),
        (["HTTPS_PROXY", "SOCKS_PROXY", "WSS_PROXY"], "http://wss_proxy:1"),
    ],
    ids=str,
)
def test_a_sockets_proxy_is_the_one_that_the_page_of_settings_says(
    names: list[str], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*os.environ]:
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name in names:
        monkeypatch.setenv(name, f"http://{name.lower()}:1")

    assert get_proxy(parse_uri("wss://webcast-ws.tiktok.com/")) == expected


def test_a_list_of_proxies_is_named_by_host_and_port() -> None:
    read = proxies.read_list(
        "# ours\n\nhttp://10.0.0.1:3128\n  https://me:c4n4ry@Proxy.example.com/  \n\nsocks5://[::1]:1080\n"
        "socks5h://one:c4n4ry@gate:7000\nsocks5h://two:c4n4ry@gate:7000\n"
    )

    assert [proxy.name for proxy in read] == [
        "10.0.0.1:3128",
        "proxy.example.com",
        "[::1]:1080",
        "gate:7000",
        "gate:7000#2",
    ]
    assert [proxy.is_https for proxy in read] == [False, True, False, False, False]
    assert "c4n4ry" not in repr(read)
    assert read[1].url == "https://me:c4n4ry@Proxy.example.com/"


def test_a_long_host_has_a_name_that_fits() -> None:
    first, second = proxies.read_list(f"http://{'a' * 60}.example.com:1\nhttp://{'a' * 60}.example.com:2")

    assert len(first.name) == len(second.name) == 48
    assert first.name.startswith("a" * 39)
    assert first.name != second.name


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("# nothing\n\n", "no proxy is in it"),
        (
            "http://me:c4n4ry@gate:1\n10.0.0.1:3128\n#\nhttp://c4n4ry@gate:1",
            "line 2 has no scheme; write it as http://host:port; line 4 names a user without a password",
        ),
        ("http://me:c4n4ry@gate:1\nhttp://me:c4n4ry@gate:1", "line 2 is there twice"),
    ],
)
def test_a_list_that_cannot_be_used_is_named_by_its_lines(text: str, problem: str) -> None:
    with pytest.raises(Unreadable) as unreadable:
        proxies.read_list(text)

    assert str(unreadable.value) == problem

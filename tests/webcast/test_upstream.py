"""producer.webcast.upstream: nobody is contacted but whom the operator named."""

import pytest

from producer import strangers
from producer.errors import FailedConnection, Reason
from producer.webcast.upstream import Upstream

TIKTOK = Upstream.tiktok()
SIMULATOR = Upstream.at("http://127.0.0.1:8100/")


@pytest.mark.parametrize(
    "url",
    [
        "wss://webcast-ws.tiktok.com/webcast/im/ws_proxy/ws_reuse_supplement/?a=b",
        "wss://webcast16-ws-useast5.us.tiktok.com:443/x",
    ],
)
def test_tiktoks_own_sockets_are_allowed(url: str) -> None:
    TIKTOK.check_socket(strangers.url(url))


@pytest.mark.parametrize(
    "url",
    [
        "ws://webcast-ws.tiktok.com/",
        "wss://tiktok.com.evil.example/",
        "wss://eviltiktok.com/",
        "wss://127.0.0.1/",
        "wss://[::1]/",
        "wss://169.254.169.254/",
        "wss://webcast-ws.tiktok.com:8443/",
        "wss://ws-fallback.example.com/",
        "https://webcast-ws.tiktok.com/",
    ],
)
def test_any_other_socket_is_refused(url: str) -> None:
    with pytest.raises(FailedConnection) as refused:
        TIKTOK.check_socket(strangers.url(url))

    assert refused.value.reason is Reason.HOST_REFUSED


def test_a_listed_suffix_is_allowed() -> None:
    Upstream.tiktok(further_socket_suffixes=(".example.com",)).check_socket(
        strangers.url("wss://ws-fallback.example.com/")
    )


def test_a_simulator_is_one_host() -> None:
    SIMULATOR.check_socket(strangers.url("ws://127.0.0.1:8100/webcast/im/?a=b"))
    assert SIMULATOR.web_url == "http://127.0.0.1:8100"
    assert not SIMULATOR.is_tiktok


@pytest.mark.parametrize(
    "url", ["ws://127.0.0.1:8101/", "wss://127.0.0.1:8100/", "wss://webcast-ws.tiktok.com/", "ws://localhost:8100/"]
)
def test_a_simulator_sends_nobody_elsewhere(url: str) -> None:
    with pytest.raises(FailedConnection):
        SIMULATOR.check_socket(strangers.url(url))

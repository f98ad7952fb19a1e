"""producer.addresses: what an operator may give as a server or its page."""

import pytest

from producer import addresses
from producer.strangers import Unreadable


@pytest.mark.parametrize(
    "value",
    [
        "kafka:9092",
        "kafka",
        "a.example.com:9092, b.example.com:9093",
        "10.0.0.1:9092,[fd00::1]:9092",
        "kafka.svc.cluster.local.:9092",
        "my_kafka:1",
        "xn--bcher-kva.example:9092",
    ],
)
def test_bootstrap_servers_are_hosts_and_ports(value: str) -> None:
    addresses.servers(value)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        ("kafka:abc", 1),
        ("a:1,b:70000", 2),
        ("a:1,:9092", 2),
        ("a:1,", 2),
        ("kafka:", 1),
        ("kafka:0", 1),
        ("::1", 1),
        ("[::1:9092", 1),
        ("[kafka]:9092", 1),
        ("[::1].", 1),
        ("kafka:9092.", 1),
        ("xn--a:9092", 1),
        ("1.2.3.400:9092", 1),
        ("kafka..svc:9092", 1),
        (f"{'a' * 64}:9092", 1),
        ("käfka:9092", 1),
        ("SASL://user:canary@kafka:9092", 1),
        ("user:canary@kafka:9092", 1),
        ("kafka:9092/canary", 1),
        ("kafka 9092", 1),
    ],
)
def test_what_is_no_server_is_named_by_its_place(value: str, place: int) -> None:
    with pytest.raises(Unreadable, match=rf"^server {place} is not host:port") as refused:
        addresses.servers(value)

    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(
    "value", ["http://registry:8081", "https://a.example.com/apis/v7/", "http://registry.ns.svc.:1/"]
)
def test_a_base_url_is_a_url_without_a_query(value: str) -> None:
    addresses.base_url(value)


@pytest.mark.parametrize(
    "value", ["http://a/?key=canary", "http://canary@a", "http://a#canary", "http://a:x", "http://1.2.3.400"]
)
def test_what_is_no_base_url_is_refused_without_a_word_of_it(value: str) -> None:
    with pytest.raises(Unreadable) as refused:
        addresses.base_url(value)

    assert "canary" not in str(refused.value)


def test_a_url_is_shown_without_its_query() -> None:
    assert addresses.without_query("https://idp/token?key=canary") == "https://idp/token"

"""producer.entrance: from settings to the door of a gateway."""

import asyncio
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from producer.entrance import door
from producer.errors import StartRefused
from producer.named_files import refuse_unusable
from producer.observability.metrics import Metrics
from producer.settings import Settings, from_environ
from producer.webcast.http import HTTP
from producer.webcast.room import RoomId
from producer.webcast.upstream import Upstream


def settings(**more: str) -> Settings:
    least = {"UPSTREAM": "http://127.0.0.1:9", "KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9"}
    return from_environ({f"PRODUCER_{name}": value for name, value in (least | more).items()})


def test_a_gateway_is_asked_as_the_settings_say(tmp_path: Path) -> None:
    file = tmp_path / "jwt"
    file.write_text("t0ken")
    chosen = settings(
        DOORS="direct,gateway",
        GATEWAY_URL="wss://gateway.test/socket",
        GATEWAY_JWT_FILE=str(file),
        GATEWAY_RAW_OPTION="flags.rawMessages",
    )
    nobody: HTTP = None  # type: ignore[assignment]  # a gateway asks over no HTTP

    made = door("gateway", chosen, Upstream.at("http://127.0.0.1:9"), nobody, Metrics(topics=(), version="test"))

    assert chosen.doors == ("direct", "gateway")
    address = asyncio.run(made.obtain(RoomId(7), "ann"))
    parts = urlsplit(address.url.text)
    assert (parts.scheme, parts.netloc, parts.path) == ("wss", "gateway.test", "/socket")
    assert parse_qs(parts.query) == {"uniqueId": ["ann"], "jwtKey": ["t0ken"], "flags.rawMessages": ["true"]}


def test_a_key_that_is_not_there_refuses_the_start_by_its_settings_name(tmp_path: Path) -> None:
    chosen = settings(DOORS="gateway", GATEWAY_KEY_FILE=str(tmp_path / "none"))

    with pytest.raises(StartRefused) as refused:
        refuse_unusable(chosen)

    assert str(refused.value) == (
        f"PRODUCER_GATEWAY_KEY_FILE: {tmp_path / 'none'} cannot be read: No such file or directory"
    )

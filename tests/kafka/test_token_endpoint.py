"""producer.kafka.security: what a token endpoint may answer, against a transport of ours."""

import asyncio
import json
from traceback import format_exception

import httpx
import pytest

from producer.kafka.security import TOKEN_DEFAULT_SECONDS, EndpointToken, NoToken
from tests.webcast.answers import Pieces

SECRET = "yranac"[::-1]


def fetch(status: int, body: bytes, headers: dict[str, str] | None = None) -> tuple[str, float]:
    """Ask an endpoint that answers so; give the token and its life."""

    def handler(_: httpx.Request) -> httpx.Response:
        return httpx.Response(status, headers=headers or {}, stream=Pieces([body]))

    endpoint = EndpointToken(
        f"https://idp.test/token?policy={SECRET}",
        client_id="worker",
        secret=SECRET,
        scope=None,
        trust=True,
        transport=httpx.MockTransport(handler),
    )
    return asyncio.run(endpoint.fetch())


@pytest.mark.parametrize(
    ("stated", "seconds"),
    [
        ("3600", 3600.0),
        ('"3599"', 3599.0),
        ("59.5", 59.5),
        ("0", 0.0),
        ("null", TOKEN_DEFAULT_SECONDS),
        ("-1", TOKEN_DEFAULT_SECONDS),
        ("true", TOKEN_DEFAULT_SECONDS),
        ("1e999", TOKEN_DEFAULT_SECONDS),
        ("1" + "0" * 400, TOKEN_DEFAULT_SECONDS),
        ('"soon"', TOKEN_DEFAULT_SECONDS),
        ("[]", TOKEN_DEFAULT_SECONDS),
    ],
)
def test_a_tokens_life_is_what_is_stated_or_five_minutes(stated: str, seconds: float) -> None:
    assert fetch(200, b'{"access_token": "a.b-c_d~e+f/g==", "expires_in": %s}' % stated.encode()) == (
        "a.b-c_d~e+f/g==",
        seconds,
    )


@pytest.mark.parametrize(
    ("status", "body", "says"),
    [
        (401, b'{"error": "invalid_client"}', "answered 401 (invalid_client)"),
        (400, b'{"error": "\\u001b[31m\\u202e"}', "answered 400 (\\x1b[31m\\u202e)"),
        (400, b'{"error": ["a"]}', "answered 400"),
        (400, b"<html>", "answered 400"),
        (302, b"", "answered 302"),
        (200, b"", "gave no access token"),
        (200, b"[" * 60_000, "gave no access token"),
        (200, b'{"access_token": 7}', "gave no access token"),
        (200, b'{"access_token": ""}', "gave no access token"),
        (200, json.dumps({"access_token": "a\x01auth=b"}).encode(), "gave no access token"),
        (200, json.dumps({"access_token": "a\nb"}).encode(), "gave no access token"),
        (200, b" " * 70_000, "cannot be used: it is longer than 65536 bytes"),
    ],
)
def test_anything_else_is_no_token_and_its_sentence_has_neither_secret_nor_control_letters(
    status: int, body: bytes, says: str
) -> None:
    with pytest.raises(NoToken) as refused:
        fetch(status, body)

    assert str(refused.value) == f"the token endpoint https://idp.test/token {says}"
    assert SECRET not in "".join(format_exception(refused.value))


def test_a_bomb_is_not_inflated() -> None:
    with pytest.raises(NoToken, match="encoded in a way that was not asked for"):
        fetch(200, b"", {"Content-Encoding": "gzip, gzip"})

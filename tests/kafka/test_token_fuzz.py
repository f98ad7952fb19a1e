"""What a token endpoint answers: any of it is a token with its life, or NoToken."""

import json
from random import Random

import httpx

from producer.answers import Answer
from producer.kafka.security import TOKEN_LETTERS, NoToken, read_token
from tests.fuzzing import fuzz

TOKENS = ["a.b.c", "d", "e==", "f-_~+/", "", "a\x01auth=b", "a\nb", "\u202e", "\ud800", 7, None, ["a"], {"a": 1}, True]
LIVES = [
    "3600",
    "0",
    "-1",
    "1.5",
    "1e999",
    "1" + "0" * 400,
    '"3599"',
    '"soon"',
    '"\\u0663"',
    "true",
    "null",
    "[]",
    "{}",
]
ERRORS = ["invalid_client", "\x1b[2J", "\x9b", "x" * 10_000, 7, None, ["a"]]


def answer(chance: Random) -> Answer:
    fields = [
        f'"access_token": {json.dumps(chance.choice(TOKENS))}',
        f'"expires_in": {chance.choice(LIVES)}',
        f'"error": {json.dumps(chance.choice(ERRORS))}',
    ]
    text = "{" + ", ".join(chance.choices(fields, k=chance.randrange(5))) + "}"
    odd = [text.encode()[:-1], chance.randbytes(chance.randrange(20)), b"[" * 3_000]
    body = text.encode() if chance.random() < 0.7 else chance.choice(odd)
    return Answer(chance.choice([200, 200, 200, 200, 400, 401, 500, 302, 204]), httpx.Headers(), body)


def test_any_answer_of_a_token_endpoint_is_a_token_or_none() -> None:
    def read(given: Answer) -> None:
        try:
            token, seconds = read_token("https://idp.test/", given)
        except NoToken as refused:
            assert str(refused).isprintable()
            assert len(str(refused)) < 500
            raise
        assert TOKEN_LETTERS.fullmatch(token)
        assert 0 <= seconds <= 10**9

    fuzz(answer, read, NoToken)

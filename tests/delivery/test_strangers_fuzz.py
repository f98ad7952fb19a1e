"""What a registry answers and what lies on the dead-letter topic: any of it is a value or a documented error."""

import asyncio
import gzip
import itertools
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from random import Random
from typing import Any

import httpx

from producer import answers
from producer.answers import Answer, NoAnswer
from producer.delivery import registry_access
from producer.delivery.dead_letters import Header, Letter, LetterReason, Place, read_letter
from producer.delivery.registry import Registered, Registry, Standing
from producer.delivery.schema_diff import LONGEST, MOST, differences
from producer.errors import StartRefused
from producer.events import schemas
from producer.letters import document, dump, table
from producer.strangers import Unreadable
from tests.fuzzing import fuzz
from tests.webcast.answers import Pieces

COMMENT = schemas.events()["comment"]
SCHEMAS = [
    COMMENT.text,
    "{",
    "7",
    "[" * 500 + "]" * 500,
    '{"type":"record"}',
    '{"type":"record","name":"a","fields":[7]}',
    '{"type":"record","name":["a"],"fields":{"a":1}}',
    '{"type":"record","name":"a","fields":[{"name":{},"type":[]}]}',
]
WORDS = ["", "FULL_TRANSITIVE", "\x1b[2J\u202e\x9b\n", "\ud800", "x" * 5_000]
VALUES = [
    *("0", "1", "-1", "42", "2147483647", "2147483648", "1" + "0" * 400, "1.5", "1e999", "true", "null", "NaN"),
    *map(json.dumps, [*WORDS, *SCHEMAS]),
    *("[]", "{}", '["a", 7, null, "\\u001b"]', '{"a": [1]}', "[" * 3_000 + "]" * 3_000),
]
CODES = ["40401", "40403", "40408", "40301", "409"]
KEYS = ["id", "version", "schema", "message", "messages", "is_compatible", "compatibilityLevel", "compatibility"]
STATUSES = [200, 200, 200, 204, 302, 401, 403, 404, 404, 404, 405, 409, 422, 429, 500, 599, 100]
TIMES = ["", "7", "9" * 50, "soon", "Wed, 21 Oct 2015 07:28:00 +99999999999999999999", "\u0663", "-1"]
NAMES = [b"Content-Encoding", b"Retry-After", b"Date", b"Set-Cookie", b"Location", b"Content-Type"]
SAID = [b"gzip", b"GZIP", b"gzip, gzip", b"identity", b"a=b; expires=x", b"9" * 99, b"text/html; charset=\xff"]
GZIPPED = [gzip.compress(b"{}"), gzip.compress(b"0" * 1_000), gzip.compress(b"{}")[:-3]]


def noise(chance: Random, *, most: int = 20) -> bytes:
    """A few bytes of any kind."""
    return chance.randbytes(chance.randrange(most + 1))


def registry_answer(chance: Random) -> Answer:
    """An answer with an object that a registry might send, as it should not."""
    fields = [(json.dumps(key), chance.choice(VALUES)) for key in chance.choices(KEYS, k=chance.randrange(5))]
    fields += [('"error_code"', chance.choice(VALUES + 9 * CODES)) for _ in range(chance.randrange(2))]
    text = "{" + ",".join(f"{key}:{value}" for key, value in fields) + "}"
    body = noise(chance) if chance.random() < 0.1 else text.encode("utf-8", "surrogatepass")
    headers = [(name, chance.choice(TIMES).encode()) for name in (b"Retry-After", b"Date")]
    return Answer(chance.choice(STATUSES), httpx.Headers(headers), body)


class Scripted(registry_access.Door):
    """A door behind which answers lie ready, each again and again."""

    script: Iterator[Answer]

    async def once(self, method: str, path: str, body: Mapping[str, str] | None = None) -> registry_access.Answer:
        return registry_access.Answer.read(next(self.script))


def result(coroutine: Coroutine[Any, Any, object]) -> object:
    """What a coroutine that waits for nothing returns."""
    try:
        coroutine.send(None)
    except StopIteration as done:
        return done.value
    raise AssertionError("it waits")


def test_any_answers_of_a_registry_are_a_value_or_a_refusal() -> None:
    registry = Registry("http://registry.test")
    door = Scripted("http://registry.test", registry_access.Access())
    vars(registry)["_door"] = door
    asks: list[Callable[[], Coroutine[Any, Any, object]]] = [
        lambda: registry.register(COMMENT, "t"),
        lambda: registry.register(COMMENT, "t", set_compatibility=True),
        lambda: registry.check(COMMENT, "t"),
    ]

    def make(chance: Random) -> tuple[list[Answer], int]:
        return [registry_answer(chance) for _ in range(chance.randrange(1, 5))], chance.randrange(len(asks))

    def read(given: tuple[list[Answer], int]) -> None:
        script, ask = given
        door.script = itertools.cycle(script)
        try:
            said = result(asks[ask]())
        except StartRefused as refused:
            assert harmless(str(refused), most=5_000)
            raise
        assert isinstance(said, Registered | Standing)
        assert harmless(str(said), most=20_000)

    async def main() -> None:
        fuzz(make, read, StartRefused)

    asyncio.run(main())


def harmless(text: str, *, most: int) -> bool:
    return text.isprintable() and len(text) <= most


def test_any_status_headers_and_bytes_are_an_answer_or_none() -> None:
    def make(chance: Random) -> httpx.Response:
        body = chance.choice([*GZIPPED, noise(chance, most=60)])
        said = chance.choice([*SAID, noise(chance)])
        headers = [(name, said) for name in chance.choices(NAMES, k=chance.randrange(4))]
        headers += [(b"Content-Encoding", b"gzip")] if body in GZIPPED else []
        status = chance.choice(STATUSES)
        if chance.random() < 0.05:
            status, headers = 302, [(b"Location", b"http://\x00")]  # httpx looks at it, though it does not go there
        return httpx.Response(status, headers=headers, stream=Pieces([body[:9], body[9:]]))

    async def main() -> None:
        made: list[httpx.Response] = []
        transport = httpx.MockTransport(lambda _: made.pop())
        async with answers.client(trust=False, at_once=1, transport=transport) as web:

            def read(given: httpx.Response) -> None:
                made.append(given)
                try:
                    answer = result(
                        answers.ask(web, "POST", "http://registry.test/", json={}, most_bytes=50, seconds=5)
                    )
                except (NoAnswer, Unreadable) as refused:
                    assert harmless(str(refused), most=300)
                    raise
                assert isinstance(answer, Answer)
                assert len(answer.body) <= 50
                registry_access.Answer.read(answer)

            fuzz(make, read, NoAnswer, Unreadable)

    asyncio.run(main())


def test_any_schema_there_differs_or_is_none() -> None:
    def read(given: Any) -> None:
        found = differences(given, COMMENT.parsed)
        assert len(found) <= MOST + 1
        assert all(harmless(difference, most=LONGEST) for difference in found)

    fuzz(lambda chance: schema(chance, depth=4), read, ValueError)


def schema(chance: Random, *, depth: int) -> Any:
    """Something like a schema."""
    leaf = ["null", "string", "User", "long", "\x1b", 7, None, True, 1e300, [], {}, "a.b", ""]
    if depth == 0 or chance.random() < 0.3:
        return chance.choice(leaf)
    below = [schema(chance, depth=depth - 1) for _ in range(chance.randrange(3))]
    kinds = ["record", "enum", "fixed", "array", "map", "error", ["null"], below]
    whole = {
        "type": chance.choice(kinds),
        "name": chance.choice(["CommentEvent", "User", "a.b", 7, None, "\u202e"]),
        "namespace": chance.choice(["tiktok.live.v1", None, 7, ""]),
        "fields": [
            {"name": chance.choice(["user", "comment", "\x9b", 7]), "type": one, "default": one} for one in below
        ],
        "items": chance.choice([*below, "string"]),
        "values": chance.choice([*below, "string"]),
    }
    kept = {key: value for key, value in whole.items() if chance.random() < 0.8}
    return chance.choice([kept, kept, below])


HEADERS = [*(header.value for header in Header), "somebody else's"]
PARTS = [
    *(reason.value.encode() for reason in LetterReason),
    *(
        None,
        b"",
        b"0",
        b"-1",
        b"7",
        b"9" * 5_000,
        b"1_0",
        b" 7 ",
        b"true",
        b"bytes",
        b"bytes,method",
        b",",
        b"\xff\xfe",
    ),
    *(b"9223372036854775807", b"9223372036854775808", b"253402300799999", b"253402300800000", b"\xd9\xa3"),
    b"\x1b]0;owned\x07",
]
WHOLE = {
    Header.REASON: b"payload_malformed",
    Header.ERROR: b"e",
    Header.PROBLEM: b"p",
    Header.LENGTH: b"3",
    Header.STREAMER: b"ann",
    Header.WORKER: b"w",
    Header.RECEIVED_AT: b"1",
    Header.METHOD: b"WebcastChatMessage",
    Header.MESSAGE_ID: b"1",
    Header.IS_HISTORY: b"true",
    Header.ROOM_SEQUENCE: b"1",
}


def test_any_headers_are_a_letter_or_a_value_error() -> None:
    def make(chance: Random) -> list[tuple[str, bytes]]:
        headers: dict[str, bytes | None] = {name.value: value for name, value in WHOLE.items()}
        for name in chance.choices(HEADERS, k=chance.randrange(4)):
            headers[name] = chance.choice([*PARTS, noise(chance)])
        return [(name, value) for name, value in headers.items() if value is not None]

    def read(given: list[tuple[str, bytes]]) -> None:
        try:
            letter = read_letter(given, b"abc")
        except ValueError as problem:
            assert len(str(problem)) < 2_100
            raise
        assert isinstance(letter, Letter)
        assert json.dumps(document(Place(0, 0), letter)).isascii()
        assert all(line.isprintable() for line in table([(Place(0, 0), letter)]))
        assert all(line.isprintable() for _, value in given for line in dump(value))

    fuzz(make, read, ValueError)

"""Strangers' bytes for fuzz tests: what a reader was made for, with something wrong somewhere.

`FUZZ_EXAMPLES` is how many inputs each reader gets. Hypothesis chooses seeds, and each seed makes a batch of inputs: by
itself it makes some hundred a second, too few for so many readers.
"""

import json
import os
from collections import Counter
from collections.abc import Callable, Sequence
from random import Random
from typing import Any, TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

Input = TypeVar("Input")
Make = Callable[[Random], Input]

BATCH = 25
EXAMPLES = settings(
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    max_examples=-(-int(os.environ.get("FUZZ_EXAMPLES", "10000")) // BATCH),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no finding
)


def fuzz(make: Make[Input], read: Callable[[Input], object], *documented: type[Exception]) -> None:
    """Read many inputs: each gives a value or a documented error, and each of these comes at least once in fifty.

    A test that reaches one branch alone shows nothing.
    """
    outcomes: Counter[str] = Counter()

    @EXAMPLES
    @given(st.integers(0, 2**64 - 1))
    def run(seed: int) -> None:
        chance = Random(seed)
        for _ in range(BATCH):
            given = make(chance)
            try:
                read(given)
            except documented as error:
                outcomes[type(error).__name__] += 1
            except Exception as bug:
                raise AssertionError(f"{given!r:.5000} is answered by {bug!r}") from bug
            else:
                outcomes["value"] += 1

    run()
    expected = ("value", *(error.__name__ for error in documented))
    assert all(outcomes[name] > outcomes.total() / 50 for name in expected), outcomes


WORDS: tuple[bytes, ...] = (
    b"\x00",
    b"\x1b[31m",
    b"\x7f",
    b"\xc2\x9b",
    b"\xff",
    b"\xed\xa0\x80",
    b"\xe2\x80\xae",
    b"\xf0\x9f\x8c\xb9",
    b"\r\n",
    b'"',
    b"'",
    b"<",
    b">",
    b"=",
    b";",
    b",",
    b"[",
    b"{",
    b"]}",
    b"\\",
    b"\\ud800",
    b"-1",
    b"0",
    b"1e999",
    b"NaN",
    b"9" * 30,
    b"9" * 5_000,
    b"[" * 3_000,
    b"null",
    b"true",
    b"gzip",
)
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    2,
    4,
    2**31,
    2**63 - 1,
    2**63,
    10**400,
    1.5,
    1e308,
    "",
    "0",
    "7",
    "9" * 25,
    "\x00",
    "\x1b[31m",
    "\u202e",
    "\ud800",
    "\N{ROSE}",
    "x" * 3_000,
    [],
    [[]],
    [None, {}],
    {},
    {"": {}},
)


def odd_bytes(*corpus: bytes) -> Make[bytes]:
    """Something of a corpus after some strokes of bad luck, or any bytes."""
    return lambda chance: mutate(corpus, chance) if chance.random() < 0.9 else chance.randbytes(chance.randrange(50))


def odd_text(*corpus: str) -> Make[str]:
    """The same as a text in Latin-1, as header values are."""
    make = odd_bytes(*(text.encode("latin-1") for text in corpus))
    return lambda chance: make(chance).decode("latin-1")


def odd_json(*corpus: Any) -> Make[bytes]:
    """A document of a corpus with other values in some places, now and then damaged as bytes too."""
    return lambda chance: _document(corpus, chance)


def mutate(corpus: Sequence[bytes], chance: Random) -> bytes:
    """Change a piece of a corpus in up to four places."""
    data = chance.choice(corpus)
    for _ in range(chance.randrange(5)):
        at = chance.randrange(len(data) + 1)
        match chance.randrange(6):
            case 0:
                data = data[:at] + chance.choice(WORDS) + data[at:]
            case 1:
                data = data[:at] + data[at + chance.randrange(20) :]
            case 2:
                data = data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]
            case 3:
                data = data[:at]
            case 4:
                other = chance.choice(corpus)
                data = data[:at] + other[chance.randrange(len(other) + 1) :]
            case 5:
                data = data[:at] + data[chance.randrange(len(data) + 1) :] + data[at:]
    return data


def _document(corpus: Sequence[Any], chance: Random) -> bytes:
    document = json.loads(json.dumps(chance.choice(corpus)))
    for _ in range(chance.randrange(4)):
        document = _changed(document, chance)
    data = json.dumps(document).encode()
    return mutate((data,), chance) if chance.random() < 0.1 else data


def _changed(value: Any, chance: Random) -> Any:
    """The same with another value in one place."""
    if isinstance(value, dict) and value and chance.random() < 0.8:
        key = chance.choice(list(value))
        return {name: item for name, item in value.items() if name != key or chance.random() < 0.95} | {
            key: _changed(value[key], chance)
        }
    if isinstance(value, list) and value and chance.random() < 0.8:
        at = chance.randrange(len(value))
        return [*value[:at], _changed(value[at], chance), *value[at + 1 :]]
    return chance.choice(VALUES)

"""Bytes of any kind out of short recipes: what Hypothesis draws is small, so ten thousand examples take seconds.

A recipe is bytes; each choice takes one of them, and past its end every choice is the first. So it shrinks as bytes do.
"""

import os
from collections.abc import Sequence
from typing import TypeVar

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tests.events.wire_writer import varint

FUZZ = settings(
    derandomize="FUZZ_EXAMPLES" not in os.environ,
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "10000")),
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no finding
)

T = TypeVar("T")


class Recipe:
    """Choices, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._place = 0

    def number(self, below: int) -> int:
        """The next choice; at most 256 of them."""
        byte = self._data[self._place] if self._place < len(self._data) else 0
        self._place += 1
        return byte % below

    def of(self, things: Sequence[T]) -> T:
        return things[self.number(len(things))]

    def bytes(self, most: int) -> bytes:
        return bytes(self.number(256) for _ in range(self.number(most + 1)))


RECIPES = st.binary(min_size=8, max_size=60).map(Recipe)

NUMBERS = (1, 2, 3, 4, 5, 7, 8, 9, 21, 64, 99)
"""Of fields: most have a meaning in one kind of message or another."""
VALUES = (0, 1, 127, 128, 2**31, 2**32 + 3, 2**63 - 1, 2**64 - 1)


def wire_form(recipe: Recipe, *, deep: int = 4) -> bytes:
    """A few fields, nested and repeated; one in ten is not as protobuf wants it, or as nobody writes it."""
    out = bytearray()
    for _ in range(1 + recipe.number(5)):
        number = recipe.of(NUMBERS)
        match recipe.number(20):
            case 0 | 1 | 2:
                out += varint(number << 3) + varint(recipe.of(VALUES))
            case 3 | 4:
                out += field(number, recipe.bytes(6))
            case 5 | 6 | 7 | 8 | 9 | 10 | 11 if deep:
                out += field(number, wire_form(recipe, deep=deep - 1))
            case 12 | 13 | 14:
                out += field(number, b"") * recipe.number(16)
            case 15:
                out += varint(number << 3 | 1) + bytes(8) + varint(number << 3 | 5) + bytes(4)
            case 16:
                out += varint(number << 3 | 3) + wire_form(recipe, deep=0) + varint(number << 3 | 4)
            case 17:
                out += bytes((number << 3 & 0x7F | 0x82, 0x80 | number >> 4, 0)) + b"\x82\x00" + recipe.bytes(2)
            case 18:
                out += recipe.bytes(3)
            case _:
                out += field(number, b"text")
    return bytes(out)


def field(number: int, value: bytes) -> bytes:
    """A field of bytes."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def spoilt(recipe: Recipe, data: bytes) -> bytes:
    """The same bytes, or some of them cut out, put in or exchanged."""
    place = (recipe.number(256) << 8 | recipe.number(256)) % (len(data) + 1)
    match recipe.number(4):
        case 0 | 1:
            return data
        case 2:
            return data[:place] + recipe.bytes(3) + data[place + recipe.number(6) :]
        case _:
            return data[:place]

"""Bytes of any form out of recipes: ten thousand of them in seconds.

Hypothesis draws a seed, which is ten recipes. To draw it costs more than to try all ten, and to draw field by field, as
in tests/events/test_fuzz.py, costs ten times that.
"""

import gzip
import os
from collections.abc import Callable, Sequence
from hashlib import shake_128
from typing import TypeVar

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.events.wire_writer import varint

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "10000"))
A_SEED = 10
"""Recipes that are made of one."""

T = TypeVar("T")


class Recipe:
    """Choices, one after the other, out of a seed; past the last of them each is the first there is."""

    def __init__(self, seed: bytes) -> None:
        self._seed = seed
        self._choices = iter(shake_128(seed).digest(400))

    def __repr__(self) -> str:
        return f"Recipe({self._seed!r})"

    def number(self, below: int) -> int:
        """The next choice; at most 256 of them."""
        return next(self._choices, 0) % below

    def of(self, things: Sequence[T]) -> T:
        return things[self.number(len(things))]

    def bytes(self, most: int) -> bytes:
        return bytes(self.number(256) for _ in range(self.number(most + 1)))


def fuzz(act: Callable[[Recipe], None]) -> None:
    """Do something with as many recipes as FUZZ_EXAMPLES says."""

    @settings(
        derandomize="FUZZ_EXAMPLES" not in os.environ,
        max_examples=EXAMPLES // A_SEED,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow],  # a busy machine is no finding
    )
    @given(st.binary(min_size=8, max_size=8))
    def check(seed: bytes) -> None:
        for number in range(A_SEED):
            recipe = Recipe(seed + bytes([number]))
            try:
                act(recipe)
            except BaseException as error:
                error.add_note(repr(recipe))
                raise

    check()


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
    match recipe.number(12):
        case 0:
            return data[:place]
        case 1 | 2:
            return data[:place] + recipe.bytes(3) + data[place + recipe.number(6) :]
        case _:
            return data


def push_frame(recipe: Recipe) -> bytes:
    """A WebSocket message: most often a batch as Webcast sends it, or such a one that is spoilt at some stage."""
    payload = spoilt(recipe, batch(recipe))
    if recipe.number(2):
        payload = spoilt(recipe, gzip.compress(payload, 1, mtime=0))
    out = varint(2 << 3) + varint(recipe.of(VALUES))
    if recipe.number(2):
        out += field(5, field(1, b"compress_type") + field(2, recipe.of((b"gzip", b"gzip", b"none", b"", b"br"))))
    kind = recipe.of((b"hb", b"im_enter_room_resp", b"close", b"\xff", b"")) if recipe.number(5) == 0 else b"msg"
    if kind == b"close":
        out += field(
            5, field(1, b"close_reason") + field(2, recipe.of((b"disable_web_direct", b"", recipe.bytes(300))))
        )
    return spoilt(recipe, out + field(7, kind) + field(8, payload))


def batch(recipe: Recipe) -> bytes:
    """A few envelopes, and what else a batch has."""
    out = b"".join(field(1, spoilt(recipe, envelope(recipe))) for _ in range(recipe.number(4)))
    if recipe.number(2):
        out += field(2, b"cursor") + field(5, recipe.bytes(4)) + field(7, field(1, b"k") + field(2, b"v"))
    return out + recipe.of((b"", b"\x48\x01", wire_form(recipe, deep=1)))


def envelope(recipe: Recipe) -> bytes:
    """A message of some kind, new or not, whose payload may be anything."""
    methods = (b"WebcastChatMessage", b"WebcastControlMessage", b"WebcastControlMessage", b"WebcastGiftMessage")
    method = recipe.of((*methods, b"ChatMessage", b"WebcastAccessControlMessage", b"RoomVerifyMessage"))
    payload = recipe.of((b"", b"\x10\x03", b"\x12\x00", b"\x28\x01", b"\x0a\x02\x18\x09", wire_form(recipe, deep=2)))
    number = varint(recipe.number(5)) if recipe.number(5) else varint(recipe.of(VALUES))
    return field(1, method) + field(2, payload) + varint(3 << 3) + number + recipe.of((b"", b"\x30\x01"))

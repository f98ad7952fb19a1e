"""Protobuf field by field, with the bytes that each takes."""

from collections.abc import Iterator


def fields(data: bytes) -> Iterator[tuple[int, bytes, int]]:
    """Each field's number, its value's bytes, and its size with tag and length. Raises IndexError or ValueError."""
    at = 0
    while at < len(data):
        start = at
        tag, at = _varint(data, at)
        match tag & 7:
            case 0:
                value_at = at
                _, at = _varint(data, at)
            case 1:
                value_at, at = at, at + 8
            case 2:
                size, value_at = _varint(data, at)
                at = value_at + size
            case 5:
                value_at, at = at, at + 4
            case other:
                raise ValueError(f"wire type {other}")
        yield tag >> 3, data[value_at:at], at - start


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at

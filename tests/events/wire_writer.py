"""Protobuf by field number, for payloads that the tests write themselves, without the google runtime."""

from collections.abc import Mapping

Field = int | str | bytes | Mapping[int, "Field"] | list["Field"]
Fields = Mapping[int, Field]


def write(fields: Fields) -> bytes:
    """Write a message; a list is a repeated field."""
    out = bytearray()
    for number, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                out += varint(number << 3) + varint(value)
            else:
                chunk = _chunk(value)
                out += varint(number << 3 | 2) + varint(len(chunk)) + chunk
    return bytes(out)


def varint(value: int) -> bytes:
    value &= 0xFFFF_FFFF_FFFF_FFFF
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def _chunk(value: Field) -> bytes:
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, Mapping):
        return write(value)
    assert isinstance(value, bytes)
    return value

"""Raw protobuf by field number: what the tests expect of a message is read with this, not with the google runtime."""

from dataclasses import dataclass
from typing import Self

Value = int | bytes


def read(data: bytes) -> dict[int, list[Value]]:
    """Field number to its values in wire order. Raises ValueError for bytes that are not protobuf."""
    fields: dict[int, list[Value]] = {}
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 0:
            value, at = _varint(data, at)
            fields.setdefault(number, []).append(value)
            continue
        if wire_type == 2:
            size, at = _varint(data, at)
        elif wire_type in (1, 5):
            size = 8 if wire_type == 1 else 4
        else:
            raise ValueError(f"wire type {wire_type} of field {number}")
        if number == 0 or at + size > len(data):
            raise ValueError(f"field {number} is cut")
        fields.setdefault(number, []).append(data[at : at + size])
        at += size
    return fields


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise ValueError("a varint is cut or too long")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at
        shift += 7


def _packed(data: bytes) -> list[int]:
    values, at = [], 0
    while at < len(data):
        value, at = _varint(data, at)
        values.append(value)
    return values


def _signed(value: int) -> int:
    return value - (1 << 64) if value >> 63 else value


@dataclass(frozen=True)
class Raw:
    """A message's fields by number, as the field tables of the protocol sheet name them."""

    fields: dict[int, list[Value]]

    @classmethod
    def of(cls, data: bytes) -> Self:
        return cls(read(data))

    def number(self, field: int) -> int | None:
        """The last value of an int64; None where there is none."""
        values = [value for value in self.fields.get(field, []) if isinstance(value, int)]
        return _signed(values[-1]) if values else None

    def numbers(self, field: int) -> list[int]:
        """The values of a repeated int64, one by one or packed."""
        values: list[int] = []
        for value in self.fields.get(field, []):
            values += [value] if isinstance(value, int) else _packed(value)
        return [_signed(value) for value in values]

    def texts(self, field: int) -> list[str]:
        return [value.decode() for value in self._chunks(field)]

    def text(self, field: int) -> str | None:
        texts = self.texts(field)
        return texts[-1] if texts else None

    def messages(self, field: int) -> list["Raw"]:
        return [Raw.of(value) for value in self._chunks(field)]

    def message(self, field: int) -> "Raw | None":
        """The one message of a field; occurrences are merged, which on the wire is to put them one after another."""
        chunks = self._chunks(field)
        return Raw.of(b"".join(chunks)) if chunks else None

    def _chunks(self, field: int) -> list[bytes]:
        return [value for value in self.fields.get(field, []) if isinstance(value, bytes)]

"""What all of protobuf is written with: wire types, and numbers of any length; pure."""

from google.protobuf.message import DecodeError

VARINT, FIXED64, LENGTH, GROUP, GROUP_END, FIXED32 = range(6)
"""Wire types (protobuf's encoding guide)."""


class TooManyFields(DecodeError):
    """There are more fields in it than are read."""


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A number, and where it ends. Raises IndexError where it does not, and DecodeError past ten bytes."""
    value = shift = 0
    while shift < 70:
        byte = data[place]
        place += 1
        if byte < 0x80:
            return value | byte << shift, place
        value |= (byte & 0x7F) << shift
        shift += 7
    raise DecodeError("a number of more than ten bytes")


def written(number: int) -> bytes:
    """A number that is not negative, as it is written: seven bits a byte, the lowest first."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)

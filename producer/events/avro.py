"""Avro writers compiled from schemas: byte-equal to fastavro's, and strict where fastavro is lenient.

fastavro spends half its time choosing union branches (here a branch is `is None`), and it takes a misspelt field for an
absent one. A compiled writer refuses unknown and missing fields, and values of another type, with NotEncodable.

Knows what our schemas use: records, arrays, unions of null with one more, string, bytes, long, boolean.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Protocol

from producer.errors import NotEncodable
from producer.events.schemas import JSON
from producer.webcast.wire.varints import written


class Writer(Protocol):
    """Writes values of one schema."""

    def __call__(self, value: Any, prefix: bytes = b"") -> bytes:
        """Give a value's bytes, behind others. Raises NotEncodable."""


PYTHON_TYPES = {"string": "str", "bytes": "bytes", "long": "int", "boolean": "bool"}
"""What a value must be, to the letter: a bool is no int."""
FEW = 1 << 12
"""Lengths and numbers below this are written by table; most are."""


def compile_writer(schema: JSON) -> Writer:
    """Compile a self-contained record schema to a function from value to Avro binary, behind a prefix.

    The function raises NotEncodable, naming the record, for a value that does not fit.
    """
    compiler = _Compiler()
    entry = compiler.record(schema)
    namespace: dict[str, Any] = {"long": long_bytes, "PLAIN": _PLAIN, "SOME": _SOME, "NotEncodable": NotEncodable}
    namespace |= compiler.getters
    exec(compile(compiler.source(), f"<writer of {schema['name']}>", "exec"), namespace)  # our own text, from our files
    write = namespace[entry]

    def encode(value: Any, prefix: bytes = b"") -> bytes:
        out = [prefix]
        try:
            write(value, out)
        except (KeyError, TypeError, UnicodeEncodeError) as cause:
            raise NotEncodable(f"{schema['name']}: {type(cause).__name__} {cause}") from cause
        return b"".join(out)

    return encode


class _Compiler:
    """Collects one Python function a record; records refer to each other by function name."""

    def __init__(self) -> None:
        self._functions: list[str] = []
        self.getters: dict[str, Callable[[Any], Any]] = {}
        """What takes all fields of a record out of its value at once; by one name more, so that there are several."""
        self._known: dict[str, str] = {}

    def source(self) -> str:
        return "\n".join(self._functions)

    def record(self, schema: JSON) -> str:
        name = f"write_{schema['name'].rpartition('.')[2]}"
        self._known[schema["name"]] = name
        fields = schema["fields"]
        lines = [
            f"def {name}(value, out):",
            f"    if len(value) != {len(fields)}:",
            f"        raise NotEncodable('{name}: fields are ' + ', '.join(value))",
        ]
        if fields:
            self.getters[f"get_{name}"] = itemgetter(*(field["name"] for field in fields), fields[0]["name"])
            lines.append(f"    {', '.join(f'v{at}' for at in range(len(fields)))}, _ = get_{name}(value)")
        for at, field in enumerate(fields):
            lines += self._write(field["type"], f"v{at}", f"{name}.{field['name']}", "    ")
        self._functions.append("\n".join(lines))
        return name

    def _write(self, schema: Any, v: str, where: str, indent: str) -> list[str]:
        """Lines that write the local `v`."""
        if not isinstance(schema, list):
            return self._value(schema, v, where, indent)
        null, other = schema
        if null != "null":
            raise ValueError(f"{where}: a union must be of null and one more, null first")
        return [
            f"{indent}if {v} is None:",
            f"{indent}    out.append(b'\\0')",
            f"{indent}else:",
            *self._value(other, v, where, indent + "    ", in_union=True),
        ]

    def _value(self, schema: Any, v: str, where: str, indent: str, *, in_union: bool = False) -> list[str]:
        """Lines that write a local that is not None; in a union, behind its branch."""
        kind = schema["type"] if isinstance(schema, dict) else schema
        if kind in PYTHON_TYPES:
            return _primitive(kind, v, where, indent, in_union=in_union)
        branch = [f"{indent}out.append(b'\\2')"] if in_union else []
        if kind == "array":
            return branch + self._array(schema["items"], v, where, indent)
        write = self.record(schema) if kind == "record" else self._known.get(kind)
        if write is None:
            raise ValueError(f"{where}: no writer for {kind!r}")
        return [*branch, f"{indent}{write}({v}, out)"]

    def _array(self, items: Any, v: str, where: str, indent: str) -> list[str]:
        return [
            *_expect("list", v, where, indent),
            f"{indent}if {v}:",
            f"{indent}    out.append(long(len({v})))",
            f"{indent}    for {v}_each in {v}:",
            *self._write(items, f"{v}_each", where, indent + "        "),
            f"{indent}out.append(b'\\0')",
        ]


def _primitive(kind: str, v: str, where: str, indent: str, *, in_union: bool) -> list[str]:
    # Most numbers and lengths are small, and so one entry of a table together with the branch.
    table, branch = ("SOME", r"b'\2' + ") if in_union else ("PLAIN", "")
    length = f"out.append({table}[n] if n < {FEW} else {branch}long(n))"
    match kind:
        case "string":
            lines = [f"text = {v}.encode()", "n = len(text)", length, "out.append(text)"]
        case "bytes":
            lines = [f"n = len({v})", length, f"out.append({v})"]
        case "long":
            lines = [f"out.append({table}[{v}] if 0 <= {v} < {FEW} else {branch}long({v}))"]
        case _:
            lines = [rf"out.append({branch}b'\1' if {v} else {branch}b'\0')"]
    return [*_expect(PYTHON_TYPES[kind], v, where, indent), *(indent + line for line in lines)]


def _expect(python_type: str, v: str, where: str, indent: str) -> list[str]:
    return [
        f"{indent}if type({v}) is not {python_type}:",
        f"{indent}    raise NotEncodable('{where}: expected {python_type}, got ' + type({v}).__name__)",
    ]


# Fourteen bits at a time out of tables: the plain loop costs 1.5 microseconds an event more.
_LAST = [written(value) for value in range(1 << 14)]
_MORE = [bytes((value & 0x7F | 0x80, value >> 7 | 0x80)) for value in range(1 << 14)]
_PLAIN = _LAST[: 2 * FEW : 2]
"""Small numbers that are not negative, in zigzag."""
_SOME = [b"\x02" + plain for plain in _PLAIN]
"""The same behind the second branch of a union."""


def long_bytes(value: int) -> bytes:
    """Avro's zigzag varint of a 64-bit integer. Raises NotEncodable past 64 bits."""
    zigzag = value << 1 if value >= 0 else ~(value << 1)
    if zigzag < 1 << 14:
        return _LAST[zigzag]
    if zigzag < 1 << 28:
        return _MORE[zigzag & 0x3FFF] + _LAST[zigzag >> 14]
    if zigzag < 1 << 42:  # most times
        return _MORE[zigzag & 0x3FFF] + _MORE[zigzag >> 14 & 0x3FFF] + _LAST[zigzag >> 28]
    if zigzag >= 1 << 64:
        raise NotEncodable(f"{value} does not fit 64 bits")
    return (  # most ids
        _MORE[zigzag & 0x3FFF] + _MORE[zigzag >> 14 & 0x3FFF] + _MORE[zigzag >> 28 & 0x3FFF] + _high(zigzag >> 42)
    )


def _high(zigzag: int) -> bytes:
    return _LAST[zigzag] if zigzag < 1 << 14 else _MORE[zigzag & 0x3FFF] + _LAST[zigzag >> 14]

"""Avro writers compiled from schemas: byte-equal to fastavro's, and strict where fastavro is lenient.

fastavro spends half its time choosing union branches (here a branch is `is None`), and it takes a misspelt field for an
absent one. A compiled writer refuses unknown and missing fields, and values of another type, with NotEncodable.

Knows what our schemas use: records, arrays, unions of null with one more, string, bytes, long, boolean.
"""

from collections.abc import Callable
from operator import itemgetter
from typing import Any

from producer.errors import NotEncodable
from producer.events.schemas import JSON
from producer.webcast.wire.varints import written

Writer = Callable[[Any], bytes]

SHORT = {"string": "str", "long": "int"}
"""What is written by table where it is small, with Python's name for it."""


def compile_writer(schema: JSON) -> Writer:
    """Compile a self-contained record schema to a function from value to Avro binary.

    The function raises NotEncodable, naming the record, for a value that does not fit.
    """
    compiler = _Compiler()
    entry = compiler.record(schema)
    namespace: dict[str, Any] = {"long": long_bytes, "SOME": _SOME, "NotEncodable": NotEncodable, **compiler.getters}
    exec(compile(compiler.source(), f"<writer of {schema['name']}>", "exec"), namespace)  # our own text, from our files
    write = namespace[entry]

    def encode(value: Any) -> bytes:
        out = bytearray()
        try:
            write(value, out)
        except (KeyError, TypeError, UnicodeEncodeError) as cause:
            raise NotEncodable(f"{schema['name']}: {type(cause).__name__} {cause}") from cause
        return bytes(out)

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
            lines += [f"    v = v{at}", *self._write(field["type"], f"{name}.{field['name']}", "    ")]
        self._functions.append("\n".join(lines))
        return name

    def _write(self, schema: Any, where: str, indent: str) -> list[str]:
        """Lines that write the local `v`."""
        if isinstance(schema, list):
            null, other = schema
            if null != "null":
                raise ValueError(f"{where}: a union must be of null and one more, null first")
            within = indent + "    "
            short = _short(other, where, within) if isinstance(other, str) and other in SHORT else None
            return [
                f"{indent}if v is None:",
                f"{within}out.append(0)",
                f"{indent}else:",
                *(short or [f"{within}out.append(2)", *self._write(other, where, within)]),
            ]
        if isinstance(schema, dict):
            match schema["type"]:
                case "record":
                    return [f"{indent}{self.record(schema)}(v, out)"]
                case "array":
                    return self._array(schema["items"], where, indent)
                case primitive:
                    return self._write(primitive, where, indent)
        if schema in self._known:
            return [f"{indent}{self._known[schema]}(v, out)"]
        return self._primitive(schema, where, indent)

    def _array(self, items: Any, where: str, indent: str) -> list[str]:
        return [
            *_expect("list", where, indent),
            f"{indent}if v:",
            f"{indent}    out += long(len(v))",
            f"{indent}    for v in v:",
            *self._write(items, where, indent + "        "),
            f"{indent}out.append(0)",
        ]

    @staticmethod
    def _primitive(schema: str, where: str, indent: str) -> list[str]:
        match schema:
            case "string":
                return [
                    *_expect("str", where, indent),
                    f"{indent}v = v.encode()",
                    f"{indent}out += long(len(v))",
                    f"{indent}out += v",
                ]
            case "bytes":
                return [*_expect("bytes", where, indent), f"{indent}out += long(len(v))", f"{indent}out += v"]
            case "long":
                return [*_expect("int", where, indent), f"{indent}out += long(v)"]
            case "boolean":
                return [*_expect("bool", where, indent), f"{indent}out.append(v)"]
        raise ValueError(f"{where}: no writer for {schema!r}")


def _short(schema: str, where: str, indent: str) -> list[str]:
    """A text or number in a union: most are short, and branch and length, or branch and value, are one."""
    text = ["v = v.encode()", "n = len(v)", "out += SOME[n + n] if n < 4096 else b'\\2' + long(n)", "out += v"]
    number = ["out += SOME[v + v] if 0 <= v < 4096 else b'\\2' + long(v)"]
    lines = text if schema == "string" else number
    return [*_expect(SHORT[schema], where, indent), *(indent + line for line in lines)]


def _expect(python_type: str, where: str, indent: str) -> list[str]:
    return [
        f"{indent}if type(v) is not {python_type}:",
        f"{indent}    raise NotEncodable('{where}: expected {python_type}, got ' + type(v).__name__)",
    ]


# Fourteen bits at a time out of tables: the plain loop costs 1.5 microseconds an event more.
_LAST = [written(value) for value in range(1 << 14)]
_MORE = [bytes((value & 0x7F | 0x80, value >> 7 | 0x80)) for value in range(1 << 14)]
_SOME = [b"\x02" + last for last in _LAST[:8192]]
"""The second branch of a union, and a number in zigzag."""


def long_bytes(value: int) -> bytes:
    """Avro's zigzag varint of a 64-bit integer. Raises NotEncodable past 64 bits."""
    if not -(1 << 63) <= value < 1 << 63:
        raise NotEncodable(f"{value} does not fit 64 bits")
    zigzag = (value << 1) ^ (value >> 63)
    if zigzag < 1 << 14:
        return _LAST[zigzag]
    out = bytearray()
    while zigzag >= 1 << 14:
        out += _MORE[zigzag & 0x3FFF]
        zigzag >>= 14
    return bytes(out + _LAST[zigzag])

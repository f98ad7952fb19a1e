"""What differs between two Avro schemas, field by field, in words; pure. Documentation and aliases are not compared."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from producer.strangers import shown

Names = dict[str, Any]
"""Named types by full name: a schema defines each where it is first used, and refers to it afterwards."""
ABSENT = object()
MOST = 50
"""Differences that are told of."""
LONGEST = 300
"""Letters of one."""


def differences(theirs: Any, ours: Any) -> list[str]:
    """Say what of `theirs` is otherwise in `ours`, both parsed JSON; nothing where they write and read the same.

    Raises ValueError where one of them is no schema. Of more than fifty differences the first are told, with how many
    there are beside.
    """
    before: Names = {}
    after: Names = {}
    try:
        _define(theirs, "", before)
        _define(ours, "", after)
        found = list(dict.fromkeys(_of_type(theirs, ours, "", before, after, set())))
    except (AttributeError, KeyError, RecursionError, TypeError) as cause:
        raise ValueError("it is no schema") from cause
    more = [f"and {len(found) - MOST} further differences"] if len(found) > MOST else []
    return [shown(difference, most=LONGEST) for difference in found[:MOST]] + more


def _define(node: Any, namespace: str, names: Names) -> None:
    """Collect the named types, by full name (Avro 1.12, Names)."""
    if isinstance(node, list):
        for item in node:
            _define(item, namespace, names)
    elif isinstance(node, dict):
        if "name" in node and node.get("type") in ("record", "enum", "fixed", "error"):
            full = _full(node["name"], node.get("namespace", namespace))
            namespace = full.rpartition(".")[0]
            names[full] = {**node, "name": full}
            names.setdefault(full.rpartition(".")[2], names[full])
        for field in node.get("fields", ()):
            _define(field.get("type"), namespace, names)
        for part in ("items", "values"):
            _define(node.get(part), namespace, names)
        if isinstance(node.get("type"), dict | list):
            _define(node["type"], namespace, names)


def _full(name: str, namespace: str | None) -> str:
    return name if "." in name or not namespace else f"{namespace}.{name}"


def _of_type(a: Any, b: Any, path: str, before: Names, after: Names, seen: set[tuple[str, str]]) -> Iterator[str]:
    a, b = _resolved(a, before), _resolved(b, after)
    if isinstance(a, list) and isinstance(b, list) and len(a) == len(b):
        for one, other in zip(a, b, strict=True):
            yield from _of_type(one, other, path, before, after, seen)
    elif isinstance(a, dict) and isinstance(b, dict) and a.get("type") == b.get("type") == "record":
        pair = (a["name"], b["name"])
        if pair in seen:
            return
        seen.add(pair)
        if a["name"].rpartition(".")[2] != b["name"].rpartition(".")[2]:
            yield f"{path or 'the record'}: named {b['name']} (was {a['name']})"
        yield from _of_fields(a, b, path, before, after, seen)
    elif isinstance(a, dict) and isinstance(b, dict) and a.get("type") == b.get("type") == "array":
        yield from _of_type(a.get("items"), b.get("items"), f"{path}[]", before, after, seen)
    elif _written(a) != _written(b):
        yield f"{path or 'the schema'}: type {_written(b)} (was {_written(a)})"


def _of_fields(a: Any, b: Any, path: str, before: Names, after: Names, seen: set[tuple[str, str]]) -> Iterator[str]:
    theirs = {field["name"]: field for field in a["fields"]}
    ours = {field["name"]: field for field in b["fields"]}
    stem = f"{path}." if path else ""
    for name in theirs.keys() - ours.keys():
        yield f"{stem}{name}: removed"
    for name, field in ours.items():
        if name not in theirs:
            yield f"{stem}{name}: added{'' if 'default' in field else ' without a default'}"
            continue
        yield from _of_type(theirs[name]["type"], field["type"], f"{stem}{name}", before, after, seen)
        if theirs[name].get("default", ABSENT) != field.get("default", ABSENT):
            yield f"{stem}{name}: default {_default(field)} (was {_default(theirs[name])})"
    if [name for name in theirs if name in ours] != [name for name in ours if name in theirs]:
        yield f"{path or 'the record'}: its fields are in another order"


def _resolved(node: Any, names: Names) -> Any:
    if isinstance(node, str):
        return names.get(node, names.get(node.rpartition(".")[2], node))
    if isinstance(node, dict) and "name" in node:
        return names.get(_full(node["name"], node.get("namespace")), names.get(node["name"].rpartition(".")[2], node))
    return node


def _written(node: Any) -> str:
    """A type as a person reads it."""
    if isinstance(node, list):
        return "[" + ", ".join(map(_written, node)) + "]"
    if isinstance(node, Mapping):
        if node.get("type") == "record":
            return str(node["name"]).rpartition(".")[2]
        if node.get("type") == "array":
            return f"array of {_written(node.get('items'))}"
        logical = node.get("logicalType")
        return f"{_written(node.get('type'))}{f' ({logical})' if logical else ''}"
    return str(node)


def _default(field: Mapping[str, Any]) -> str:
    return json.dumps(field["default"]) if "default" in field else "absent"

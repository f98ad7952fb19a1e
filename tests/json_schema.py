"""As much of JSON Schema (2020-12) as docs/lease.schema.json needs, and not a keyword more."""

import re
from typing import Any

TYPES: dict[str, type | tuple[type, ...]] = {"boolean": bool, "integer": int, "object": dict, "string": str}
ANNOTATIONS = frozenset({"default", "description"})


def problems(value: Any, schema: dict[str, Any], root: dict[str, Any], at: str = "$") -> list[str]:
    """Where a value breaks a schema, and by which keyword. Raises KeyError for a keyword that is not known."""
    found: list[str] = []
    for keyword, wanted in schema.items():
        match keyword:
            case "$ref":
                found += problems(value, root["$defs"][wanted.removeprefix("#/$defs/")], root, at)
            case "type":
                whole = isinstance(value, TYPES[wanted]) and not (wanted == "integer" and isinstance(value, bool))
                found += [] if whole else [f"{at} {keyword}"]
            case "properties" if isinstance(value, dict):
                for name in wanted.keys() & value.keys():
                    found += problems(value[name], wanted[name], root, f"{at}.{name}")
            case "additionalProperties" if isinstance(value, dict):
                for name in value.keys() - schema.get("properties", {}).keys():
                    found += problems(value[name], wanted, root, f"{at}.{name}")
            case keyword if keyword not in ANNOTATIONS and not _holds(keyword, wanted, value):
                found.append(f"{at} {keyword}")
    return found


def _holds(keyword: str, wanted: Any, value: Any) -> bool:
    size = len(value) if isinstance(value, str | dict) else 0
    match keyword:
        case "additionalProperties" | "properties":
            return True  # the value is no object
        case "const":
            return bool(value == wanted) and type(value) is type(wanted)
        case "enum":
            return value in wanted
        case "maxLength" | "maxProperties":
            return size <= int(wanted)
        case "minLength":
            return not isinstance(value, str) or size >= wanted
        case "minimum":
            return not isinstance(value, int) or value >= wanted
        case "pattern":
            return not isinstance(value, str) or re.search(wanted, value) is not None
        case "required":
            return not isinstance(value, dict) or set(wanted) <= value.keys()
    raise KeyError(keyword)

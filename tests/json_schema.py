"""A JSON Schema of ours, asked what it says of a value."""

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator


class Contract:
    """The definitions of one file."""

    def __init__(self, path: Path) -> None:
        self._schema: dict[str, Any] = json.loads(path.read_text("utf-8"))
        Draft202012Validator.check_schema(self._schema)

    def problems(self, kind: str, value: Any) -> list[str]:
        """Where a value breaks a definition, and by which keyword, in order."""
        chosen = {"$defs": self._schema["$defs"], "$ref": f"#/$defs/{kind}"}
        errors = Draft202012Validator(chosen).iter_errors(value)
        return sorted(f"{error.json_path} {error.validator}" for error in errors)

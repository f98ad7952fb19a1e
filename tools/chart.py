"""What the chart has of the program: its settings in values.schema.json, and the dashboards of its metrics."""

import json
from pathlib import Path
from typing import Any

from producer.settings import Settings
from tools.dashboards import dashboards

ROOT = Path(__file__).resolve().parent.parent
SCHEMA = Path("helm/values.schema.json")
DASHBOARDS = Path("helm/dashboards")

CHARTS_OWN = frozenset({"assignments_file"})
"""Files that the chart itself puts into the pod."""


def chart(into: Path) -> list[Path]:
    """Write the chart's generated files below `into`, at their places in the repository; return those places."""
    _write(into / SCHEMA, values_schema())
    made = {DASHBOARDS / f"{name}.json": dashboard for name, dashboard in dashboards().items()}
    for place, dashboard in made.items():
        _write(into / place, dashboard)
    return [SCHEMA, *made]


def values_schema() -> dict[str, Any]:
    """The schema as it is written by hand, with what it says of the program's settings made anew."""
    schema: dict[str, Any] = json.loads((ROOT / SCHEMA).read_text("utf-8"))
    settings = {name: _setting(field) for name, field in Settings.model_json_schema()["properties"].items()}
    schema["properties"]["settings"]["properties"] = settings
    schema["properties"]["secretFiles"]["properties"] = {
        name: {"description": setting["description"], "$ref": "#/definitions/secretKey"}
        for name, setting in settings.items()
        if name.endswith("_file") and name not in CHARTS_OWN
    }
    return schema


def _setting(field: dict[str, Any]) -> dict[str, Any]:
    """One setting without what does not concern Helm; its default is the program's, so it stands there alone."""
    description = {"description": field["description"]}
    # Absence is the absence of the key: Helm takes null for the wish to remove it.
    if "anyOf" in field:
        [field] = (option for option in field["anyOf"] if option != {"type": "null"})
    return description | {
        key: value for key, value in field.items() if key not in ("default", "description", "format", "title")
    }


def _write(path: Path, document: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=2, ensure_ascii=False) + "\n", "utf-8")

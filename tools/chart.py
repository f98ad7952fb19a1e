"""What the chart has of the program and of itself: values.schema.json, dashboards of the metrics, and its README."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from producer.settings import Settings
from tools.chart_readme import readme
from tools.dashboards import dashboards

ROOT = Path(__file__).resolve().parent.parent
VALUES = Path("helm/values.yaml")
SCHEMA = Path("helm/values.schema.json")
DASHBOARDS = Path("helm/dashboards")
README = Path("helm/README.md")

CHARTS_OWN = frozenset({"assignments_file"})
"""Files that the chart itself puts into the pod."""
USER_NAMES = ("kafka_sasl_username", "kafka_oauth_client_id", "schema_registry_username")
"""Settings that a Secret has beside the secret itself."""


def chart(into: Path) -> list[Path]:
    """Write the chart's generated files below `into`, at their places in the repository; return those places."""
    _write(into / SCHEMA, values_schema())
    made = {DASHBOARDS / f"{name}.json": dashboard for name, dashboard in dashboards().items()}
    for place, dashboard in made.items():
        _write(into / place, dashboard)
    (into / README).write_text(readme(ROOT / "helm"), "utf-8")
    return [SCHEMA, *made, README]


def values_schema() -> dict[str, Any]:
    """The schema as it is written by hand, with what it says of settings, and of what must be there, made anew."""
    schema: dict[str, Any] = json.loads((ROOT / SCHEMA).read_text("utf-8"))
    settings = {name: _setting(field) for name, field in Settings.model_json_schema()["properties"].items()}
    schema["properties"]["settings"]["properties"] = settings
    schema["properties"]["secretFiles"]["properties"] = {
        name: {"description": setting["description"], "$ref": "#/definitions/secretKey"}
        for name, setting in settings.items()
        if name.endswith("_file") and name not in CHARTS_OWN
    }
    schema["properties"]["settingsFrom"]["properties"] = {
        name: {"description": settings[name]["description"], "$ref": "#/definitions/valueFrom"} for name in USER_NAMES
    }
    return _with_required(schema, yaml.safe_load((ROOT / VALUES).read_text("utf-8")))


def _with_required(schema: dict[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The schema of a mapping, which refuses the removal (by null) of what templates count on."""
    schema["required"] = [name for name, value in defaults.items() if value is not None]
    for name, inner in schema["properties"].items():
        if defaults.get(name) and "properties" in inner:
            schema["properties"][name] = _with_required(inner, defaults[name])
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

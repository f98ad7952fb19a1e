"""docs/configure.md: every setting of a worker, from its declaration."""

from pathlib import Path
from typing import Any

from producer.settings import CREDENTIALS, TOGETHER, Settings, variable

PAGE = Path("docs/configure.md")

HEAD = """# Configure

Every setting of a worker and of the commands. Generated from `producer/settings.py` by `make generate`; do not edit.

A setting is an environment variable. An empty one counts as not set. A variable that is not on this page, or a value
that is not understood, refuses the start, and all of them are told at once. Secrets are named by file and read where
they are used, so they are in no environment, and rotate without a restart; one that cannot be used at the start refuses
it, be it needed yet or not. `producer check` tries what is set, and fails where a start would be refused. The chart
takes the same names, in lower case and without `PRODUCER_`, under `settings` and `secretFiles`
([helm/README.md](../helm/README.md)).

What is refused is named by its variable and place. A value is quoted only where it is a number, or one of a few words:
anything else may be a secret in the wrong variable.

HTTP and the rooms' sockets go by `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY`: proxies that speak http, https, socks5 or
socks5h, each with its scheme; a simulator is reached without one. A room's socket takes the first that is set of
`WSS_PROXY`, `SOCKS_PROXY` and `HTTPS_PROXY`; the library that opens it, websockets, ignores `ALL_PROXY`, by which HTTP
goes. Kafka's connections take no proxy. `PRODUCER_PROXIES_FILE` goes before the variables on the way to TikTok, and a
simulator is then reached by it too ([doors](doors.md#which-way-out)).

Where `SSL_CERT_FILE` or `SSL_CERT_DIR` is set, it names whom TLS trusts; what cannot be read of it refuses the start of
`producer run`, since OpenSSL would pass over it and trust nobody.
"""

SECTIONS = {
    "upstream": "TikTok",
    "kafka_bootstrap_servers": "Kafka",
    "spool_directory": "Spool",
    "topic_prefix": "Topics",
    "schema_registry_url": "Schemas",
    "assignments_file": "Sharing",
    "payloads": "Events and rooms",
    "grace_seconds": "Running",
}
"""Each section by the setting that it begins with."""

KINDS = {"integer": "whole number", "number": "number", "boolean": "`true` or `false`", "string": "text"}
FORMATS = {"path": "path"}


def page(into: Path) -> list[Path]:
    """Write the page below `into`; return its place in the repository."""
    target = into / PAGE
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(HEAD + "".join(_rows()) + _rules(), "utf-8")
    return [PAGE]


def _rows() -> list[str]:
    shown = Settings.model_json_schema()["properties"]
    lines = []
    for name, field in Settings.model_fields.items():
        if name in SECTIONS:
            lines.append(f"\n## {SECTIONS[name]}\n\n| variable | value | default | meaning |\n|---|---|---|---|\n")
        default = "**needed**" if field.is_required() else _default(field.default)
        lines.append(f"| `{variable(name)}` | {_kind(shown[name])} | {default} | {field.description} |\n")
    return lines


def _default(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    return f"`{_number(value) if isinstance(value, int | float) else value}`"


def _number(value: float) -> str:
    return f"{int(value) if value == int(value) else value}"


def _kind(shown: dict[str, Any]) -> str:
    """What a value may be, out of a setting's JSON schema."""
    if "anyOf" in shown:
        return _kind(next(one for one in shown["anyOf"] if one.get("type") != "null"))
    if "enum" in shown:
        return ", ".join(f"`{value}`" for value in shown["enum"])
    if shown["type"] == "array":
        return "texts, with commas"
    return FORMATS.get(shown.get("format", ""), KINDS[shown["type"]]) + _bounds(shown)


def _bounds(shown: dict[str, Any]) -> str:
    words = {"exclusiveMinimum": "above", "minimum": "from", "maximum": "to"}
    bounds = " ".join(f"{word} {_number(shown[key])}" for key, word in words.items() if key in shown)
    return bounds and f", {bounds}"


def _rules() -> str:
    pairs = "".join(f"* `{variable(one)}` and `{variable(other)}` belong together.\n" for one, other in TOGETHER)
    urls = "".join(f"* `{variable(url)}` has no credentials in it.\n" for url in CREDENTIALS)
    return f"\n## What must fit together\n\n{pairs}{urls}"

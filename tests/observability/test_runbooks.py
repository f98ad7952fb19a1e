"""docs/runbooks: a page for each alert, and nothing on it that does not exist."""

import re
from pathlib import Path

import pytest
from typer.main import get_command

from producer.cli import application
from producer.observability.metrics import PREFIX
from producer.settings import Settings, variable
from tests.observability.tools import ROOT, RULES, alerts, groups_of
from tools.metrics_page import worker_metrics

PAGES = sorted((ROOT / "docs" / "runbooks").glob("*.md"))
SECTIONS = ["What is lost", "Where to look", "What to do", "When it is no problem"]


def exported() -> set[str]:
    return {sample.name for family in worker_metrics().registry.collect() for sample in family.samples}


def recorded() -> set[str]:
    return {rule["record"] for group in groups_of(*RULES) for rule in group["rules"] if "record" in rule}


def test_each_alert_has_its_page_and_each_page_its_alert() -> None:
    assert [page.stem for page in PAGES] == sorted({rule["alert"] for rule in alerts()})


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_has_its_sections(page: Path) -> None:
    text = page.read_text("utf-8")

    assert text.startswith(f"# {page.stem}\n\n")
    assert re.findall(r"^## (.*)$", text, flags=re.MULTILINE) == SECTIONS
    assert all(part.strip() for part in re.split(r"^#+ .*$", text, flags=re.MULTILINE)[1:])


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_names_series_settings_and_pages_that_exist(page: Path) -> None:
    text = page.read_text("utf-8")

    series = set(re.findall(rf"(?<!:)\b{PREFIX}\w+", text))
    settings = set(re.findall(r"PRODUCER_\w+", text))
    links = re.findall(r"\]\(([^)]+)\)", text)

    assert {name for name in series if not {name, f"{name}_count"} & exported()} == set()
    assert set(re.findall(rf"job:{PREFIX}\w+:\w+", text)) <= recorded()
    assert settings <= {variable(name) for name in Settings.model_fields}
    assert [link for link in links if not (page.parent / link).is_file()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_quotes_log_lines_that_are_written(page: Path) -> None:
    written = "".join(path.read_text("utf-8") for path in (ROOT / "producer").rglob("*.py"))

    quoted = re.findall(r'`("[^`]*")`', page.read_text("utf-8"))

    assert [line for line in quoted if not re.search(rf"\.(?:info|warning|error)\(\s*{re.escape(line)}", written)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_page_gives_commands_and_options_that_the_program_has(page: Path) -> None:
    for line in re.findall(r"`producer ([^`]*)`", page.read_text("utf-8")):
        command = get_command(application)
        words = line.split()
        while words and (further := getattr(command, "commands", {}).get(words[0])):
            command, words = further, words[1:]
        options = {name for parameter in command.params for name in parameter.opts}

        assert not hasattr(command, "commands"), line
        assert {word for word in words if word.startswith("--")} <= options, line

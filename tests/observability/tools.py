"""Prometheus' own programs, the chart's rules as they are checked in, and as Helm makes them."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "helm"
RULES = tuple(sorted((CHART / "rules").glob("*.yaml")))
NAMESPACE = "streaming"
RELEASE = "lives-tiktok-live-producer"
"""The full name of the release that `rendered` is of, unless it is told another one."""

Groups = list[dict[str, Any]]
"""The groups of a file of rules."""


def tool(name: str) -> str:
    """A program that a variable of its name, in capitals, points to, or that is on PATH; the test skips without it."""
    named = os.environ.get(name.upper())
    found = shutil.which(named or name)
    assert found or not named, f"{name.upper()}={named} is not there"
    return found or pytest.skip(f"no {name} on PATH; {name.upper()} can name one")


def run(*command: str) -> str:
    """Run a program to its end and return what it printed; its failure is the test's."""
    result = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def groups_of(*files: Path) -> Groups:
    """The groups of rule files."""
    return [group for file in files for group in yaml.safe_load(file.read_text("utf-8"))["groups"]]


def alerts() -> list[dict[str, Any]]:
    """Every alerting rule that is checked in."""
    return [rule for group in groups_of(*RULES) for rule in group["rules"] if "alert" in rule]


def rendered(*flags: str, release: str = "lives") -> Groups:
    """The groups of the PrometheusRule of a release."""
    values = str(CHART / "ci" / "monitoring-values.yaml")
    template = "templates/prometheusrule.yaml"
    given = ("--values", values, "--show-only", template, *flags)
    text = run(tool("helm"), "template", release, str(CHART), "--namespace", NAMESPACE, *given)
    made = yaml.safe_load(text)
    assert made["kind"] == "PrometheusRule"
    groups: Groups = made["spec"]["groups"]
    return groups

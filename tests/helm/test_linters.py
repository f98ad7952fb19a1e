"""The chart in the eyes of kube-score, helm-unittest and helm-docs, where there are such."""

import html
import json
import shutil
from pathlib import Path

import pytest

from tests.helm.rendering import CHART, PROFILES, by_name, named, run, template
from tools import chart_readme

IGNORED = {
    "container-image-pull-policy": "tags are versions and never move; a digest can be given",
    "container-resources": "a processor limit would hold back heartbeats; the request keeps the share",
    "deployment-has-host-podantiaffinity": "topology spread constraints stand for it",
    "statefulset-has-host-podantiaffinity": "topology spread constraints stand for it",
}
"""kube-score's checks that we do not follow, and why."""
NO_POLICY = {"pod-networkpolicy": "off by default: only the operator knows where Kafka is"}
OWN_USER = {"container-security-context-user-group-id": "the cluster chooses the user"}


@pytest.mark.parametrize("values", PROFILES, ids=by_name)
def test_kube_score_finds_nothing(helm: str, values: Path) -> None:
    kube_score = named("kube-score")
    ignored = IGNORED | (NO_POLICY if by_name(values) != "network-policy" else {})
    ignored |= OWN_USER if by_name(values) == "openshift" else {}
    flags = [part for name in ignored for part in ("--ignore-test", name)]

    result = run(
        kube_score,
        *("score", "--kubernetes-version=v1.36", "--output-format=ci", "--exit-one-on-warning", *flags, "-"),
        given=template(helm, values),
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "[OK]" in result.stdout


def test_helm_unittest_passes() -> None:
    result = run(named("helm-unittest"), "--strict", str(CHART))

    assert result.returncode == 0, result.stdout + result.stderr


def test_helm_docs_finds_the_values_that_the_readme_has(tmp_path: Path) -> None:
    helm_docs = named("helm-docs")
    shutil.copytree(CHART, tmp_path / "chart")
    meaning = "{{ if .Description }}{{ .Description }}{{ else }}{{ .AutoDescription }}{{ end }}"
    lines = "{{ range .Values }}{{ .Key }}\t{{ .Default }}\t" + meaning + "\n{{ end }}"
    (tmp_path / "chart" / "rows.gotmpl").write_text(lines, "utf-8")

    result = run(
        helm_docs,
        "--dry-run",
        "--skip-version-footer",
        f"--chart-search-root={tmp_path}",
        "--template-files=rows.gotmpl",
    )

    found = {path: (default, text) for path, default, text in (row.split("\t") for row in result.stdout.splitlines())}
    values = (CHART / "values.yaml").read_text("utf-8")
    rows = {path: (default, text) for path, default, text in chart_readme.rows(values)}
    assert {path: html.unescape(text) for path, (_, text) in found.items()} == {path: rows[path][1] for path in found}
    # What only introduces other values, or has no default, has no row of its own there, or no default here.
    shown = {path: json.loads(default.strip("`")) for path, (default, _) in rows.items() if default}
    assert {path: json.loads(found[path][0].strip("`").replace("nil", "null")) for path in shown} == shown
    assert len(shown) > 70

"""The chart in the hands of Helm 3, where there is one, and what a package of the chart has in it."""

import tarfile
from pathlib import Path

import pytest

from tests.helm import rendering
from tests.helm.rendering import CHART, PROFILES, by_name, read, render, run

each_profile = pytest.mark.parametrize("values", PROFILES, ids=by_name)


@pytest.fixture(scope="session")
def helm3() -> str:
    return rendering.named("helm3")


@each_profile
def test_helm_3_finds_nothing_and_renders_the_same_objects(helm: str, helm3: str, values: Path) -> None:
    # Built without its release's flags it takes itself for a Kubernetes of long ago.
    flags = ("--kube-version", "1.36.0")

    result = run(helm3, "lint", "--strict", str(CHART), "--values", str(values), *flags)

    assert result.returncode == 0, result.stdout + result.stderr
    assert render(helm3, values, *flags) == render(helm, values, *flags)


def test_a_package_has_the_test_of_a_release_and_not_the_charts_own(helm: str, tmp_path: Path) -> None:
    result = run(helm, "package", str(CHART), "--destination", str(tmp_path))
    assert result.returncode == 0, result.stderr

    [package] = tmp_path.glob("*.tgz")
    with tarfile.open(package) as content:
        names = {name.partition("/")[2] for name in content.getnames()}

    # A `tests/` in .helmignore takes templates/tests too, and `helm test` is content with nothing.
    assert "templates/tests/check.yaml" in names
    assert {name.partition("/")[0] for name in names} == {
        *(".helmignore", "Chart.yaml", "README.md", "values.schema.json", "values.yaml"),
        *("dashboards", "rules", "templates"),
    }
    assert read(CHART / "Chart.yaml")["version"] in package.name

"""Helm, where there is one."""

import pytest

from tests.helm import rendering


@pytest.fixture(scope="session")
def helm() -> str:
    found = rendering.tool("helm")
    if found is None:
        pytest.skip("no helm on PATH; HELM can name one")
    return found

"""Helm, where there is one."""

import pytest

from tests.helm import rendering


@pytest.fixture(scope="session")
def helm() -> str:
    return rendering.named("helm")

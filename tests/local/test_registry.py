"""A real schema registry on this machine, from an empty folder."""

import asyncio
from pathlib import Path

import httpx
import pytest

from producer.local.processes import LocalFailure
from producer.local.registry import ARCHIVE, Registry
from tests.patience import HANGS_SECONDS

SCHEMA = '{"type":"record","name":"Comment","fields":[{"name":"text","type":"string"}]}'


def test_a_schema_is_given_back_by_its_id_even_after_a_kill(tmp_path: Path) -> None:
    async def main() -> None:
        async with (
            Registry(tmp_path) as registry,
            httpx.AsyncClient(base_url=registry.url, trust_env=False, verify=False, timeout=HANGS_SECONDS) as client,
        ):
            answer = await client.post("/subjects/comments-value/versions", json={"schema": SCHEMA})
            id = answer.json()["id"]
            before = await client.get(f"/schemas/ids/{id}")

            await registry.kill()
            with pytest.raises(httpx.ConnectError):
                await client.get("/subjects")
            await registry.start()
            after = await client.get(f"/schemas/ids/{id}")

            assert before.json()["schema"] == SCHEMA
            assert after.json()["schema"] == SCHEMA
            assert registry.version == ARCHIVE.version

    asyncio.run(main())


def test_only_a_running_registry_can_be_stopped_and_only_a_stopped_one_started(tmp_path: Path) -> None:
    async def main() -> None:
        async with Registry(tmp_path) as registry:
            with pytest.raises(LocalFailure, match="neither stopped nor killed"):
                await registry.start()
            await registry.stop()
            with pytest.raises(LocalFailure, match="not running"):
                await registry.stop()

    asyncio.run(main())

"""Canary secrets of every kind through every way in which one can be wrong: not a letter of them is said anywhere."""

import asyncio
import base64
import os
import signal
from collections.abc import Iterable, Mapping
from itertools import cycle, product
from pathlib import Path

import httpx
import pytest

from producer.local.kafka import Kafka
from producer.local.programs import without_settings
from producer.local.registry import Registry
from tests import commands
from tests.kafka.reading import each_record
from tests.system.harness import System, connected, metric, until
from tests.system.stranger import Front, Odd, answer

CANARY = "c4n4ry"
"""Stands in each secret."""
SPOILT: Mapping[str, bytes] = {
    "a line break": b"%b-1\nX-More: %b-2",
    "NUL": b"%b\x00",
    "Latin-1": b"%b\xe9",
    "no header": "%b\u202e".encode(),
    "sound": b"%b",
}
"""What a file may hold in place of a secret; the sound one is refused by who is shown it."""
NOWHERE = "127.0.0.1:9"
SASL = {"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_sasl_username": "me"}
BEARER = SASL | {"kafka_sasl_mechanism": "OAUTHBEARER"}
KINDS: Mapping[str, Mapping[str, str]] = {
    "sign_api_key_file": {"doors": "sign", "sign_url": f"http://{NOWHERE}"},
    "lease_token_file": {"doors": "lease", "lease_url": f"http://{NOWHERE}"},
    "gateway_key_file": {"doors": "gateway", "gateway_url": f"ws://{NOWHERE}"},
    "gateway_jwt_file": {"doors": "gateway", "gateway_url": f"ws://{NOWHERE}"},
    "schema_registry_password_file": {"schema_registry_username": "me"},
    "schema_registry_token_file": {},
    "kafka_sasl_password_file": SASL | {"kafka_sasl_mechanism": "PLAIN"},
    "kafka_oauth_client_secret_file": BEARER
    | {"kafka_oauth_token_url": f"http://{NOWHERE}/token", "kafka_oauth_client_id": "me"},
    "kafka_oauth_token_file": BEARER,
    "viewers_key_file": {"viewers": "pseudonymous"},
}
"""The settings that name secrets, each with those that it needs."""
COMMANDS = (
    ("check", "--json"),
    ("check", "--upstream"),
    ("run",),
    ("topics", "plan"),
    ("schemas", "check"),
    ("dlq", "list"),
    ("status", "--json"),
    ("settings",),
)
SHORT = ("a line break", "Latin-1")
WAYS = list(product(KINDS, SPOILT)) if os.environ.get("SECRETS") else list(zip(KINDS, cycle(SHORT), strict=False))
"""Each kind of secret is spoilt in one of the two, in turn; with SECRETS set, in every way."""


def told(said: str | bytes) -> bool:
    """Whether there is a canary in something, as it is or as basic authentication spells it."""
    data = said.encode() if isinstance(said, str) else said
    return CANARY.encode() in data or base64.b64encode(f"me:{CANARY}".encode())[:12] in data


def spoilt(how: str, kind: str) -> bytes:
    return SPOILT[how].replace(b"%b", f"{CANARY}{kind}".encode())


@pytest.mark.parametrize(("kind", "how"), WAYS)
def test_no_command_says_a_secret_that_is_wrong(kind: str, how: str, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_bytes(spoilt(how, kind))
    (tmp_path / "list.yaml").write_text("streamers: [someone]\n")
    settings = {
        "upstream": f"http://{NOWHERE}",
        "kafka_bootstrap_servers": NOWHERE,
        "assignments_file": str(tmp_path / "list.yaml"),
        "schema_registry_url": f"http://{NOWHERE}",
        "schema_registry_patience_seconds": "0",
        "http_port": "0",
        kind: str(file),
        **KINDS[kind],
    }
    environ = without_settings(os.environ) | {f"PRODUCER_{name.upper()}": value for name, value in settings.items()}
    environ |= {"HTTPS_PROXY": f"http://me:{CANARY}proxy@{NOWHERE}", "NO_PROXY": "127.0.0.1"}

    said = {}
    for command in COMMANDS:
        result = commands.ours()(
            *command, environ=environ | ({"PRODUCER_ASSIGNMENTS_FILE": ""} if command[0] == "status" else {})
        )
        said[command] = result.stdout + result.stderr

    assert [command for command in COMMANDS if told(said[command])] == []
    assert [command for command in COMMANDS if "Traceback" in said[command]] == []
    assert all(said.values())
    assert "PRODUCER_" in said[("check", "--json")]
    if how != "sound":
        assert str(file) in said[("check", "--json")]


def test_a_running_worker_says_nothing_of_a_key_that_turns_bad_under_it(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    key = tmp_path / "key"
    key.write_bytes(spoilt("sound", "sign"))

    async def main() -> None:
        async with System(tmp_path, kafka, registry, shared=True) as system:
            simulator = await system.simulator("--rooms", "4", "--rate", "40")
            async with Front(system.upstream).serve() as front:
                environ = {
                    "PRODUCER_UPSTREAM": front.url,
                    "PRODUCER_DOORS": "sign",
                    "PRODUCER_SIGN_URL": front.url,
                    "PRODUCER_SIGN_CALLS_PER_MINUTE": "60000",
                    "PRODUCER_SIGN_API_KEY_FILE": str(key),
                    "HTTPS_PROXY": f"http://me:{CANARY}proxy@{NOWHERE}",
                }
                worker = await system.worker(environ=environ)
                await connected(worker, 1)
                odd = Odd("not allowed", ("sign",), answer('{"message": "bad key"}', status=403))
                front.poison("odd_one", Odd("live", ("api_live",), answer(LIVE)), room_id=ROOM)
                front.poison("odd_one", odd, room_id=ROOM)
                said: list[str | bytes] = []
                series = 'tiktok_live_connection_error_reasons_total{reason="credentials"}'

                async def failures() -> float:
                    return await metric(worker, series) + front.fired["not allowed"]

                async def left() -> bool:
                    status = await worker.status()
                    return status is not None and [each["streamer"] for each in status["streamers"]] == ["sim_room_01"]

                for how in SPOILT:
                    await system.wants(["sim_room_01"])
                    await until(left)  # or it is refused with the next key before that is counted
                    key.write_bytes(spoilt(how, "sign"))
                    before = await failures()
                    await system.wants(["sim_room_01", "odd_one"])

                    async def failed_again(before: float = before) -> bool:
                        return await failures() > before

                    await until(failed_again)
                    said += await surfaces(worker.url)
                    said += [await system.producer("status", "--json"), await system.producer("status")]
                await simulator.end(signal.SIGTERM)
                await worker.end(signal.SIGTERM)
                said.append(worker.output())
            said += await asyncio.to_thread(lambda: list(records(kafka, system.prefix)))
        assert any(isinstance(each, str) and "credentials" in each for each in said)
        assert [each for each in said if told(each)] == []

    asyncio.run(main())


ROOM = "7400000000000000001"
LIVE = f'{{"statusCode": 0, "data": {{"user": {{"roomId": "{ROOM}", "status": 2}}, "liveRoom": {{"status": 2}}}}}}'


async def surfaces(url: str) -> list[str]:
    """What a worker says over HTTP."""
    async with httpx.AsyncClient(trust_env=False, verify=False) as client:
        return [(await client.get(f"{url}/{path}")).text for path in ("status", "metrics", "readyz", "startupz")]


def records(kafka: Kafka, prefix: str) -> Iterable[bytes]:
    """Everything on the topics that may tell of a session: keys, values, headers."""
    topics = [
        f"{prefix}.{name}" for name in ("assignment-status", "assignments", "dlq.v1", "connect.v1", "disconnect.v1")
    ]
    for record in each_record(kafka.bootstrap_servers, topics):
        yield repr((record.key(), record.value(), record.headers())).encode()

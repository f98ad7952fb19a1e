"""`producer check` and `producer run` on the same set-ups: where one refuses, the other fails, and both name the same.

Each is the sound set-up with one thing broken, on a real Kafka and a real registry.
"""

import asyncio
import dataclasses
import json
import os
import socket
import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from urllib.parse import urlsplit

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from producer.assignments.claim_files import lock
from producer.delivery import topics
from producer.events import schemas
from producer.local.kafka import Kafka
from producer.local.leash import leashed
from producer.local.programs import STEP_SECONDS, without_settings
from producer.local.registry import Registry
from tests.checks.doctor import NOWHERE, web_server
from tests.checks.test_machine import UNWRITABLE
from tests.kafka.test_check import environ, register

AT_ONCE = 3
"""Set-ups that are tried at the same time."""
Given = Mapping[str, object]


class Ground:
    """What set-ups are broken against: a sound one, and folders, ports and servers to break it with."""

    def __init__(self, folder: Path, kafka: Kafka, registry: Registry, stack: ExitStack) -> None:
        self.folder = folder
        self.kafka = kafka
        self.registry = registry
        self._stack = stack
        self._files = 0

    def sound(self) -> dict[str, object]:
        """Of which nothing is wrong; the list is a file of its own."""
        return {
            "upstream": f"http://{NOWHERE}",
            "kafka_bootstrap_servers": self.kafka.bootstrap_servers,
            "topic_prefix": "agreed",
            "topic_partitions": 1,
            "topic_replication_factor": 1,
            "assignment_slots": 4,
            "assignments_file": self.file(b"someone\n", name="list.txt"),
            "max_streams": 10,
            "http_port": 0,
            "gift_list_refresh_seconds": 0,
            "schema_registry_patience_seconds": 0,
            "log_format": "json",
        }

    def environ(self, set_up: "SetUp") -> dict[str, str]:
        """The sound one's variables but for what a set-up breaks."""
        given = {**self.sound(), **set_up.settings(self)}
        named = {f"PRODUCER_{name.upper()}": str(value) for name, value in given.items()}
        return without_settings(os.environ) | named | dict(set_up.environ)

    def place(self) -> Path:
        """A folder that nothing else uses."""
        self._files += 1
        place = self.folder / str(self._files)
        place.mkdir()
        return place

    def file(self, content: bytes, *, name: str = "file", mode: int = 0o600) -> Path:
        path = self.place() / name
        path.write_bytes(content)
        path.chmod(mode)
        return path

    def port_in_use(self) -> int:
        taken = self._stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        return int(taken.getsockname()[1])

    def web_server(self, status: int) -> str:
        return self._stack.enter_context(web_server([], status=status))

    def claims_of(self, worker: str) -> Path:
        """A claims folder that a worker of this name lives in."""
        folder = self.place()
        held = lock(folder / f"{worker}.member")
        assert held is not None
        self._stack.callback(held.close)
        return folder


@dataclass(frozen=True, slots=True)
class SetUp:
    """What is otherwise than in the sound one, and what both must name; None where a worker starts."""

    names: str | None
    settings: Callable[[Ground], Given]
    environ: Mapping[str, str] = field(default_factory=dict)
    open_files: int | None = None


def topic(**more: object) -> Callable[[Ground], Given]:
    """The list is a topic."""
    return lambda _: {"assignments_file": "", **more}


def early(**more: object) -> Callable[[Ground], Given]:
    """What is refused before Kafka is asked, which is not there either. Bytes are a file's, whose path is given."""
    return lambda ground: {
        "kafka_bootstrap_servers": NOWHERE,
        **{name: ground.file(value) if isinstance(value, bytes) else value for name, value in more.items()},
    }


SIGN = {"doors": "sign", "sign_url": f"http://{NOWHERE}"}
LEASE = {"doors": "lease", "lease_url": f"http://{NOWHERE}"}
SET_UPS = {
    "sound, with a file": SetUp(None, lambda _: {}),
    "sound, with a topic": SetUp(None, topic(worker_name="one")),
    # settings
    "an unknown setting": SetUp("PRODUCER_MAX_STREAM", early(max_stream=3)),
    "a number that is none": SetUp("PRODUCER_MAX_STREAMS", early(max_streams="many")),
    "a word that is none of some": SetUp("PRODUCER_PAYLOADS", early(payloads="some")),
    "two that exclude each other": SetUp(
        "PRODUCER_GATEWAY_JWT_FILE", early(doors="gateway", gateway_key_file=b"key", gateway_jwt_file=b"key")
    ),
    "a malformed upstream": SetUp("PRODUCER_UPSTREAM", early(upstream="htp:/nowhere")),
    "TikTok for a simulator": SetUp("PRODUCER_UPSTREAM", early(upstream="https://www.tiktok.com")),
    "a sign door without a URL": SetUp("PRODUCER_SIGN_URL", early(doors="sign")),
    "a gateway without a key": SetUp("PRODUCER_GATEWAY_KEY_FILE", early(doors="gateway")),
    "pseudonyms without a key": SetUp("PRODUCER_VIEWERS_KEY_FILE", early(viewers="pseudonymous")),
    "a proxy that cannot be used": SetUp("HTTPS_PROXY", early(), environ={"HTTPS_PROXY": "proxy:3128"}),
    # files
    "a secret that is absent": SetUp("PRODUCER_SIGN_API_KEY_FILE", early(**SIGN, sign_api_key_file="/none")),
    "a secret that is empty": SetUp("PRODUCER_SIGN_API_KEY_FILE", early(**SIGN, sign_api_key_file=b"\n")),
    "a secret of two lines": SetUp("PRODUCER_SIGN_API_KEY_FILE", early(**SIGN, sign_api_key_file=b"a\nb\n")),
    "a secret that is not ASCII": SetUp("PRODUCER_LEASE_TOKEN_FILE", early(**LEASE, lease_token_file="clé".encode())),
    "a secret that nobody asks for": SetUp("PRODUCER_SIGN_API_KEY_FILE", early(sign_api_key_file="/none")),
    "a secret that everybody may read": SetUp(
        None, lambda ground: {**SIGN, "sign_api_key_file": ground.file(b"key", mode=0o644)}
    ),
    "a key for pseudonyms that is short": SetUp(
        "PRODUCER_VIEWERS_KEY_FILE", early(viewers="pseudonymous", viewers_key_file=b"short")
    ),
    "authorities that are absent": SetUp("PRODUCER_CA_FILE", early(ca_file="/none")),
    "authorities that are no PEM": SetUp("PRODUCER_CA_FILE", early(ca_file=b"no PEM")),
    "authorities for Kafka that are no PEM": SetUp(
        "PRODUCER_KAFKA_TLS_CA_FILE", early(kafka_security_protocol="SSL", kafka_tls_ca_file=b"no PEM")
    ),
    "authorities for a registry that is not asked": SetUp(
        "PRODUCER_SCHEMA_REGISTRY_CA_FILE", early(schema_registry_ca_file="/none")
    ),
    "the system's authorities that are absent": SetUp("SSL_CERT_FILE", early(), environ={"SSL_CERT_FILE": "/none"}),
    "proxies that are absent": SetUp("PRODUCER_PROXIES_FILE", early(proxies_file="/none")),
    "proxies that are malformed": SetUp("PRODUCER_PROXIES_FILE", early(proxies_file=b"proxy:3128\n")),
    "a sessions folder that is absent": SetUp("PRODUCER_SESSIONS_DIRECTORY", lambda _: {"sessions_directory": "/none"}),
    "a session that cannot be used": SetUp(
        None, lambda ground: {"sessions_directory": ground.file(b"", name="adults").parent}
    ),
    # the machine
    "a port in use": SetUp("PRODUCER_HTTP_PORT", lambda ground: {"http_port": ground.port_in_use()}),
    "a host that is not ours": SetUp("PRODUCER_HTTP_HOST", early(http_host="192.0.2.1")),
    "few open files": SetUp(None, lambda _: {"max_streams": 1000}, open_files=256),
    "few open files, with a topic": SetUp(None, topic(max_streams=1000), open_files=256),
    "hardly any open files": SetUp("ulimit -n", early(), open_files=100),
    "a spool's folder that is a file": SetUp(None, lambda ground: {"spool_directory": ground.file(b"")}),
    "a spool where nobody may write": SetUp(None, lambda _: {"spool_directory": UNWRITABLE}),
    # Kafka
    "Kafka where nobody listens": SetUp("PRODUCER_KAFKA_BOOTSTRAP_SERVERS", early()),
    "Kafka of a name that is not known": SetUp(
        "PRODUCER_KAFKA_BOOTSTRAP_SERVERS", lambda _: {"kafka_bootstrap_servers": "kafka.invalid:9092"}
    ),
    "Kafka at a port that is another's": SetUp(
        "PRODUCER_KAFKA_SECURITY_PROTOCOL",
        lambda ground: {"kafka_bootstrap_servers": urlsplit(ground.registry.url).netloc},
    ),
    "TLS where Kafka has none": SetUp("PRODUCER_KAFKA_SECURITY_PROTOCOL", lambda _: {"kafka_security_protocol": "SSL"}),
    "a wrong password for Kafka": SetUp(
        "PRODUCER_KAFKA_SASL_PASSWORD_FILE",
        lambda ground: {
            "kafka_bootstrap_servers": ground.kafka.listener("SASL"),
            "kafka_security_protocol": "SASL_PLAINTEXT",
            "kafka_sasl_mechanism": "PLAIN",
            "kafka_sasl_username": "guest",
            "kafka_sasl_password_file": ground.file(b"battery staple"),
        },
    ),
    "topics that are absent": SetUp("PRODUCER_TOPIC_PREFIX", lambda _: {"topic_prefix": "absent"}),
    "topics of fewer partitions": SetUp(None, lambda _: {"topic_partitions": 2}),
    "a list's topic that is absent": SetUp("PRODUCER_TOPIC_PREFIX", topic(topic_prefix="listless")),
    "a list's topic that is not compacted": SetUp(None, topic(topic_prefix="forgetful")),
    "other slots than the list's topic has": SetUp("PRODUCER_ASSIGNMENT_SLOTS", topic(assignment_slots=8)),
    "a session too short for the brokers": SetUp("PRODUCER_CLAIM_SESSION_SECONDS", topic(claim_session_seconds=5)),
    "a session too long for the brokers": SetUp("PRODUCER_CLAIM_SESSION_SECONDS", topic(claim_session_seconds=61)),
    # the registry
    "a registry that is away": SetUp(
        "PRODUCER_SCHEMA_REGISTRY_URL", lambda _: {"schema_registry_url": f"http://{NOWHERE}"}
    ),
    "a registry without our schemas": SetUp(
        "PRODUCER_SCHEMA_REGISTRY_URL", lambda ground: {"schema_registry_url": ground.web_server(404)}
    ),
    "a registry that does not know us": SetUp(
        "PRODUCER_SCHEMA_REGISTRY_USERNAME", lambda ground: {"schema_registry_url": ground.web_server(401)}
    ),
    "a registry with another schema": SetUp(
        "PRODUCER_SCHEMA_REGISTRY_URL",
        lambda ground: {"schema_registry_url": ground.registry.url, "schema_auto_register": "true"},
    ),
    # a list in a file
    "a list that is absent": SetUp("PRODUCER_ASSIGNMENTS_FILE", lambda _: {"assignments_file": "/none.yaml"}),
    "a list that is malformed": SetUp(
        "PRODUCER_ASSIGNMENTS_FILE", lambda ground: {"assignments_file": ground.file(b"streamers: [")}
    ),
    "a list with a name twice": SetUp(
        "PRODUCER_ASSIGNMENTS_FILE", lambda ground: {"assignments_file": ground.file(b"someone\n@SomeOne\n")}
    ),
    "claims where nobody may write": SetUp("PRODUCER_CLAIMS_DIRECTORY", lambda _: {"claims_directory": UNWRITABLE}),
    "a claims folder that is a file": SetUp(
        "PRODUCER_CLAIMS_DIRECTORY", lambda ground: {"claims_directory": ground.file(b"")}
    ),
    "a worker's name that another has": SetUp(
        "PRODUCER_WORKER_NAME", lambda ground: {"worker_name": "one", "claims_directory": ground.claims_of("one")}
    ),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What a command made of a set-up: its exit status, and its complaints."""

    status: int
    lines: list[str]


def checked(status: int, output: str) -> Said:
    """The findings that are failures, each with its advice."""
    found = json.loads(output[output.index('{\n  "passed"') :])["checks"]
    return Said(status, [f"{each['found']}; {each['advice']}" for each in found if each["state"] == "fail"])


def ran(status: int, output: str) -> Said:
    """The lines that say why it was refused."""
    lines = output.splitlines()
    return Said(status, [line.removeprefix("producer: ") for line in lines if line.startswith("producer: ")])


def disagreement(names: str | None, check: Said, run: Said) -> str | None:
    """How the two differ from what is expected of both."""
    told = f"{check} {run}"
    if names is None:
        return None if (check.status, check.lines, run.status, run.lines) == (0, [], 0, []) else told
    named = any(names in line for line in check.lines) and len(run.lines) == 1 and names in run.lines[0]
    return None if (check.status, run.status) == (1, 1) and named else told


async def tried(set_ups: Mapping[str, SetUp], ground: Ground) -> dict[str, tuple[Said, Said]]:
    """What both commands make of some set-ups, one after the other."""
    asked = [{"environ": ground.environ(each), "open_files": each.open_files} for each in set_ups.values()]
    process = await asyncio.create_subprocess_exec(
        *leashed(sys.executable, "-m", "tests.checks.pair"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(STEP_SECONDS):
        output, _ = await process.communicate("".join(f"{json.dumps(each)}\n" for each in asked).encode())
    said = zip(set_ups, map(json.loads, output.splitlines()), strict=True)
    return {name: (checked(*each["check"]), ran(*each["run"])) for name, each in said}


async def prepare(ground: Ground) -> None:
    """Make the topics of each prefix, and spoil some; register a schema that is not ours."""
    shared, alone = {"assignments_file": ""}, {"topic_prefix": "listless"}
    for more in (shared, shared | {"topic_prefix": "forgetful"}, alone):
        await topics.apply(environ(ground.sound() | more))
    admin = AIOKafkaAdminClient(bootstrap_servers=ground.kafka.bootstrap_servers)
    await admin.start()
    policy = ConfigResource(ConfigResourceType.TOPIC, "forgetful.assignments", {"cleanup.policy": "delete"})
    await admin.alter_configs([policy])
    await admin.close()
    comment = schemas.events()["comment"]
    parsed = json.loads(comment.text)
    parsed["fields"][1] = {"name": "comment", "type": "long"}
    other = dataclasses.replace(comment, text=json.dumps(parsed), parsed=parsed)
    await register(ground.registry.url, "agreed", other)


def test_where_a_worker_refuses_to_start_the_check_fails_and_both_name_the_same(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main(ground: Ground) -> dict[str, tuple[Said, Said]]:
        await prepare(ground)
        parts = [dict(islice(SET_UPS.items(), start, None, AT_ONCE)) for start in range(AT_ONCE)]
        found = await asyncio.gather(*(tried(part, ground) for part in parts))
        return {name: both for part in found for name, both in part.items()}

    with ExitStack() as stack:
        said = asyncio.run(main(Ground(tmp_path, kafka, registry, stack)))

    assert {name: how for name, both in said.items() if (how := disagreement(SET_UPS[name].names, *both))} == {}

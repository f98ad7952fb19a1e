"""TLS, SASL and ACLs on a real Kafka: each way in, each way to be kept out, and what is said then."""

import asyncio
import base64
import json
import shlex
import shutil
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from producer.assignments import lists
from producer.assignments.catalogue import Catalogue
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.kafka import KafkaAssignments
from producer.delivery import acls, client, topic_plan, topics
from producer.errors import StartRefused
from producer.events.encoding import Record
from producer.kafka.diagnosis import unreached
from producer.local.kafka import Kafka
from producer.settings import Settings, from_environ
from tests.conftest import Background
from tests.kafka.certificates import Authority
from tests.kafka.reading import read_topics
from tests.kafka.test_trouble import Given, until

# aiokafka does not wait until its TLS connections are closed, so the end of a test's loop may find one closing.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")

PASSWORD = "correct horse"
prefixes = (f"secured{number}" for number in count())
SASL = "org.apache.kafka.common.security"


class Secured:
    """A broker with listeners for each way in, and the files to come in with."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.authority = Authority(folder / "authority")
        store, expired = self.authority.store("broker"), self.authority.store("expired", expired=True)
        properties = {
            "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
            "super.users": "User:ANONYMOUS",
            **_listener("sasl", store, self.authority.ca),
            **_listener("expired", expired, self.authority.ca),
            **_listener("mutual", store, self.authority.ca),
            "listener.name.mutual.ssl.client.auth": "required",
            "listener.name.sasl.sasl.enabled.mechanisms": "PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER",
            "listener.name.sasl.plain.sasl.jaas.config": f"{SASL}.plain.PlainLoginModule required "
            f'user_guest="{PASSWORD}" user_worker="{PASSWORD}";',
            "listener.name.sasl.scram-sha-256.sasl.jaas.config": f"{SASL}.scram.ScramLoginModule required;",
            "listener.name.sasl.scram-sha-512.sasl.jaas.config": f"{SASL}.scram.ScramLoginModule required;",
            "listener.name.sasl.oauthbearer.sasl.jaas.config": f"{SASL}.oauthbearer.OAuthBearerLoginModule required "
            'unsecuredLoginStringClaim_sub="broker";',
        }
        self.kafka = Kafka(
            folder / "kafka",
            properties=properties,
            listeners={"SASL": "SASL_SSL", "EXPIRED": "SSL", "MUTUAL": "SSL"},
        )
        self.password = self.file("password", PASSWORD)

    def file(self, name: str, content: str) -> Path:
        path = self.folder / name
        path.write_text(content)
        return path

    def settings(self, listener: str | None = None, *, prefix: str | None = None, **more: object) -> Settings:
        chosen: dict[str, object] = {
            "upstream": "http://127.0.0.1:1",
            "kafka_bootstrap_servers": self.kafka.listener(listener) if listener else self.kafka.bootstrap_servers,
            "topic_prefix": prefix or next(prefixes),
            "topic_partitions": 1,
            "topic_replication_factor": 1,
            "assignment_slots": 4,
        }
        if listener is not None:
            chosen |= {
                "kafka_security_protocol": "SASL_SSL" if listener == "SASL" else "SSL",
                "kafka_tls_ca_file": self.authority.ca,
            }
        return from_environ({f"PRODUCER_{name.upper()}": str(value) for name, value in (chosen | more).items()})

    def sasl(self, mechanism: str, *, user: str = "guest", **more: object) -> Settings:
        own: dict[str, Any] = {"kafka_sasl_mechanism": mechanism}
        if mechanism != "OAUTHBEARER":
            own |= {"kafka_sasl_username": user, "kafka_sasl_password_file": str(self.password)}
        return self.settings("SASL", **(own | more))


def _listener(name: str, store: Path, trusted: Path) -> dict[str, str]:
    named = f"listener.name.{name}.ssl"
    return {
        f"{named}.keystore.type": "PEM",
        f"{named}.keystore.location": str(store),
        f"{named}.truststore.type": "PEM",
        f"{named}.truststore.location": str(trusted),
    }


@pytest.fixture(scope="module")
def secured(background: Background, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Secured]:
    secured = Secured(tmp_path_factory.mktemp("secured"))
    background.run(secured.kafka.__aenter__())
    try:
        for mechanism in ("SCRAM-SHA-256", "SCRAM-SHA-512"):
            background.run(
                secured.kafka.tool(
                    "kafka.admin.ConfigCommand",
                    *("--bootstrap-server", secured.kafka.bootstrap_servers, "--alter", "--entity-type", "users"),
                    *("--entity-name", "guest", "--add-config", f"{mechanism}=[password={PASSWORD}]"),
                )
            )
        # Who may write no topic at all may not be an idempotent producer either.
        background.run(run_acls(secured, acls.Grant("topic", ("anything",), ("Write",)), principal="User:guest"))
        yield secured
    finally:
        background.run(secured.kafka.__aexit__(None, None, None))


def token(*, seconds: float = 3600) -> str:
    """A JSON Web Token without a signature, as Kafka's own development handler takes it."""

    def part(value: Mapping[str, object]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    now = time.time()
    return f"{part({'alg': 'none'})}.{part({'sub': 'guest', 'iat': now, 'exp': now + seconds})}."


def came_in(chosen: Settings) -> None:
    """Whether a client of these settings is let in, as one that may say who it is."""

    async def main() -> None:
        producer = await client.connect(chosen)
        await producer.stop()

    asyncio.run(main())


def refusal(chosen: Settings) -> str:
    async def main() -> None:
        await topics.partition_counts(chosen)

    with pytest.raises(StartRefused) as refused:
        asyncio.run(main())
    return str(refused.value)


@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_a_password_lets_us_in_and_a_wrong_one_is_named(mechanism: str, secured: Secured) -> None:
    came_in(secured.sasl(mechanism))

    wrong = secured.file("wrong", "battery staple")
    said = refusal(secured.sasl(mechanism, kafka_sasl_password_file=wrong))
    address = secured.kafka.listener("SASL")
    assert said == (
        f"Kafka cannot be used: {address} does not let guest in: look at PRODUCER_KAFKA_SASL_USERNAME and "
        "PRODUCER_KAFKA_SASL_PASSWORD_FILE"
    )


def test_a_token_file_is_read_for_each_connection(secured: Secured) -> None:
    kept = secured.file("token", token())
    chosen = secured.sasl("OAUTHBEARER", kafka_oauth_token_file=kept)
    came_in(chosen)

    kept.write_text(token(seconds=-60))
    assert "does not take our token: look at the PRODUCER_KAFKA_OAUTH_ settings" in refusal(chosen)
    kept.unlink()
    assert "No such file" in refusal(chosen)


@asynccontextmanager
async def token_endpoint(answer: tuple[int, Mapping[str, object]], asked: list[str]) -> AsyncIterator[str]:
    """An OIDC provider's token endpoint, of which nobody has one on a laptop."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = next(int(line[15:]) for line in head.splitlines() if line.lower().startswith("content-length:"))
        asked.append(head + (await reader.readexactly(length)).decode())
        body = json.dumps(answer[1])
        writer.write(f"HTTP/1.1 {answer[0]} x\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/token"


def test_a_token_is_had_from_an_oidc_endpoint_and_kept_while_it_lives(secured: Secured) -> None:
    asked: list[str] = []

    async def main() -> str:
        async with token_endpoint((200, {"access_token": token(), "expires_in": 3600}), asked) as url:
            chosen = secured.sasl(
                "OAUTHBEARER",
                kafka_oauth_token_url=url,
                kafka_oauth_client_id="worker",
                kafka_oauth_client_secret_file=secured.password,
                kafka_oauth_scope="kafka",
            )
            producer = await client.connect(chosen)  # two connections: to the address, and to the broker
            await producer.stop()
        async with token_endpoint((401, {"error": "invalid_client"}), []) as url:
            with pytest.raises(StartRefused) as refused:
                await topics.partition_counts(chosen.model_copy(update={"kafka_oauth_token_url": url}))
            return str(refused.value)

    said = asyncio.run(main())

    [request] = asked
    basic = base64.b64encode(f"worker:{PASSWORD}".encode()).decode()
    assert f"authorization: basic {basic}".lower() in request.lower()
    assert request.endswith("grant_type=client_credentials&scope=kafka")
    assert said.endswith("/token answered 401 (invalid_client)")
    assert PASSWORD not in said


def test_certificates_that_are_not_right_are_named(secured: Secured, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    assert "not trusted (unable to get local issuer certificate)" in refusal(
        secured.settings("EXPIRED", kafka_tls_ca_file=stranger.ca)
    )
    said = refusal(secured.settings("EXPIRED"))
    assert "not trusted (certificate has expired)" in said
    assert "PRODUCER_KAFKA_TLS_CA_FILE" in said
    assert "PRODUCER_KAFKA_TLS_CERTIFICATE_FILE" in refusal(secured.settings("MUTUAL"))
    elsewhere = secured.settings("EXPIRED", kafka_bootstrap_servers=secured.kafka.bootstrap_servers)
    assert "PRODUCER_KAFKA_SECURITY_PROTOCOL=SSL right" in refusal(elsewhere)
    plain = secured.settings(kafka_bootstrap_servers=secured.kafka.listener("SASL"))
    assert "PRODUCER_KAFKA_SECURITY_PROTOCOL=PLAINTEXT right" in refusal(plain)
    assert "nobody listens there" in refusal(secured.settings(kafka_bootstrap_servers="127.0.0.1:1"))
    assert "is not known" in refusal(secured.settings(kafka_bootstrap_servers="no-such-host.invalid:9092"))


def test_a_client_certificate_that_is_replaced_is_used_without_a_new_client(secured: Secured, tmp_path: Path) -> None:
    stranger = Authority(tmp_path)
    certificate, key = (shutil.copy(file, tmp_path / f"mounted{file.suffix}") for file in stranger.issue("worker"))
    chosen = secured.settings("MUTUAL", kafka_tls_certificate_file=certificate, kafka_tls_key_file=key)
    options = client.options(chosen)
    assert "refuses our certificate" in refusal(chosen)

    for good, mounted in zip(secured.authority.issue("worker"), (certificate, key), strict=True):
        shutil.copy(good, mounted)

    async def main() -> None:
        assert await unreached(options) is None

    asyncio.run(main())


# ------------------------------------------------------------------------------------------------------------ ACLs


async def run_acls(secured: Secured, *grants: acls.Grant, principal: str, remove: bool = False) -> None:
    """Run the commands that `producer topics acls` prints."""
    text = acls.commands(grants, principal=principal, bootstrap_servers=secured.kafka.bootstrap_servers)
    for line in text.replace("\\\n", " ").splitlines():
        arguments = shlex.split(line)[1:]
        if remove:
            arguments = [*("--remove" if argument == "--add" else argument for argument in arguments), "--force"]
        await secured.kafka.tool("org.apache.kafka.tools.AclCommand", *arguments)


def test_a_worker_needs_what_is_listed_and_a_topic_taken_from_it_is_named_while_others_go_on(
    secured: Secured, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    prefix = next(prefixes)
    chosen = secured.sasl("PLAIN", user="worker", prefix=prefix)
    given = Given(chosen, tmp_path)
    taken, stays = given.topic("like"), given.topic("comment")

    async def main() -> None:
        await topics.apply(secured.settings(prefix=prefix))
        with pytest.raises(StartRefused, match=r"may not be used: .*; grant what `producer topics acls` lists"):
            await topics.partition_counts(chosen)
        await run_acls(secured, *acls.needed("worker", prefix, shared_list=True), principal="User:worker")
        assert await topics.partition_counts(chosen) == dict.fromkeys(topic_plan.names(prefix), 1)

        async with await given.publisher() as publisher:
            for topic in (taken, stays):
                publisher.publish(Record(topic, b"s", b"0"))
            await until(lambda: given.ledger.acknowledged == 2)
            writing = acls.Grant("topic", (taken,), ("Write",))
            await run_acls(secured, writing, principal="User:worker", remove=True)
            for number in range(1, 200):
                for topic in (taken, stays):
                    publisher.publish(Record(topic, b"s", b"%d" % number))
                await asyncio.sleep(0.01)
            await until(lambda: given.failures(error="authorization") > 1)
            await until(lambda: len(numbers(secured, stays)) >= 200)
            await run_acls(secured, writing, principal="User:worker")
            await until(lambda: given.ledger.acknowledged == 400)

        async with shared(chosen) as worker:
            await Catalogue(
                lambda: client.options(secured.settings(prefix=prefix)),
                list_topic=topic_plan.assignments_topic(prefix),
                status_topic=topic_plan.status_topic(prefix),
            ).edit(lists.difference({}, [Wanted(Streamer("somebody"))]))
            async with asyncio.timeout(120):
                async for held in worker.changes():
                    if held == {"somebody"}:
                        break

    asyncio.run(main())

    for topic in (taken, stays):
        assert list(dict.fromkeys(numbers(secured, topic))) == list(range(200))
    assert given.failures(topic=stays) <= 1  # the client that both shared, once
    [said, *_] = [line for line in capsys.readouterr().out.splitlines() if "error=authorization" in line]
    assert taken in said
    assert "grant what `producer topics acls` lists" in said


def shared(chosen: Settings) -> KafkaAssignments:
    return KafkaAssignments(
        lambda: client.options(chosen),
        list_topic=topic_plan.assignments_topic(chosen.topic_prefix),
        status_topic=topic_plan.status_topic(chosen.topic_prefix),
        group=topic_plan.workers_group(chosen.topic_prefix),
        worker="worker",
        max_streams=10,
        slots=chosen.assignment_slots,
    )


def numbers(secured: Secured, topic: str) -> list[int]:
    found: list[Any] = read_topics(secured.kafka.bootstrap_servers, [topic])[topic]
    return [int(message.value()) for message in found]

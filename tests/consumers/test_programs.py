"""docs/consume.md: it shows the programs as they are, and they read from a real Kafka what it says they do.

What needs chdb, Confluent's deserializer, Flink, Spark, Kafka Connect, Node, Java, Go or a kcat with Avro is skipped
where that is absent or `make consumers` did not run.
"""

import asyncio
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from copy import deepcopy
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient
from confluent_kafka.cimpl import NewTopic

from producer.delivery.registry import Registry
from producer.events import schemas
from producer.events.encoding import Encoder
from producer.events.event import Event
from producer.local.kafka import Kafka
from producer.local.registry import Registry as Apicurio
from producer.local.repository import jars
from producer.settings import Settings
from tests.consumers.test_consumers import INSTALLED, PYTHON, ROOT, environment, needs_node_with, needs_python

PAGE = ROOT / "docs" / "consume.md"
PROGRAMS = ROOT / "docs" / "consume"
JARS = ("org.apache.kafka:kafka-clients:4.3.1", "org.apache.avro:avro:1.12.1", "org.slf4j:slf4j-nop:1.7.36")
FLINK_JARS = (
    "org.apache.flink:flink-sql-connector-kafka:5.0.0-2.2",
    "org.apache.flink:flink-sql-avro-confluent-registry:2.3.0",
    "org.apache.flink:flink-sql-gateway:2.3.0",
)
CONNECT_JARS = ("org.apache.kafka:connect-runtime:4.3.1", "org.slf4j:slf4j-nop:1.7.36")
CONNECT_PLUGINS = {
    "file": "org.apache.kafka:connect-file:4.3.1",
    "apicurio": "io.apicurio:apicurio-registry-utils-converter:2.6.13.Final",
}
SPARK_PACKAGES = "org.apache.spark:spark-sql-kafka-0-10_2.13:4.0.0,org.apache.spark:spark-avro_2.13:4.0.0"
SPARK_SUBMIT = os.environ.get("SPARK_SUBMIT", "spark-submit")
KCAT = os.environ.get("KCAT", "kcat")
PATIENCE_SECONDS = 300.0
"""For a machine under load: an idle one takes five."""

ALICE, GUEST = "7200000000000000001", "7200000000000000009"
GIFTS = (
    ("alice", "7301:gift_finalized:1", 5, "Rose", 7312345678901234847, 5, ALICE),
    ("alice", "7301:gift_finalized:1", 5, "Rose", 7312345678901234847, 5, ALICE),
    ("bob", "7302:gift_finalized:2", 1, "Galaxy", 7412345678901234849, 1000, None),
    ("alice", "7301:gift_finalized:3", 2, "Rose", 7312345678901234847, 2, ALICE),
    ("alice", "7301:gift_finalized:4", 1, "Capybara", None, None, GUEST),
    ("bob", "7302:gift_finalized:5", 1, "Rose", 7312345678901234847, 1, None),
    ("bob", "7302:gift_finalized:2", 1, "Galaxy", 7412345678901234849, 1000, None),
    ("alice", "7301:gift_finalized:6", 1, "Rose", 7412345678901234849, 1, GUEST),
)
"""Streamer, event id, count, gift, user, diamonds, receiver; two come twice, one without user and worth."""
LINES = """\
alice: 5 Rose from 7312345678901234847, 7200000000000000001 has 5
bob: 1 Galaxy from 7412345678901234849, bob has 1000
alice: 2 Rose from 7312345678901234847, 7200000000000000001 has 7
alice: 1 Capybara from ?, 7200000000000000009 has 0
bob: 1 Rose from 7312345678901234847, bob has 1001
alice: 1 Rose from 7412345678901234849, 7200000000000000009 has 1
"""
TABLE = """\
receiver\tgifts\tdiamonds
7200000000000000001\t7\t7
7200000000000000009\t2\t1
bob\t2\t1001
"""

STRUCTS = """\
Struct{gift_name=Rose,count=5,diamonds=5,receiver_id=7200000000000000001,meta.event_id=7301:gift_finalized:1,meta.streamer=alice}
Struct{gift_name=Galaxy,count=1,diamonds=1000,meta.event_id=7302:gift_finalized:2,meta.streamer=bob}
"""
REGISTRYS_OWN_API = "http://registry:8080/apis/registry/v2"

COMPRESSION = Settings.model_fields["kafka_compression"].default
needs_node = needs_node_with("@platformatic/kafka")
needs_java = pytest.mark.skipif(
    shutil.which("javac") is None or not PYTHON.exists(),
    reason="there is no javac, which `java FILE.java` needs, or `make consumers` was not run",
)
FLINK = INSTALLED / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages" / "pyflink"
# Flink is a jar of its wheel, which is too large for what `make test` installs.
needs_flink = pytest.mark.skipif(
    shutil.which("java") is None or not FLINK.exists(), reason="there is no java, or `make consumers` was not run"
)
needs_kcat = pytest.mark.skipif(
    shutil.which(KCAT) is None or "Avro" not in subprocess.run((KCAT, "-V"), capture_output=True, text=True).stdout,
    reason="there is no kcat, or it is one without Avro, as Debian's: KCAT names another",
)
# Half a gigabyte, which `make consumers` does not fetch.
needs_spark = pytest.mark.skipif(
    shutil.which(SPARK_SUBMIT) is None, reason="there is no spark-submit: SPARK_SUBMIT names one of Spark 4.0"
)
needs_connect = pytest.mark.skipif(
    shutil.which("java") is None or not PYTHON.exists(), reason="there is no java, or `make consumers` was not run"
)
needs_go = pytest.mark.skipif(
    shutil.which("go") is None or not (INSTALLED / "go.mod").exists(),
    reason="there is no go, or `make consumers` was not run",
)


@pytest.fixture(scope="module")
def topic(kafka: Kafka, registry: Apicurio) -> str:
    """The gifts in Confluent's wire format."""
    schema = schemas.events()["gift_finalized"]

    async def register() -> int:
        async with Registry(registry.url) as ours:
            return (await ours.register(schema, schema.topic("programs"))).id

    return publish(kafka, "programs", schema_ids={"gift_finalized": asyncio.run(register())})


@pytest.fixture(scope="module")
def single_object_topic(kafka: Kafka) -> str:
    """The gifts as they are where there is no registry."""
    return publish(kafka, "programs-single-object", schema_ids=None)


def publish(kafka: Kafka, prefix: str, *, schema_ids: Mapping[str, int] | None) -> str:
    """Publish the gifts with our own encoder, to one partition so that their order is known; return the topic."""
    encoder = Encoder(
        {"gift_finalized": schemas.events()["gift_finalized"]}, topic_prefix=prefix, schema_ids=schema_ids
    )
    records = [encoder.encode(Event("gift_finalized", value(*gift)), key=gift[0]) for gift in GIFTS]
    topic = records[0].topic
    admin = AdminClient({"bootstrap.servers": kafka.bootstrap_servers})
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result()
    # Compressed as the service does by default, which not every client can read.
    producer = Producer({"bootstrap.servers": kafka.bootstrap_servers, "compression.type": COMPRESSION})
    for record in records:
        producer.produce(topic, key=record.key, value=record.value)
    assert producer.flush(120) == 0
    return topic


def value(
    streamer: str, event_id: str, count: int, gift: str, user: int | None, diamonds: int | None, receiver: str | None
) -> Any:
    """A golden record with what a program prints as given."""
    file = json.loads((ROOT / "golden" / "gift_finalized.json").read_text("ascii"))
    full = deepcopy(file["examples"][0]["value"])
    full |= {"count": count, "gift_name": gift, "diamonds": diamonds, "receiver_id": receiver}
    full["meta"] |= {"streamer": streamer, "event_id": event_id, "payload": b"\x00\xff"}
    full["user"] = None if user is None else full["user"] | {"userId": user, "user_id_str": str(user)}
    return full


def printed(*command: str, folder: Path) -> str:
    """Run a program that never ends by itself; return as many lines of it as are expected."""
    lines = LINES.count("\n")
    with (folder / "stderr").open("w+") as stderr:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(), stdout=subprocess.PIPE, stderr=stderr, text=True, encoding="utf-8"
        )
        watchdog = threading.Timer(PATIENCE_SECONDS, process.kill)
        watchdog.start()
        try:
            assert process.stdout is not None
            found = "".join(islice(process.stdout, lines))
        finally:
            watchdog.cancel()
            process.kill()
            process.communicate()
        stderr.seek(0)
        assert found.count("\n") == lines, found + stderr.read()
    return found


def settings(name: str, *replacements: tuple[str, str]) -> str:
    """A file of the page, with servers and topics of this machine."""
    text = (PROGRAMS / name).read_text("utf-8")
    for said, here in replacements:
        assert text.count(said) == 1
        text = text.replace(said, here)
    return text


def written(file: Path, *command: str) -> list[str]:
    """Run a program that never ends by itself, until its file has a line for each record; return them."""
    with (file.parent / "output").open("w+") as output:
        process = subprocess.Popen(
            command, cwd=file.parent, env=environment(), stdout=output, stderr=subprocess.STDOUT, text=True
        )
        deadline = time.monotonic() + PATIENCE_SECONDS
        lines: list[str] = []
        try:
            while len(lines) < len(GIFTS) and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.2)
                lines = file.read_text("utf-8").splitlines() if file.exists() else []
        finally:
            process.kill()
            process.wait()
        output.seek(0)
        assert len(lines) == len(GIFTS), output.read()
    return lines


def shown() -> dict[str, str]:
    """The page's blocks that are named after a file, by that name."""
    blocks = re.findall(r"^```\w+ (consume/\S+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(dict(blocks)) == len(blocks)
    return {name.removeprefix("consume/"): text for name, text in blocks}


def test_the_page_shows_each_program_as_its_file_is() -> None:
    assert shown() == {path.name: path.read_text("utf-8") for path in PROGRAMS.iterdir()}


def test_the_page_shows_what_the_programs_print() -> None:
    page = PAGE.read_text("utf-8")

    assert f"\n{LINES}```\n" in page
    assert f"\n{TABLE}```\n" in page
    assert f"\n$ spark-submit --packages {SPARK_PACKAGES} \\\n" in page
    assert f"\n{STRUCTS}```\n" in page


def test_python_reads_each_gift_once_without_a_registry(kafka: Kafka, single_object_topic: str, tmp_path: Path) -> None:
    golden = json.loads((ROOT / "golden" / "gift_finalized.json").read_text("ascii"))
    today = tmp_path / "today.avsc"
    today.write_text(golden["schema"], "utf-8")
    program = (sys.executable, str(PROGRAMS / "without_registry.py"))
    schema_files = (*map(str, (ROOT / "schemas" / "released").glob("*/events/gift_finalized.avsc")), str(today))

    found = printed(*program, kafka.bootstrap_servers, single_object_topic, *schema_files, folder=tmp_path)

    assert found == LINES


@needs_python
def test_python_reads_each_gift_once(kafka: Kafka, registry: Apicurio, topic: str, tmp_path: Path) -> None:
    program = (str(PYTHON), str(PROGRAMS / "with_registry.py"))

    found = printed(*program, kafka.bootstrap_servers, registry.url, topic, folder=tmp_path)

    assert found == LINES


@needs_node
def test_node_reads_each_gift_once(kafka: Kafka, registry: Apicurio, topic: str, tmp_path: Path) -> None:
    # An import looks for packages beside its file, and nowhere that the environment names.
    program = shutil.copy(PROGRAMS / "with_registry.mjs", INSTALLED)

    found = printed(*("node", str(program), kafka.bootstrap_servers, registry.url, topic), folder=tmp_path)

    assert found == LINES


@needs_java
def test_java_reads_each_gift_once(kafka: Kafka, registry: Apicurio, topic: str, tmp_path: Path) -> None:
    class_path = ":".join(map(str, asyncio.run(jars(*JARS))))
    program = ("java", "-cp", class_path, str(PROGRAMS / "WithRegistry.java"))

    found = printed(*program, kafka.bootstrap_servers, registry.url, topic, folder=tmp_path)

    assert found == LINES


@needs_go
def test_go_reads_each_gift_once(kafka: Kafka, registry: Apicurio, topic: str, tmp_path: Path) -> None:
    shutil.copy(PROGRAMS / "with_registry.go", INSTALLED)
    program = tmp_path / "with_registry"  # by `go run`, the program would be a child that outlives it
    for command in (("go", "vet", "with_registry.go"), ("go", "build", "-o", str(program), "with_registry.go")):
        done = subprocess.run(command, cwd=INSTALLED, capture_output=True, text=True, timeout=600, check=False)
        assert done.returncode == 0, done.stderr

    found = printed(str(program), kafka.bootstrap_servers, registry.url, topic, folder=tmp_path)

    assert found == LINES


@needs_python
def test_clickhouse_sums_each_gift_once(kafka: Kafka, registry: Apicurio, topic: str) -> None:
    events = len({event_id for _, event_id, *_ in GIFTS})
    replacements = (
        f"kafka:9092={kafka.bootstrap_servers}",
        f"http://registry:8081={registry.url}",
        f"tiktok.live.gift_finalized.v1={topic}",
    )

    done = subprocess.run(
        (
            str(PYTHON),
            "-m",
            "tests.consumers.run_clickhouse",
            str(PROGRAMS / "clickhouse.sql"),
            str(events),
            *replacements,
        ),
        cwd=ROOT,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == TABLE


@needs_flink
def test_flink_sums_each_gift_once(kafka: Kafka, registry: Apicurio, topic: str, tmp_path: Path) -> None:
    """Once with a bound, so that it ends: what the last change of each receiver leaves is the table."""
    statements = (PROGRAMS / "flink.sql").read_text("utf-8")
    for said, here in (
        ("kafka:9092", kafka.bootstrap_servers),
        ("http://registry:8081", registry.url),
        ("tiktok.live.gift_finalized.v1", topic),
        ("'earliest-offset',", "'earliest-offset',\n    'scan.bounded.mode' = 'latest-offset',"),
    ):
        assert statements.count(said) == 1
        statements = statements.replace(said, here)
    script = tmp_path / "flink.sql"
    script.write_text(f"SET 'sql-client.execution.result-mode' = 'TABLEAU';\n{statements}", "utf-8")
    (tmp_path / "config.yaml").write_text("execution.target: local\nparallelism.default: 1\n", "utf-8")
    more = [path for path in asyncio.run(jars(*FLINK_JARS)) if path.name.startswith("flink-sql-")]  # all in one, each
    class_path = ":".join(map(str, [*FLINK.glob("lib/*.jar"), *FLINK.glob("opt/*.jar"), *more]))

    done = subprocess.run(
        ("java", "-cp", class_path, "org.apache.flink.table.client.SqlClient", "embedded", "-f", str(script)),
        cwd=tmp_path,
        env=environment() | {"FLINK_CONF_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )

    lines = (line.split("|")[1:-1] for line in done.stdout.splitlines() if line.count("|") == 5)
    changes = ([cell.strip() for cell in line] for line in lines)
    summed = {row[0]: "\t".join(row) for op, *row in changes if op in ("+I", "+U")}
    assert sorted(summed.values()) == TABLE.splitlines()[1:], done.stdout + done.stderr


@needs_connect
def test_kafka_connects_converter_reads_each_record(
    kafka: Kafka, registry: Apicurio, topic: str, tmp_path: Path
) -> None:
    for name, coordinate in CONNECT_PLUGINS.items():
        (tmp_path / "plugins" / name).mkdir(parents=True)
        for jar in asyncio.run(jars(coordinate)):
            if not jar.name.startswith(("connect-api", "connect-json", "kafka-clients", "slf4j-")):
                shutil.copy(jar, tmp_path / "plugins" / name)
    api = registry.url.replace("/ccompat/v7", "/registry/v2")
    worker = settings("connect-worker.properties", ("kafka:9092", kafka.bootstrap_servers), (REGISTRYS_OWN_API, api))
    (tmp_path / "worker.properties").write_text(f"{worker}listeners=http://127.0.0.1:0\n", "utf-8")
    gifts = settings("connect-gifts.properties", ("tiktok.live.gift_finalized.v1", topic))
    (tmp_path / "gifts.properties").write_text(gifts, "utf-8")
    class_path = ":".join(map(str, asyncio.run(jars(*CONNECT_JARS))))
    main = ("org.apache.kafka.connect.cli.ConnectStandalone", "worker.properties", "gifts.properties")

    found = written(tmp_path / "gifts.txt", "java", "-Xmx400m", "-cp", class_path, *main)

    assert f"{found[0]}\n{found[2]}\n" == STRUCTS
    assert [line.partition("meta.event_id=")[2].split(",")[0] for line in found] == [gift[1] for gift in GIFTS]


@needs_spark
def test_spark_sums_each_gift_once(kafka: Kafka, registry: Apicurio, topic: str) -> None:
    program = ("--packages", SPARK_PACKAGES, str(PROGRAMS / "with_spark.py"))
    # pip's spark-submit runs the first python3 of the path.
    beside = {"PATH": f"{Path(shutil.which(SPARK_SUBMIT) or '').parent}:{os.environ['PATH']}"}

    done = subprocess.run(
        (SPARK_SUBMIT, "--master", "local[1]", *program, kafka.bootstrap_servers, registry.url, topic),
        env=environment() | beside,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )

    assert done.stdout == TABLE, done.stderr


@needs_kcat
def test_kcat_shows_each_record(kafka: Kafka, registry: Apicurio, topic: str) -> None:
    command = (
        KCAT,
        "-b",
        kafka.bootstrap_servers,
        "-C",
        "-e",
        "-q",
        "-t",
        topic,
        "-s",
        "value=avro",
        "-r",
        registry.url,
    )

    done = subprocess.run(command, env=environment(), capture_output=True, text=True, timeout=120, check=False)

    assert done.returncode == 0, done.stderr
    gifts = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(gift["meta"]["Meta"]["event_id"], gift["count"], gift["diamonds"]) for gift in gifts] == [
        (event_id, count, None if diamonds is None else {"long": diamonds})
        for _, event_id, count, _, _, diamonds, _ in GIFTS
    ]

"""The command line as a person meets it: processes of their own, one clear line for each thing that is wrong."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from producer.delivery import topic_plan
from producer.local.kafka import Kafka
from producer.local.programs import without_settings
from producer.local.registry import Registry
from tests import commands, published

NOWHERE = "127.0.0.1:9"


def producer(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    environ = without_settings(os.environ) | {f"PRODUCER_{name.upper()}": value for name, value in settings.items()}
    return commands.ours()(*arguments, environ=environ)


def refused(result: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of a refusal: exit status 1, each line ours, no traceback; a worker says before that it starts."""
    assert result.returncode == 1
    assert result.stdout == ""
    lines = [line for line in result.stderr.splitlines() if '"event": "starting"' not in line]
    assert lines
    assert all(line.startswith("producer: ") for line in lines), result.stderr
    return [line.removeprefix("producer: ") for line in lines]


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    file = tmp_path / "list.yaml"
    file.write_text("streamers: [someone]\n")
    return file


def least(listed: Path, kafka_servers: str = NOWHERE) -> dict[str, str]:
    return {
        "upstream": "http://127.0.0.1:9",
        "kafka_bootstrap_servers": kafka_servers,
        "assignments_file": str(listed),
        "http_port": "0",
    }


@pytest.fixture(scope="module")
def topics_of(kafka: Kafka) -> Mapping[str, str]:
    """Settings for a cluster whose topics are made."""
    chosen = {
        "upstream": "http://127.0.0.1:9",
        "kafka_bootstrap_servers": kafka.bootstrap_servers,
        "topic_prefix": "cli",
        "topic_partitions": "1",
        "topic_replication_factor": "1",
    }
    result = producer("topics", "apply", **chosen, assignments_file="list.yaml")
    assert result.returncode == 0, result.stderr
    assert result.stdout.startswith("create cli.access_control.v1: 1 partitions, replication factor 1, ")
    assert len(result.stdout.splitlines()) == len(published.EVENTS) + 1
    return chosen


def test_a_plan_is_a_document_and_an_exit_status(topics_of: Mapping[str, str], listed: Path) -> None:
    def planned(*more: str, **settings: str) -> tuple[int, list[dict[str, Any]]]:
        chosen = {**topics_of, "assignments_file": str(listed), **settings}
        result = producer("topics", "plan", "--json", *more, **chosen)
        assert result.stderr == ""
        return result.returncode, json.loads(result.stdout)

    assert planned("--detailed-exitcode") == (0, [])
    status, [first, *_] = planned("--detailed-exitcode", topic_prefix="cli2")
    assert (status, first["change"], first["topic"]) == (2, "create", "cli2.access_control.v1")
    assert (first["partitions"], first["replication_factor"]) == (1, 1)
    assert first["configs"]["retention.ms"] == str(30 * 24 * 3_600_000)
    status, [first, *_] = planned(topic_partitions="2")
    assert (status, first) == (
        0,
        {"change": "add_partitions", "topic": "cli.access_control.v1", "before": 1, "after": 2},
    )
    status, [first, *_] = planned(topic_retention_days="1")
    assert first == {
        "change": "configure",
        "topic": "cli.access_control.v1",
        "before": {"retention.ms": "2592000000"},
        "after": {"retention.ms": "86400000"},
    }


@pytest.mark.parametrize("command", ["check", "diff"])
def test_how_schemas_stand_is_a_document(command: str, registry: Registry) -> None:
    result = producer("schemas", command, "--json", schema_registry_url=registry.url, topic_prefix="nobodys")

    assert (result.returncode, result.stderr) == (1, "")
    standings = json.loads(result.stdout)
    assert len(standings) == len(published.EVENTS)
    assert {each["state"] for each in standings} == {"absent"}
    assert "nobodys.gift.v1-value" in {each["subject"] for each in standings}


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), ["run", "demo", "simulate", "topics", "schemas", "settings"]),
        (("run",), ["SIGTERM"]),
        (("simulate",), ["--seed", "--rooms", "--rate", "--replay", "--truth", "--fault"]),
        (("topics", "apply"), ["add partitions"]),
        (("schemas", "register"), ["subject"]),
    ],
)
def test_help_helps(arguments: tuple[str, ...], words: list[str]) -> None:
    result = producer(*arguments, "--help")

    assert result.returncode == 0
    assert all(word in result.stdout for word in words)


def test_it_says_which_version_it_is() -> None:
    result = producer("--version")

    assert (result.returncode, result.stdout) == (0, f"producer {metadata.version('tiktok-live-producer')}\n")


def test_every_setting_is_listed() -> None:
    result = producer("settings")

    assert result.returncode == 0
    assert "PRODUCER_UPSTREAM" in result.stdout
    assert "PRODUCER_LOG_LEVEL" in result.stdout


def test_a_misspelt_variable_is_named(listed: Path) -> None:
    lines = refused(producer("run", **least(listed), kafka_bootstrap_server="x"))

    assert lines == ["PRODUCER_KAFKA_BOOTSTRAP_SERVER is not a setting; did you mean PRODUCER_KAFKA_BOOTSTRAP_SERVERS?"]


def test_a_wrong_type_is_named(listed: Path) -> None:
    [line] = refused(producer("run", **least(listed), max_streams="lots"))

    assert line.startswith("PRODUCER_MAX_STREAMS='lots': ")


def test_a_missing_list_file_is_named(topics_of: Mapping[str, str], tmp_path: Path) -> None:
    missing = tmp_path / "none.yaml"

    [line] = refused(producer("run", **topics_of, assignments_file=str(missing), http_port="0"))

    assert line == f"PRODUCER_ASSIGNMENTS_FILE={missing} cannot be read: No such file or directory"


def test_a_bad_list_is_named_line_by_line(topics_of: Mapping[str, str], listed: Path) -> None:
    listed.write_text("streamers:\n- aa\n- 'no good'\n- '@AA'\n")

    lines = refused(producer("run", **topics_of, assignments_file=str(listed), http_port="0"))

    assert lines == [
        f"PRODUCER_ASSIGNMENTS_FILE={listed}: line 3: 'no good' is not a unique id (2 to 24 letters, digits, _ and .)",
        f"PRODUCER_ASSIGNMENTS_FILE={listed}: line 4: aa is listed twice, here and in line 2",
    ]


@pytest.mark.parametrize("arguments", [("run",), ("topics", "apply")], ids=" ".join)
def test_a_broker_that_is_not_there_is_named(listed: Path, arguments: tuple[str, ...]) -> None:
    [line] = refused(producer(*arguments, **least(listed)))

    assert line.startswith(f"Kafka cannot be used: {NOWHERE} refuses connections")


def test_topics_that_are_not_there_are_named(listed: Path, kafka: Kafka) -> None:
    [line] = refused(producer("run", **least(listed, kafka.bootstrap_servers), topic_prefix="nobodys"))

    assert line.startswith("topics are missing: nobodys.access_control.v1, ")
    assert line.endswith(" and 72 more; run `producer topics apply`, or correct PRODUCER_TOPIC_PREFIX")


def test_a_registry_that_is_not_there_is_named(topics_of: Mapping[str, str], listed: Path) -> None:
    url = f"http://{NOWHERE}"

    chosen = {**topics_of, "schema_registry_url": url, "schema_registry_patience_seconds": "0"}

    for arguments in (("run",), ("schemas", "register")):
        [line] = refused(producer(*arguments, **chosen, assignments_file=str(listed), http_port="0"))

        assert line.startswith(f"PRODUCER_SCHEMA_REGISTRY_URL={url} cannot be used: ConnectError")


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("kafka_sasl_password_file", ("run",)),
        ("kafka_sasl_password_file", ("topics", "plan")),
        ("kafka_sasl_password_file", ("dlq", "list")),
        ("kafka_sasl_password_file", ("assign", "list")),
        ("schema_registry_token_file", ("schemas", "check")),
        ("schema_registry_token_file", ("schemas", "register")),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_a_secret_that_cannot_be_used_is_one_line_without_it(
    name: str, arguments: tuple[str, ...], listed: Path, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("canary\nX-More: 1")
    chosen = least(listed) | {"schema_registry_url": f"http://{NOWHERE}", name: str(secret)}
    if name.startswith("kafka"):
        chosen |= {"kafka_security_protocol": "SASL_SSL", "kafka_sasl_mechanism": "PLAIN", "kafka_sasl_username": "me"}
    if arguments[0] == "assign":
        del chosen["assignments_file"]

    [line] = refused(producer(*arguments, **chosen))

    assert line == f"PRODUCER_{name.upper()}: {secret} cannot be used: letter 7 is a line break"


def test_a_port_that_was_set_and_is_in_use_is_named_before_anybody_hears_of_the_worker(listed: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, socket.create_server(("127.0.0.1", 0)) as broker:
        port = taken.getsockname()[1]
        chosen = least(listed, f"127.0.0.1:{broker.getsockname()[1]}") | {"http_port": str(port)}

        [line] = refused(producer("run", **chosen))

        broker.setblocking(False)
        with pytest.raises(BlockingIOError):
            broker.accept()
    assert line == (
        f"cannot listen on 127.0.0.1:{port} (PRODUCER_HTTP_HOST, PRODUCER_HTTP_PORT): Address already in use; another "
        "worker on this machine may have it, or another program: choose another, or 0 for a free one"
    )


def test_health_without_a_port_set_says_that_a_worker_may_have_another(listed: Path) -> None:
    # An address of this machine's own at which nothing listens.
    chosen = least(listed) | {"http_host": "127.94.6.4", "http_port": ""}

    [line] = refused(producer("health", **chosen))

    assert line.startswith("no answer from http://127.94.6.4:9464/livez: ")
    assert line.endswith(
        "; PRODUCER_HTTP_PORT is not set, and a worker that found its default in use logs which it took"
    )


@pytest.mark.parametrize(
    "argument",
    [("--fault", "no_such_fault"), ("--replay", "none.jsonl.gz"), ("--truth", "/nowhere/truth.jsonl")],
    ids=lambda argument: argument[0],
)
def test_a_simulator_that_cannot_start_says_why(argument: tuple[str, str]) -> None:
    [line] = refused(producer("simulate", "--port", "0", *argument))

    assert line.startswith("the simulator cannot start: ")


def test_a_simulators_port_in_use_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        [line] = refused(producer("simulate", "--port", str(taken.getsockname()[1])))

    assert line.startswith("the simulator cannot start: ")


def test_a_demo_without_its_seconds_in_order_says_so() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "producer", "demo"],
        env=without_settings(os.environ) | {"DEMO_SECONDS": "soon"},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert result.returncode == 1
    assert result.stderr == "demo: DEMO_SECONDS='soon' is not a number\n"


def test_the_acls_of_a_worker_are_commands_of_kafkas_tool(listed: Path) -> None:
    chosen = {**least(listed), "topic_prefix": "p"} | {"assignments_file": ""}

    printed = producer("topics", "acls", "--principal", "User:live worker", **chosen).stdout

    writing, reading, statuses, group = printed.split("kafka-acls.sh ")[1:]
    assert writing.startswith(f"--bootstrap-server {NOWHERE} --add --allow-principal 'User:live worker' ")
    assert "--operation Write " in writing
    assert {"--topic p.gift.v1", "--topic p.dlq.v1"} <= {line.strip(" \\") for line in writing.splitlines()}
    assert "p.assignments" not in writing
    assert "--operation Read \\\n  --topic p.assignments\n" in reading
    assert "--operation Read --operation Write \\\n  --topic p.assignment-status\n" in statuses
    assert "--operation Read \\\n  --group p.workers\n" in group


def test_a_worker_with_a_list_of_its_own_may_only_write(listed: Path) -> None:
    [grant] = json.loads(producer("topics", "acls", "--json", **least(listed)).stdout)

    assert (grant["resource"], grant["operations"]) == ("topic", ["Write"])
    assert len(grant["names"]) == len(topic_plan.names("p"))

"""`producer topics export` and `acls --as`: what is printed can be read by whom it is for, with no Kafka near."""

import json
from collections.abc import Iterator

import pytest
import yaml

from tests import published
from tests.commands import Commands, commands
from tests.test_cli_manners import environ


@pytest.fixture(scope="module")
def run() -> Iterator[Commands]:
    with commands(environ()) as running:
        yield running


def test_strimzi_is_given_a_topic_an_object(run: Commands) -> None:
    chosen = environ(topic_prefix="Live", topic_partitions="2", topic_configs_left_out="min.insync.replicas")

    objects = list(yaml.safe_load_all(run("topics", "export", "--as", "strimzi", environ=chosen).stdout))

    assert len(objects) == len(published.EVENTS) + 3  # the dead letters, the list, who streams whom
    [gifts] = [each["spec"] for each in objects if each["metadata"]["name"] == "live.gift-finalized.v1"]
    assert gifts == {
        "topicName": "Live.gift_finalized.v1",
        "partitions": 2,
        "replicas": 3,
        "config": {"cleanup.policy": "delete", "retention.ms": "2592000000", "compression.type": "producer"},
    }
    assert {each["metadata"]["labels"]["strimzi.io/cluster"] for each in objects} == {"kafka"}


def test_terraform_is_given_a_topic_a_resource(run: Commands) -> None:
    result = run("topics", "export", "--as", "terraform", environ=environ(assignments_file="list.yaml"))

    resources = json.loads(result.stdout)["resource"]["kafka_topic"]
    assert len(resources) == len(published.EVENTS) + 1
    assert resources["tiktok_live_dlq_v1"]["name"] == "tiktok.live.dlq.v1"


@pytest.mark.parametrize("form", ["strimzi", "terraform"])
def test_rights_are_declared_for_the_role_that_is_said(run: Commands, form: str) -> None:
    words = ("topics", "acls", "--role", "poke", "--principal", "User:poker", "--as", form)

    printed = run(*words, environ=environ(topic_prefix="p")).stdout

    if form == "strimzi":
        acls = yaml.safe_load(printed)["spec"]["authorization"]["acls"]
        found = {(acl["resource"]["name"], *acl["operations"]) for acl in acls}
    else:
        resources = json.loads(printed)["resource"]["kafka_acl"].values()
        found = {(acl["resource_name"], acl["acl_operation"]) for acl in resources}
    assert found == {("p.assignments", "Read"), ("p.assignment-status", "Write")}


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("export",), "Missing option '--as'. Choose from: strimzi, terraform; `producer topics export --help`"),
        (("acls", "--as", "strimzi", "--json"), "--json and --as are two ways to print the same"),
        (("acls", "--as", "strimzi", "--principal", "User:Live Worker"), "--principal User:Live Worker: a KafkaUser"),
        (("export", "--as", "strimzi", "--cluster", "The Cluster"), "--cluster The Cluster: Strimzi has clusters"),
    ],
    ids=lambda value: "" if isinstance(value, str) else " ".join(value),
)
def test_a_mistake_is_one_sentence(run: Commands, words: tuple[str, ...], named: str) -> None:
    result = run("topics", *words, environ=environ())

    assert (result.returncode, result.stdout) == (1, "")
    [line] = result.stderr.splitlines()
    assert line.startswith(f"producer: {named}")


def test_a_configuration_that_nobody_sets_cannot_be_left_out(run: Commands) -> None:
    chosen = environ(topic_configs_left_out="min.insync.replicas,max.message.bytes")

    [line] = run("topics", "export", "--as", "terraform", environ=chosen).stderr.splitlines()

    assert line.startswith("producer: PRODUCER_TOPIC_CONFIGS_LEFT_OUT: it must be 'cleanup.policy', ")

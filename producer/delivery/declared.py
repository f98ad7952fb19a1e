"""Topics and rights as others declare them: resources of Strimzi's operator, and of Terraform; pure.

Strimzi: the `kafka.strimzi.io/v1` of its 0.49 and later, whose topic operator deletes a topic with its resource unless
that is told otherwise. Terraform: the provider Mongey/kafka, in Terraform's JSON syntax.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from producer.delivery.acls import Grant
from producer.delivery.topic_plan import Topic
from producer.errors import StartRefused

API_VERSION = "kafka.strimzi.io/v1"
USER = "User:"
OBJECT_NAME = re.compile(r"[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?")
"""RFC 1123, section 2.1, as Kubernetes has it."""


def strimzi_topics(topics: Iterable[Topic], *, cluster: str) -> list[dict[str, Any]]:
    """A KafkaTopic for each topic of the cluster of this name. Raises StartRefused where there is no such cluster."""
    return [
        {
            **_head("KafkaTopic", _object_name(topic.name), cluster),
            "spec": {
                "topicName": topic.name,
                "partitions": topic.partitions,
                "replicas": topic.replication_factor,
                "config": dict(topic.configs),
            },
        }
        for topic in topics
    ]


def strimzi_user(grants: Iterable[Grant], *, principal: str, cluster: str) -> dict[str, Any]:
    """The KafkaUser that is `User:` and its name. Raises StartRefused where no object can have that name.

    How it logs in is not ours to say: add `authentication`.
    """
    name = principal.removeprefix(USER)
    if not principal.startswith(USER) or not OBJECT_NAME.fullmatch(name):
        raise StartRefused(f"--principal {principal}: a KafkaUser is User: and a name of a-z, 0-9, - and .")
    acls = [
        {
            "resource": {"type": grant.resource, "name": resource, "patternType": "literal"},
            "operations": list(grant.operations),
        }
        for grant in grants
        for resource in grant.names
    ]
    return {
        **_head("KafkaUser", name, cluster),
        "spec": {"authorization": {"type": "simple", "acls": acls}},
    }


def terraform_topics(topics: Iterable[Topic]) -> dict[str, Any]:
    """A `kafka_topic` for each topic."""
    return _resources(
        "kafka_topic",
        {
            topic.name: {
                "name": topic.name,
                "partitions": topic.partitions,
                "replication_factor": topic.replication_factor,
                "config": dict(topic.configs),
            }
            for topic in topics
        },
    )


def terraform_acls(grants: Iterable[Grant], *, principal: str) -> dict[str, Any]:
    """A `kafka_acl` for each operation on each resource."""
    return _resources(
        "kafka_acl",
        {
            f"{grant.resource}-{resource}-{operation}": {
                "resource_name": resource,
                "resource_type": grant.resource.capitalize(),
                "resource_pattern_type_filter": "Literal",
                "acl_principal": principal,
                "acl_host": "*",
                "acl_operation": operation,
                "acl_permission_type": "Allow",
            }
            for grant in grants
            for resource in grant.names
            for operation in grant.operations
        },
    )


def _head(kind: str, name: str, cluster: str) -> dict[str, Any]:
    if not OBJECT_NAME.fullmatch(cluster):
        raise StartRefused(f"--cluster {cluster}: Strimzi has clusters with names of a-z, 0-9, - and . alone")
    return {
        "apiVersion": API_VERSION,
        "kind": kind,
        "metadata": {"name": name, "labels": {"strimzi.io/cluster": cluster}},
    }


def _object_name(topic: str) -> str:
    """A name that an object may have, as close to the topic's as that."""
    return re.sub(r"[^a-z0-9.-]", "-", topic.lower()).strip("-.")


def _resources(kind: str, named: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Resources, with labels that are identifiers, which no dot is in and no digit begins."""
    labelled = {re.sub(r"[^A-Za-z0-9_-]|^(?=[0-9-])", "_", name): body for name, body in named.items()}
    return {"resource": {kind: labelled}}

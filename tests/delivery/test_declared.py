"""producer.delivery.declared: literals in; out come resources as Strimzi and the Terraform provider document them."""

import pytest

from producer.delivery import acls, topic_plan
from producer.delivery.acls import Grant
from producer.delivery.declared import OBJECT_NAME, strimzi_topics, strimzi_user, terraform_acls, terraform_topics
from producer.delivery.topic_plan import Shape, Topic
from producer.errors import StartRefused

TOTALS = Topic("Live_1.gift_finalized.v1", 6, 3, {"retention.ms": "100", "cleanup.policy": "delete"})
GRANTS = (Grant("topic", ("t.a.v1", "t.b.v1"), ("Read", "Write")), Grant("group", ("t.workers",), ("Read",)))
SHAPE = Shape(6, 3, event_retention_days=30, dead_letter_retention_days=14, slots=128)


def test_a_topic_of_strimzi_has_the_topics_own_name_beside_one_that_an_object_may_have() -> None:
    assert strimzi_topics([TOTALS], cluster="lives") == [
        {
            "apiVersion": "kafka.strimzi.io/v1",
            "kind": "KafkaTopic",
            "metadata": {"name": "live-1.gift-finalized.v1", "labels": {"strimzi.io/cluster": "lives"}},
            "spec": {
                "topicName": "Live_1.gift_finalized.v1",
                "partitions": 6,
                "replicas": 3,
                "config": {"retention.ms": "100", "cleanup.policy": "delete"},
            },
        }
    ]


def test_a_user_of_strimzi_may_do_what_is_granted() -> None:
    assert strimzi_user(GRANTS, principal="User:live-worker", cluster="lives") == {
        "apiVersion": "kafka.strimzi.io/v1",
        "kind": "KafkaUser",
        "metadata": {"name": "live-worker", "labels": {"strimzi.io/cluster": "lives"}},
        "spec": {
            "authorization": {
                "type": "simple",
                "acls": [
                    {
                        "resource": {"type": "topic", "name": "t.a.v1", "patternType": "literal"},
                        "operations": ["Read", "Write"],
                    },
                    {
                        "resource": {"type": "topic", "name": "t.b.v1", "patternType": "literal"},
                        "operations": ["Read", "Write"],
                    },
                    {
                        "resource": {"type": "group", "name": "t.workers", "patternType": "literal"},
                        "operations": ["Read"],
                    },
                ],
            }
        },
    }


@pytest.mark.parametrize("principal", ["live-worker", "User:Live Worker", "User:", "User:CN=live-worker", "Group:a"])
def test_a_principal_that_no_user_of_strimzi_can_be_is_refused_by_name(principal: str) -> None:
    with pytest.raises(StartRefused, match=f"--principal {principal}: "):
        strimzi_user(GRANTS, principal=principal, cluster="lives")


def test_a_cluster_that_cannot_be_is_refused_by_name() -> None:
    with pytest.raises(StartRefused, match="--cluster Lives: "):
        strimzi_topics([TOTALS], cluster="Lives")


def test_a_topic_of_terraform() -> None:
    assert terraform_topics([TOTALS]) == {
        "resource": {
            "kafka_topic": {
                "Live_1_gift_finalized_v1": {
                    "name": "Live_1.gift_finalized.v1",
                    "partitions": 6,
                    "replication_factor": 3,
                    "config": {"retention.ms": "100", "cleanup.policy": "delete"},
                }
            }
        }
    }


def test_rights_of_terraform_are_one_for_each_operation() -> None:
    declared = terraform_acls(GRANTS, principal="User:live-worker")["resource"]["kafka_acl"]

    assert list(declared) == [
        "topic-t_a_v1-Read",
        "topic-t_a_v1-Write",
        "topic-t_b_v1-Read",
        "topic-t_b_v1-Write",
        "group-t_workers-Read",
    ]
    assert declared["group-t_workers-Read"] == {
        "resource_name": "t.workers",
        "resource_type": "Group",
        "resource_pattern_type_filter": "Literal",
        "acl_principal": "User:live-worker",
        "acl_host": "*",
        "acl_operation": "Read",
        "acl_permission_type": "Allow",
    }


@pytest.mark.parametrize("prefix", ["tiktok.live", "_Live", "7lives", "-x", "a_b.C"])
def test_every_topic_and_right_is_declared_once_under_a_name_that_may_be(prefix: str) -> None:
    topics = topic_plan.wanted(prefix, SHAPE)
    grants = acls.needed("worker", prefix, shared_list=True)

    objects = [declared["metadata"]["name"] for declared in strimzi_topics(topics, cluster="lives")]
    labels = list(terraform_topics(topics)["resource"]["kafka_topic"])
    rights = terraform_acls(grants, principal="User:a")["resource"]["kafka_acl"]

    assert len(set(objects)) == len(set(labels)) == len(topics)
    assert all(OBJECT_NAME.fullmatch(name) for name in objects)
    assert all(label.isidentifier() or label.replace("-", "_").isidentifier() for label in labels)
    assert len(rights) == sum(len(grant.names) * len(grant.operations) for grant in grants)

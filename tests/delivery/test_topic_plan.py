"""producer.delivery.topic_plan: literals in, changes out."""

from dataclasses import replace
from typing import get_args

from producer.delivery.topic_plan import AddPartitions, Create, Found, SetConfigs, Shape, Topic, names, plan, wanted
from producer.settings import TopicConfig
from tests import published

COMMENT = Topic("t.comment.v1", 6, 3, {"retention.ms": "100", "cleanup.policy": "delete"})
RIGHT = Found(6, {"retention.ms": "100", "cleanup.policy": "delete"})


def test_a_topic_as_it_should_be_needs_nothing() -> None:
    assert plan([COMMENT], {COMMENT.name: RIGHT}) == []


def test_a_missing_topic_is_created() -> None:
    assert plan([COMMENT], {}) == [Create(COMMENT)]


def test_too_few_partitions_are_added_to_with_a_warning() -> None:
    [change] = plan([COMMENT], {COMMENT.name: Found(4, RIGHT.configs)})

    assert change == AddPartitions("t.comment.v1", 4, 6)
    assert str(change) == "add partitions to t.comment.v1: 4 to 6 (streamers change partition)"


def test_too_many_partitions_are_left_alone() -> None:
    assert plan([COMMENT], {COMMENT.name: Found(12, RIGHT.configs)}) == []


def test_a_wrong_configuration_is_set_and_others_are_kept() -> None:
    [change] = plan([COMMENT], {COMMENT.name: Found(6, {"retention.ms": "7", "max.message.bytes": "9"})})

    assert isinstance(change, SetConfigs)
    assert change.changed == {"retention.ms": "100", "cleanup.policy": "delete"}
    assert change.before["max.message.bytes"] == "9"
    assert str(change) == "configure t.comment.v1: cleanup.policy=delete (was default), retention.ms=100 (was 7)"


def test_topics_of_others_are_nobodys_business() -> None:
    assert plan([COMMENT], {COMMENT.name: RIGHT, "somebody.elses": Found(1, {})}) == []


def test_every_event_and_the_dead_letters_have_a_topic() -> None:
    assert len(names("p")) == len(published.EVENTS) + 1
    assert {"p.comment.v1", "p.gift_finalized.v1", "p.dlq.v1"} <= set(names("p"))


SHAPE = Shape(6, 3, event_retention_days=30, dead_letter_retention_days=0.5, slots=128)


def test_dead_letters_and_events_are_kept_for_as_long_as_the_shape_says() -> None:
    kept = {topic.name: topic.configs.get("retention.ms") for topic in wanted("p", SHAPE)}

    assert kept["p.dlq.v1"] == "43200000"
    assert kept["p.comment.v1"] == "2592000000"


def test_the_shared_list_is_compacted_and_its_slots_are_never_more_than_they_were() -> None:
    [shared_list] = [topic for topic in wanted("p", SHAPE) if topic.name == "p.assignments"]

    assert (shared_list.partitions, shared_list.configs["cleanup.policy"]) == (128, "compact")
    assert plan([shared_list], {shared_list.name: Found(64, shared_list.configs)}) == []


def test_the_topic_of_streamers_is_compacted_and_spread_as_those_of_events() -> None:
    [streamers] = [topic for topic in wanted("p", SHAPE) if topic.name == "p.streamer.v1"]

    assert (streamers.partitions, streamers.configs["cleanup.policy"]) == (SHAPE.partitions, "compact")
    assert "retention.ms" not in streamers.configs


def test_where_the_list_is_a_file_it_has_no_topics() -> None:
    with_slots = {topic.name for topic in wanted("p", SHAPE)}

    assert with_slots - {topic.name for topic in wanted("p", replace(SHAPE, slots=None))} == {
        "p.assignments",
        "p.assignment-status",
    }


def test_one_replica_of_three_may_be_missing() -> None:
    [in_sync] = {t.configs["min.insync.replicas"] for t in wanted("p", SHAPE)}
    [alone] = {t.configs["min.insync.replicas"] for t in wanted("p", replace(SHAPE, replication_factor=1))}

    assert (in_sync, alone) == ("2", "1")


def test_configurations_that_a_cluster_forbids_are_neither_asked_for_nor_mended() -> None:
    left_out = frozenset({"min.insync.replicas", "compression.type"})
    topics = wanted("p", replace(SHAPE, left_out=left_out))
    configs = {topic.name: topic.configs for topic in topics}

    assert configs["p.comment.v1"] == {"cleanup.policy": "delete", "retention.ms": "2592000000"}
    assert configs["p.assignments"] == {"cleanup.policy": "compact", "segment.ms": "86400000"}
    assert plan(topics, {t.name: Found(t.partitions, {**t.configs, "min.insync.replicas": "1"}) for t in topics}) == []


def test_each_configuration_can_be_left_out() -> None:
    assert {key for topic in wanted("p", SHAPE) for key in topic.configs} == set(get_args(TopicConfig))
    assert all(not topic.configs for topic in wanted("p", replace(SHAPE, left_out=frozenset(get_args(TopicConfig)))))

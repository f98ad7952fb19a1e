"""producer.delivery.topic_plan: literals in, changes out."""

from producer.delivery.topic_plan import AddPartitions, Create, Found, SetConfigs, Topic, names, plan, wanted

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
    assert len(names("p")) == 14
    assert {"p.comment.v1", "p.gift_finalized.v1", "p.dlq.v1"} <= set(names("p"))


def test_dead_letters_are_kept_for_a_fortnight_and_events_for_thirty_days() -> None:
    kept = {topic.name: topic.configs["retention.ms"] for topic in wanted("p", partitions=1, replication_factor=3)}

    assert kept["p.dlq.v1"] == "1209600000"
    assert kept["p.comment.v1"] == "2592000000"


def test_one_replica_of_three_may_be_missing() -> None:
    [in_sync] = {t.configs["min.insync.replicas"] for t in wanted("p", partitions=1, replication_factor=3)}
    [alone] = {t.configs["min.insync.replicas"] for t in wanted("p", partitions=1, replication_factor=1)}

    assert (in_sync, alone) == ("2", "1")

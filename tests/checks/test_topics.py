"""What is made of replicas and of the brokers' bits, where one broker on a laptop cannot show it."""

import pytest

from producer.checks.topics import durability
from producer.kafka.inquiry import TopicSeen, operations


@pytest.mark.parametrize(
    ("replicas", "in_sync", "expected"),
    [
        (3, "2", []),
        (3, "1", [("warn", "min.insync.replicas is 1 and there are more replicas: t")]),
        (3, "3", [("warn", "min.insync.replicas is as many as there are replicas: t")]),
        (1, "1", [("warn", "one replica: t")]),
        (2, "3", [("fail", "min.insync.replicas is more than the replicas of t: no write can ever succeed")]),
        (3, None, []),
    ],
)
def test_replicas_are_judged_by_how_many_a_write_needs(
    replicas: int, in_sync: str | None, expected: list[tuple[str, str]]
) -> None:
    seen = {"t": TopicSeen(partitions=1, replicas=replicas, operations=None, leaderless=())}
    configs = {} if in_sync is None else {"t": {"min.insync.replicas": in_sync}}

    assert [(verdict.state, verdict.found) for verdict in durability(seen, configs)] == expected


def test_bits_are_operations_and_a_server_that_keeps_no_account_of_them_is_understood() -> None:
    """KIP-430: the bit of an operation is its code; the least number says that they were left out."""
    assert operations(0b0000_0001_0001_1000) == frozenset({"Read", "Write", "Describe"})
    assert operations(0) == frozenset()
    assert operations(-2_147_483_648) is None

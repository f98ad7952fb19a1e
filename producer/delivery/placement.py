"""Which partition a record goes to: Kafka's own rule, by which every producer chooses the same for a key; pure."""

from functools import lru_cache

from aiokafka.partitioner import murmur2

KEYS_REMEMBERED = 8_192
"""More than the streamers of one worker; the hash is Python's own work, and is asked for with each record."""


@lru_cache(maxsize=KEYS_REMEMBERED)
def key_hash(key: bytes) -> int:
    """Kafka's hash of a key, from 0 to 2**31 - 1: a partition is its remainder by the number of partitions."""
    return int(murmur2(key)) & 0x7FFFFFFF

"""What a failed batch is called, and what an operator looks at then."""

from collections.abc import Mapping

from aiokafka import errors as kafka_errors

from producer.delivery.clients import NotAnswered

UNACCEPTABLE = (
    kafka_errors.MessageSizeTooLargeError,
    kafka_errors.RecordListTooLargeError,
    kafka_errors.InvalidTimestampError,
)
"""What a broker says of the records themselves: it will say it again."""

HINTS: Mapping[str, str] = {
    "unknown_topic": "the topic is gone: run `producer topics apply`",
    "authorization": "grant what `producer topics acls` lists",
    "authentication": "look at PRODUCER_KAFKA_SASL_USERNAME and PRODUCER_KAFKA_SASL_PASSWORD_FILE",
    "not_enough_replicas": "fewer replicas are in sync than the topic's min.insync.replicas",
    "message_too_large": "the topic's max.message.bytes is below PRODUCER_KAFKA_MAX_RECORD_BYTES",
    "no_leader": "the partition has no leader: look at its brokers",
}
"""What to look at, by label."""

_LABELS: tuple[tuple[type[BaseException], str], ...] = (
    (NotAnswered, "timeout"),
    (kafka_errors.UnknownTopicOrPartitionError, "unknown_topic"),
    (kafka_errors.TopicAuthorizationFailedError, "authorization"),
    (kafka_errors.ClusterAuthorizationFailedError, "authorization"),
    (kafka_errors.AuthenticationFailedError, "authentication"),
    (kafka_errors.NotEnoughReplicasError, "not_enough_replicas"),
    (kafka_errors.NotEnoughReplicasAfterAppendError, "not_enough_replicas"),
    (kafka_errors.MessageSizeTooLargeError, "message_too_large"),
    (kafka_errors.RecordListTooLargeError, "message_too_large"),
    (kafka_errors.InvalidTimestampError, "invalid_timestamp"),
    (kafka_errors.OutOfOrderSequenceNumber, "out_of_order"),
    (kafka_errors.ProducerFenced, "fenced"),
    (kafka_errors.LeaderNotAvailableError, "no_leader"),
    (kafka_errors.NotLeaderForPartitionError, "no_leader"),
    (kafka_errors.KafkaConnectionError, "connection"),
    (kafka_errors.NodeNotReadyError, "connection"),
    (TimeoutError, "timeout"),
    (kafka_errors.KafkaTimeoutError, "timeout"),
    (kafka_errors.RequestTimedOutError, "timeout"),
    (OSError, "connection"),
)


def label(error: BaseException) -> str:
    """The name of an error: one of the metrics' PUBLISH_ERRORS."""
    return next((name for kind, name in _LABELS if isinstance(error, kind)), "other")

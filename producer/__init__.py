"""TikTok LIVE events to Apache Kafka, one Avro record per event, one topic per kind of event."""

__version__ = "0.1.0"

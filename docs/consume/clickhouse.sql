-- Reads the topic; each record comes out of it once, so only the view below selects from it.
CREATE TABLE gift_finalized_queue (
    gift_name Nullable(String),
    count Int64,
    diamonds Nullable(Int64),
    receiver_id Nullable(String),
    -- A tuple takes all fields of its record, in their order.
    meta Nullable(Tuple(
        event_id String, streamer String, room_id String, message_id Nullable(String), method Nullable(String),
        created_at Nullable(DateTime64(3)), received_at DateTime64(3), room_sequence Int64, is_history Bool,
        worker String, streak_id Nullable(String), payload Nullable(String), text_repaired Nullable(Bool),
        streamer_id Nullable(String), connection Nullable(String)))
) ENGINE = Kafka SETTINGS
    kafka_broker_list = 'kafka:9092',
    kafka_topic_list = 'tiktok.live.gift_finalized.v1',
    kafka_group_name = 'gifts-clickhouse',
    kafka_format = 'AvroConfluent',
    format_avro_schema_registry_url = 'http://registry:8081';

-- Of rows with the same key it keeps one: duplicates go when parts are merged, and at once where FINAL is said.
CREATE TABLE gift_finalized (
    streamer String,
    event_id String,
    received_at DateTime64(3),
    gift_name Nullable(String),
    count Int64,
    diamonds Nullable(Int64),
    -- A guest, or the streamer by number; where it is not said, the streamer by name.
    receiver String
) ENGINE = ReplacingMergeTree ORDER BY (streamer, event_id);

CREATE MATERIALIZED VIEW gift_finalized_reader TO gift_finalized AS
SELECT
    _key AS streamer,
    assumeNotNull(tupleElement(meta, 'event_id')) AS event_id,
    assumeNotNull(tupleElement(meta, 'received_at')) AS received_at,
    gift_name,
    count,
    diamonds,
    ifNull(receiver_id, _key) AS receiver
FROM gift_finalized_queue
-- This engine has no columns within a tuple that could be read alone.
SETTINGS optimize_functions_to_subcolumns = 0;

SELECT receiver, sum(count) AS gifts, sum(diamonds) AS diamonds
FROM gift_finalized FINAL
GROUP BY receiver
ORDER BY receiver;

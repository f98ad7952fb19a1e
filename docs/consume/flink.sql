CREATE TABLE gift_finalized (
    streamer STRING,
    gift_name STRING,
    `count` BIGINT NOT NULL,
    diamonds BIGINT,
    receiver_id STRING,
    meta ROW<event_id STRING NOT NULL, room_id STRING NOT NULL>,
    read_at AS PROCTIME()
) WITH (
    'connector' = 'kafka',
    'topic' = 'tiktok.live.gift_finalized.v1',
    'properties.bootstrap.servers' = 'kafka:9092',
    'properties.group.id' = 'gifts-flink',
    'scan.startup.mode' = 'earliest-offset',
    'key.format' = 'raw',
    'key.fields' = 'streamer',
    'value.format' = 'avro-confluent',
    'value.avro-confluent.url' = 'http://registry:8081',
    'value.fields-include' = 'EXCEPT_KEY'
);

-- Flink forgets an event id after an hour; without a bound its state grows for good.
SET 'table.exec.state.ttl' = '1 h';

-- The receiver is a guest, or the streamer by number; where it is not said, the streamer by name.
SELECT COALESCE(receiver_id, streamer) AS receiver, SUM(`count`) AS gifts, SUM(diamonds) AS diamonds
FROM (
    SELECT *, ROW_NUMBER() OVER (PARTITION BY meta.event_id ORDER BY read_at) AS occurrence
    FROM gift_finalized
)
WHERE occurrence = 1
GROUP BY COALESCE(receiver_id, streamer);

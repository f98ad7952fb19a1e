"""Everything that knows Kafka's write side.

Owns what happens to a record once it is handed over: it is sent until a broker acknowledges it, and counted.

Assumes that a record is complete (topic, key, value, headers) and small enough for the brokers.

Leaves to others what a record means: nothing here knows Webcast, and of `producer.events` it knows records and
schemas alone. Above this package nobody has heard of aiokafka.
"""

"""TikTok's side of the wall.

Owns everything between a streamer's unique id and the messages of the room: the look-ups that find the room, the
address of its socket, the conversation on it, and the bytes of that conversation.

Assumes that everything it receives is a stranger's. Foreign exceptions (httpx, websockets, protobuf) are translated
into `producer.errors` here and are unknown above.

Leaves to others what a message means: nothing here knows Avro or Kafka.
"""

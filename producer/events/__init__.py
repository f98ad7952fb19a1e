"""Our side of the wall: what a Webcast message means, and how that is written for Kafka.

Owns the contract with consumers: the schemas, the mapping from messages to events, and their encoding.

Assumes a message is a stranger's: it is mapped, or refused whole with a reason.

Leaves to others where messages come from and where records go. All of it is pure; nothing here knows sockets, and of
`producer.webcast` it knows the wire types alone.
"""

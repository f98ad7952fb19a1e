"""A Webcast service for laptops, tests, and users' own tests.

Owns a world of rooms that go live, talk and end, made from a seed; the HTTP and WebSocket surface over which TikTok
shows such rooms; named misbehaviours, each of which counts how often it happened; and the truth, a log of all it sent.

Assumes a client that speaks as the protocol sheet says, and is strict where the sheet is.

Leaves to others what a message becomes: it says what it meant, from the sheet, and shares no mapping with the service
that it tests. Of that service it knows the wire types, the frames and the errors alone.
"""

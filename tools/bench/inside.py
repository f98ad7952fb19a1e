"""Payload to Avro inside a subject's own process: run by its own Python, and told by a line when to take a round.

It knows of a subject only `mapping.to_event` and `Encoder.encode`, and says a line for each round: processor time, in
microseconds a message, of the product's way, and of the same values by fastavro in its place. First it says what its
records come to, byte by byte, and that fastavro writes the same.
"""

import hashlib
import io
import json
import pickle
import sys
import time
from pathlib import Path

import fastavro

from producer.events import mapping, schemas
from producer.events.encoding import Encoder, single_object_prefix
from producer.events.event import Origin
from producer.webcast import wire

RECEIVED_AT = 1_790_000_001_000


def main() -> None:
    messages = [
        wire.Envelope(method=method, payload=payload, msg_id=number)
        for number, method, payload in pickle.loads(Path(sys.argv[1]).read_bytes())
    ]
    events = schemas.events()
    encoder = Encoder(events, topic_prefix="bench", schema_ids=None)
    parsed = {name: fastavro.parse_schema(schema.parsed) for name, schema in events.items()}
    prefixes = {name: single_object_prefix(schema) for name, schema in events.items()}
    origin = Origin(streamer="bench", room_id=7_400_000_000_000_000_000, worker="bench", connection="0011223344556677")

    def own(count: int) -> list[bytes]:
        return [
            encoder.encode(
                mapping.to_event(message, origin, received_at=RECEIVED_AT, room_sequence=number), key="bench"
            ).value
            for number, message in enumerate(messages[:count])
        ]

    def reference(count: int) -> list[bytes]:
        values = []
        for number, message in enumerate(messages[:count]):
            event = mapping.to_event(message, origin, received_at=RECEIVED_AT, room_sequence=number)
            out = io.BytesIO()
            fastavro.schemaless_writer(out, parsed[event.name], event.value)
            values.append(prefixes[event.name] + out.getvalue())
        return values

    ours, theirs = own(len(messages)), reference(len(messages))
    digest = hashlib.sha256(b"".join(ours)).hexdigest()
    print(json.dumps({"sha256": digest, "equal": ours == theirs, "bytes": sum(map(len, ours))}), flush=True)
    for _ in sys.stdin:
        taken = {}
        for name, work in (("own", own), ("fastavro", reference)):
            before = time.process_time()
            work(len(messages))
            taken[name] = (time.process_time() - before) / len(messages) * 1e6
        print(json.dumps(taken), flush=True)


main()

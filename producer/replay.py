"""A dead letter through mapping and encoding again, as if its message had just been received; pure."""

from dataclasses import dataclass

from producer.delivery.dead_letters import Letter, LetterReason
from producer.errors import MessageRefused, NotEncodable
from producer.events import mapping
from producer.events.encoding import Encoder, Record
from producer.events.event import Origin, Payloads
from producer.events.pseudonyms import Pseudonyms
from producer.webcast.wire import Envelope


@dataclass(frozen=True, slots=True)
class Mapped:
    """The letter's message has a record now."""

    event: str
    event_id: str
    record: Record

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"


@dataclass(frozen=True, slots=True)
class StillRefused:
    """It is refused again."""

    reason: LetterReason
    problem: str

    def __str__(self) -> str:
        return f"still refused ({self.reason}): {self.problem}"


@dataclass(frozen=True, slots=True)
class NotReplayable:
    """The letter does not hold a whole message."""

    why: str

    def __str__(self) -> str:
        return f"not replayable: {self.why}"


Outcome = Mapped | StillRefused | NotReplayable


def replay(letter: Letter, encoder: Encoder, *, payloads: Payloads, viewers: Pseudonyms | None = None) -> Outcome:
    """Say what becomes of a letter now.

    The event is what it would have been at the time: its id, streamer, room, worker, time of receipt and place in the
    connection are the letter's. What comes from elsewhere than the message is missing: `extended_gift`, since the gift
    list of that time is gone, and the gift's part in a total.
    """
    head, room_id = letter.message, letter.sender.room_id
    if head is None or room_id is None:
        return NotReplayable("the bytes are no message's")
    if letter.cut:
        return NotReplayable(f"cut ({', '.join(sorted(letter.cut))})")
    origin = Origin(letter.sender.streamer, room_id, letter.sender.worker, payloads, viewers=viewers)
    envelope = Envelope(method=head.method, payload=letter.data, msg_id=head.message_id, is_history=head.is_history)
    try:
        event = mapping.to_event(envelope, origin, received_at=letter.received_at, room_sequence=head.room_sequence)
        record = encoder.encode(event, key=origin.streamer)
    except MessageRefused as error:
        return StillRefused(LetterReason(f"payload_{error.fault}"), str(error))
    except NotEncodable as error:
        return StillRefused(LetterReason.NOT_ENCODABLE, str(error))
    except Exception as bug:  # the one that the letter is of, if this version has it too
        return StillRefused(LetterReason.PAYLOAD_BUG, f"{type(bug).__name__}: {bug}")
    return Mapped(event.name, event.value["meta"]["event_id"], record)

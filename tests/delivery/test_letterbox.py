"""producer.delivery.letterbox: what is sent, what is dropped, and what is said of it."""

import asyncio

import pytest
from structlog.testing import capture_logs

from producer.delivery import letterbox as letterbox_module
from producer.delivery.dead_letters import LetterReason, Sender, letter
from producer.delivery.ledger import Ledger
from producer.delivery.letter_cap import Cap
from producer.delivery.letterbox import Letterbox
from producer.errors import ProducerError
from producer.events.encoding import Record
from producer.observability.metrics import Metrics

NOON = 1_700_000_000_000


def made(per_minute: int) -> tuple[Letterbox, Ledger, Metrics]:
    ledger, metrics = Ledger(), Metrics(topics=(), version="test")
    return Letterbox(topic="t.dlq.v1", cap=Cap(per_minute=per_minute), ledger=ledger, metrics=metrics), ledger, metrics


def post(letterbox: Letterbox, streamer: str, room_id: int, letters: int) -> list[Record]:
    """The records of those that are to be sent."""
    records = []
    for number in range(letters):
        sender, data = Sender(streamer, "worker-0", room_id), b"%d" % number
        written = letter(LetterReason.FRAME_MALFORMED, ProducerError("no"), data, sender, received_at=NOON)
        records.append(letterbox.accept(written, at=0))
    return [record for record in records if record is not None]


def test_letters_over_the_cap_are_counted_and_not_sent() -> None:
    letterbox, ledger, metrics = made(2)

    records = post(letterbox, "ann", 1, 5) + post(letterbox, "bo", 2, 1)

    assert [(record.topic, record.key, record.value) for record in records] == [
        ("t.dlq.v1", b"ann", b"0"),
        ("t.dlq.v1", b"ann", b"1"),
        ("t.dlq.v1", b"bo", b"0"),
    ]
    assert ledger.capped == 3
    dropped = metrics.registry.get_sample_value("tiktok_live_events_dropped_total", {"reason": "dead_letter_cap"})
    assert dropped == 3


def test_how_many_were_dropped_is_said_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letterbox_module, "REPORT_SECONDS", 0.0)
    letterbox, *_ = made(1)
    post(letterbox, "ann", 1, 3)
    post(letterbox, "bo", 2, 5)

    async def main() -> None:
        reporting = asyncio.create_task(letterbox.report())
        for _ in range(20):
            await asyncio.sleep(0)
        reporting.cancel()

    with capture_logs() as lines:
        asyncio.run(main())

    assert lines == [
        {
            "event": "dead letters dropped by the cap",
            "log_level": "warning",
            "letters": 6,
            "streamers": 2,
            "worst_streamer": "bo",
            "worst_letters": 4,
        }
    ]

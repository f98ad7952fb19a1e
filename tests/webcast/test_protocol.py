"""producer.webcast.protocol: a number in place of the clock, bytes in place of the socket."""

import tracemalloc

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from producer.errors import FailedRoomPolling, Fault, Reason, Recovery
from producer.webcast.frames import Stage
from producer.webcast.protocol import Protocol, RecentIds
from producer.webcast.wire import ControlMessage, Envelope, FetchResult, HeartBeat, PushFrame, PushHeader

ROOM = 7_300_000_000_000_000_001


def protocol(*, now: float = 100.0, silence: float = 60.0, seen: RecentIds | None = None) -> Protocol:
    return Protocol(ROOM, now=now, seen=seen or RecentIds(), heartbeat_seconds=5.0, silence_seconds=silence)


def envelope(message_id: int, method: str = "WebcastChatMessage", payload: bytes = b"", history: bool = False) -> bytes:
    return Envelope(method=method, payload=payload, msg_id=message_id, is_history=history).SerializeToString()


def batch(*envelopes: bytes, need_ack: bool = False, log_id: int = 0, internal_ext: bytes = b"ext") -> bytes:
    result = FetchResult(messages=envelopes, need_ack=need_ack, internal_ext=internal_ext)
    return PushFrame(log_id=log_id, payload_type="msg", payload=result.SerializeToString()).SerializeToString()


def kinds(frames: list[bytes]) -> list[str]:
    return [PushFrame.FromString(frame).payload_type for frame in frames]


def test_it_enters_the_room_and_then_beats() -> None:
    frames = protocol().frames_to_send()

    assert kinds(frames) == ["im_enter_room", "hb"]


def test_frames_are_handed_over_once() -> None:
    subject = protocol()

    subject.frames_to_send()

    assert subject.frames_to_send() == []


def test_the_first_deadline_is_the_next_heartbeat() -> None:
    assert protocol(now=100.0).deadline == 105.0


def test_heartbeats_count_from_one_at_their_interval() -> None:
    subject = protocol(now=100.0)

    for now in (104.9, 105.0, 109.0, 110.0):
        subject.tick(now)

    beats = [PushFrame.FromString(f) for f in subject.frames_to_send()[1:]]
    assert [HeartBeat.FromString(b.payload).send_packet_seq_id for b in beats] == [1, 2, 3]
    assert HeartBeat.FromString(beats[0].payload).room_id == ROOM


def test_a_batch_that_asks_for_it_is_acknowledged_with_its_log_id() -> None:
    subject = protocol()
    subject.frames_to_send()

    subject.receive(batch(envelope(1), need_ack=True, log_id=77, internal_ext=b"opaque"), 101.0)

    [acknowledgement] = [PushFrame.FromString(frame) for frame in subject.frames_to_send()]
    assert (acknowledgement.payload_type, acknowledgement.log_id, acknowledgement.payload) == ("ack", 77, b"opaque")


@pytest.mark.parametrize(("need_ack", "log_id"), [(False, 77), (True, 0)])
def test_a_batch_that_does_not_ask_or_has_no_log_id_is_not_acknowledged(need_ack: bool, log_id: int) -> None:
    subject = protocol()
    subject.frames_to_send()

    subject.receive(batch(envelope(1), need_ack=need_ack, log_id=log_id), 101.0)

    assert subject.frames_to_send() == []


@pytest.mark.parametrize(("size", "sent"), [(4_096, 1), (4_097, 0)])
def test_an_acknowledgement_repeats_no_more_than_four_kibibytes(size: int, sent: int) -> None:
    subject = protocol()
    subject.frames_to_send()

    received = subject.receive(batch(envelope(1), need_ack=True, log_id=77, internal_ext=b"x" * size), 101.0)

    assert len(received.messages) == 1
    assert len(subject.frames_to_send()) == sent


def test_messages_come_in_their_order() -> None:
    received = protocol().receive(batch(envelope(3), envelope(1), envelope(2)), 101.0)

    assert [message.msg_id for message in received.messages] == [3, 1, 2]


def test_a_message_seen_before_is_set_aside_and_counted() -> None:
    subject = protocol()
    subject.receive(batch(envelope(1)), 101.0)

    received = subject.receive(batch(envelope(1), envelope(2)), 102.0)

    assert [message.msg_id for message in received.messages] == [2]
    assert received.duplicates == 1


def test_what_was_seen_outlives_the_connection() -> None:
    seen = RecentIds()
    protocol(seen=seen).receive(batch(envelope(1)), 101.0)

    received = protocol(seen=seen).receive(batch(envelope(1, history=True)), 200.0)

    assert (received.messages, received.duplicates) == ([], 1)


@pytest.mark.parametrize(
    ("before", "after", "met"),
    [
        ([1, 2, 3], [(2, False)], "2 is no news"),
        ([1, 2, 3], [(4, False), (5, False)], "the other is ahead, and these are not what it brought last"),
        ([1, 2, 3], [(9, True)], "9 came with its history"),
        ([1, 2, 3], [(4, False), (9, False)], None),
        ([], [(1, False), (9, False)], None),
        ([1, 9], [], None),
    ],
)
def test_two_that_hear_one_room_have_met_once_one_brings_what_the_other_brought_last(
    before: list[int], after: list[tuple[int, bool]], met: str | None
) -> None:
    """The other has brought 7, 8 and 9; each is behind, then ahead."""
    for behind in (True, False):
        seen = RecentIds()
        subject, other = protocol(seen=seen), protocol(seen=seen)
        other.receive(batch(*map(envelope, (7, 8, 9))), 101.0)
        subject.receive(batch(*map(envelope, before)), 101.0)
        (subject if behind else other).await_last_of(other if behind else subject)

        for number, history in after:
            subject.receive(batch(envelope(number, history=history)), 102.0)

        assert (subject.has_met or other.has_met) == (met is None)


def test_two_that_brought_nothing_have_not_met() -> None:
    subject, other = protocol(), protocol()

    subject.await_last_of(other)
    subject.receive(batch(envelope(0)), 101.0)

    assert not subject.has_met
    assert not other.has_met


def test_recent_ids_forget_the_oldest() -> None:
    recent = RecentIds(capacity=2)

    assert [recent.add(number) for number in (1, 2, 3, 2, 1)] == [True, True, True, False, True]


@settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(1, 9), st.lists(st.integers(1, 30) | st.sampled_from([-(2**63), -1, 2**63 - 1]), max_size=150))
def test_recent_ids_know_the_last_half_of_their_capacity_and_no_more_than_all_of_it(half: int, ids: list[int]) -> None:
    """Beside them, who remembers everything: which new one each id was when it was last taken for new."""
    recent, new_ones = RecentIds(capacity=2 * half), 0
    last_new: dict[int, int] = {}

    for each in ids:
        later = new_ones - last_new[each] if each in last_new else 2 * half
        new = recent.add(each)

        assert new or later < 2 * half
        assert not new or later >= half
        if new:
            new_ones += 1
            last_new[each] = new_ones


def test_recent_ids_take_eight_bytes_each_and_none_before_they_come() -> None:
    """5,000 in an OrderedDict took 560 KiB."""
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    recent = [RecentIds() for _ in range(10)]
    quiet = (tracemalloc.get_traced_memory()[0] - before) / 10
    for number in range(5_000):
        for room, ids in enumerate(recent):
            assert ids.add(ROOM + 1_000_000 * room + 97 * number)
    busy = (tracemalloc.get_traced_memory()[0] - before) / 10
    tracemalloc.stop()

    assert quiet < 500
    assert busy < 48 * 1024
    assert not any(recent[0].add(ROOM + 97 * number) for number in range(2_500, 5_000))


def test_messages_without_an_id_are_never_duplicates() -> None:
    received = protocol().receive(batch(envelope(0), envelope(0)), 101.0)

    assert len(received.messages) == 2


def test_silence_past_the_deadline_ends_the_connection() -> None:
    subject = protocol(now=100.0, silence=60.0)
    subject.tick(159.9)

    with pytest.raises(FailedRoomPolling) as lost:
        subject.tick(160.0)

    assert lost.value.reason is Reason.SILENCE


def test_heartbeat_answers_and_empty_batches_do_not_break_the_silence() -> None:
    subject = protocol(now=100.0, silence=60.0)
    subject.receive(PushFrame(payload_type="hb").SerializeToString(), 159.0)
    subject.receive(batch(), 159.0)

    with pytest.raises(FailedRoomPolling):
        subject.tick(160.0)


def test_messages_break_the_silence() -> None:
    subject = protocol(now=100.0, silence=60.0)
    subject.receive(batch(envelope(1)), 159.0)

    subject.tick(160.0)

    assert subject.deadline <= 219.0


@pytest.mark.parametrize(("action", "ended"), [(1, False), (2, False), (3, True), (4, True)])
def test_a_control_message_ends_the_live(action: int, ended: bool) -> None:
    subject = protocol()
    payload = ControlMessage(action=action).SerializeToString()

    received = subject.receive(batch(envelope(1, "WebcastControlMessage", payload), envelope(2)), 101.0)

    assert subject.ended is ended
    assert len(received.messages) == 2


def test_the_end_of_an_earlier_live_in_the_history_ends_nothing() -> None:
    subject = protocol()
    payload = ControlMessage(action=3).SerializeToString()

    subject.receive(batch(envelope(1, "WebcastControlMessage", payload, history=True)), 101.0)

    assert not subject.ended


@pytest.mark.parametrize(
    ("data", "stage", "fault"),
    [
        ("text", Stage.FRAME, Fault.NOT_BINARY),
        (b"\xff\xff\xff", Stage.FRAME, Fault.MALFORMED),
        (
            PushFrame(payload_type="msg", payload=b"\x1f\x8b\x08x").SerializeToString(),
            Stage.DECOMPRESS,
            Fault.MALFORMED,
        ),
        (PushFrame(payload_type="msg", payload=b"\x0a\x7f").SerializeToString(), Stage.BATCH, Fault.MALFORMED),
    ],
)
def test_what_it_cannot_read_it_refuses_with_its_bytes(data: bytes | str, stage: Stage, fault: Fault) -> None:
    received = protocol().receive(data, 101.0)

    [refusal] = received.refusals
    assert (refusal.stage, refusal.fault) == (stage, fault)
    assert refusal.data == (data.encode() if isinstance(data, str) else data)


def test_the_first_batch_is_taken_and_not_acknowledged() -> None:
    subject = protocol()
    subject.frames_to_send()

    received = subject.take(FetchResult(messages=[envelope(1)], need_ack=True))

    assert [message.msg_id for message in received.messages] == [1]
    assert subject.frames_to_send() == []


def test_a_held_acknowledgement_waits_until_what_it_is_for_is_safe_and_is_sent_once() -> None:
    subject = Protocol(ROOM, now=100.0, seen=RecentIds(), hold_acknowledgements=True)
    subject.frames_to_send()
    first = subject.receive(batch(envelope(1), need_ack=True, log_id=7), 101.0)
    second = subject.receive(batch(envelope(2), need_ack=True, log_id=8), 101.0)
    held = subject.frames_to_send()

    subject.acknowledge(second)
    subject.acknowledge(second)
    subject.acknowledge(first)

    assert held == []
    assert [PushFrame.FromString(frame).log_id for frame in subject.frames_to_send()] == [8, 7]
    assert subject.acknowledgements_sent == 2


@pytest.mark.parametrize(
    "frame", [PushFrame(payload_type="im_enter_room_resp").SerializeToString(), batch(envelope(1))]
)
def test_the_room_is_entered_when_the_server_says_so_or_sends_messages(frame: bytes) -> None:
    subject = protocol()
    subject.receive(PushFrame(payload_type="hb").SerializeToString(), 101.0)
    before = subject.entered

    subject.receive(frame, 101.0)

    assert (before, subject.entered) == (False, True)


ECHO = PushFrame(payload_type="hb").SerializeToString()


def good_bye(*headers: tuple[str, str]) -> bytes:
    named = [PushHeader(key=key, value=value) for key, value in headers]
    return PushFrame(payload_type="close", headers=named).SerializeToString()


@pytest.mark.parametrize(
    ("frame", "reason", "words"),
    [
        (good_bye(("close_reason", "disable_web_direct")), Reason.SWITCHED_OFF, "disable_web_direct"),
        (good_bye(("a", "b"), ("close_reason", "moved\x1b[2J")), Reason.CLOSED, r"moved\x1b[2J"),
        (good_bye(("close_reason", "x" * 9_000)), Reason.CLOSED, "x…"),
        (good_bye(), Reason.CLOSED, "does not say why"),
    ],
)
def test_a_frame_that_says_good_bye_ends_the_connection(frame: bytes, reason: Reason, words: str) -> None:
    with pytest.raises(FailedRoomPolling) as lost:
        protocol().receive(frame, 101.0)

    assert lost.value.reason is reason
    assert words in str(lost.value)
    assert len(str(lost.value)) < 300


def test_the_answer_to_our_entering_may_bring_messages_and_is_acknowledged_where_it_asks() -> None:
    subject = protocol()
    subject.frames_to_send()
    brought = FetchResult(messages=[envelope(1)], need_ack=True, internal_ext=b"opaque").SerializeToString()
    frame = PushFrame(payload_type="im_enter_room_resp", log_id=77, payload=brought)

    received = subject.receive(frame.SerializeToString(), 101.0)

    assert [message.msg_id for message in received.messages] == [1]
    [sent] = [PushFrame.FromString(each) for each in subject.frames_to_send()]
    assert (sent.payload_type, sent.log_id, sent.payload) == ("ack", 77, b"opaque")


@pytest.mark.parametrize("payload", [b"", b"\xff", b"\x1f\x8b\x08x", b"\x0a\x02\x0a\x7f", b"\x08\x01"])
def test_an_answer_to_our_entering_that_is_no_batch_still_says_that_we_are_in(payload: bytes) -> None:
    subject = protocol()
    frame = PushFrame(payload_type="im_enter_room_resp", payload=payload)

    received = subject.receive(frame.SerializeToString(), 101.0)

    assert subject.entered
    assert (received.messages, received.refusals) == ([], [])


def of_room(number: int) -> bytes:
    """A chat's bytes: in field 1 (common), field 3 is the room's id; then other fields."""
    inner = b"\x10\x05" + (b"\x18" + varint(number) if number else b"")
    return b"\x0a" + bytes([len(inner)]) + inner + b"\x1a\x02hi"


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def test_messages_of_another_room_are_dropped_and_counted_and_those_of_none_are_ours() -> None:
    subject = protocol()
    payloads = [of_room(ROOM), of_room(ROOM + 1), of_room(0), b"", b"\x0a\xff"]

    received = subject.receive(batch(*(envelope(n, payload=each) for n, each in enumerate(payloads, 1))), 101.0)

    assert [message.msg_id for message in received.messages] == [1, 3, 4, 5]
    assert (received.foreign, received.duplicates) == (1, 0)


def test_another_rooms_message_neither_ends_ours_nor_takes_its_id() -> None:
    subject = protocol()
    ends = of_room(ROOM + 1)[:-4] + b"\x10\x03"

    subject.receive(batch(envelope(1, "WebcastControlMessage", ends)), 101.0)
    received = subject.receive(batch(envelope(1, payload=of_room(ROOM))), 102.0)

    assert not subject.ended
    assert [message.msg_id for message in received.messages] == [1]


def test_another_rooms_messages_neither_let_us_in_nor_break_the_silence() -> None:
    subject = protocol(now=100.0, silence=60.0)

    subject.receive(batch(envelope(1, payload=of_room(ROOM + 1))), 159.0)

    assert not subject.entered
    with pytest.raises(FailedRoomPolling) as lost:
        subject.tick(160.0)
    assert lost.value.reason is Reason.SILENCE


@pytest.mark.parametrize(
    ("method", "payload", "barred"),
    [
        ("WebcastAccessControlMessage", b"\x12\x00", True),
        ("WebcastAccessControlMessage", b"\x0a\x00\x12\x02\x08\x01", True),
        ("WebcastAccessControlMessage", b"\x0a\x00", False),
        ("WebcastAccessControlMessage", b"\x12\x7f", False),
        ("WebcastRoomVerifyMessage", b"\x28\x01", True),
        ("RoomVerifyMessage", b"\x28\x01", True),
        ("WebcastRoomVerifyMessage", b"\x10\x04\x28\x00", False),
        ("WebcastRoomVerifyMessage", b"\x10\x04", False),
        ("WebcastChatMessage", b"\x28\x01\x12\x00", False),
    ],
)
def test_who_is_not_logged_in_is_barred_by_a_message_which_is_delivered(
    method: str, payload: bytes, barred: bool
) -> None:
    subject = protocol()

    received = subject.receive(batch(envelope(1, method, payload)), 101.0)

    assert len(received.messages) == 1
    assert (subject.barred is not None) is barred
    if subject.barred is not None:
        assert (subject.barred.reason, subject.barred.recovery) == (Reason.LOGIN, Recovery.LATER)


def test_what_barred_somebody_earlier_bars_nobody_now() -> None:
    subject = protocol()

    subject.receive(batch(envelope(1, "WebcastAccessControlMessage", b"\x12\x00", history=True)), 101.0)

    assert subject.barred is None


def run(subject: Protocol, until: float, heard: dict[float, bytes] | None = None) -> float:
    """Go from deadline to deadline, with what is heard in between; give when the line was found dead."""
    coming = sorted((heard or {}).items())
    while subject.deadline <= until or coming:
        if coming and coming[0][0] < subject.deadline:
            now, data = coming.pop(0)
            subject.receive(data, now)
            continue
        now = subject.deadline
        try:
            subject.tick(now)
        except FailedRoomPolling as lost:
            assert lost.reason is Reason.TIMEOUT
            return now
    return -1.0


@pytest.mark.parametrize(
    ("heard", "dead_at"),
    [
        ({}, 112.5),
        ({100.1: ECHO, 105.1: ECHO}, 117.6),
        ({100.1: ECHO, 104.9: ECHO, 110.1: batch(envelope(1)), 119.0: batch(envelope(2))}, 132.5),
        ({100.1 + 5 * n: ECHO for n in range(10)}, 157.6),
        ({101.0: PushFrame(payload_type="im_enter_room_resp").SerializeToString()}, -1.0),
        ({101.0: batch(envelope(1)), 119.0: batch(envelope(2))}, -1.0),
        ({101.0: b"\xff"}, -1.0),
    ],
    ids=["nothing", "an echo", "echoes and batches", "echoes", "no echo but we are in", "batches only", "noise"],
)
def test_a_line_is_dead_after_two_and_a_half_heartbeats_unless_it_never_answered_any(
    heard: dict[float, bytes], dead_at: float
) -> None:
    assert run(protocol(now=100.0, silence=600.0), 200.0, heard) == pytest.approx(dead_at)


def test_who_slept_asks_twice_more_before_the_line_is_dead() -> None:
    subject = protocol(now=100.0, silence=600.0)
    subject.receive(ECHO, 100.1)

    subject.tick(190.0)
    subject.tick(195.0)

    assert subject.deadline == 197.5
    subject.tick(197.4)
    with pytest.raises(FailedRoomPolling):
        subject.tick(197.5)

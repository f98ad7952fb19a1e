"""producer.delivery.letter_cap: a bucket for each room, by hand."""

from producer.delivery.letter_cap import Cap

NOON = 1_700_000_000_000
ROOM, OTHER = 7300000000000000001, 7300000000000000002


def allowed(cap: Cap, letters: int, at: int, room: int | None = ROOM) -> int:
    return sum(cap.allows(room, at) for _ in range(letters))


def test_a_minutes_letters_go_at_once_and_then_one_for_each_part_of_a_minute() -> None:
    cap = Cap(per_minute=60)

    assert allowed(cap, 100, NOON) == 60
    assert allowed(cap, 100, NOON + 999) == 0
    assert allowed(cap, 100, NOON + 1_000) == 1
    assert allowed(cap, 100, NOON + 11_000) == 10
    assert allowed(cap, 100, NOON + 71_000) == 60
    assert allowed(cap, 100, NOON + 10_000_000) == 60


def test_a_room_that_is_over_its_cap_costs_no_other_room_anything() -> None:
    cap = Cap(per_minute=3)

    assert allowed(cap, 9, NOON) == 3
    assert allowed(cap, 9, NOON, OTHER) == 3
    assert allowed(cap, 9, NOON, None) == 3
    assert allowed(cap, 9, NOON) == 0


def test_nought_is_no_cap() -> None:
    assert allowed(Cap(per_minute=0), 10_000, NOON) == 10_000


def test_a_clock_that_is_set_back_silences_a_room_for_one_letters_part_of_a_minute_at_the_most() -> None:
    cap = Cap(per_minute=60)
    allowed(cap, 60, NOON)

    earlier = NOON - 3_600_000

    assert allowed(cap, 5, earlier) == 0
    assert allowed(cap, 5, earlier + 1_000) == 1


def test_rooms_that_have_been_silent_for_a_minute_are_forgotten() -> None:
    cap = Cap(per_minute=60)
    for room in range(1_000):
        cap.allows(room, NOON)

    cap.allows(ROOM, NOON + 60_000)

    assert len(cap) == 1

"""producer.assignments.holding: what is held, decided from literals."""

from producer.assignments.claims import Streamer, Wanted
from producer.assignments.holding import Holding
from producer.assignments.table import Status, Table, encode_row, slot_of

SLOTS = 128
NOW = 1000.0
AA, BB, CC, DD = (Streamer(name) for name in ("aa", "bb", "cc", "dd"))
SLOT = {streamer: slot_of(streamer, SLOTS) for streamer in (AA, BB, CC, DD)}


class Given:
    """A holding with its table."""

    def __init__(self, *streamers: Streamer, max_streams: int = 100) -> None:
        self.table = Table(SLOTS)
        self.offset = 0
        self.holding = Holding(worker="me", max_streams=max_streams, handover_seconds=20.0, longest_seconds=300.0)
        for streamer in streamers:
            self.write(Wanted(streamer))

    def write(self, wanted: Wanted, *, removed: bool = False) -> None:
        key, value = encode_row(wanted)
        changed = self.table.apply(slot_of(wanted.streamer, SLOTS), self.offset, key, None if removed else value)
        self.offset += 1
        assert changed is not None
        self.holding.listed(self.table, {changed})
        self.holding.settle(self.table, NOW)

    def assigned(self, *streamers: Streamer, generation: int, evicted: bool = False) -> None:
        slots = frozenset(SLOT[streamer] for streamer in streamers)
        self.holding.assigned(slots, generation, self.table, evicted=evicted, now=NOW)

    def connected(self, *streamers: Streamer) -> None:
        self.holding.show()
        for streamer in streamers:
            self.holding.reported(streamer, "connected")

    def heard(self, streamer: Streamer, state: str, *, worker: str = "other", generation: int) -> None:
        self.holding.heard(streamer, Status(worker, generation, state, 0))
        self.holding.settle(self.table, NOW)


def test_the_streamers_are_in_four_slots() -> None:
    assert len(set(SLOT.values())) == 4


def test_the_enabled_streamers_of_our_slots_are_held() -> None:
    given = Given(AA, BB, CC)
    given.write(Wanted(DD, enabled=False))

    given.assigned(AA, BB, DD, generation=1)

    assert given.holding.show() == {AA, BB}


def test_the_list_is_followed() -> None:
    given = Given(AA)
    given.assigned(AA, BB, generation=1)
    given.write(Wanted(BB))
    more = given.holding.show()
    given.write(Wanted(AA, enabled=False))
    given.write(Wanted(BB), removed=True)

    assert more == {AA, BB}
    assert given.holding.show() == set()


def test_of_too_many_the_most_important_are_held_and_the_rest_is_told() -> None:
    given = Given(AA, BB, max_streams=2)
    given.write(Wanted(DD, priority=5))
    given.write(Wanted(CC, priority=-1))

    given.assigned(AA, BB, CC, DD, generation=1)

    assert given.holding.show() == {DD, AA}
    assert given.holding.unassigned == {BB, CC}


def test_a_name_is_no_reason_to_break_a_stream_but_a_priority_is() -> None:
    given = Given(BB, CC, max_streams=2)
    given.assigned(AA, BB, CC, DD, generation=1)

    given.write(Wanted(AA))
    by_name = given.holding.held
    given.write(Wanted(DD, priority=1))

    assert by_name == {BB, CC}
    assert given.holding.held == {BB, DD}
    assert given.holding.unassigned == {AA, CC}


def test_a_connected_streamer_is_held_until_its_next_owner_is_connected_under_a_newer_generation() -> None:
    given = Given(AA)
    given.assigned(AA, generation=4)
    given.connected(AA)

    given.assigned(generation=5)
    given.heard(AA, "connected", worker="me", generation=5)
    given.heard(AA, "connected", generation=4)
    given.heard(AA, "connecting", generation=5)
    meanwhile = given.holding.held
    given.heard(AA, "connected", generation=5)
    under_way = given.holding.held
    given.heard(AA, "backing_off", generation=5)
    deadline = given.holding.next_deadline()
    given.holding.settle(given.table, NOW + 0.5)

    assert meanwhile == under_way == {AA}
    assert deadline == NOW + 0.5
    assert given.holding.held == set()


def test_whose_room_two_workers_hear_is_known_until_it_is_released_or_ours_again() -> None:
    given = Given(AA, BB)
    given.assigned(AA, BB, generation=4)
    given.connected(AA, BB)
    given.assigned(generation=5)
    for streamer in (AA, BB):
        given.heard(streamer, "connecting", generation=5)
    before = set(given.holding.crossed)
    for streamer in (AA, BB):
        given.heard(streamer, "connected", generation=5)
    both = set(given.holding.crossed)
    given.assigned(BB, generation=6)
    given.holding.settle(given.table, NOW + 0.5)
    let_go = set(given.holding.crossed), set(given.holding.held)
    given.holding.released(AA)

    assert before == set()
    assert both == {AA, BB}
    assert let_go == ({AA}, {BB})
    assert given.holding.crossed == set()


def test_what_comes_back_just_as_another_hears_it_is_ours_alone() -> None:
    given = Given(AA)
    given.assigned(AA, generation=4)
    given.connected(AA)
    given.assigned(generation=5)

    given.holding.heard(AA, Status("other", 5, "connected", 0))
    given.assigned(AA, generation=6)

    assert given.holding.held == {AA}
    assert given.holding.crossed == set()


def test_where_the_next_owner_finds_it_offline_there_is_nothing_to_bridge() -> None:
    given = Given(AA)
    given.assigned(AA, generation=4)
    given.connected(AA)
    given.assigned(generation=5)

    given.heard(AA, "offline", generation=6)

    assert given.holding.held == set()


def test_what_is_not_connected_here_is_let_go_at_once() -> None:
    given = Given(AA, BB)
    given.assigned(AA, BB, generation=1)
    given.holding.show()
    given.holding.reported(AA, "offline")

    given.assigned(generation=2)

    assert given.holding.held == set()


def test_a_bridge_ends_when_the_live_does_when_the_list_says_so_and_after_its_bound() -> None:
    given = Given(AA, BB, CC)
    given.assigned(AA, BB, CC, generation=1)
    given.connected(AA, BB, CC)
    given.assigned(generation=2)
    deadline = given.holding.next_deadline()

    given.holding.reported(AA, "offline")
    given.write(Wanted(BB), removed=True)
    after_two = given.holding.held
    given.holding.settle(given.table, NOW + 19.9)
    shortly_before = given.holding.held
    given.holding.settle(given.table, NOW + 20.0)

    assert deadline == NOW + 20.0
    assert after_two == shortly_before == {CC}
    assert given.holding.held == set()
    assert given.holding.next_deadline() is None


def test_who_connects_just_before_the_bound_does_not_put_it_off() -> None:
    given = Given(AA)
    given.assigned(AA, generation=1)
    given.connected(AA)
    given.assigned(generation=2)

    given.holding.heard(AA, Status("other", 2, "connected", 0))
    given.holding.settle(given.table, NOW + 19.9)
    shortly_before, deadline = given.holding.held, given.holding.next_deadline()
    given.holding.settle(given.table, NOW + 20.0)

    assert shortly_before == {AA}
    assert deadline == NOW + 20.0
    assert given.holding.held == set()


def test_neither_do_further_rebalances_nor_words_of_those_who_do_not_connect() -> None:
    given = Given(AA)
    given.assigned(AA, generation=1)
    given.connected(AA)
    given.assigned(generation=2)

    for seconds in range(1, 20):
        slots = frozenset({SLOT[BB]}) if seconds % 2 else frozenset()
        given.holding.assigned(slots, 2 + seconds, given.table, evicted=False, now=NOW + seconds)
        given.holding.heard(AA, Status("other", 2 + seconds, "connecting", 0))
        given.holding.reported(AA, "connected")
        given.holding.settle(given.table, NOW + seconds)
    shortly_before = given.holding.held
    given.holding.settle(given.table, NOW + 20.0)

    assert shortly_before == {AA}
    assert given.holding.held == set()


def test_what_comes_back_while_it_is_bridged_goes_on() -> None:
    given = Given(AA)
    given.assigned(AA, generation=1)
    given.connected(AA)
    given.assigned(generation=2)
    bridged = frozenset(given.holding.bridged)
    reporting_as = given.holding.generation_of(AA)

    given.assigned(AA, generation=3)

    assert bridged == {AA}
    assert reporting_as == 1
    assert given.holding.again(bridged, evicted=False) == {AA}
    assert given.holding.generation_of(AA) == 3
    given.holding.settle(given.table, NOW + 100)
    assert given.holding.show() == {AA}


def test_a_bridge_goes_on_through_further_rebalances() -> None:
    given = Given(AA)
    given.assigned(AA, generation=1)
    given.connected(AA)
    given.assigned(generation=2)

    given.assigned(BB, generation=3)

    assert given.holding.held == {AA}


def test_what_was_lost_while_we_could_not_know_leaves_at_once_and_is_counted() -> None:
    given = Given(AA, BB, CC)
    given.assigned(AA, BB, CC, generation=1)
    given.connected(AA, BB, CC)
    given.assigned(BB, CC, generation=2)

    given.assigned(CC, generation=4, evicted=True)

    assert given.holding.show() == {CC}
    assert given.holding.fenced == {AA, BB}
    assert given.holding.fenced_total == 2


def test_what_was_fenced_and_comes_back_begins_anew() -> None:
    given = Given(AA)
    given.assigned(AA, generation=1)
    given.connected(AA)
    given.assigned(generation=3, evicted=True)
    given.assigned(AA, generation=4)

    before = given.holding.show()
    given.holding.released(AA)

    assert before == set()
    assert given.holding.show() == {AA}
    assert given.holding.fenced == set()
    assert given.holding.fenced_total == 1


def test_what_never_had_a_session_is_not_fenced() -> None:
    given = Given(AA)
    given.assigned(AA, generation=1)

    given.assigned(generation=3, evicted=True)

    assert given.holding.fenced == set()


def test_what_left_the_set_does_not_come_back_before_it_was_released() -> None:
    given = Given(AA)
    given.assigned(AA, generation=1)
    given.holding.show()
    given.write(Wanted(AA), removed=True)
    without = given.holding.show()
    given.write(Wanted(AA))
    still_without = given.holding.show()
    given.holding.released(AA)

    assert without == still_without == set()
    assert given.holding.show() == {AA}


def test_what_a_group_said_before_it_began_anew_is_forgotten() -> None:
    given = Given(AA)
    given.heard(AA, "connected", generation=57)
    given.assigned(AA, generation=1)
    given.connected(AA)
    given.heard(AA, "connected", generation=58)

    given.assigned(AA, generation=1)
    given.assigned(generation=2)

    assert given.holding.held == {AA}


def test_a_status_that_was_taken_back_says_nothing_more() -> None:
    given = Given(AA)
    given.assigned(AA, generation=1)
    given.connected(AA)
    given.heard(AA, "connected", generation=9)
    given.holding.heard(AA, None)

    given.assigned(generation=2)

    assert given.holding.held == {AA}


def test_what_is_still_ours_after_an_eviction_was_anothers_meanwhile() -> None:
    given = Given(AA, BB, CC)
    given.assigned(AA, BB, generation=1)
    given.connected(AA, BB)

    given.assigned(BB, CC, generation=4, evicted=True)

    assert given.holding.again(frozenset(), evicted=True) == {BB}
    assert given.holding.again(frozenset(), evicted=False) == set()


def test_who_was_out_of_the_group_has_lost_nothing_where_no_generation_lies_between() -> None:
    given = Given(AA)
    given.assigned(AA, generation=4)

    assert [given.holding.missed(generation) for generation in (5, 6, 1)] == [False, True, True]


def handed_over(*streamers: Streamer) -> Given:
    """Given some that were ours and connected, and another worker's since."""
    given = Given(*streamers)
    given.assigned(*streamers, generation=1)
    given.connected(*streamers)
    given.assigned(generation=2)
    return given


def word(given: Given, streamer: Streamer, *, at: float, generation: int = 2, state: str = "connecting") -> None:
    """The next owner says at a time that it is on the way in."""
    given.holding.heard(streamer, Status("other", generation, state, 0, going_in=int(at * 1000)))
    given.holding.settle(given.table, at)


def test_a_bridge_lasts_while_the_next_owner_says_that_it_is_on_the_way_in() -> None:
    given = handed_over(AA, BB)

    for seconds in range(5, 200, 15):
        word(given, AA, at=NOW + seconds, state="backing_off" if seconds > 100 else "connecting")

    assert given.holding.show() == {AA}, "of BB nothing was heard"


def test_a_bridge_ends_once_nothing_more_is_heard_of_who_was_on_the_way_in() -> None:
    given = handed_over(AA)
    word(given, AA, at=NOW + 15)

    given.holding.settle(given.table, NOW + 34.9)
    held = given.holding.show()
    word(given, AA, at=NOW + 15)  # the same word, read again
    given.holding.settle(given.table, NOW + 35)

    assert held == {AA}
    assert given.holding.show() == frozenset()


def test_a_bridge_has_an_end_whatever_the_next_owner_says() -> None:
    given = handed_over(AA)
    for seconds in range(5, 300, 5):
        word(given, AA, at=NOW + seconds)
    held = given.holding.show()

    word(given, AA, at=NOW + 300)

    assert held == {AA}
    assert given.holding.show() == frozenset()


def test_a_word_of_an_owner_before_the_next_one_holds_no_bridge() -> None:
    given = handed_over(AA)

    word(given, AA, at=NOW + 15, generation=1)
    given.holding.settle(given.table, NOW + 20)

    assert given.holding.show() == frozenset()

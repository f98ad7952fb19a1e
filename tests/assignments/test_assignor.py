"""producer.assignments.assignor: literals and properties of the sharing out."""

import random
from collections import Counter
from collections.abc import Mapping, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from producer.assignments.assignor import Load, Member, assign, decode_member, encode_member

NO_BOUND = 10_000


def unit(slots: int) -> list[Load]:
    """Slots of one ordinary streamer each."""
    return [Load(1, 1.0)] * slots


def members(*names: str, capacity: int = 1000) -> list[Member]:
    return [Member(name, name, capacity=capacity) for name in names]


def after(given: Sequence[Member], result: Mapping[str, frozenset[int]]) -> list[Member]:
    """The same members, owning what they were given."""
    return [
        Member(m.id, m.worker, result[m.id], m.generation + 1, m.capacity, m.draining, m.factors)
        for m in given
        if m.id in result
    ]


def hashed(streamers: int, slots: int = 128, seed: int = 1) -> list[Load]:
    """Streamers scattered over slots as a hash does."""
    chance = random.Random(seed)
    counts = Counter(chance.randrange(slots) for _ in range(streamers))
    return [Load(counts[slot], float(counts[slot])) for slot in range(slots)]


def held(result: Mapping[str, frozenset[int]], loads: Sequence[Load]) -> dict[str, int]:
    return {name: sum(loads[slot].streamers for slot in slots) for name, slots in result.items()}


def test_a_lone_member_has_every_slot() -> None:
    assert assign(members("a"), unit(4), most_moves=1) == {"a": frozenset({0, 1, 2, 3})}


def test_slots_of_nobody_are_placed_at_once_whatever_the_bound() -> None:
    result = assign(members("a", "b"), unit(6), most_moves=0)

    assert {name: len(slots) for name, slots in result.items()} == {"a": 3, "b": 3}


def test_a_joining_member_gets_its_share_by_as_few_moves_as_it_takes() -> None:
    before = [Member("a", "a", frozenset(range(6))), Member("b", "b", frozenset(range(6, 12)))]

    result = assign([*before, Member("c", "c")], unit(12), most_moves=NO_BOUND)

    assert {name: len(slots) for name, slots in result.items()} == {"a": 4, "b": 4, "c": 4}
    assert result["a"] < frozenset(range(6))
    assert result["b"] < frozenset(range(6, 12))


def test_a_leaving_members_slots_go_to_the_others_and_nothing_else_moves() -> None:
    a, b = Member("a", "a", frozenset({0, 1, 2, 3})), Member("b", "b", frozenset({4, 5, 6, 7}))

    result = assign([a, b], unit(12), most_moves=NO_BOUND)

    assert result["a"] > a.owned
    assert result["b"] > b.owned
    assert {name: len(slots) for name, slots in result.items()} == {"a": 6, "b": 6}


def test_a_draining_member_gives_up_everything() -> None:
    a, b = Member("a", "a", frozenset({0, 1}), draining=True), Member("b", "b", frozenset({2}))

    assert assign([a, b], unit(4), most_moves=0) == {"a": frozenset(), "b": frozenset({0, 1, 2, 3})}


def test_who_has_come_to_take_the_place_of_one_that_leaves_has_all_that_it_had_though_that_is_a_little_much() -> None:
    others = [Member("a", "a", frozenset(range(10))), Member("b", "b", frozenset(range(10, 19)))]
    leaving, newcomer = Member("c", "c", frozenset(range(19, 30)), draining=True), Member("d", "d")

    result = assign([*others, leaving, newcomer], unit(30), most_moves=NO_BOUND, evening=False)

    assert {name: len(slots) for name, slots in result.items()} == {"a": 10, "b": 9, "c": 0, "d": 11}


def test_what_would_be_too_much_for_a_newcomer_goes_to_the_others() -> None:
    others = [Member("a", "a", frozenset(range(6))), Member("b", "b", frozenset(range(6, 12)))]
    leaving, newcomer = Member("c", "c", frozenset(range(12, 30)), draining=True), Member("d", "d", capacity=8)

    result = assign([*others, leaving, newcomer], unit(30), most_moves=NO_BOUND, evening=False)

    assert len(result["d"]) <= 8
    assert sum(map(len, result.values())) == 30


def test_where_all_drain_all_keep_what_they_have() -> None:
    a, b = Member("a", "a", frozenset({0, 1}), draining=True), Member("b", "b", frozenset({2}), draining=True)

    assert assign([a, b], unit(3), most_moves=0) == {"a": frozenset({0, 1}), "b": frozenset({2})}


def test_of_two_who_claim_a_slot_the_newer_generation_is_right() -> None:
    stalled, owner = Member("a", "a", frozenset({0, 1}), generation=3), Member("b", "b", frozenset({0, 1}), 4)

    assert assign([stalled, owner], unit(2), most_moves=0)["b"] == frozenset({0, 1})


def test_parts_are_in_proportion_to_capacity() -> None:
    result = assign([Member("a", "a", capacity=100), Member("b", "b", capacity=300)], unit(40), most_moves=0)

    assert {name: len(slots) for name, slots in result.items()} == {"a": 10, "b": 30}


def test_a_heavy_slot_counts_by_its_weight() -> None:
    loads = [Load(1, 6.0), *unit(6)]

    result = assign(members("a", "b"), loads, most_moves=0)

    assert sorted(map(len, result.values())) == [1, 6]


def test_what_a_worker_may_not_hold_goes_where_there_is_room() -> None:
    full = Member("a", "a", frozenset({0, 1, 2}), capacity=4)
    loads = [Load(2, 1.0), Load(2, 1.0), Load(1, 1.0), Load(3, 3.0)]

    result = assign([full, Member("b", "b", frozenset({3}), capacity=4)], loads, most_moves=NO_BOUND)

    assert held(result, loads) == {"a": 4, "b": 4}


def test_weights_of_which_a_part_is_nothing_are_shared_all_the_same() -> None:
    least = 5e-324  # the smallest number above 0

    result = assign([Member("a", "a", capacity=1), Member("b", "b")], [Load(1, least)] * 2, most_moves=NO_BOUND)

    assert sorted(slot for slots in result.values() for slot in slots) == [0, 1]


def test_too_much_for_all_together_is_not_passed_around() -> None:
    a, b = Member("a", "a", frozenset(range(5)), capacity=2), Member("b", "b", frozenset(range(5, 10)), capacity=2)

    assert assign([a, b], unit(10), most_moves=NO_BOUND) == {"a": a.owned, "b": b.owned}


def test_an_imbalance_of_a_tenth_moves_nothing_and_more_is_evened() -> None:
    def result(first: int) -> dict[str, frozenset[int]]:
        split = [Member("a", "a", frozenset(range(first))), Member("b", "b", frozenset(range(first, 100)))]
        return assign(split, unit(100), most_moves=NO_BOUND)

    assert len(result(55)["a"]) == 55
    assert 50 <= len(result(56)["a"]) <= 52


def test_where_no_slot_has_streamers_slots_are_shared_by_number() -> None:
    result = assign(members("a", "b", "c", "d"), [Load(0, 0.0)] * 128, most_moves=0)

    assert {len(slots) for slots in result.values()} == {32}


def test_empty_slots_do_not_move_once_others_are_in_use() -> None:
    loads = [Load(0, 0.0)] * 6 + unit(2)

    result = assign([Member("a", "a", frozenset(range(8))), Member("b", "b")], loads, most_moves=NO_BOUND)

    assert result["b"] in (frozenset({6}), frozenset({7}))


@pytest.mark.parametrize("seed", range(20))
def test_two_hundred_streamers_on_four_workers_and_a_fifth_who_joins(seed: int) -> None:
    loads = hashed(200, seed=seed)
    four = members("a", "b", "c", "d")

    before = assign(four, loads, most_moves=32)
    joined = after(four, before)
    result = assign([*joined, Member("e", "e")], loads, most_moves=32)

    assert all(45 <= streamers <= 55 for streamers in held(before, loads).values())
    assert all(36 <= streamers <= 44 for streamers in held(result, loads).values())
    moved = sum(loads[slot].streamers for name in before for slot in before[name] - result[name])
    assert moved <= 1.3 * 40
    assert moved == held(result, loads)["e"]


def test_a_bound_spreads_moves_over_rounds_that_converge() -> None:
    fleet = [Member("a", "a", frozenset(range(100))), Member("b", "b")]
    sizes = []
    for _ in range(6):
        result = assign(fleet, unit(100), most_moves=10)
        sizes.append(len(result["b"]))
        fleet = after(fleet, result)

    assert sizes[:4] == [10, 20, 30, 40]
    assert 47 <= sizes[4] == sizes[5] <= 50


@st.composite
def fleets(draw: st.DrawFn) -> tuple[list[Member], list[Load]]:
    loads = draw(
        st.lists(
            st.integers(0, 9).map(lambda count: Load(count, count * 1.5))
            | st.builds(Load, st.just(1), st.floats(0.1, 50)),
            min_size=1,
            max_size=40,
        )
    )
    names = draw(st.lists(st.text("abcdef", min_size=1, max_size=3), min_size=1, max_size=6, unique=True))
    slots = st.frozensets(st.integers(0, len(loads) + 2))
    return [
        Member(
            name,
            f"worker {name}",
            owned=draw(slots),
            generation=draw(st.integers(-1, 3)),
            capacity=draw(st.sampled_from([1, 5, 50, 50, 1000])),
            draining=draw(st.booleans()),
        )
        for name in names
    ], loads


@given(fleets(), st.integers(0, 60), st.randoms())
@settings(deadline=None)
def test_every_slot_has_one_owner_and_the_order_of_members_is_nothing(
    fleet: tuple[list[Member], list[Load]], most_moves: int, shuffle: random.Random
) -> None:
    given_members, loads = fleet

    result = assign(given_members, loads, most_moves=most_moves)

    assert sorted(slot for slots in result.values() for slot in slots) == list(range(len(loads)))
    assert result.keys() == {member.id for member in given_members}
    shuffled = list(given_members)
    shuffle.shuffle(shuffled)
    assert assign(shuffled, loads, most_moves=most_moves) == result
    draining = [member for member in given_members if member.draining]
    if len(draining) < len(given_members):
        assert all(result[member.id] == frozenset() for member in draining)


def owners_of(given_members: Sequence[Member], loads: Sequence[Load]) -> dict[int, str]:
    """Who rightly owns what before, by another way than the code's: for each slot, look for the best claim."""
    active = [m for m in given_members if not m.draining] or given_members
    owners = {}
    for slot in range(len(loads)):
        claims = [m for m in active if slot in m.owned]
        if claims:
            owners[slot] = max(claims, key=lambda m: (m.generation, m.id)).id
    return owners


@given(fleets(), st.integers(0, 60))
@settings(deadline=None)
def test_moves_are_bounded_and_each_goes_from_who_has_more_to_who_has_less_or_has_room(
    fleet: tuple[list[Member], list[Load]], most_moves: int
) -> None:
    given_members, loads = fleet
    before = owners_of(given_members, loads)

    result = assign(given_members, loads, most_moves=most_moves)

    now = {slot: name for name, slots in result.items() for slot in slots}
    moved = [slot for slot, owner in before.items() if now[slot] != owner]
    assert len(moved) <= most_moves
    placed = {member.id: 0 for member in given_members}
    for slot, owner in before.items():
        placed[owner] += loads[slot].streamers
    capacity = {member.id: member.capacity for member in given_members}
    for slot in moved:
        # Nobody is given, of another's, what he may not hold.
        if loads[slot].streamers:
            assert held(result, loads)[now[slot]] <= max(capacity[now[slot]], placed[now[slot]])


@given(fleets())
@settings(deadline=None)
def test_a_result_given_back_is_the_result_again(fleet: tuple[list[Member], list[Load]]) -> None:
    given_members, loads = fleet

    once = assign(given_members, loads, most_moves=NO_BOUND)

    assert assign(after(given_members, once), loads, most_moves=NO_BOUND) == once
    assert assign(after(given_members, once), loads, most_moves=0) == once


@given(st.integers(2, 8), st.integers(8, 128), st.integers(0, 7))
@settings(deadline=None)
def test_when_one_leaves_nobody_else_gives_anything_up(workers: int, slots: int, leaver: int) -> None:
    fleet = members(*"abcdefgh"[:workers])
    fleet = after(fleet, assign(fleet, unit(slots), most_moves=NO_BOUND))
    stayed = [member for number, member in enumerate(fleet) if number != leaver % workers]

    result = assign(stayed, unit(slots), most_moves=NO_BOUND)

    assert all(member.owned <= result[member.id] for member in stayed)


@given(st.integers(1, 12), st.integers(24, 256))
@settings(deadline=None)
def test_who_joins_gets_a_share_for_at_most_thirteen_tenths_of_the_least_moves(workers: int, slots: int) -> None:
    fleet = members(*"abcdefghijkl"[:workers])
    fleet = after(fleet, assign(fleet, unit(slots), most_moves=NO_BOUND))

    result = assign([*fleet, Member("new", "new")], unit(slots), most_moves=NO_BOUND)

    part = slots / (workers + 1)
    assert 0.9 * part - 1 <= len(result["new"]) <= 1.1 * part + 1
    assert sum(len(member.owned - result[member.id]) for member in fleet) <= max(1.3 * part, 1)


def test_what_a_member_says_is_read_again() -> None:
    said = Member("", "pod-1", frozenset({3, 1}), 7, 250, True, {3: 2.5})

    assert encode_member(said) == (
        b'{"worker":"pod-1","owned":[1,3],"generation":7,"capacity":250,"draining":true,"factors":{"3":2.5}}'
    )
    assert decode_member("id", encode_member(said)) == Member("id", "pod-1", frozenset({1, 3}), 7, 250, True, {3: 2.5})


def test_what_a_newer_worker_says_beyond_that_is_passed_over() -> None:
    said = b'{"worker":"w","owned":[],"generation":0,"capacity":1,"draining":false,"mood":"good"}'

    assert decode_member("id", said) == Member("id", "w", frozenset(), 0, 1)


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"{}", b'{"worker":"w","owned":"x","generation":0}', b"\xff"])
def test_what_cannot_be_read_of_a_member_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="member id says of itself what cannot be read"):
        decode_member("id", data)

"""producer.webcast.bench: which route a room goes, with a number for a clock."""

from collections import Counter

import pytest

from producer.webcast.bench import Bench, choose

ROUTES = ("a:1", "b:2", "c:3")
ROOMS = [f"room{number}" for number in range(3_000)]
HOMES = {"room0": "b:2", "room1": "a:1", "room2": "c:3"}
"""By `printf '%s' 'a:1 room0' | sha256sum` and so on: the route whose digest is the highest."""


@pytest.mark.parametrize(("room", "home"), HOMES.items())
def test_a_room_has_one_home_whatever_the_order_of_the_file(room: str, home: str) -> None:
    assert choose(room, ROUTES, {}, 0.0) == home
    assert choose(room, ROUTES[::-1], {}, 0.0) == home


def test_rooms_are_spread_over_all_ways() -> None:
    homes = Counter(choose(room, ROUTES, {}, 0.0) for room in ROOMS)

    assert all(900 < homes[route] < 1_100 for route in ROUTES), homes


def test_a_way_that_failed_moves_its_own_rooms_to_all_others_for_ten_minutes() -> None:
    before = {room: choose(room, ROUTES, {}, 0.0) for room in ROOMS}
    failed = {"b:2": 100.0}

    during = {room: choose(room, ROUTES, failed, 699.9) for room in ROOMS}
    after = {room: choose(room, ROUTES, failed, 700.0) for room in ROOMS}

    assert {before[room] for room in ROOMS if during[room] != before[room]} == {"b:2"}
    assert {during[room] for room in ROOMS if before[room] == "b:2"} == {"a:1", "c:3"}
    assert after == before


def test_where_all_failed_the_one_that_did_first_is_tried() -> None:
    failed = {"a:1": 30.0, "b:2": 10.0, "c:3": 20.0}

    assert {choose(room, ROUTES, failed, 40.0) for room in ROOMS} == {"b:2"}


def test_it_is_told_once_that_a_way_is_left_alone() -> None:
    now, told = [0.0], list[str]()
    bench = Bench(ROUTES, lambda: now[0], told.append)

    bench.fail("a:1", "refused")
    now[0] = 1.0
    bench.fail("a:1", "refused")
    now[0] = 601.0
    was_benched = bench.benched("a:1")
    bench.fail("a:1", "refused")

    assert told == ["a:1", "a:1"]
    assert not was_benched
    assert bench.benched("a:1")
    assert not bench.benched("b:2")

"""producer.simulator.world: the same seed makes the same world, and streaks add up."""

from collections import defaultdict

import pytest

from producer.simulator.messages import Message
from producer.simulator.world import BLOCK, Ending, Live, World, end
from producer.webcast import wire

DOCUMENTED = {"comment", "follow", "gift", "join", "like", "question", "share", "unknown", "viewer_count_update"}


def lives(seed: int = 1, rooms: int = 8) -> list[Live]:
    world = World(seed=seed, rooms=rooms, rate=100.0)
    return [live for name in world.unique_ids for _, live in zip(range(4), world.lives(name), strict=False)]


def block(live: Live, number: int = 0) -> list[Message]:
    return [live.message(place, 1_790_000_000_000) for place in range(number * BLOCK, (number + 1) * BLOCK)]


def test_the_same_seed_makes_the_same_messages() -> None:
    assert [block(live) for live in lives(seed=3)] == [block(live) for live in lives(seed=3)]


def test_another_seed_makes_other_messages() -> None:
    assert block(lives(seed=3)[0]) != block(lives(seed=4)[0])


def test_every_block_has_every_documented_event_that_a_message_carries() -> None:
    for live in lives():
        assert {message.event for message in block(live, 2)} == DOCUMENTED


def test_rates_add_up() -> None:
    world = World(seed=1, rooms=7, rate=350.0)

    assert sum(next(world.lives(name)).rate for name in world.unique_ids) == pytest.approx(350.0)


def test_ids_are_unique_and_past_what_a_float_can_hold() -> None:
    ids = [message.message_id for live in lives() for message in [*block(live), *block(live, 1), end(live, 1)]]

    assert len(set(ids)) == len(ids)
    assert min(ids) > 2**53
    assert len({live.room_id for live in lives()}) == len(lives())


def test_lives_end_in_every_way() -> None:
    assert {live.ending for live in lives()} == set(Ending)


def test_an_end_says_who_ended_it() -> None:
    actions = {
        live.ending: wire.ControlMessage.FromString(end(live, 1).payload).action
        for live in lives()
        if live.ending is not Ending.VANISHES
    }

    assert actions == {Ending.HOST: 3, Ending.PLATFORM: 4}
    assert end(lives()[0], 1).event == "live_end"


def test_what_a_streaks_messages_add_is_what_its_end_says() -> None:
    for number in range(20):
        gifts = [
            wire.GiftMessage.FromString(message.payload)
            for message in block(lives(seed=number)[0], number)
            if message.event == "gift"
        ]
        added: dict[int, int] = defaultdict(int)
        for gift in gifts:
            added[gift.group_id] += gift.fan_ticket_count
        [closing] = [gift for gift in gifts if gift.repeat_end]
        assert not closing.HasField("fan_ticket_count")
        assert added[closing.group_id] == closing.repeat_count * closing.gift.diamond_count
        [single] = [gift for gift in gifts if gift.gift.type != 1]
        assert (single.group_id, single.repeat_count) == (0, 1)

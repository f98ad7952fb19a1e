"""producer.simulator.faults: what is asked for happens, where and as often as asked, and is counted."""

import zlib

import pytest

from producer.simulator.faults import Fault, Faults, bomb


def test_a_fault_happens_once_where_nothing_else_is_said() -> None:
    faults = Faults(["drop"])

    assert [faults.fires(Fault.DROP, "a") for _ in range(3)] == [True, False, False]
    assert faults.fired == {Fault.DROP: 1}


def test_a_fault_happens_as_often_as_asked() -> None:
    faults = Faults(["drop:2"])

    assert [faults.fires(Fault.DROP, room) for room in "abc"] == [True, True, False]


def test_a_fault_happens_in_the_room_that_was_named() -> None:
    faults = Faults(["drop@sim_room_03:2"])

    assert [faults.fires(Fault.DROP, room) for room in ("sim_room_01", "sim_room_03")] == [False, True]


def test_a_fault_happens_at_the_door_that_was_named() -> None:
    faults = Faults(["drop/sign"])

    assert [faults.fires(Fault.DROP, "a", door) for door in ("direct", None, "sign")] == [False, False, True]


def test_a_new_plan_takes_the_place_of_the_old_one() -> None:
    faults = Faults(["drop:9"])
    faults.fires(Fault.DROP, "a")

    faults.plan(["silence"])

    assert [faults.fires(fault, "a") for fault in (Fault.DROP, Fault.SILENCE)] == [False, True]
    assert faults.fired == {Fault.DROP: 1, Fault.SILENCE: 1}


def test_a_plan_that_is_refused_changes_nothing() -> None:
    faults = Faults(["drop"])

    with pytest.raises(ValueError, match="'dorp' is no fault"):
        faults.plan(["silence", "dorp"])

    assert [faults.fires(fault, "a") for fault in (Fault.DROP, Fault.SILENCE)] == [True, False]


def test_other_faults_do_not_happen() -> None:
    assert not Faults(["drop"]).fires(Fault.SILENCE, "a")


@pytest.mark.parametrize("spec", ["", "drop:", "drop:x", "drop@", "drop:1:2", "a b"])
def test_a_fault_that_is_not_written_as_one_is_refused(spec: str) -> None:
    with pytest.raises(ValueError, match="is no fault: write NAME"):
        Faults([spec])


def test_an_unknown_fault_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"'dorp' is no fault; there are site_challenge, .*, unknown_method"):
        Faults(["dorp"])


def test_a_bomb_of_ten_mebibytes_inflates_to_ten_gibibytes_of_zeros() -> None:
    data = bomb(inflated_bytes=10 * 1024**3)
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)

    first = stream.decompress(data, 65 * 1024**2)  # one repetition, and into the next

    header, repetitions = 10, 160
    assert first == bytes(65 * 1024**2)
    assert 9 * 1024**2 < len(data) < 11 * 1024**2
    assert (len(data) - header) % repetitions == 0
    assert repetitions * 64 * 1024**2 == 10 * 1024**3

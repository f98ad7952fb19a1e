"""producer.descriptors: figures worked out by hand."""

import resource

import pytest

from producer import descriptors


@pytest.mark.parametrize(
    ("allowed", "short", "scarce", "found"),
    [
        (None, False, False, "any number of open files are allowed, and PRODUCER_MAX_STREAMS=50 takes 100"),
        (250, False, False, "250 open files are allowed, and PRODUCER_MAX_STREAMS=50 takes 100"),
        (
            249,
            False,
            True,
            "249 open files are allowed, and PRODUCER_MAX_STREAMS=50 takes 100, with little left for the rest",
        ),
    ],
)
def test_what_rooms_need_is_compared_with_what_is_allowed(
    allowed: int | None, short: bool, scarce: bool, found: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: allowed)

    need = descriptors.need(50, file_claims=True)

    assert (need.short, need.scarce, need.found) == (short, scarce, found)
    assert need.advice == "raise the limit (ulimit -n) above 250, or lower PRODUCER_MAX_STREAMS"
    assert not need.too_few
    assert descriptors.need(50, file_claims=False).files == 50


def test_fewer_than_the_rooms_take_are_said_to_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: 999)

    need = descriptors.need(500, file_claims=True)

    assert (need.short, need.scarce, need.too_few) == (True, False, False)
    assert need.found == "999 open files are allowed, and PRODUCER_MAX_STREAMS=500 takes 1000"


@pytest.mark.parametrize(
    ("allowed", "file_claims", "too_few"), [(152, True, False), (151, True, True), (151, False, False)]
)
def test_fewer_than_one_room_takes_are_too_few(
    allowed: int, file_claims: bool, too_few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: allowed)

    need = descriptors.need(500, file_claims=file_claims)

    assert need.too_few == too_few
    assert need.found.endswith("a worker takes up to 150 beside its rooms") == too_few
    assert need.advice.endswith("or lower PRODUCER_MAX_STREAMS") != too_few


@pytest.mark.parametrize(
    ("allowed", "most", "expected"), [(None, 1000, 1000), (256, 1000, 53), (256, 10, 10), (50, 1000, 1)]
)
def test_rooms_that_have_a_socket_and_a_claim_each(
    allowed: int | None, most: int, expected: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(descriptors, "limit", lambda: allowed)

    assert descriptors.rooms(most) == expected


def test_the_limit_is_the_soft_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (256, 4096))
    assert descriptors.limit() == 256
    monkeypatch.setattr(resource, "getrlimit", lambda _: (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert descriptors.limit() is None

"""producer.delivery.lane: which record of a partition is given up, whatever part of it the spool has."""

import pytest

from producer.delivery.lane import Item, Lane
from producer.events.encoding import Record


def item(number: int, *, spool_id: int | None = None) -> Item:
    return Item(Record("t.comment.v1", b"someone", b"%d" % number), 0, 0.0, spool_id=spool_id)


def lane(*, head: list[Item], under_way: int = 0, behind: int = 0, fresh: tuple[Item, ...] = ()) -> Lane:
    made = Lane("t.comment.v1", 0, behind=behind)
    made.head.extend(head)
    made.fresh.extend(fresh)
    made.under_way = under_way
    return made


def test_the_oldest_that_only_memory_has_is_given_up_also_where_the_head_was_read_from_the_spool_in_part() -> None:
    oldest, newer = item(3), item(4)
    subject = lane(head=[item(1, spool_id=1), item(2, spool_id=2)], behind=5, fresh=(oldest, newer))

    assert not subject.drop(newer)
    assert subject.drop(oldest)
    assert oldest.done
    assert list(subject.unspooled()) == [newer]


@pytest.mark.parametrize("under_way", [0, 1])
def test_the_head_comes_before_what_is_fresh_and_what_is_being_sent_stays(under_way: int) -> None:
    first, second, fresh = item(1), item(2), item(3)
    subject = lane(head=[first, second], under_way=under_way, fresh=(fresh,))

    oldest = [first, second][under_way]

    assert not subject.drop(fresh)
    assert subject.drop(oldest)
    assert [each for each in subject.unspooled() if each is not first] == [second, fresh][under_way:]


def test_nothing_is_given_up_that_the_spool_has() -> None:
    spooled = item(1, spool_id=1)

    assert not lane(head=[spooled]).drop(spooled)
    assert not lane(head=[], behind=1, fresh=(spooled,)).drop(spooled)

"""producer.delivery.ledger: sums by hand."""

from producer.delivery.ledger import Ledger


def test_a_balanced_account() -> None:
    ledger = Ledger(received=10, mapped=8, refused=2, own=3, acknowledged=6, dead_lettered=1, capped=1, lost=1)

    assert ledger.balances(in_flight=4)


def test_a_message_that_vanished_is_seen() -> None:
    assert not Ledger(received=10, mapped=8, refused=1, acknowledged=8, dead_lettered=1).balances(in_flight=0)


def test_a_record_that_vanished_is_seen() -> None:
    assert not Ledger(received=10, mapped=10, acknowledged=9).balances(in_flight=0)

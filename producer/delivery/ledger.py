"""What became of everything: the sums that must agree at any moment."""

from dataclasses import dataclass


@dataclass(slots=True)
class Ledger:
    """One worker's account since it started.

    received = mapped + refused, in messages; mapped + own + refused = acknowledged + dead-lettered + in flight +
    fenced + lost, in records.
    """

    received: int = 0
    """Messages, and frames or envelopes that could not be read; duplicates are set aside before."""
    mapped: int = 0
    refused: int = 0
    """Each becomes a dead letter."""
    own: int = 0
    """Events that no message carried: connect, disconnect, some ends of lives, totals of gifts."""
    acknowledged: int = 0
    dead_lettered: int = 0
    """Dead letters that Kafka acknowledged."""
    fenced: int = 0
    """Records of streamers that another worker had been given: it published them."""
    lost: int = 0
    """Records that the grace of a stop did not suffice for."""

    def balances(self, *, in_flight: int) -> bool:
        """Whether both sums agree."""
        handed_over = self.mapped + self.own + self.refused
        ended = self.acknowledged + self.dead_lettered + self.fenced + self.lost
        return self.received == self.mapped + self.refused and handed_over == ended + in_flight

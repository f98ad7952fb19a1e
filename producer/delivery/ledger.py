"""What became of everything: the sums that must agree at any moment."""

from dataclasses import dataclass


@dataclass(slots=True)
class Ledger:
    """One worker's account since it started.

    received = mapped + refused, in messages. In records: mapped + own + refused + recovered = acknowledged +
    dead-lettered + spooled + unroutable + in flight + fenced + dropped + damaged + capped + lost.
    """

    received: int = 0
    """Messages, and frames or envelopes that could not be read; duplicates are set aside before."""
    mapped: int = 0
    refused: int = 0
    """Each becomes a dead letter, or is capped."""
    own: int = 0
    """Events that no message carried: connect, disconnect, some ends of lives, totals of gifts."""
    recovered: int = 0
    """Records that the spool had of an earlier run, and those that dead workers left beside it."""
    acknowledged: int = 0
    dead_lettered: int = 0
    """Dead letters that Kafka acknowledged."""
    spooled: int = 0
    """Records that the spool has now."""
    unroutable: int = 0
    """Records in the spool of topics that are not there: they stay in its files, for whoever makes the topics again."""
    fenced: int = 0
    """Records of streamers that another worker had been given: it published them."""
    dropped: int = 0
    """Records for which a full spool had no space in time."""
    damaged: int = 0
    """Records that the spool could not give back whole."""
    capped: int = 0
    """Refusals that became no dead letter, since their room had sent too many."""
    lost: int = 0
    """Records that no spool took, when a stop's grace was over or a bug ended the process."""

    def balances(self, *, in_flight: int) -> bool:
        """Whether both sums agree."""
        handed_over = self.mapped + self.own + self.refused + self.recovered
        ended = self.acknowledged + self.dead_lettered + self.unroutable + self.fenced
        ended += self.dropped + self.damaged + self.capped + self.lost
        return self.received == self.mapped + self.refused and handed_over == ended + self.spooled + in_flight

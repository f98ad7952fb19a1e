"""What the other side asked all rooms to wait for; pure, times in seconds of one monotonic clock."""

from producer.errors import ProducerError


class Hold:
    """While it lasts, whoever would ask is told at once what the other side said, and how long that is still so.

    So rooms go to another door, where there is one, and do not wait at this one.
    """

    def __init__(self) -> None:
        self._problem: ProducerError | None = None
        self._until = float("-inf")

    def begin(self, problem: ProducerError, seconds: float, now: float) -> None:
        """Let nobody ask for so long; a hold that lasts longer goes on."""
        if now + seconds > self._until:
            self._problem, self._until = problem, now + seconds

    def end(self) -> None:
        """Let everybody ask."""
        self._problem, self._until = None, float("-inf")

    def refusal(self, now: float) -> ProducerError | None:
        """What whoever asks now is told; None where one may ask."""
        left = self._until - now
        if self._problem is None or left <= 0:
            return None
        return type(self._problem)(str(self._problem), reason=self._problem.reason, retry_after_seconds=left)

    def check(self, now: float) -> None:
        """Raise what whoever asks now is told, if anything."""
        if (refusal := self.refusal(now)) is not None:
            raise refusal

"""producer.webcast.share: who has something of which turn, with a number for a clock."""

import asyncio

from producer.webcast.share import SHARE_SECONDS, Share

HALF = SHARE_SECONDS / 2


class Table:
    """Where guests come, and note when they take a piece: `|` is a turn of the loop."""

    def __init__(self) -> None:
        self.noted: list[str] = []
        self._now = 0.0
        self._share = Share(lambda: self._now)

    def come(self, name: str, *, pieces: int = 1, seconds: float = HALF) -> None:
        """Take a piece now, if there is any share left, or later; and then the others."""

        def take() -> None:
            nonlocal pieces
            pieces -= 1
            self.noted.append(name)
            self._now += seconds
            if pieces:
                self._share.later(take)

        if self._share.over():
            self._share.later(take)
        else:
            take()

    async def turn(self, times: int) -> str:
        """Let the loop turn; give what was noted since the beginning."""
        for _ in range(times):
            self.noted.append("|")
            await asyncio.sleep(0)
        return "".join(self.noted)


def test_who_comes_when_the_share_is_used_up_waits_for_the_next_turn() -> None:
    async def main() -> str:
        table = Table()
        for name in "abcde":
            table.come(name)
        return await table.turn(3)

    assert asyncio.run(main()) == "ab|cd|e|"


def test_who_has_more_has_one_piece_a_turn_behind_those_that_wait() -> None:
    async def main() -> str:
        table = Table()
        table.come("a", pieces=3)
        table.come("b", seconds=HALF)
        table.come("c")
        return await table.turn(4)

    assert asyncio.run(main()) == "ab|ac|a||"


def test_a_piece_that_takes_long_has_a_turn_for_itself_and_an_empty_turn_costs_nothing() -> None:
    async def main() -> str:
        table = Table()
        table.come("a", seconds=10.0)
        table.come("b", seconds=10.0)
        said = await table.turn(3)
        assert said == "a|b||"
        table.come("c")
        return await table.turn(1)

    assert asyncio.run(main()) == "a|b||c|"

"""Where this worker leads the group: the slots shared out, by what each member says of itself and what slots weigh."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from producer import logs
from producer.assignments import assignor
from producer.assignments.assignor import Member, Why
from producer.assignments.table import Table

MOST_MOVES = 4
"""At most one in so many slots moves in one round; the rest follows in the next."""


class Leader:
    """One worker's part in sharing the slots out, for as long as it leads."""

    def __init__(self, table: Callable[[], Table], *, still_seconds: float, clock: Callable[[], float]) -> None:
        """`still_seconds`: so long nobody came or went before something moves only to make shares even.

        In a rolling deployment it would move again before it is over. A fleet that starts is made even at once.
        """
        self.moves: Counter[Why] = Counter()
        """Streamers that were given to somebody new, in all, by why."""
        self._table = table
        self._still_seconds = still_seconds
        self._clock = clock
        self._members: frozenset[str] = frozenset()
        self._still_since = clock()
        self._young_until = float("-inf")
        """Until then the fleet is starting, and nothing is lost by moving."""
        self._planned: tuple[Member, ...] = ()
        """The members, with what the plan gave them; none where somebody else leads."""
        self.foreign: frozenset[str] = frozenset()
        """Members of the last plan that say of themselves what cannot be read."""
        self._log = logs.get()

    @property
    def led(self) -> frozenset[str]:
        """The members, where we lead."""
        return frozenset(member.id for member in self._planned)

    def step_down(self) -> None:
        """Who leads is about to be decided anew."""
        self._planned = ()

    def plan(self, said: Mapping[str, bytes]) -> dict[str, frozenset[int]]:
        """Give every slot to one of the members that can be read; the others are none of ours, and get nothing."""
        members, foreign = [], {}
        for member_id, data in said.items():
            try:
                members.append(assignor.decode_member(member_id, data))
            except ValueError as problem:
                foreign[member_id] = str(problem)
        for member_id in foreign.keys() - self.foreign:
            self._log.error("member of the group is none of ours: it gets no slots", problem=foreign[member_id])
        self.foreign = frozenset(foreign)
        ids = frozenset(member.id for member in members)
        if ids != self._members or any(member.draining for member in members):
            self._members, self._still_since = ids, self._clock()
        if not any(member.owned for member in members):
            self._young_until = self._clock() + self._still_seconds
        elif any(member.draining for member in members):
            self._young_until = float("-inf")  # who rolls it out anew so soon has started it
        moves: Counter[Why] = Counter()
        shares = self._shares(members, moves)
        self.moves += moves
        self._planned = tuple(replace(member, owned=shares[member.id]) for member in members)
        self._log.info(
            "slots shared out",
            workers=sorted(member.worker for member in members),
            streamers_moved={why.value: count for why, count in sorted(moves.items())},
        )
        return shares | dict.fromkeys(foreign, frozenset())

    def is_uneven(self) -> bool:
        """Whether we lead, and the shares are no longer even, or could not be made so in one round."""
        planned = self._planned
        return bool(planned) and self._shares(planned, Counter()) != {member.id: member.owned for member in planned}

    def _shares(self, members: Sequence[Member], moves: Counter[Why]) -> dict[str, frozenset[int]]:
        """Share out, and count into `moves` the streamers that move."""
        loads = self._table().loads({slot: factor for m in members for slot, factor in m.factors.items()})

        def moved(slot: int, why: Why) -> None:
            moves[why] += loads[slot].streamers

        now = self._clock()
        evening = now - self._still_since >= self._still_seconds or now < self._young_until
        most = max(1, len(loads) // MOST_MOVES)
        return assignor.assign(members, loads, most_moves=most, evening=evening, moved=moved)

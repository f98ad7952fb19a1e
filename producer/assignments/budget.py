"""One worker's part in a budget of the fleet: it says what it needs, and keeps to its share; who leads shares out.

Who hears nothing of the others for a time keeps to its part of the whole, or to its share where that is less. A member
that is gone without a word is counted for a little more than a minute. So where one alone is cut off from Kafka for
longer, and goes on asking, its part comes on top: it cannot be told from one that was killed.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import NoReturn

from producer.assignments.interface import Rationed
from producer.assignments.share_records import encode_grant, encode_need, grant_key, need_key
from producer.assignments.shares import Grant, Ledger, Need, part_of

LOOK_SECONDS = 0.5
"""How often a worker looks at what it needs, and who leads at what all do."""
RENEW_SECONDS = 20.0
"""How often a grant is written again, so that all know that somebody shares out."""
SILENCE_SECONDS = 3 * RENEW_SECONDS
"""So long nothing is heard before a worker keeps to its part of the whole."""
OUTAGE_SECONDS = 180.0
"""So long nothing is heard before it takes that part, whatever it had lent: Kafka is away, and the others have kept to
theirs for more than a minute."""
SAY_SECONDS = 30.0
"""How often what is needed is said again, though nothing has changed."""
LOST_SECONDS = 15.0
"""How long, behind the time in which a place is used once, a member that is gone is counted: its death was noticed
later than it ended, or it was cut off."""
ANSWER_SECONDS = 5.0
"""How long a proposal of ours is waited for."""
LONGEST_HOLD_SECONDS = 3600.0
"""For which another worker's word is taken."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Where this worker stands in the group."""

    member: str | None
    """Who it is; None while it is in no group."""
    certain: bool
    """Whether the group confirms it now."""
    rank: int | None
    """Among the members, by the last assignment; None where its leader did not say."""
    members: int
    led: frozenset[str]
    """The members, where this worker leads them."""


class Budget:
    """Tell it what is heard, and let it `look` again and again."""

    def __init__(
        self,
        name: str,
        rationed: Rationed,
        *,
        total: int,
        period: float,
        worker: str,
        say: Callable[[bytes, bytes | None], None],
        standing: Callable[[], Standing],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        """`total` calls in any `period`; `say` writes a record."""
        self.ledger = Ledger()
        self._name = name
        self._rationed = rationed
        self._total = total
        self._lost_seconds = period + LOST_SECONDS
        self._worker = worker
        self._say = say
        self._standing = standing
        self._clock = clock
        self._wall_clock = wall_clock
        self._heard_at = clock()
        """When a grant was heard last, or we began."""
        self._had_news = False
        """Whether anything was granted lately: otherwise no fleet was there when we began."""
        self._member: str | None = None
        self._was: str | None = None
        self._has_left = False
        self._said = Need("")
        self._said_at = float("-inf")
        self._missing: dict[str, float] = {}
        """Since when a member that has a share is gone."""
        self._proposed: tuple[int, float] = (0, float("-inf"))
        """The number of our last proposal, and when it was made."""
        rationed.allow(0)

    def granted(self, grant: Grant) -> None:
        """A grant was read."""
        if self.ledger.granted(grant):
            self._heard_at = self._clock()
            self._had_news |= self._wall_clock() - grant.at / 1000 < self._lost_seconds
            self.look()

    def said(self, worker: str, need: Need | None) -> None:
        """What a worker says of itself was read."""
        self.ledger.said(worker, need)
        if need is not None and need.member != self._member and need.held_until is not None:
            seconds = need.held_until / 1000 - self._wall_clock()
            if seconds > 0:
                self._rationed.learn_hold(min(seconds, LONGEST_HOLD_SECONDS))

    def look(self) -> None:
        """Keep to our share, say what we need, and share out where we lead."""
        if self._has_left:
            return
        standing, now = self._standing(), self._clock()
        if standing.member is not None and standing.member != self._member:
            self._was, self._member = self._member, standing.member
        allowed = self._allowed(standing, now)
        self._rationed.allow(allowed)
        if self._member is None:
            return
        self._speak(self._member, allowed, now)
        if standing.led and standing.certain:
            self._share_out(standing.led, now)

    def leave(self) -> None:
        """Say that this worker ends: it calls nobody any more."""
        self._has_left = True
        self._rationed.allow(0)
        if self._member is not None:
            holds = self._rationed.taken
            self._put(replace(self._said, member=self._member, wants=0, in_a_hurry=0, holds=holds, gone=True))

    def _allowed(self, standing: Standing, now: float) -> int:
        share = self.ledger.of(self._member) if self._member is not None else None
        unheard = now - self._heard_at
        silent = unheard > SILENCE_SECONDS
        if share is not None and standing.certain and not silent:
            return share.calls
        if share is None and not silent:
            return 0
        known = standing.rank is not None
        part = part_of(self._total, members=standing.members, rank=standing.rank or 0) if known else 1
        return part if share is None or unheard > OUTAGE_SECONDS else min(part, share.calls)

    def _speak(self, member: str, allowed: int, now: float) -> None:
        last, share, taken = self.ledger.last, self.ledger.of(member), self._rationed.taken
        need = Need(
            member,
            number=last.number if last is not None else 0,
            wants=min(self._total, self._rationed.waiting + taken),
            in_a_hurry=min(self._total, self._rationed.in_a_hurry),
            holds=max(allowed, taken),
            held_until=self._held_until(),
            was=self._was,
        )
        unread = share is not None and share.number > self._said.number
        if unread or replace(need, number=0) != replace(self._said, number=0) or now - self._said_at > SAY_SECONDS:
            self._said_at = now
            self._put(need)

    def _held_until(self) -> int | None:
        seconds = self._rationed.held_seconds
        if seconds <= 0:
            return None
        until, before = int((self._wall_clock() + seconds) * 1000), self._said.held_until
        return before if before is not None and abs(until - before) < 1000 else until

    def _put(self, need: Need) -> None:
        self._said = need
        self._say(need_key(self._name, self._worker), encode_need(need))

    def _share_out(self, members: frozenset[str], now: float) -> None:
        last = self.ledger.last
        number, at = self._proposed
        if (last.number if last is not None else 0) < number and now - at < ANSWER_SECONDS:
            return
        over = self._over(members, now)
        wall = self._wall_clock()
        grant = self.ledger.next(self._total, members, over, at=int(wall * 1000), turn=int(wall // 60))
        if last is not None and now - at < RENEW_SECONDS and _calls(grant) == _calls(last):
            return
        self._proposed = grant.number, now
        self._say(grant_key(self._name), encode_grant(grant))
        for worker, need in self.ledger.needs.items():
            if need.member in over and worker != self._worker:
                self._say(need_key(self._name, worker), None)

    def _over(self, members: frozenset[str], now: float) -> set[str]:
        """Members that are gone, whose places are free."""
        shares = self.ledger.last.shares if self.ledger.last is not None else {}
        self._missing = {each: self._missing.get(each, now) for each in shares if each not in members}
        needs = self.ledger.needs.values()
        free = self.ledger.freed | {need.was for need in needs if need.was is not None and need.member in members}
        return {
            each
            for each, since in self._missing.items()
            if each in free or not self._had_news or now - since > self._lost_seconds
        }


class Budgets:
    """All budgets of one worker. Run `run` as a task."""

    def __init__(
        self,
        *,
        worker: str,
        say: Callable[[bytes, bytes | None], None],
        standing: Callable[[], Standing],
        clock: Callable[[], float],
        wall_clock: Callable[[], float],
    ) -> None:
        self._all: dict[str, Budget] = {}
        self._make = partial(Budget, worker=worker, say=say, standing=standing, clock=clock, wall_clock=wall_clock)

    def share(self, name: str, rationed: Rationed, *, total: int, period: float) -> None:
        """Share one out from now on; before anything is heard, to miss nothing."""
        self._all[name] = self._make(name, rationed, total=total, period=period)

    def granted(self, name: str, grant: Grant) -> None:
        """A grant was read."""
        if name in self._all:
            self._all[name].granted(grant)

    def said(self, name: str, worker: str, need: Need | None) -> None:
        """What a worker says of itself was read."""
        if name in self._all:
            self._all[name].said(worker, need)

    async def run(self) -> NoReturn:
        """Look at each again and again."""
        while True:
            for each in self._all.values():
                each.look()
            await asyncio.sleep(LOOK_SECONDS)

    def leave(self) -> None:
        """Say of each that this worker ends."""
        for each in self._all.values():
            each.leave()


def _calls(grant: Grant) -> dict[str, int]:
    return {member: share.calls for member, share in grant.shares.items()}

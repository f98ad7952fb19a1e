"""The shared list as a compacted topic; a claim is the ownership of a partition of it, a slot.

Kafka's group protocol is the failure detector: `membership` is in the group, `leading` shares the slots out by
`assignor`, `follower` knows the whole list and what others report, `holding` works out what is held, `reports` says so
to others.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Mapping
from contextlib import suppress
from dataclasses import replace
from types import TracebackType
from typing import Any, Self

from producer import logs
from producer.assignments import assignor
from producer.assignments.assignor import Member, Why
from producer.assignments.budget import Budgets, Standing
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.clients import Options
from producer.assignments.doors import DoorSaid
from producer.assignments.follower import Follower
from producer.assignments.holding import Holding
from producer.assignments.interface import Leaving, Rationed, Said
from producer.assignments.leading import Leader
from producer.assignments.lease import Lease, boot_clock
from producer.assignments.membership import Assigned, Membership, Timing
from producer.assignments.pokes import is_fresh
from producer.assignments.reports import Reports
from producer.assignments.shares import Grant, Need
from producer.assignments.table import SLOTS, UNASSIGNED, Status, slot_of
from producer.assignments.twins import refuse_twins

FLUSH_SECONDS = 2.0
GOING_IN_EVERY = 3
"""So often within the time that a room is held without a word it is said that somebody is on the way into it."""
NOT_KEPT: dict[str, Any] = {"room_id": None, "error": None, "door": None, "going_in": False}
"""Of what a session said, once there is none."""


class KafkaAssignments:
    """This worker's part of the list (`interface.Assignments`)."""

    def __init__(
        self,
        options: Options,
        *,
        list_topic: str,
        status_topic: str,
        group: str,
        worker: str,
        max_streams: int,
        slots: int = SLOTS,
        timing: Timing | None = None,
        measure: Callable[[Wanted], float] = lambda row: row.weight,
        list_read: Callable[[int | None], None] = lambda _: None,
        clock: Callable[[], float] = boot_clock,
        wall_clock: Callable[[], float] = time.time,
    ) -> None:
        """`measure` tells what a streamer of ours costs beside an ordinary one (1).

        `list_read` is told how many streamers a changed list wants, and None for each record that cannot be used.
        """
        self._worker = worker
        self._max_streams = max_streams
        self._options = options
        self._group = group
        self._timing = timing = timing or Timing()
        self._measure = measure
        self._list_read = list_read
        self._clock = clock
        self._wall_clock = wall_clock
        self._holding = Holding(
            worker=worker,
            max_streams=max_streams,
            handover_seconds=timing.handover,
            longest_seconds=timing.longest_handover,
        )
        self.fence = Lease(timing.certain, lost=self._holding.fenced.__contains__, clock=clock)
        """To be asked before anything is published."""
        self._reports = Reports(options, topic=status_topic)
        self._follower = Follower(
            options,
            list_topic=list_topic,
            status_topic=status_topic,
            slots=slots,
            listener=self,
            watchdog_seconds=timing.watchdog,
            clock=clock,
        )
        self._leader = Leader(lambda: self._follower.table, still_seconds=timing.still, clock=clock)
        self._membership = Membership(
            options,
            group=group,
            topic=list_topic,
            slots=slots,
            worker=worker,
            protocol=assignor.protocol(list_topic, slots),
            timing=timing,
            introduce=self._introduce,
            plan=self._leader.plan,
            assigned=self._assigned,
            lease=self.fence,
            clock=clock,
        )
        self._said: dict[Streamer, Status] = {}
        self._going_in: set[Streamer] = set()
        """Those of whom we say again and again that we are on the way into their rooms, for whoever hears them yet."""
        self._withdrawn: set[Streamer] = set()
        """Those of whom we took back what we had said, which may yet be read."""
        self._budgets = Budgets(
            worker=worker,
            say=self._reports.put,
            standing=self._standing,
            clock=clock,
            wall_clock=wall_clock,
        )
        self._place: tuple[int | None, int] = None, 0
        self._began = self._now_ms()
        self._door_heard: Callable[[str, DoorSaid], None] = lambda *_: None
        self._poke_heard: Callable[[Streamer], None] = lambda _: None
        self._draining = False
        self._introduced_draining = False
        """Whether we last joined, or are joining, as one that drains."""
        self._joined_draining = False
        self._unassigned: frozenset[Streamer] = frozenset()
        """Those that were reported so."""
        self._changed = asyncio.Event()
        self._drained = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._log = logs.get()

    # ------------------------------------------------------------------------------------------- what a metric asks

    @property
    def slots_owned(self) -> int:
        """Slots of this worker."""
        return len(self._holding.slots)

    @property
    def generation(self) -> int:
        """The group's generation of the last assignment; -1 before the first."""
        return self._holding.generation

    @property
    def rebalances(self) -> int:
        """Assignments received."""
        return self._membership.rebalances

    @property
    def unassigned(self) -> int:
        """Streamers of our slots beyond what this worker may hold."""
        return len(self._holding.unassigned)

    @property
    def handing_over(self) -> int:
        """Streamers held only until their next owner is connected."""
        return len(self._holding.bridged)

    @property
    def fenced(self) -> int:
        """Claims lost, in all, while this worker was stalled or cut off."""
        return self._holding.fenced_total

    @property
    def rebuilds(self) -> int:
        """Kafka clients of the sharing that were replaced, in all."""
        return self._membership.kept.rebuilds + self._follower.kept.rebuilds

    @property
    def moves(self) -> Mapping[str, int]:
        """Streamers that were given to somebody new while this worker led, in all, by each reason there is."""
        return {why.value: self._leader.moves[why] for why in Why}

    @property
    def refused_records(self) -> int:
        """Records of the list, in all, that could not be used."""
        return self._follower.refused

    @property
    def refused_statuses(self) -> int:
        """Records of the status topic, in all, that could not be used."""
        return self._follower.refused_statuses

    @property
    def refused_members(self) -> int:
        """Members of the group that said of themselves what cannot be read, when this worker last shared it out."""
        return len(self._leader.foreign)

    # ------------------------------------------------------------------------------------------------- the interface

    async def __aenter__(self) -> Self:
        """Read the list and join the group. Raises StartRefused."""
        try:
            self._start(self._reports.run(), "statuses")
            self._start(self._follower.kept.run(), "list")
            await self._follower.kept.started()
            await self._refuse_twins()
            self._start(self._membership.kept.run(), "membership")
            await self._membership.kept.started()
            await self._refuse_twins()  # one that was started beside us
            self._start(self._keep_even(), "balance")
            self._start(self._budgets.run(), "budgets")
            self._start(self._keep_going_in(), "going in")
        except BaseException:
            await self._stop()
            raise
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._budgets.leave()
        await self._reports.flush(FLUSH_SECONDS)
        await self._stop()

    async def changes(self) -> AsyncIterator[frozenset[Streamer]]:
        """Yield the whole set of streamers to hold, now and after each change."""
        before: frozenset[Streamer] | None = None
        while True:
            self._changed.clear()
            held = self._holding.show()
            if held is not before:
                yield held
                before = held
                continue
            deadline = self._holding.next_deadline()
            with suppress(TimeoutError):
                async with asyncio.timeout(None if deadline is None else deadline - self._clock()):
                    await self._changed.wait()
            self._settle()
            for task in self._tasks:
                if task.done():
                    task.result()  # a bug of ours: Kafka's failures are repaired

    def entry(self, streamer: Streamer) -> Wanted:
        """Tell what the list says of a streamer now."""
        return self._follower.table.get(streamer) or Wanted(streamer)

    def why(self, streamer: Streamer) -> Leaving:
        """Say why a streamer left the set."""
        if streamer in self._holding.fenced:
            return Leaving.FENCED
        elsewhere = self._wanted(streamer) and not self._owns(streamer)
        return Leaving.HANDOVER if elsewhere else Leaving.RELEASED

    def shared(self, streamer: Streamer) -> bool:
        """Say whether the worker that has a streamer from now on hears its room too, while we still hold it."""
        return streamer in self._holding.crossed

    async def release(self, streamer: Streamer) -> None:
        """Give a claim up, once the session for it has ended."""
        said = self._said.pop(streamer, None)
        self._going_in.discard(streamer)
        self._holding.released(streamer)
        if streamer in self._unassigned:
            self._report_unassigned(streamer, said)  # what its session said in ending came after it
        elif said is not None and self._owns(streamer):
            learnt = said.watched is not None or said.live is not None
            if not self._wanted(streamer) or not (said.bugs or learnt):
                self._reports.remove(streamer)
                self._withdrawn.add(streamer)
            elif not said.bugs:  # what a bug did is left as it was said
                self._report_unassigned(streamer, said)
        self._changed.set()

    def report(self, streamer: Streamer, said: Said) -> None:
        """Say how the session of a streamer goes, at each change of its state."""
        if streamer in self._holding.fenced:
            return  # it has another owner, who speaks for it
        self._withdrawn.discard(streamer)
        generation = self._holding.generation_of(streamer)
        before = self._said.get(streamer)
        since = before.since if before is not None and before.state == said.state else self._now_ms()
        status = Status.of(said, worker=self._worker, generation=generation, since=since, now=self._now_ms())
        if before is not None and not said.going_in and before.under(generation) == status:
            return
        (self._going_in.add if said.going_in else self._going_in.discard)(streamer)
        self._said[streamer] = status
        self._reports.say(streamer, status, generation=generation)
        self._holding.reported(streamer, said.state)
        self._bridge_touched(streamer)

    def last_said(self, streamer: Streamer) -> Said | None:
        """Tell what was last said of a streamer, by whomever; None where nothing was."""
        status = self._said.get(streamer) or self._follower.said.get(streamer)
        return None if status is None or streamer in self._withdrawn else status.said

    def say_door(self, door: str, said: DoorSaid) -> None:
        """Tell the other workers how a door stands here."""
        self._reports.say_door(door, said)

    def hear_doors(self, told: Callable[[str, DoorSaid], None]) -> None:
        """Have what other workers say of doors told from now on; before entering, to miss nothing."""
        self._door_heard = told

    def hear_pokes(self, told: Callable[[Streamer], None]) -> None:
        """Have each streamer told from now on of which somebody says that it went live, held or not."""
        self._poke_heard = told

    def share(self, name: str, rationed: Rationed, *, total: int, period: float) -> None:
        """Share so many calls with the other workers from now on; before entering, to miss nothing."""
        self._budgets.share(name, rationed, total=total, period=period)

    def told(self) -> bool:
        """Say whether statuses are written."""
        return self._reports.written

    async def drain(self, seconds: float) -> None:
        """Take nothing new and hand over what is held, while `changes` goes on; return once that is done."""
        self._draining = True
        self._membership.rejoin()
        self._log.info("draining", held=len(self._holding.held))
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._drained.wait()
        self._log.info("drained", left=len(self._holding.held))

    # ------------------------------------------------------------------------------------------------ what is told us

    def list_changed(self, changed: Collection[Streamer] | None) -> None:
        """The follower read records of the list."""
        self._list_read(self._follower.table.wanted)
        self._holding.listed(self._follower.table, changed)
        self._settle()

    def list_refused(self, records: int) -> None:
        """The follower read records of the list that cannot be used."""
        for _ in range(records):
            self._list_read(None)

    def heard(self, streamer: Streamer, status: Status | None) -> None:
        """The follower read a status."""
        if status is None or status.worker != self._worker:
            self._withdrawn.discard(streamer)
        self._holding.heard(streamer, status)
        self._bridge_touched(streamer)

    def door_heard(self, door: str, said: DoorSaid) -> None:
        """The follower read what a worker said of a door, which may be ourselves."""
        if said.worker != self._worker or said.at < self._began:
            self._door_heard(door, said)

    def granted(self, budget: str, grant: Grant) -> None:
        """The follower read how a budget is shared out."""
        self._budgets.granted(budget, grant)

    def needed(self, budget: str, worker: str, need: Need | None) -> None:
        """The follower read what a worker needs of a budget."""
        self._budgets.said(budget, worker, need)

    def poked(self, streamer: Streamer, at: int) -> None:
        """The follower read that somebody says of a streamer that it went live."""
        if is_fresh(at, self._now_ms()):
            self._poke_heard(streamer)

    def _standing(self) -> Standing:
        return Standing(self._membership.member_id, self.fence.current(), *self._place, self._leader.led)

    def _introduce(self) -> bytes:
        self._introduced_draining = self._draining
        self._leader.step_down()
        return assignor.encode_member(
            Member(
                "",
                worker=self._worker,
                owned=self._holding.slots,
                generation=self._holding.generation,
                capacity=self._max_streams,
                draining=self._draining,
                factors=self._follower.table.factors(self._holding.slots, self._measure),
            )
        )

    def _assigned(self, news: Assigned) -> None:
        self._place = news.rank, news.members
        bridged, fenced = frozenset(self._holding.bridged), self.fenced
        evicted = news.stalled or (news.evicted and self._holding.missed(news.generation))
        self._holding.assigned(news.slots, news.generation, self._follower.table, evicted=evicted, now=self._clock())
        self.fence.disown()
        self._log.info(
            "slots assigned",
            slots=len(news.slots),
            generation=news.generation,
            handing_over=self.handing_over,
            fenced=self.fenced - fenced,
        )
        # Who holds them for us meanwhile waits to hear that they are streamed under this generation.
        for streamer in self._holding.again(bridged, evicted=evicted) & self._said.keys():
            self._reports.say(streamer, self._said[streamer], generation=news.generation)
        self._joined_draining = self._introduced_draining
        if self._draining and not self._joined_draining:
            self._membership.rejoin()  # the last request was lost in a rebalance that had begun
        self._settle()

    # --------------------------------------------------------------------------------------------------- what follows

    def _settle(self) -> None:
        self._holding.settle(self._follower.table, self._clock())
        if self._holding.unassigned is not self._unassigned:
            self._tell_unassigned()
        # Whoever drains and still has slots is alone, or all others drain as well.
        if self._joined_draining and (self._holding.slots or not self._holding.held):
            self._drained.set()
        self._changed.set()

    def _tell_unassigned(self) -> None:
        before, self._unassigned = self._unassigned, self._holding.unassigned
        for streamer in self._unassigned - before:
            self._report_unassigned(streamer, self._said.get(streamer))
        for streamer in before - self._unassigned - self._holding.held:
            if self._owns(streamer):
                self._reports.remove(streamer)
        if len(self._unassigned) != len(before):
            self._log.warning(
                "streamers beyond what this worker may hold",
                unassigned=len(self._unassigned),
                max_streams=self._max_streams,
            )

    async def _refuse_twins(self) -> None:
        await refuse_twins(
            self._options,
            group=self._group,
            worker=self._worker,
            ours=lambda: self._membership.member_id,
            patience=self._timing.session + self._timing.heartbeat,
        )

    async def _keep_going_in(self) -> None:
        """Say again of each that goes on trying to get into a room that was another's, that it does."""
        while True:
            await asyncio.sleep(self._timing.handover / GOING_IN_EVERY)
            for streamer in self._going_in & self._said.keys():
                status = self._said[streamer] = replace(self._said[streamer], going_in=self._now_ms())
                self._reports.say(streamer, status, generation=self._holding.generation_of(streamer))

    async def _keep_even(self) -> None:
        """Where we lead, ask for another round when the shares are no longer even."""
        while True:
            await asyncio.sleep(self._timing.balance)
            if self._leader.is_uneven():
                self._membership.rejoin()

    def _report_unassigned(self, streamer: Streamer, said: Status | None) -> None:
        """Say that nobody holds it; what was known of its bugs, habits and last live goes on being known."""
        status = said or self._follower.said.get(streamer)
        nobodys = Said(UNASSIGNED) if status is None else replace(status.said, state=UNASSIGNED, **NOT_KEPT)
        generation = self._holding.generation
        made = Status.of(nobodys, worker=self._worker, generation=generation, since=self._now_ms())
        self._reports.say(streamer, made, generation=generation)

    def _bridge_touched(self, streamer: Streamer) -> None:
        # Settled once for all that come at a time, by `changes`.
        if streamer in self._holding.bridged:
            self._changed.set()

    def _wanted(self, streamer: Streamer) -> bool:
        row = self._follower.table.get(streamer)
        return row is not None and row.enabled

    def _owns(self, streamer: Streamer) -> bool:
        return slot_of(streamer, self._follower.table.slots) in self._holding.slots

    def _now_ms(self) -> int:
        return int(self._wall_clock() * 1000)

    def _start(self, work: Coroutine[object, object, None], name: str) -> None:
        task = asyncio.create_task(work, name=name)
        task.add_done_callback(lambda _: self._changed.set())
        self._tasks.append(task)

    async def _stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

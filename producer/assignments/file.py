"""The shared list as a file, claims as locked files: several workers on one machine, without a coordinator.

A claim is an exclusive lock (flock) on `<claims>/<streamer>.claim`. The kernel frees the locks of a process that dies,
however it dies, so the others take its streamers over at their next look. Each worker also locks
`<claims>/<worker>.member`, by which the living are counted. A claim that is given up is removed, so that one listing of
the folder says what is free; what is there is another's, and is tried rarely unless somebody died.

Nothing that is wrong with the folder ends a worker: what it holds goes on, what cannot be claimed is tried again.

Locks of one machine: on a network file system they may hold nothing, so one is refused.
"""

import asyncio
import errno
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Self

from producer import descriptors, logs
from producer.assignments import claims
from producer.assignments.claim_files import LockedFile
from producer.assignments.claims import Streamer, Wanted
from producer.assignments.claims_folder import ClaimsFolder, Listing, in_place
from producer.assignments.complaints import Complaints
from producer.assignments.doors import DoorSaid
from producer.assignments.interface import Leaving, Rationed, Said
from producer.assignments.list_file import ListFile

LOOK_SECONDS = 0.5
TURN = 25
"""Files that are tried in one turn of the loop. To find one locked takes 13 us, to make one up to 0.3 ms (ext4)."""
RETRIES = 100
"""Claims that others hold, at the most, that are tried again at a look where nobody died."""
RETURN_LOOKS = 3
"""Looks at which nothing is taken after the folder was gone, for the others to take back what they hold."""
EXHAUSTED = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM})
"""What would befall the other claims of a look, too."""


class FileAssignments:
    """This worker's part of the list. Use it as an async context manager."""

    def __init__(
        self,
        list_file: Path,
        claims_directory: Path,
        *,
        worker: str,
        max_streams: int,
        list_read: Callable[[int | None], None] = lambda _: None,
        claim_failed: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`list_read` is told how many streamers a changed list wants, or None where it is invalid.

        `claim_failed` is told of each file of a claim or of a worker that could not be used.
        """
        self._list = ListFile(list_file, read=list_read)
        self._complaints = Complaints(failed=claim_failed, clock=clock)
        self._folder = ClaimsFolder(claims_directory, worker=worker, complaints=self._complaints)
        self._most = max_streams
        self._held: dict[Streamer, LockedFile] = {}
        self._leaving: dict[Streamer, Leaving] = {}
        """Of those, which are to be given up, and why."""
        self._said: dict[Streamer, Said] = {}
        self._vain: dict[Streamer, int | None] = {}
        """Who could not be claimed, the longest ago first, and which file it was, by its inode."""
        self._returning = 0
        self.fence = LockFence(self._held)
        """To be asked before anything is published."""

    async def __aenter__(self) -> Self:
        """Read the list and join the workers. Raises StartRefused."""
        await self._list.load()
        affordable = descriptors.rooms(self._most)
        if affordable < self._most:
            logs.get().warning("open files bound the streamers", most=affordable, open_files=descriptors.limit())
            self._most = affordable
        await self._folder.join()
        return self

    async def __aexit__(self, *_: object) -> None:
        for streamer in list(self._held):
            await self.release(streamer)
        self._folder.leave()
        self._complaints.say()

    async def changes(self) -> AsyncIterator[frozenset[Streamer]]:
        """Yield the whole set of streamers to hold, now and after each change, of which a large one comes in parts."""
        before: frozenset[Streamer] | None = None
        while True:
            await self._list.reload()
            for _ in chain(self._look(), (None,)):
                held = frozenset(self._staying())
                if held != before:
                    yield held
                    before = held
                await asyncio.sleep(0)
            self._complaints.say()
            await asyncio.sleep(LOOK_SECONDS)

    def entry(self, streamer: Streamer) -> Wanted:
        """Tell what the list says of a streamer now."""
        return self._list.entries.get(streamer) or Wanted(streamer)

    def why(self, streamer: Streamer) -> Leaving:
        """Say why a streamer left the set: given up, off the list, or another worker's since its file was lost."""
        return self._leaving.get(streamer, Leaving.RELEASED)

    def shared(self, streamer: Streamer) -> bool:
        """Say whether another worker hears its room too, which never is so: a claim is given up before it is taken."""
        return False

    async def release(self, streamer: Streamer) -> None:
        """Give a claim up, once the session for it has ended."""
        claim, said = self._held.pop(streamer, None), self._said.pop(streamer, None)
        self._leaving.pop(streamer, None)
        if claim is None:
            return
        if said is not None and said.bugs and streamer in self._list.ranking:
            claim.close()  # with its note: of a bug that ended its sessions whoever has it next must know
        else:
            self._folder.remove(claim)

    def report(self, streamer: Streamer, said: Said) -> None:
        """Write in the claim's file how the session goes, for people and for the streamer's next worker to read."""
        claim = self._held.get(streamer)
        if claim is not None:
            self._said[streamer] = said
            self._folder.note(claim, said)

    def last_said(self, streamer: Streamer) -> Said | None:
        """Tell what was last said of a streamer that is held, by us or in the note that we found."""
        return self._said.get(streamer)

    def say_door(self, door: str, said: DoorSaid) -> None:
        """Tell nobody: each worker finds out by itself."""

    def hear_doors(self, told: Callable[[str, DoorSaid], None]) -> None:
        """Nobody says anything."""

    def hear_pokes(self, told: Callable[[Streamer], None]) -> None:
        """Nobody can say it."""

    def share(self, name: str, rationed: Rationed, *, total: int, period: float) -> None:
        """Have it all: other workers' needs are not known."""
        rationed.allow(total)

    def told(self) -> bool:
        """It is: locks are all that others heed."""
        return True

    async def drain(self, seconds: float) -> None:
        """Nothing to do: the locks of a worker that ends are free at once, and the others look every half second."""

    def _staying(self) -> set[Streamer]:
        return self._held.keys() - self._leaving.keys()

    def _look(self) -> Iterator[None]:
        """Claim what is free and ours by share; mark what to give up. It yields where the loop may turn."""
        ranking = self._list.ranking
        yield from self._give_up(ranking, target=len(self._held))
        listing = self._folder.listing()
        if listing is None:
            return
        if self._folder.was_lost(listing):
            self._returning = RETURN_LOOKS
        yield from self._return(listing)
        if self._folder.somebody_died(listing):
            self._vain.clear()
        if self._returning:
            self._returning -= 1
            return
        target = claims.share(len(ranking), workers=self._folder.workers, most=self._most)
        yield from self._give_up(ranking, target=target)
        if len(self._staying()) < target:
            yield from self._claim(ranking, target, listing)

    def _give_up(self, ranking: Mapping[Streamer, int], *, target: int) -> Iterator[None]:
        """Mark all that is no longer wanted, and some of a surplus."""
        going = claims.to_release(self._staying(), ranking, target=target)
        for number, streamer in enumerate(going, 1):
            if streamer in self._held:
                self._leaving[streamer] = Leaving.RELEASED
            if number % TURN == 0:
                yield

    def _return(self, listing: Listing) -> Iterator[None]:
        """Take back what we hold where its file is gone from the folder; give up what another has taken since."""
        gone = [streamer for streamer, claim in self._held.items() if not in_place(claim, listing)]
        for number, streamer in enumerate(gone, 1):
            if number % TURN == 0:
                yield
            if (claim := self._held.get(streamer)) is None:
                continue
            try:
                again = self._folder.lock(claim.name)
            except OSError as problem:
                self._complaints.failed("claims not taken back", problem, claim.name)
                continue
            if again is None:
                self._leaving.setdefault(streamer, Leaving.FENCED)
                continue
            claim.close()
            self._held[streamer] = again
            self._folder.note(again, self._said.get(streamer))

    def _claim(self, ranking: Mapping[Streamer, int], target: int, listing: Listing) -> Iterator[None]:
        """Claim what is free until we have our share."""
        for streamer in list(islice(self._vain, RETRIES)):
            del self._vain[streamer]
        tried = 0
        for streamer in claims.candidates(self._held.keys(), ranking):
            found = listing.get(f"{streamer}.claim")
            if streamer in self._vain and self._vain[streamer] == found:
                continue
            tried += 1
            if tried % TURN == 0:
                yield
            try:
                taken = self._take(streamer)
            except OSError as problem:
                self._complaints.failed("streamers not claimed", problem, f"{streamer}.claim")
                if problem.errno in EXHAUSTED:
                    return
                taken = False
            if not taken:
                self._vain[streamer] = found
            elif len(self._held) - len(self._leaving) >= target:
                return

    def _take(self, streamer: Streamer) -> bool:
        """Claim a streamer, and learn what its last worker said of it; False where another has it. Raises OSError."""
        claim = self._folder.lock(f"{streamer}.claim")
        if claim is None:
            return False
        self._held[streamer] = claim
        said = self._folder.said(claim)
        if said is not None:
            self._said[streamer] = said
        # Should we die before its session says anything, its bugs are still known.
        self._folder.note(claim, said if said is not None and said.bugs else None)
        return True


class LockFence:
    """A fence (`interface.Fence`): the kernel takes no lock from a living process, however long it stands still."""

    revoked_at = float("-inf")

    def __init__(self, held: Mapping[Streamer, object]) -> None:
        self._held = held

    def current(self) -> bool:
        """Always."""
        return True

    def lost(self, streamer: str) -> bool:
        """Whether the claim's lock is not held."""
        return streamer not in self._held

    def heed(self, told: Callable[[], None]) -> None:
        """Nothing is held back where it is always certain, so nobody needs to be told."""


def claims_folder(list_file: Path, chosen: Path | None) -> Path:
    """Where the claims of a list are: where it was said, otherwise beside the list."""
    return chosen or list_file.parent / "claims"

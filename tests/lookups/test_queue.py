"""producer.lookups.queue: who waits is let go in the plan's order, at the clock."""

import asyncio
from random import Random

from producer.lookups.budget import Budget
from producer.lookups.plan import Asker, Plan
from producer.lookups.queue import Queue
from tests.lookups.test_plan import Known


def queue(*, per_second: float = 1_000.0, shortest: float = 0.0, held: list[float] | None = None) -> Queue:
    plan = Plan(Budget(per_second=per_second, chance=Random(1)), shortest=shortest, longest=3600.0)
    return Queue(plan, held=(lambda: held.pop(0) if held else 0.0))


async def gone(subject: Queue, *askers: Asker) -> list[str]:
    """Let them wait; give the order in which they were let go."""
    found: list[str] = []

    async def wait(asker: Asker) -> None:
        await subject.turn(asker)
        found.append(asker.name)

    async with asyncio.timeout(60), asyncio.TaskGroup() as tasks:
        for asker in askers:
            tasks.create_task(wait(asker))
    return found


def test_each_who_waits_is_let_go_and_those_who_matter_first() -> None:
    async def main() -> list[str]:
        askers = [Asker(f"{number:02}", Known(1e-5), priority=number % 2) for number in range(10)]
        return await gone(queue(per_second=100.0), *askers)

    found = asyncio.run(main())
    assert sorted(found) == [f"{number:02}" for number in range(10)]
    # The first came alone; of those who came behind it the odd ones matter more.
    assert found[1:6] == ["01", "03", "05", "07", "09"]


def test_who_was_asked_a_moment_ago_waits_for_its_time() -> None:
    async def main() -> float:
        subject = queue(shortest=0.2)
        began = subject.now()
        await gone(subject, Asker("one", Known(1.0), asked=began))
        return subject.now() - began

    assert asyncio.run(main()) >= 0.2


def test_who_is_told_to_hurry_does_not() -> None:
    async def main() -> None:
        subject = queue(shortest=3600.0)
        waiting = asyncio.create_task(gone(subject, Asker("one", Known(1.0), asked=subject.now())))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert subject.hurry("one")
        assert await waiting == ["one"]
        assert not subject.hurry("one")

    asyncio.run(main())


def test_it_tells_when_somebody_is_to_be_looked_up() -> None:
    held = 5000.0  # so that nobody is let go meanwhile

    async def main() -> None:
        nonlocal held
        plan = Plan(Budget(per_second=10.0, chance=Random(1)), shortest=600.0, longest=3600.0)
        subject = Queue(plan, held=lambda: held)
        began = subject.now()
        askers = Asker("later", Known(1.0), asked=began), Asker("new", Known(1e-9))
        waiting = [asyncio.create_task(subject.turn(each)) for each in askers]
        await asyncio.sleep(0)

        first = [subject.due_at(name) for name in ("later", "new")]
        assert all(due is not None and due >= began + 5000.0 for due in first)
        held = 0.0
        assert subject.due_at("later") == began + 600.0
        new = subject.due_at("new")
        assert new is not None and began <= new < began + 600.0
        assert subject.due_at("nobody") is None
        held = 5000.0
        assert subject.hurry("later")
        held = 0.0
        hurried = subject.due_at("later")
        assert hurried is not None and new <= hurried < began + 600.0
        for each in waiting:
            each.cancel()

    asyncio.run(main())


def test_while_look_ups_are_held_nobody_is_let_go() -> None:
    held = [0.05, 0.05]

    async def main() -> tuple[list[str], float]:
        subject = queue(held=held)
        began = subject.now()
        return await gone(subject, Asker("one", Known(1.0))), subject.now() - began

    found, seconds = asyncio.run(main())
    assert (found, held) == (["one"], [])
    assert seconds >= 0.1


def test_who_gives_up_leaves_its_place_to_the_next() -> None:
    async def main() -> list[str]:
        subject = queue(per_second=20.0)
        await gone(subject, Asker("first", Known(1.0)))
        gives_up = asyncio.create_task(subject.turn(Asker("gives up", Known(1.0), priority=5)))
        await asyncio.sleep(0)
        gives_up.cancel()
        return await gone(subject, Asker("second", Known(1.0)))

    assert asyncio.run(main()) == ["second"]


def test_a_request_that_was_made_elsewhere_is_waited_for() -> None:
    async def main() -> float:
        subject = queue(per_second=10.0)
        began = subject.now()
        for _ in range(3):
            subject.spend()
        await gone(subject, Asker("one", Known(1.0)))
        return subject.now() - began

    assert asyncio.run(main()) >= 0.3

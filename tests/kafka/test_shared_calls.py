"""How workers of one group share a key's calls, over a real Kafka."""

from producer.local.kafka import Kafka
from tests.assignments.fleet import Fleet, KafkaBackend, eventually, play
from tests.assignments.test_budget import Calls


def test_workers_share_and_lend_and_who_leaves_gives_all_back(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            calls: dict[str, Calls] = {}

            async def start(name: str) -> None:
                assignments = backend.open(name)
                calls[name] = Calls()
                assignments.share("sign", calls[name], total=10, period=60.0)
                await fleet.worker(name, assignments=assignments)

            def allowed() -> list[int]:
                return [each.allowed for each in calls.values()]

            await fleet.names("aa", "bb")
            await start("one")
            await eventually(lambda: allowed() == [10])
            await start("two")
            await eventually(lambda: sorted(allowed()) == [5, 5])
            calls["two"].waiting = 30
            await eventually(lambda: allowed() == [0, 10])
            calls["two"].held_seconds = 50.0
            await eventually(lambda: len(calls["one"].learnt) == 1)
            calls["two"].waiting = calls["one"].waiting = 7
            await eventually(lambda: allowed() == [5, 5])
            await fleet.stop("two")
            del calls["two"]
            await eventually(lambda: allowed() == [10])

    play(main)

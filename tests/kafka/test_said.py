"""What was said of a streamer, by whomever, is known to the worker that has it next: against a real Kafka."""

import asyncio
import json
import signal
import time
from itertools import count
from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from structlog.testing import capture_logs

from producer.assignments import follower, reports
from producer.assignments.claims import Streamer
from producer.assignments.doors import DoorSaid
from producer.assignments.interface import LastLive, Said
from producer.assignments.pokes import encode_poke
from producer.assignments.table import Status
from producer.local.kafka import Kafka
from producer.local.programs import STEP_SECONDS
from tests.assignments.fleet import Fleet, Heard, KafkaBackend, eventually, play
from tests.kafka.proxy import Proxy
from tests.kafka.test_assignments import process, source

AA = Streamer("aa")
PARKED: dict[str, Any] = {"state": "parked", "error": "TypeError", "bugs": 3, "again_at": 1_700_000_900_000}


def test_who_takes_over_from_a_worker_that_died_knows_what_it_had_parked(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet, process(kafka, backend, "other", said=PARKED) as other:
            await fleet.names("aa")
            await other.says(lambda line: line.get("held") == ["aa"])
            await backend.said(lambda said: "aa" in said)
            one = await fleet.worker("one", max_streams=1)
            other.signal(signal.SIGKILL)
            await fleet.until(lambda: one.held == {"aa"})
            assert one.told == {AA: Said(**PARKED)}

    play(main)


def test_a_planned_stop_leaves_what_is_parked_or_was_learnt_and_removes_the_rest(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names("aa", "bb", "cc")
            one = await fleet.worker("one")
            await fleet.until(lambda: one.held == {"aa", "bb", "cc"})
            one.assignments.report(AA, Said(**PARKED))
            learnt = Said("connected", "73", owner_id="68", watched=7, starts=(8,), live=LastLive("73", 480))
            one.assignments.report(Streamer("cc"), learnt)
            await fleet.stop("one")
            left = await backend.said(lambda said: said.get("bb", "") is None)
            again = await fleet.worker("one")
            await fleet.until(lambda: again.held == {"aa", "bb", "cc"})
            assert left["aa"] is not None
            assert left["aa"]["state"] == "parked"
            nobodys = Said("unassigned", owner_id="68", watched=7, starts=(8,), live=LastLive("73", 480))
            assert again.told == {AA: Said(**PARKED), Streamer("bb"): None, Streamer("cc"): nobodys}

    play(main)


def test_what_a_worker_says_of_a_door_is_told_to_the_others_and_to_itself_only_in_its_next_life(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            heard: dict[str, list[tuple[str, DoorSaid]]] = {}

            async def start(life: str, name: str) -> None:
                assignments = backend.open(name)
                told = heard.setdefault(life, [])
                assignments.hear_doors(lambda door, said: told.append((door, said)))
                await fleet.worker(name, assignments=assignments)
                workers[life] = assignments

            workers: dict[str, Any] = {}
            await fleet.names("aa")
            await start("one", "one")
            await start("two", "two")
            shut = DoorSaid("one", int(time.time() * 1000), "unsigned", "417", 5)
            workers["one"].say_door("direct", shut)
            await eventually(lambda: heard["two"] == [("direct", shut)])
            opened = DoorSaid("two", int(time.time() * 1000))
            workers["two"].say_door("direct", opened)
            await eventually(lambda: heard["one"] == [("direct", opened)])
            workers["one"].say_door("direct", shut)
            await eventually(lambda: heard["two"] == [("direct", shut)] * 2)
            await start("later", "later")
            assert heard["later"][-1] == ("direct", shut)  # before its first session
            await fleet.stop("one")
            await start("one again", "one")
            assert heard["one again"][-1] == ("direct", shut)
            assert heard["one"] == [("direct", opened)]

    play(main)


def test_a_word_on_a_streamer_comes_to_the_workers_that_run_and_to_none_that_begins(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            heard: dict[str, list[str]] = {"one": [], "later": []}

            async def start(name: str) -> None:
                assignments = backend.open(name)
                assignments.hear_pokes(heard[name].append)
                await fleet.worker(name, assignments=assignments)
                workers[name] = assignments

            workers: dict[str, Any] = {}
            await fleet.names("aa", "bb")
            await start("one")
            now = int(time.time() * 1000)
            odd = {"poke:aa": b"now", "poke:@aa": encode_poke(now), "poke:bb": encode_poke(now - 3_600_000)}
            await backend.put(odd, topic=backend.status_topic)
            await backend.put({"poke:bb": None}, topic=backend.status_topic)
            await eventually(lambda: workers["one"].refused_statuses == 2)
            await backend.catalogue().poke([AA, Streamer("bb")], at=now)
            await eventually(lambda: sorted(heard["one"]) == ["aa", "bb"])
            await start("later")
            await backend.put({"poke:cc": encode_poke(now)}, topic=backend.status_topic)
            await eventually(lambda: heard["later"] == ["cc"])
            said = await anext(backend.catalogue().follow())
            assert not [name for name in said.said if ":" in name]

    play(main)


def test_more_than_a_worker_may_hold_does_not_forget_what_was_parked(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names("aa")
            one = await fleet.worker("one", max_streams=1)
            await fleet.until(lambda: one.held == {"aa"})
            one.assignments.report(AA, Said(**PARKED))
            await backend.write({"aa": {}, "bb": {"priority": 9}})
            said = await backend.said(lambda said: (said.get("aa") or {}).get("state") == "unassigned")
            assert said["aa"] is not None
            assert (said["aa"]["bugs"], said["aa"]["again_at"]) == (3, PARKED["again_at"])

    play(main)


def test_statuses_that_cannot_be_used_are_counted_and_what_stood_before_them_stands(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names("aa")
            good = {"worker": "w", "generation": 1, "since": 5, **PARKED}
            await backend.put({"aa": json.dumps(good).encode()}, topic=backend.status_topic)
            bad = {"aa": b"[" * 9_000, "AA": b"{}", "bb": b"\xff", "cc": json.dumps(good | {"since": 1e400}).encode()}
            await backend.put(bad, topic=backend.status_topic)
            await backend.put({"nobody": json.dumps(good).encode()}, topic=backend.status_topic)
            one = await fleet.worker("one")
            await fleet.until(lambda: one.held == {"aa"})
            assert one.told == {AA: Said(**PARKED)}
            assert source(one).refused_statuses == 4
            assert one.assignments.last_said(Streamer("nobody")) is None  # it is on no list
            await backend.put({"aa": b"nothing"}, topic=backend.status_topic)
            await eventually(lambda: source(one).refused_statuses == 5)

    play(main)


def test_what_was_said_before_a_worker_began_is_known_and_no_news(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        async with Fleet(backend) as fleet:
            await fleet.names(*(names := [f"s{number:02}" for number in range(20)]))
            # Of a group that was deleted since: its generations are not those of today's.
            ghost = json.dumps({"worker": "ghost", "generation": 57, "state": "connected", "since": 5}).encode()
            await backend.put(dict.fromkeys(names, ghost), topic=backend.status_topic)
            old = await fleet.worker("old")
            await fleet.until(lambda: len(old.held) == 20)
            new = await fleet.worker("new", state="connecting")
            await fleet.until(lambda: len(new.held) >= 8)
            assert {said.state for said in old.told.values() if said} == {"connected"}
            await eventually(lambda: source(old).handing_over == len(new.held))
            # By its word of old the ghost would pass for who hears these rooms.
            assert not any(map(old.assignments.shared, new.held))

    play(main)


def test_a_status_topic_that_cannot_be_written_is_told_until_it_can_be(
    kafka: Kafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reports, "FAILING_SECONDS", 0.5)

    async def main() -> None:
        backend = KafkaBackend(kafka)

        async def largest(size: int) -> None:
            admin = AIOKafkaAdminClient(bootstrap_servers=kafka.bootstrap_servers)
            await admin.start()
            configs = {"max.message.bytes": str(size), "cleanup.policy": "compact"}
            await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, backend.status_topic, configs)])
            await admin.close()

        async with Fleet(backend) as fleet:
            await fleet.names("aa")
            one = await fleet.worker("one")
            await fleet.until(lambda: one.held == {"aa"})
            assert one.assignments.told()
            await largest(1)
            said = count()
            with capture_logs() as logged:

                async def untold() -> bool:
                    # A broker learns of the change a moment later: what is said until then is written.
                    one.assignments.report(AA, Said("backing_off", error=str(next(said))))
                    return not one.assignments.told()

                async with asyncio.timeout(STEP_SECONDS):
                    while not await untold():
                        await asyncio.sleep(0.1)
            assert "statuses not written; trying again" in [line["event"] for line in logged]
            await largest(1_000_000)
            await eventually(one.assignments.told)
            latest = str(next(said) - 1)
            await backend.said(lambda found: (found.get("aa") or {}).get("error") == latest)

    play(main)


def test_a_start_waits_only_so_long_for_what_was_said(kafka: Kafka, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(follower, "RECORDS_A_TIME", 1)
    monkeypatch.setattr(follower, "STATUS_SECONDS", -1.0)

    async def main() -> None:
        backend = KafkaBackend(kafka)
        await backend.prepare()
        await backend.write({"aa": {}, "bb": {}})
        said = json.dumps({"worker": "w", "generation": 1, "since": 5, **PARKED}).encode()
        for _ in range(50):
            await backend.put({"aa": said}, topic=backend.status_topic)
        await backend.put({"bb": said}, topic=backend.status_topic)
        slow = backend.follower(heard := Heard())
        following = asyncio.create_task(slow.kept.run())
        try:
            await slow.kept.started()
            before = set(slow.said)
            await eventually(lambda: slow.said.keys() == {"aa", "bb"})
        finally:
            following.cancel()
            await asyncio.wait({following})
        assert before == set()
        assert heard.statuses == []

    play(main)


def test_what_is_said_while_kafka_cannot_be_reached_is_heard_afterwards(kafka: Kafka) -> None:
    async def main() -> None:
        backend = KafkaBackend(kafka)
        await backend.prepare()
        await backend.write({"aa": {}})
        heard = Heard()
        async with Proxy(kafka.bootstrap_servers) as proxy:
            away = backend.follower(heard, bootstrap=proxy.address)
            following = asyncio.create_task(away.kept.run())
            try:
                await away.kept.started()
                await proxy.go_down()
                said = {"worker": "w", "generation": 1, "state": "connected", "since": 5}
                await backend.put({"aa": json.dumps(said).encode()}, topic=backend.status_topic)
                await eventually(lambda: away.kept.rebuilds > 0)  # another client takes the first one's place
                await proxy.come_up()
                await eventually(lambda: bool(heard.statuses))
            finally:
                following.cancel()
                await asyncio.wait({following})
        assert heard.statuses == [(AA, Status("w", 1, "connected", 5))]

    play(main)

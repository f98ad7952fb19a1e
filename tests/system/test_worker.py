"""The whole worker against the simulator: nothing lost, everything accounted for, whatever the room sends."""

import asyncio
import base64
import gzip
import io
import json
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import avro.io
import avro.schema
import pytest

from producer.events import schemas
from producer.local.kafka import Kafka
from producer.local.registry import Registry
from producer.simulator.replay import moved
from tests.kafka.reading import read_topics
from tests.published import NOT_CAPTURED, UNDOCUMENTED
from tests.system.harness import System, connected, cut_off, metric, stop, until

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "messages.jsonl.gz"
ROOMS = 4


def test_everything_sent_is_read_and_the_account_of_a_stop_under_load_is_exact(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> None:
        async with System(tmp_path, kafka, registry, schema_subject_strategy="topic_name") as system:
            simulator = await system.simulator("--rooms", str(ROOMS), "--rate", "800", "--seed", "7")
            worker = await system.worker()
            await connected(worker, 2)

            async def enough() -> bool:
                return len(system.sent()) > 3000

            async def listed() -> bool:
                return await metric(worker, "tiktok_live_gift_list_gifts") == 5

            await until(enough)
            await until(listed)
            ledger = await stop(worker)
            await simulator.end(signal.SIGTERM)

            found = await asyncio.to_thread(system.read)
            letters = await asyncio.to_thread(system.dead_letters)

        # Exactly the acknowledged records are there, and nothing twice.
        assert len(found) == ledger["acknowledged"]
        assert len(letters) == ledger["dead_lettered"] == 0
        assert ledger["lost"] == 0
        assert [event_id for event_id, times in Counter(f.event_id for f in found).items() if times > 1] == []
        # Each is what the simulator meant, on the topic of its name.
        carried = [f for f in found if f.value["meta"]["message_id"] is not None]
        assert {f.event_id: f.event for f in carried}.items() <= system.emitted().items()
        assert all(f.value["name"] == f.event for f in found)
        assert len(carried) == ledger["mapped"] > 2500
        # Gifts are what the simulator's list says of them.
        gifts = [f.value["gift"] for f in found if f.event == "gift" and f.value["gift"]["gift_list_version"]]
        assert {gift["extended_gift"]["name"] for gift in gifts} == {"Rose", "Heart", "Crown", "Whale", "Comet"}

    asyncio.run(main())


def test_a_room_that_misbehaves_costs_only_what_it_broke(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    faults = {
        "truncated_frame": ("frame", "malformed"),
        "random_frame": None,  # some random bytes are a frame of no known type
        "text_frame": ("frame", "not_binary"),
        "gzip_bomb": ("decompress", "too_large"),
        "gzip_garbage": ("decompress", "malformed"),
        "unknown_compression": ("decompress", "unknown_compression"),
        "cut_envelope": ("envelope", "malformed"),
        "cut_payload": ("payload", "malformed"),
        "empty_batch": None,
        "unknown_method": None,
        "duplicate": None,
    }

    async def main() -> None:
        async with System(tmp_path, kafka, registry) as system:
            arguments = [part for name in faults for part in ("--fault", f"{name}:2")]
            simulator = await system.simulator("--rooms", "2", "--rate", "100", *arguments)
            worker = await system.worker()

            async def all_met() -> bool:
                worker.check()
                return Counter(line["name"] for line in system.truth("fault")) == dict.fromkeys(faults, 2)

            await until(all_met)
            expected = {place for place in faults.values() if place is not None}

            async def all_counted() -> bool:
                counts = [
                    await metric(worker, f'tiktok_live_decode_errors_total{{fault="{fault}",stage="{stage}"}}')
                    for stage, fault in expected
                ]
                return min(counts) >= 2 and await metric(worker, "tiktok_live_events_duplicate_total") >= 2

            await until(all_counted)
            status = await worker.status()
            await simulator.end(signal.SIGTERM)
            await cut_off(worker)
            ledger = await stop(worker)
            found = await asyncio.to_thread(system.read)
            letters = await asyncio.to_thread(system.dead_letters)
            listed = json.loads(await system.producer("dlq", "list", "--json"))
            replayed = (await system.producer("dlq", "replay")).splitlines()

        assert status is not None
        # Every real message of the same frames and rooms was delivered.
        read = {f.event_id: f.event for f in found}
        sent = system.sent()
        assert {event_id: read.get(event_id) for event_id in sent} == sent
        # Each refusal is a dead letter with its bytes and its reason.
        headers = [{name: text.decode() for name, text in letter.headers()} for letter in letters]
        reasons = Counter(each["producer.reason"] for each in headers)
        assert ledger["refused"] == len(letters) == ledger["dead_lettered"]
        assert {f"{stage}_{fault}" for stage, fault in expected} <= reasons.keys()
        assert {each["producer.worker"] for each in headers} == {"worker"}
        assert {each["producer.room_id"] for each in headers} <= {event_id.partition(":")[0] for event_id in sent}
        payloads = [each for each in headers if each["producer.reason"] == "payload_malformed"]
        assert [each for each in headers if "producer.message_id" in each] == payloads
        assert all(each["producer.method"].startswith("Webcast") for each in payloads)
        # The command line says the same of them, and that they are still what they were.
        assert Counter(each["reason"] for each in listed) == reasons
        assert [each["received_at"] for each in listed] == sorted(each["received_at"] for each in listed)
        assert replayed[-1] == (
            f"0 would be replayed, {len(payloads)} still refused, {len(letters) - len(payloads)} not replayable "
            "(a dry run; --yes publishes)"
        )
        assert all(letter.value() for letter in letters)

    asyncio.run(main())


def test_a_broken_room_writes_no_more_letters_than_it_may(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    async def main() -> None:
        async with System(tmp_path, kafka, registry) as system:
            await system.simulator("--rooms", "1", "--rate", "50", "--fault", "cut_payload:3")
            worker = await system.worker(dead_letters_per_minute="1")

            async def dropped() -> bool:
                worker.check()
                series = 'tiktok_live_events_dropped_total{reason="dead_letter_cap"}'
                return await worker.status() is not None and await metric(worker, series) >= 1

            await until(dropped)
            ledger = await stop(worker)
            letters = await asyncio.to_thread(system.dead_letters)

        assert ledger["capped"] >= 1
        assert ledger["refused"] == len(letters) + ledger["capped"]
        assert len(letters) == ledger["dead_lettered"] >= 1

    asyncio.run(main())


@pytest.mark.parametrize(
    ("fault", "series"),
    [
        ("drop", 'connection_error_reasons_total{reason="closed"}'),
        ("close_internal", 'connection_error_reasons_total{reason="closed"}'),
        ("silence", 'connection_error_reasons_total{reason="silence"}'),
        ("handshake_device_blocked", 'connection_error_reasons_total{reason="device_blocked"}'),
        ("handshake_rejected", 'connection_error_reasons_total{reason="unsigned"}'),
    ],
)
def test_a_connection_that_is_lost_or_refused_comes_back(
    tmp_path: Path, kafka: Kafka, registry: Registry, fault: str, series: str
) -> None:
    async def main() -> None:
        async with System(tmp_path, kafka, registry, silence_seconds="2") as system:
            await system.simulator("--rooms", "1", "--rate", "50", "--fault", f"{fault}:1")
            # By another door, where it shuts the one for a minute.
            worker = await system.worker(doors="direct,sign", sign_url=system.upstream)

            async def counted() -> bool:
                worker.check()
                return bool(system.truth("fault")) and await metric(worker, f"tiktok_live_{series}") >= 1

            await until(counted)
            await connected(worker, 1)
            await stop(worker)

    asyncio.run(main())


def test_a_sign_servers_rate_limit_is_honoured(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    async def main() -> None:
        async with System(tmp_path, kafka, registry) as system:
            await system.simulator("--rooms", "1", "--rate", "50", "--fault", "sign_rate_limited:1")
            sign_url = system.upstream
            worker = await system.worker(doors="sign", sign_url=sign_url, sign_calls_per_minute="600")
            await connected(worker, 1)
            limited = await metric(worker, 'tiktok_live_http_requests_total{code="429",endpoint="sign"}')
            labelled = await metric(worker, 'tiktok_live_connection_errors_total{error="FailedHTTPRequest"}')
            await stop(worker)

        [fault] = system.truth("fault")
        entered = system.truth("entered")
        assert (limited, labelled) == (1.0, 1.0)
        # Retry-After said two seconds.
        assert entered[0]["at"] - fault["at"] >= 2.0

    asyncio.run(main())


def test_the_captured_messages_arrive_one_for_one(tmp_path: Path, kafka: Kafka, registry: Registry) -> None:
    if not CAPTURES.exists():
        pytest.skip("the captures are not beside this checkout")
    with gzip.open(CAPTURES, "rt") as lines:
        captured = [json.loads(line) for line in lines]

    async def main() -> None:
        async with System(tmp_path, kafka, registry) as system:
            await system.simulator("--replay", str(CAPTURES), "--rate", "500")
            worker = await system.worker()

            async def all_sent() -> bool:
                worker.check()
                return len(system.sent()) == len(captured)

            await until(all_sent)

            async def all_read() -> bool:
                status = await worker.status()
                return status is not None and status["ledger"]["received"] >= len(captured)

            await until(all_read)
            ledger = await stop(worker)
            found = [f for f in await asyncio.to_thread(system.read) if f.value["meta"]["message_id"] is not None]

        assert len(captured) == 1269
        assert ledger["refused"] == 0
        sent = Counter(message["method"] for message in captured)
        assert Counter(f.value["meta"]["method"] for f in found) == sent
        unknown = [f.value for f in found if f.event == "unknown"]
        assert len(unknown) == 3
        recorded = [base64.b64decode(message["b64"]) for message in captured]
        for value in unknown:  # as they were recorded, but for the room that they name
            assert value["payload"] in {moved(payload, int(value["meta"]["room_id"])) for payload in recorded}
        # Each is on the topic of its own kind.
        assert {f.event_id: f.event for f in found} == system.sent()
        further = {(f.value["meta"]["method"], f.event) for f in found if f.value["meta"]["method"] in UNDOCUMENTED}
        assert further == {(method, event) for method, (event, _) in UNDOCUMENTED.items() if method not in NOT_CAPTURED}
        for method in sorted(sent):
            topics = Counter(f.event for f in found if f.value["meta"]["method"] == method)
            print(f"{method:40} {sent[method]:5} {dict(sorted(topics.items()))}")

    asyncio.run(main())


def test_without_a_registry_records_are_single_objects_by_their_fingerprint(
    tmp_path: Path, kafka: Kafka, registry: Registry
) -> None:
    async def main() -> list[Any]:
        async with System(tmp_path, kafka, registry) as system:
            await system.simulator("--rooms", "1", "--rate", "100")
            worker = await system.worker(schema_registry_url="")
            await connected(worker, 1)

            async def enough() -> bool:
                return len(system.sent()) > 100

            await until(enough)
            await stop(worker)
            topic = f"{system.prefix}.like.v1"
            return (await asyncio.to_thread(read_topics, kafka.bootstrap_servers, [topic]))[topic]

    likes = asyncio.run(main())

    schema = avro.schema.parse(schemas.events()["like"].text)
    assert likes
    for message in likes:
        value = message.value()
        assert value[:10] == b"\xc3\x01" + schemas.events()["like"].fingerprint
        like: Any = avro.io.DatumReader(schema).read(avro.io.BinaryDecoder(io.BytesIO(value[10:])))
        assert like["name"] == "like"

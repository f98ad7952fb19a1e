"""tools.compatibility: wrong changes refused with the field named, right ones let through, and others' verdicts."""

import json
from itertools import count

import pytest

from producer.events import schemas
from producer.local.registry import Registry as Apicurio
from tests.contract import judges
from tests.contract.changes import RIGHT, WRONG, Change, one
from tools.compatibility import Refusal, refusals, release_refusals
from tools.release_schemas import RELEASED, against, released_in

CURRENT = {event: schema.parsed for event, schema in schemas.events().items()}
EACH = pytest.mark.parametrize("change", [*WRONG, *RIGHT], ids=lambda change: change.name)
numbers = count()


def avro_allows(found: list[Refusal]) -> bool:
    return all(refusal.rule == "promise" for refusal in found)


@pytest.mark.parametrize("change", WRONG, ids=lambda change: change.name)
def test_a_wrong_change_is_refused_by_its_rules_and_the_place_is_named(change: Change) -> None:
    found = refusals(*change.schemas())

    assert {refusal.place for refusal in found} == set(change.places)
    assert {refusal.rule for refusal in found} == set(change.rules)
    assert all(str(refusal).startswith(f"{refusal.place}: ") for refusal in found)


@pytest.mark.parametrize("change", RIGHT, ids=lambda change: change.name)
def test_a_right_change_is_let_through(change: Change) -> None:
    released, current = change.schemas()

    found = refusals(released, current)

    assert found == []


def test_an_alias_lets_new_readers_read_old_records_and_not_the_reverse() -> None:
    [change] = (change for change in WRONG if change.name.startswith("a required field is renamed with an alias"))

    found = [str(refusal) for refusal in refusals(*change.schemas()) if refusal.rule == "resolution"]

    assert found == ["Meta.streamer: readers of the released schema would not get it and have no default for it"]


@EACH
def test_apache_avros_checker_agrees_on_what_avro_allows(change: Change) -> None:
    released, current = change.schemas()

    agrees = judges.apache(released, current) == avro_allows(refusals(released, current))

    assert agrees == ("apache" not in change.dissent)


@EACH
def test_data_that_fastavro_writes_and_reads_agrees_on_what_avro_allows(change: Change) -> None:
    released, current = change.schemas()

    agrees = judges.fastavro_reads(released, current) == avro_allows(refusals(released, current))

    assert agrees == ("fastavro" not in change.dissent)


@EACH
def test_a_real_registry_agrees_on_what_avro_allows(registry: Apicurio, change: Change) -> None:
    released, current = change.schemas()

    verdict = judges.apicurio(registry.url, f"change{next(numbers)}", released, current)

    agrees = verdict == avro_allows(refusals(released, current))
    assert agrees == ("apicurio" not in change.dissent)


# ---------------------------------------------------------------------------------------------------------- releases


def test_an_event_that_is_gone_or_in_another_major_is_refused() -> None:
    gone = {event: schema for event, schema in CURRENT.items() if event != "comment"}
    moved = {**CURRENT, "comment": {**CURRENT["comment"], "name": "tiktok.live.v2.CommentEvent"}}

    found = [[str(refusal) for refusal in release_refusals(CURRENT, now)] for now in (gone, moved)]

    assert found == [["CommentEvent: the event comment was removed or renamed"]] * 2


def test_a_new_event_is_let_through() -> None:
    released = {event: schema for event, schema in CURRENT.items() if event != "comment"}

    found = release_refusals(released, CURRENT)

    assert found == []


def test_a_change_in_one_event_of_a_release_is_refused_and_a_major_that_is_over_is_not_compared() -> None:
    released, current = WRONG[0].schemas()
    next_major = json.loads(json.dumps(CURRENT).replace("tiktok.live.v1.", "tiktok.live.v2."))

    within = release_refusals({**CURRENT, "comment": released}, {**CURRENT, "comment": current})
    across = release_refusals({**CURRENT, "comment": released}, next_major)

    assert [refusal.place for refusal in within] == ["CommentEvent.comment"]
    assert across == []


def test_a_change_in_a_record_that_events_share_is_refused_once() -> None:
    current = json.loads(json.dumps(CURRENT))
    for event in ("comment", "like"):
        one(current[event], "User.nickname")["name"] = "title"

    found = [refusal.place for refusal in release_refusals(CURRENT, current)]

    assert found == ["User.nickname", "User.title"]


def test_todays_schemas_may_follow_every_released_one() -> None:
    found = {version: list(map(str, refusals)) for version, refusals in against(RELEASED).items()}

    assert found == {version: [] for version in found}


@pytest.mark.parametrize("version", released_in(RELEASED))
def test_a_registry_that_has_the_schemas_of_a_release_takes_todays(registry: Apicurio, version: str) -> None:
    released = released_in(RELEASED)[version]

    refused = [
        event
        for event, schema in released.items()
        if schema["name"] == CURRENT[event]["name"]
        and not judges.apicurio(registry.url, f"{version}-{event}", schema, CURRENT[event])
    ]

    assert refused == []

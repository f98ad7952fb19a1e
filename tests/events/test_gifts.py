"""producer.events.gifts: the gift list in the shapes of 2022 and 2023 (protocol sheet 2.5), and in gift events."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from producer.errors import FailedFetchGifts, Reason
from producer.events import mapping
from producer.events.event import Event, Origin
from producer.events.gifts import GiftList, read_gift_list
from producer.events.life import gift_finalized
from producer.events.streaks import Given, Source, Streaks
from producer.webcast.wire import Envelope
from tests.events.decoding import encode_and_decode
from tests.events.wire_writer import Fields, write

CAPTURES = Path(__file__).resolve().parents[2].parent / "shared" / "captures" / "gift-lists"

ICON = {"avg_color": "#FFEBEB", "uri": "webcast/rose", "is_animated": False, "url_list": ["https://p/a", "https://p/b"]}
ROSE = {
    "id": 5655,
    "name": "Rose",
    "type": 1,
    "diamond_count": 1,
    "describe": "sent Rose",
    "duration": 1000,
    "event_name": "livesdk_gift",
    "icon": ICON | {"height": 0},
    "image": ICON | {"is_animated": True},
    "notify": True,
    "is_broadcast_gift": False,
    "is_displayed_on_panel": True,
    "is_effect_befview": False,
    "is_random_gift": True,
    "is_gray": False,
    "combo": True,
}


def answer(*gifts: object, **data: object) -> dict[str, object]:
    return {"status_code": 0, "data": {"gifts": list(gifts), **data}}


RECEIVED_AT = 1_700_000_000_000


def gift(fields: Fields, gift_list: GiftList | None) -> Event:
    message = Envelope(method="WebcastGiftMessage", payload=write(fields), msg_id=1)
    origin = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
    event = mapping.to_event(message, origin, received_at=RECEIVED_AT, room_sequence=1, gift_list=gift_list)
    assert encode_and_decode(event) == event.value
    return event


def test_an_entry_is_read_by_name_and_what_the_documentation_lacks_is_left_out() -> None:
    listed = read_gift_list(answer(ROSE, hash="abc"))

    assert listed.version == "abc"
    assert listed.gifts[5655] == {key: value for key, value in ROSE.items() if key != "combo"} | {
        "icon": ICON,
        "image": ICON | {"is_animated": True},
        "id_str": "5655",
    }


def test_properties_that_lists_since_2023_lack_are_none() -> None:
    [rose] = read_gift_list(answer({"id": 5655, "name": "Rose"})).gifts.values()

    assert (rose["event_name"], rose["notify"], rose["is_gray"], rose["icon"]) == (None, None, None, None)


def test_gifts_of_pages_are_gifts_too() -> None:
    pages = [{"gifts": [{"id": 1}, {"id": 2}]}, {"gifts": [{"id": 3}]}, {"gifts": None}, 7]

    assert set(read_gift_list(answer({"id": 1}, pages=pages)).gifts) == {1, 2, 3}


@pytest.mark.parametrize(
    "property_of_another_type",
    [
        {"name": 7},
        {"diamond_count": "1"},
        {"diamond_count": True},
        {"diamond_count": 1 << 63},
        {"is_random_gift": 1},
        {"icon": "https://p/a"},
        {"icon": {"url_list": "https://p/a", "uri": []}},
    ],
    ids=str,
)
def test_a_property_of_another_type_is_none_and_the_gift_still_fits_its_schema(
    property_of_another_type: dict[str, Any],
) -> None:
    listed = read_gift_list(answer(ROSE | property_of_another_type))

    [name] = property_of_another_type
    found: dict[str, Any] = dict(listed.gifts[5655])
    assert found[name] in (None, {"avg_color": None, "uri": None, "is_animated": None, "url_list": []})
    gift({2: 5655}, listed)


@pytest.mark.parametrize("entry", [None, 7, {}, {"id": "5655"}, {"id": None}, []], ids=str)
def test_an_entry_without_an_id_costs_itself_only(entry: object) -> None:
    assert set(read_gift_list(answer(entry, ROSE)).gifts) == {5655}


@pytest.mark.parametrize(("listed", "kept"), [(4_999, 4_999), (5_000, 5_000), (5_001, 5_000)])
def test_as_many_gifts_are_kept_as_may_be(listed: int, kept: int) -> None:
    first, again = ([{"id": number, "name": name} for number in range(listed)] for name in ("first", "again"))

    found = read_gift_list(answer(None, *first, *again))

    assert list(found.gifts) == list(range(kept))
    assert {entry["name"] for entry in found.gifts.values()} == {"again"}


def test_texts_are_cut_at_their_bound() -> None:
    texts = dict.fromkeys(("name", "describe", "event_name"), "x" * 1000)
    picture = ICON | {"uri": "x" * 1_000, "avg_color": "x" * 1_000}
    entry = ROSE | texts | {"icon": picture, "image": picture}

    longer = json.loads(json.dumps(entry).replace("x" * 1_000, "x" * 1_001))
    whole, cut = (read_gift_list(answer(each, hash="abc")) for each in (entry, longer))

    assert whole.gifts[5655].items() >= texts.items()
    assert whole.gifts[5655]["icon"] == picture
    assert cut == whole


def test_of_a_pictures_urls_the_long_ones_and_the_twenty_first_are_left_out() -> None:
    long, too_long = "https://p/".ljust(1_000, "x"), "https://p/".ljust(1_001, "x")
    short = [f"https://p/{number}" for number in range(20)]

    listed = read_gift_list(answer(ROSE | {"icon": {"url_list": [too_long, long, *short]}})).gifts[5655]

    assert listed["icon"] is not None
    assert listed["icon"]["url_list"] == [long, *short[:19]]


def test_a_hash_too_long_to_be_on_every_event_is_no_version() -> None:
    assert read_gift_list(answer(ROSE, hash="x" * 100)).version == "x" * 100
    assert read_gift_list(answer(ROSE, hash="x" * 101)).version == read_gift_list(answer(ROSE)).version


@pytest.mark.parametrize(
    ("refusal", "sentence"),
    [
        (
            {"status_code": 10011, "data": {"message": "\x1b]0;x\x07params_error\u202e"}},
            r"gift list: status code 10011 (\x1b]0;x\x07params_error\u202e)",
        ),
        (
            {"status_code": 10011, "data": {"message": "x" * 200}},
            "gift list: status code 10011 (" + "x" * 200 + ")",
        ),
        (
            {"status_code": 10011, "data": {"message": "x" * 201}},
            "gift list: status code 10011 (" + "x" * 199 + "…)",
        ),
        ({"status_code": 2**63 - 1}, "gift list: status code 9223372036854775807 (no message)"),
        ({"status_code": 2**63}, "gift list: no status code (no message)"),
        ({"status_code": ["\x1b[31m"] * 9_000, "data": {"message": []}}, "gift list: no status code (no message)"),
    ],
    ids=["message", "long message", "longer message", "long code", "longer code", "no code"],
)
def test_what_a_refusal_says_is_shown_short_and_moves_no_cursor(refusal: dict[str, object], sentence: str) -> None:
    with pytest.raises(FailedFetchGifts) as refused:
        read_gift_list(refusal)

    assert str(refused.value) == sentence


@pytest.mark.parametrize(
    ("refusal", "reason"),
    [
        ({"status_code": 4003110, "data": {"prompts": ""}}, Reason.STATUS),
        ({}, Reason.STATUS),
        ({"status_code": 0}, Reason.MALFORMED),
        ({"status_code": 0, "data": []}, Reason.MALFORMED),
        (answer(), Reason.MALFORMED),
    ],
)
def test_an_answer_without_gifts_is_refused(refusal: dict[str, object], reason: Reason) -> None:
    with pytest.raises(FailedFetchGifts) as refused:
        read_gift_list(refusal)
    assert refused.value.reason is reason


def test_a_list_without_a_hash_is_versioned_by_what_it_says() -> None:
    first, same = read_gift_list(answer(ROSE)), read_gift_list(answer(dict(reversed(ROSE.items()))))
    dearer = read_gift_list(answer(ROSE | {"diamond_count": 2}))

    assert first.version == same.version != dearer.version


@pytest.mark.skipif(not CAPTURES.is_dir(), reason="../shared/captures is absent")
@pytest.mark.parametrize(("name", "count"), [("official_02_09_2023", 136), ("official_05_01_2024", 116)])
def test_a_captured_list_is_read_whole(name: str, count: int) -> None:
    captured = json.loads((CAPTURES / f"{name}.json").read_text("utf-8"))

    listed = read_gift_list(captured)

    entries = [gift for page in captured["data"]["pages"] for gift in page["gifts"]] + captured["data"]["gifts"]
    assert len(listed.gifts) == len({entry["id"] for entry in entries}) <= count
    assert listed.version == captured["data"]["hash"] or not captured["data"]["hash"]
    for entry in entries:
        found = listed.gifts[entry["id"]]
        assert [found[key] for key in ("name", "type", "diamond_count", "describe", "duration")] == [
            entry[key] for key in ("name", "type", "diamond_count", "describe", "duration")
        ]
        assert found["icon"] is not None
        assert found["icon"]["url_list"] == entry["icon"]["url_list"]


# ----------------------------------------------------------------------------------------------- as gift events use it

LISTED = read_gift_list(answer(ROSE | {"diamond_count": 3}, hash="v7"))


def test_a_gift_event_carries_its_entry_and_the_lists_version() -> None:
    value = gift({2: 5655}, LISTED).value["gift"]

    assert value["gift_list_version"] == "v7"
    assert value["extended_gift"]["name"] == "Rose"


def test_a_gift_that_is_not_on_the_list_has_a_version_and_no_entry() -> None:
    value = gift({2: 5656}, LISTED).value["gift"]

    assert (value["gift_list_version"], value["extended_gift"]) == ("v7", None)


def test_without_a_list_a_gift_event_has_neither() -> None:
    value = gift({2: 5655}, None).value["gift"]

    assert (value["gift_list_version"], value["extended_gift"]) == (None, None)


@pytest.mark.parametrize(
    ("fields", "gift_list", "price", "source"),
    [
        ({2: 5655, 15: {12: 21}}, LISTED, 21, Source.MESSAGE),
        ({2: 5655, 15: {12: 21}}, None, 21, Source.MESSAGE),
        ({2: 5655, 15: {16: "Rose"}}, LISTED, 3, Source.GIFT_LIST),
        ({2: 5655}, LISTED, 3, Source.GIFT_LIST),
        ({2: 5656}, LISTED, None, Source.MESSAGE),
        ({2: 5655}, replace(LISTED, gifts={}), None, Source.MESSAGE),
    ],
)
def test_the_messages_price_comes_before_the_lists(
    fields: Fields, gift_list: GiftList | None, price: int | None, source: Source
) -> None:
    tap = gift(fields, gift_list).tap

    assert tap is not None
    assert (tap.diamond_count, tap.price_source) == (price, source)


def totals(*messages: Fields, gift_list: GiftList | None = None) -> list[Any]:
    """What is counted for good of gift messages, with what is still open at the end."""
    streaks = Streaks()
    given: list[Given] = []
    for at, fields in enumerate(messages):
        tap = gift(fields, gift_list).tap
        assert tap is not None
        given += streaks.add(replace(tap, message_id=at + 1), at)
    given += streaks.end()
    origin = Origin(streamer="someone", room_id=7000000000000000001, worker="worker-0")
    events = [gift_finalized(each, origin, at=1) for each in given]
    assert [encode_and_decode(event) for event in events] == [event.value for event in events]
    return [event.value for event in events]


def test_a_total_has_the_picture_price_and_times_that_its_messages_have() -> None:
    says: Fields = {15: {1: {1: ["https://p/small", "https://p/large"]}, 11: 1, 12: 21}}

    [total] = totals(
        rose(1, added=21, f1={4: 1_699_999_990_000}, f15=says[15]),
        rose(2, added=21, f1={4: 1_699_999_991_500}, f15=says[15]),
        rose(3, added=21, f1={4: 1_699_999_992_000}, f15=says[15]),
        rose(3, added=0, f1={4: 1_699_999_995_000}),
        gift_list=LISTED,
    )

    assert (total["count"], total["price"], total["diamonds"]) == (3, 21, 63)
    assert total["gift_picture_url"] == "https://p/large"
    assert (total["first_message_at"], total["last_message_at"]) == (1_699_999_990_000, 1_699_999_995_000)


@pytest.mark.parametrize(
    ("gift_list", "picture", "price"),
    [
        (LISTED, "https://p/b", 3),
        (read_gift_list(answer(ROSE | {"image": ICON | {"url_list": []}})), None, 1),
        (read_gift_list(answer(ROSE | {"image": None, "diamond_count": None})), None, None),
        (None, None, None),
    ],
)
def test_the_lists_picture_and_price_stand_in_for_the_messages(
    gift_list: GiftList | None, picture: str | None, price: int | None
) -> None:
    [total] = totals({2: 5655, 5: 1, 3: 1, 7: {1: 21}, 15: {11: 2, 16: "Rose"}}, gift_list=gift_list)

    assert (total["gift_picture_url"], total["price"]) == (picture, price)


def test_a_message_that_does_not_tell_its_time_counts_as_sent_when_it_was_received() -> None:
    [total] = totals({2: 5655, 5: 1, 3: 1, 7: {1: 21}, 15: {11: 2, 12: 1}})

    assert (total["first_message_at"], total["last_message_at"]) == (RECEIVED_AT, RECEIVED_AT)


def rose(count: int, *, added: int = 1, **more: Any) -> Fields:
    """A message of a streak of roses, without the field that says what they are."""
    says: dict[int, Any] = {3: added} if added else {9: 1}
    return {2: 5655, 5: count, 7: {1: 21}, 11: 77, **says, **{int(place[1:]): value for place, value in more.items()}}


STREAK = [*(rose(count) for count in range(1, 6)), rose(5, added=0)]


def test_a_streak_whose_messages_say_nothing_of_the_gift_is_one_total_with_the_lists_name_and_price() -> None:
    [total] = totals(*STREAK, gift_list=read_gift_list(answer(ROSE)))

    assert (total["count"], total["diamonds"], total["gift_name"]) == (5, 5, "Rose")
    assert (total["diamonds_source"], total["ended_by"]) == ("gift_list", "repeat_end")


def test_without_a_list_either_it_is_one_total_by_its_group_and_what_it_adds() -> None:
    [total] = totals(*STREAK)

    assert (total["count"], total["diamonds"], total["gift_name"]) == (5, 5, None)
    assert (total["diamonds_source"], total["ended_by"]) == ("message", "repeat_end")


def test_without_a_group_either_it_is_one_total_by_the_lists_type() -> None:
    streak: list[Fields] = [{place: value for place, value in fields.items() if place != 11} for fields in STREAK]

    [total] = totals(*streak, gift_list=read_gift_list(answer(ROSE)))

    assert (total["count"], total["ended_by"]) == (5, "repeat_end")


@pytest.mark.parametrize(
    ("fields", "listed_type", "expected"),
    [
        ({11: 77}, None, (None, True, True)),
        ({9: 1}, None, (None, True, False)),
        ({}, None, (None, False, False)),
        ({}, 1, (1, True, True)),
        ({9: 1}, 1, (1, True, False)),
        ({}, 2, (2, False, False)),
        ({11: 77}, 2, (2, True, True)),  # the list may be of another day
        ({11: 77, 15: {11: 2}}, 1, (2, False, False)),
        ({15: {11: 1}}, 2, (1, True, True)),
    ],
)
def test_type_and_streaks_are_by_the_message_or_else_by_what_else_there_is(
    fields: Fields, listed_type: int | None, expected: tuple[int | None, bool, bool]
) -> None:
    gift_list = None if listed_type is None else read_gift_list(answer(ROSE | {"type": listed_type}))
    event = gift({2: 5655, 7: {1: 21}, **fields}, gift_list)

    value = event.value["gift"]

    assert (value["gift_type"], value["streakable"], value["streaking"]) == expected
    assert event.value["meta"]["streak_id"].startswith("21:5655:" if value["streakable"] else "1")


def test_a_gift_is_its_receivers_and_two_receivers_of_one_group_have_each_a_total() -> None:
    guest_b: Fields = {1: 901, 3: "Guest B", 38: "guest_b"}
    details: Fields = {11: 1, 12: 1, 16: "Rose"}

    found = totals(
        rose(2, added=2, f8=guest_b, f15=details, f23={8: 901}),
        rose(1, f8={1: 902}, f15=details, f23={8: 902}),
        rose(2, added=0, f8=guest_b, f15=details, f23={8: 901}),
        rose(1, added=0, f8={1: 902}, f15=details, f23={8: 902}),
        rose(3, added=3, f15=details, f23={8: 900}, f11=78),
        rose(3, added=0, f15=details, f23={8: 900}, f11=78),
        {2: 7934, 5: 1, 3: 100, 7: {1: 21}, 8: {1: 902}, 15: {11: 2, 12: 100}},
        {2: 7934, 5: 1, 3: 100, 7: {1: 21}, 15: {11: 2, 12: 100}},
    )

    assert [
        (each["receiver_id"], each["receiver_unique_id"], each["receiver_nickname"], each["count"], each["diamonds"])
        for each in found
    ] == [
        ("901", "guest_b", "Guest B", 2, 2),
        ("902", None, None, 1, 1),
        ("900", None, None, 3, 3),
        ("902", None, None, 1, 100),
        (None, None, None, 1, 100),
    ]

"""producer.strangers: what a stranger may say, and what becomes of it; expected values are worked out by hand."""

import pytest

from producer import strangers
from producer.strangers import Unreadable

MOST = 1_000_000


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b'{"a": [1, true, null, "x"]}', {"a": [1, True, None, "x"]}),
        (b"\xef\xbb\xbf[1]", [1]),
        (b'"\\ud83c\\udf39"', "\N{ROSE}"),
        (b'"a\\ud83cb"', "a\ufffdb"),
        (b'{"\\udf39": ["\\ud800"]}', {"\ufffd": ["\ufffd"]}),
        ("\N{ROSE}".join('""'), "\N{ROSE}"),
        (b"1e999", float("inf")),
    ],
)
def test_json_is_read_and_what_cannot_be_utf8_is_replaced(data: bytes | str, expected: object) -> None:
    assert strangers.json_value(data, most_bytes=MOST) == expected


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"<html>",
        b"\xff",
        b'"\xed\xa0\x80"',
        b"NaN",
        b"-Infinity",
        b"[" * 100_000 + b"]" * 100_000,
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
        b"9" * 5_000,
        b"\xff\xfe1\x00",
        '"\ud800"',
    ],
    ids=range(11),
)
def test_what_is_no_json_is_unreadable(data: bytes | str) -> None:
    with pytest.raises(Unreadable):
        strangers.json_value(data, most_bytes=MOST)


def test_json_within_its_bounds_is_read_and_beyond_either_it_is_not() -> None:
    assert strangers.json_value(b"[1,2,3]", most_bytes=7, most_values=4) == [1, 2, 3]

    with pytest.raises(Unreadable, match="6 bytes"):
        strangers.json_value(b"[1,2,3]", most_bytes=6)
    with pytest.raises(Unreadable, match="3 values"):
        strangers.json_value(b"[1,2,3]", most_bytes=7, most_values=3)


@pytest.mark.parametrize("data", [b"1", b"[]", b"null", b'"a"'])
def test_an_object_is_what_was_asked_for(data: bytes) -> None:
    with pytest.raises(Unreadable, match="no object"):
        strangers.json_object(data, most_bytes=MOST)


@pytest.mark.parametrize(
    ("value", "expected"),
    [({"a": {"b": {"c": 1}}}, {"c": 1}), ({"a": []}, {}), ({"a": {"b": 1}}, {}), (None, {}), ("a", {})],
)
def test_a_path_ends_at_an_object_or_an_empty_one(value: object, expected: dict[str, object]) -> None:
    assert strangers.at(value, "a", "b") == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (7, 7),
        ("7300000000000000001", 7300000000000000001),
        ("9223372036854775807", 9223372036854775807),
        ("9223372036854775808", None),
        (2**63, None),
        (0, None),
        ("0", None),
        (-1, None),
        (True, None),
        (7.0, None),
        ("\u0667", None),
        (" 7", None),
        ("7\n", None),
        ("9" * 5_000, None),
        ([], None),
        ({}, None),
        (None, None),
    ],
)
def test_an_id_is_positive_and_has_63_bits(value: object, expected: int | None) -> None:
    assert strangers.identifier(value) == expected


@pytest.mark.parametrize(
    ("page", "expected"),
    [
        (b'<script id="S" type="application/json">{"a": 1}</script>', b'{"a": 1}'),
        (b"<script type='x' id='S'>1</script>", b"1"),
        (b"<script\nid=S>1</script>", b"1"),
        (b'<script>"<b>"</script><script id="S">2</script>', b"2"),
        (b'<script <script id="S">3</script>', b"3"),
        (b'<script data-id="S">1</script>', None),
        (b'<script id="SS">1</script>', None),
        (b'<script id="S">1', None),
        (b'<script id="S"', None),
        (b"", None),
    ],
)
def test_a_script_is_found_by_its_id(page: bytes, expected: bytes | None) -> None:
    assert strangers.script(page, "S") == expected


@pytest.mark.parametrize(
    "piece", [b"<script ", b"<script>", b"<script id", b" id", b"<", b"> id=S", b"<script id=S>", b"\n"], ids=range(8)
)
def test_a_page_of_one_piece_again_and_again_takes_one_pass(piece: bytes) -> None:
    # Two passes over a part of it for each piece would take hours.
    page = b"<script" + piece * (4 * 1024 * 1024 // len(piece))

    assert strangers.script(page, "S") is None


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ttwid=1%7Cab; Path=/; Expires=Wed, 29 Sep 2027 10:00:00 GMT; HttpOnly"], {"ttwid": "1%7Cab"}),
        (["ak_bmsc=zz; Expires=Sun, 29 Nov 2026 12:00:00 GMT", "ttwid=1"], {"ak_bmsc": "zz", "ttwid": "1"}),
        (["a=1", "a=2"], {"a": "2"}),
        ([' a = "x" ; b=2'], {"a": '"x"'}),
        (["a=b=c"], {"a": "b=c"}),
        (["a="], {"a": ""}),
        (["lang=\u00e9"], {}),
        (["a=1\r\nX: y"], {}),
        (["a=\x00"], {}),
        (["a=1,b=2"], {}),
        (["=1"], {}),
        (["a"], {}),
        (["a=" + "x" * 4_096], {}),
    ],
)
def test_cookies_that_could_be_sent_back(lines: list[str], expected: dict[str, str]) -> None:
    assert strangers.cookies(lines) == expected


@pytest.mark.parametrize("value", [None, "", "a=\u00e9", "a=1\r\nHost: b", "a=\x00", "a" * 16_385])
def test_a_cookie_header_that_is_none(value: str | None) -> None:
    assert strangers.cookie_header(value) is None


def test_a_cookie_header_is_kept_as_it_is() -> None:
    assert strangers.cookie_header(" ttwid=1%7Cx; tt-target-idc=useast1a ") == "ttwid=1%7Cx; tt-target-idc=useast1a"


def test_a_urls_parts() -> None:
    url = strangers.url("wss://Webcast-ws.tiktok.com:443/webcast/im/?a=b%20c")

    assert (url.scheme, url.host, url.port, url.query) == ("wss", "webcast-ws.tiktok.com", 443, "a=b%20c")
    assert url.place == "wss://webcast-ws.tiktok.com:443"


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http://127.0.0.1:8100/", "http://127.0.0.1:8100"),
        ("ws://[::1]:8100/x", "ws://[::1]:8100"),
        ("http://my_simulator:8100", "http://my_simulator:8100"),
    ],
)
def test_a_host_may_be_an_address_or_a_containers_name(text: str, place: str) -> None:
    assert strangers.url(text).place == place


@pytest.mark.parametrize(
    "text",
    [
        "wss://[bad",
        "wss://[::1",
        "wss://[::1]a.tiktok.com/",
        "wss://[::1]443/",
        "wss://[::1%25eth0]/",
        "wss://[v1.a]/",
        "wss://a.tiktok.com:99999/",
        "wss://a.tiktok.com:abc/",
        "wss://a.tiktok.com:0/",
        "wss://a.tiktok.com:/",
        "wss://.tiktok.com/",
        "wss://a..tiktok.com/",
        "wss://a.tiktok.com./",
        "wss://" + "a" * 64 + ".tiktok.com/",
        "wss://" + "a." * 127 + "com/",
        "WSS://a.tiktok.com/",
        "wss://u@a.tiktok.com/",
        "wss://a.tiktok.com/#frag",
        "wss://a\x00.tiktok.com/",
        "wss://a.tiktok.com/\r\nHost: b",
        "wss://\u2100.tiktok.com/",
        "wss://a.tiktok.com\\@b/",
        "wss:a.tiktok.com",
        "//a.tiktok.com/",
        "a.tiktok.com",
        "",
        "wss://a/" + "x" * 8_192,
        None,
        7,
    ],
)
def test_what_is_no_url_of_ours_to_follow(text: object) -> None:
    with pytest.raises(Unreadable):
        strangers.url(text)


@pytest.mark.parametrize(
    ("later", "earlier", "expected"),
    [
        ("Mon, 23 Nov 2026 06:02:00 GMT", "Mon, 23 Nov 2026 06:00:00 GMT", 120.0),
        ("Mon, 23 Nov 2026 06:02:00 GMT", None, None),
        ("Mon, 23 Nov 2026 06:02:00", "Mon, 23 Nov 2026 06:00:00 GMT", None),
        ("Wed, 21 Oct 2015 07:28:00 +99999999999999999999", "Mon, 23 Nov 2026 06:00:00 GMT", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", "Mon, 23 Nov 2026 06:00:00 GMT", None),
        ("soon", "soon", None),
    ],
)
def test_the_time_between_two_dates(later: str, earlier: str | None, expected: float | None) -> None:
    assert strangers.seconds_between(later, earlier) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("30", 30.0),
        (" 30 ", 30.0),
        ("30\x1d", None),
        ("-5", None),
        ("1e9", None),
        ("9" * 5_000, None),
        ("\u0663", None),
        (None, None),
    ],
)
def test_seconds_in_digits(value: str | None, expected: float | None) -> None:
    assert strangers.decimal_seconds(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Zoë \N{ROSE}", "Zoë \N{ROSE}"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31mred", "\\x9b31mred"),
        ("a\r\n\tb\x00\x7f", "a\\r\\n\\tb\\x00\\x7f"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("\u2066a\u2028", "\\u2066a\\u2028"),
        ("\ud800", "\\ud800"),
        ("x" * 201, "x" * 199 + "…"),
    ],
)
def test_what_is_shown_moves_no_cursor(value: str, expected: str) -> None:
    assert strangers.shown(value) == expected


def test_a_header_that_comes_twice_is_its_first() -> None:
    assert strangers.header(["a", "b"]) == "a"
    assert strangers.header([]) is None
    assert strangers.text("abc", most=2) == "ab"
    assert strangers.text(7) is None

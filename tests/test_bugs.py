"""producer.bugs: what nobody foresaw, counted by where it came out of and told without its words."""

from typing import Any

import structlog
from structlog.testing import capture_logs

from producer.bugs import Bugs
from producer.observability.metrics import Metrics
from producer.webcast import room


def raised(answer: Any) -> Exception:
    try:
        room.read_api_live(answer, "someone")
    except Exception as bug:
        return bug
    raise AssertionError("it was to raise")


def test_a_bug_is_counted_by_place_and_its_traceback_is_logged_once() -> None:
    metrics = Metrics(topics=(), version="test")
    bugs = Bugs(metrics)

    with capture_logs() as lines:
        said = [bugs.found(raised(None), structlog.get_logger()) for _ in range(2)]

    assert said == ["bug: AttributeError in webcast.room"] * 2
    assert metrics.registry.get_sample_value("tiktok_live_bugs_total", {"place": "webcast.room"}) == 2
    assert [(line["event"], line["kind"], line["place"]) for line in lines] == [
        ("bug", "AttributeError", "webcast.room")
    ] * 2
    assert lines[0]["line"] == lines[1]["line"]
    assert lines[0]["line"].startswith("webcast.room:")
    assert isinstance(lines[0]["exc_info"], AttributeError)
    assert lines[1]["exc_info"] is None


def test_what_went_through_none_of_our_modules_is_of_another_place() -> None:
    metrics = Metrics(topics=(), version="test")

    with capture_logs():
        said = Bugs(metrics).found(ValueError("a stranger's word"), structlog.get_logger())

    assert said == "bug: ValueError in other"
    assert metrics.registry.get_sample_value("tiktok_live_bugs_total", {"place": "other"}) == 1

"""What does not become an event of its own: unreadable, unknown, not fitting its schema."""

from collections.abc import Iterator

from tools.dashboards.model import Number, Panel, by, metric, rate

UID = "tiktok-live-refusals"
TITLE = "TikTok LIVE schemas and refusals"
DESCRIPTION = "What could not be read, what nobody knows, what did not fit its schema; and the dead letters of it."

UNKNOWN = 'method="unknown"'
DEAD_LETTERS = 'topic=~".+[.]dlq[.]v1"'
CAPPED = 'reason="dead_letter_cap"'


def parts() -> Iterator[Panel | Number | str]:
    """What it shows, from shares of the whole down to kinds."""
    yield Number(
        "Not readable",
        "Of the messages received. A rise: TikTok changed.",
        "percentunit",
        ((f"sum({rate('decode_errors_total')}) / sum({rate('events_received_total')})", "not readable"),),
        colours=((None, "green"), (0.01, "red")),
    )
    yield Number(
        "Unknown",
        "Of the messages received, those of kinds that nobody knows. They are on their topic with their bytes.",
        "percentunit",
        ((f"sum({rate('events_received_total', UNKNOWN)}) / sum({rate('events_received_total')})", "unknown"),),
        colours=((None, "green"), (0.05, "orange")),
    )
    yield Number(
        "Not fitting",
        "Events that did not fit their schema, in the time shown. Any at all: our bug.",
        "none",
        ((f"sum(increase({metric('encode_errors_total')}[$__range]))", "not fitting"),),
        colours=((None, "green"), (1, "red")),
    )
    yield Number(
        "Bugs",
        "Exceptions that nobody foresaw, in the time shown; each parked its streamer. Any at all: our bug.",
        "none",
        ((f"sum(increase({metric('bugs_total')}[$__range]))", "bugs"),),
        colours=((None, "green"), (1, "red")),
    )
    yield Number(
        "Dead letters",
        "Records on the dead-letter topic.",
        "wps",
        ((f"sum({rate('records_published_total', DEAD_LETTERS)})", "letters"),),
    )
    yield Number(
        "Over the cap",
        "Dead letters that were dropped, in the time shown: their room wrote too many.",
        "none",
        ((f"sum(increase({metric('events_dropped_total', CAPPED)}[$__range]))", "dropped"),),
        colours=((None, "green"), (1, "orange")),
    )
    yield Number(
        "Gift list",
        "Gifts on the list at hand, by the worker that has fewest. 0: it has none, and gifts come without their names.",
        "none",
        ((f"min({metric('gift_list_gifts')})", "gifts"),),
        colours=((None, "orange"), (1, "green")),
    )

    yield "Refused"
    yield Panel(
        "Decode errors",
        "What could not be read, by how far it came and what was wrong.",
        "cps",
        ((by("stage, fault", "decode_errors_total"), "{{stage}}: {{fault}}"),),
    )
    yield Panel(
        "Text and times that were not",
        "Events with text that was not UTF-8 and was repaired, and those with a time that nobody can believe.",
        "cps",
        (
            (by("method", "texts_repaired_total"), "text: {{method}}"),
            (f"sum({rate('event_times_refused_total')})", "times"),
        ),
    )
    yield Panel(
        "Events that fit no schema",
        "They went to the dead-letter topic, with their bytes.",
        "cps",
        ((by("event", "encode_errors_total"), "{{event}}"),),
    )
    yield Panel(
        "Dead letters written and dropped",
        "Written to the topic, and dropped by a room's cap.",
        "wps",
        (
            (f"sum({rate('records_published_total', DEAD_LETTERS)})", "written"),
            (f"sum({rate('events_dropped_total', CAPPED)})", "dropped"),
        ),
    )
    yield Panel(
        "Duplicates",
        "Messages that a room had sent before, set aside. Many: connections are lost again and again.",
        "cps",
        ((f"sum by (namespace, pod) ({rate('events_duplicate_total')})", "{{pod}}"),),
    )

    yield "Kinds"
    yield Panel(
        "Messages of unknown kinds",
        "By worker. All workers alike: TikTok has something new. One: a single room.",
        "cps",
        ((f"sum by (namespace, pod) ({rate('events_received_total', UNKNOWN)})", "{{pod}}"),),
        stacked=True,
    )
    yield Panel(
        "Gifts without their description",
        "no_list: the gift list could not be fetched yet. not_listed: the list lacks the gift.",
        "cps",
        ((f"sum by (reason) ({rate('gifts_unlisted_total')})", "{{reason}}"),),
    )

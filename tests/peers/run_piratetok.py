"""PirateTok in a room, until its live ends: `python -m tests.peers.run_piratetok PROXY STREAMER`.

It knows TikTok's hosts alone, so it goes to them through a proxy of ours, whose authority SSL_CERT_FILE names.
"""

import json
import sys
from typing import Any

from piratetok_live import EventType, TikTokLiveClient

KINDS = {
    EventType.chat: "comment",
    EventType.like: "like",
    EventType.join: "join",
    EventType.gift: "gift",
    EventType.social: "social",
    EventType.room_user_seq: "viewer_count_update",
    EventType.question_new: "question",
    EventType.control: "control",
    EventType.unknown: "unknown",
    EventType.live_ended: "end",
}


def main(proxy: str, streamer: str) -> None:
    client = TikTokLiveClient(streamer).proxy(proxy)

    def told(event: Any) -> None:
        kind = KINDS[event.type]
        message_id = None if kind in ("unknown", "end") else event.data["common"]["msgId"]
        print(json.dumps({"kind": kind, "message_id": message_id}))
        if kind == "end":
            client.disconnect()

    for event in KINDS:
        client.on(event)(told)
    client.run()


if __name__ == "__main__":
    main(*sys.argv[1:])

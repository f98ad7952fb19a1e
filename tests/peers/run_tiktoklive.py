"""TikTokLive in a room, until its live ends: `python -m tests.peers.run_tiktoklive URL STREAMER`.

Its base URLs are attributes of its defaults; the socket's host comes from the sign server, which is the simulator too.
"""

import json
import sys
from typing import Any

from TikTokLive import TikTokLiveClient, events
from TikTokLive.client.web.web_settings import WebDefaults

KINDS = {
    events.CommentEvent: "comment",
    events.LikeEvent: "like",
    events.JoinEvent: "join",
    events.GiftEvent: "gift",
    events.SocialEvent: "social",
    events.RoomUserSeqEvent: "viewer_count_update",
    events.QuestionNewEvent: "question",
    events.ControlEvent: "control",
    events.UnknownEvent: "unknown",
    events.LiveEndEvent: "end",
}


def main(url: str, streamer: str) -> None:
    WebDefaults.tiktok_app_url = WebDefaults.tiktok_sign_url = url
    WebDefaults.tiktok_webcast_url = f"{url}/webcast"
    client = TikTokLiveClient(streamer)

    async def told(event: Any) -> None:
        kind = KINDS[type(event)]
        message_id = None if kind in ("unknown", "end") else str(event.common.msg_id)
        print(json.dumps({"kind": kind, "message_id": message_id}))

    for event in KINDS:
        client.add_listener(event, told)
    client.run()


if __name__ == "__main__":
    main(*sys.argv[1:])

"""Which fields of a message reach a record, and why the others do not: by hand, for docs/coverage.md.

The numbers are the protocol sheet's, and what captured messages show. tests/test_coverage.py holds them against events.
"""

Plan = dict[int, "Plan | None"]
"""The fields of a message that reach a record: None is a value, a plan is a message of which some fields do."""
Left = dict[int, "Left | str"]
"""The fields that are left out on purpose, with the reason; ANY stands for all that neither this nor the plan names."""
ANY = 0

CONNECTION = "the room: `meta` has the connection's"
ROUTING = "how TikTok's servers and apps order, fold and route messages"
SENTENCE = "the sentence that TikTok's apps show, with the user or gift of the record once more in its slots"
FORMAT = "colours, fonts and sizes"
PICTURE = "a picture's measures, colour, links and further names; the record has its addresses"
FACES = "avatars and second ids of those at the top, a dozen in each message: their own events have them"
SIZES_OF_GIFTS = "the gift's picture at other addresses: the documented type has the last alone"
SIZES = "the avatar in larger sizes"
BADGES = "the look of a badge: pictures, colours, links, places; the record has its kind, level and texts"
ACCOUNT = "the user's account as its owner or a guest on stage would see it; empty or alike in nearly all messages"
TWICE = "what another field of the record says"
TIMING = "how long TikTok's servers and the giver's app took"
LOOK = "the look: animations, pictures, colours, places"
JUDGED = "TikTok's own scores of the comment, for its moderation"
TRACKING = "TikTok's own statistics and experiments"
WHOLE = "messages that are none of the documented events: `unknown` has all of their bytes"
UNNAMED = "no public table that we could use names it; the message's bytes have it (`PRODUCER_PAYLOADS`)"
"""The one reason that is none: such bytes are not understood."""

# What the hand-written mappings publish. A field that only decides (an attribute of a moderator) counts too.
META: Plan = {1: None, 2: None, 4: None}
"""The method, which `meta` has from the envelope, the message's id and its time."""
SHOWN: Plan = {**META, 8: {1: None, 2: None}}
URLS: Plan = {1: None}
IMAGE: Plan = {1: None, 2: None, 3: None, 4: None, 5: None, 9: None}
BADGE: Plan = {
    1: None,
    3: None,
    12: {5: None},
    21: {2: None, 3: None},
    22: {2: None},
    23: {3: {1: None, 2: None}, 4: None},
}
USER: Plan = {
    1: None,
    3: None,
    9: URLS,
    22: {1: None, 2: None, 3: None},
    24: {1: {1: None, 2: None}},
    32: {2: None},
    38: None,
    46: None,
    64: BADGE,
}
IDENTITY: Plan = {1: None, 2: None, 3: None, 4: None, 5: None, 6: None}
DOCUMENTED: dict[str, Plan] = {
    "WebcastChatMessage": {
        1: META,
        2: USER,
        3: None,
        12: USER,
        13: {1: None, 2: {1: None, 2: IMAGE, 3: None, 4: None, 5: None, 6: None}},
        14: None,
        18: IDENTITY,
        28: USER,
    },
    "WebcastControlMessage": {1: META, 2: None, 3: None, 4: {8: None}},
    "WebcastGiftMessage": {
        1: META,
        2: None,
        3: None,
        4: None,
        5: None,
        6: None,
        7: USER,
        8: USER,
        9: None,
        11: None,
        15: {1: URLS, 2: None, 4: None, 10: None, 11: None, 12: None, 16: None},
        17: None,
        23: {6: None, 8: None},
        24: None,
        28: None,
        32: IDENTITY,
    },
    "WebcastLikeMessage": {1: SHOWN, 2: None, 3: None, 5: USER},
    "WebcastMemberMessage": {1: SHOWN, 2: USER, 3: None, 9: None, 10: None, 19: None, 20: None},
    "WebcastQuestionNewMessage": {1: META, 2: {1: None, 2: None, 4: None, 5: USER}},
    "WebcastRoomUserSeqMessage": {
        1: META,
        2: {1: None, 2: {1: None, 3: None, 38: None}, 3: None},
        3: None,
        7: None,
        8: None,
    },
    "WebcastSocialMessage": {1: SHOWN, 2: USER, 3: None, 4: None, 5: None, 6: None, 8: None},
}
LAST_ONLY = frozenset({("WebcastGiftMessage", 15, 1, 1), ("WebcastRoomPinMessage", 4, 15, 1, 1)})
"""Repeated fields of which the documented type has the last alone."""
PINNED_METHODS = {
    2: "WebcastChatMessage",
    3: "WebcastSocialMessage",
    4: "WebcastGiftMessage",
    5: "WebcastMemberMessage",
    6: "WebcastLikeMessage",
}
PINNED: Plan = {number: DOCUMENTED[method] for number, method in PINNED_METHODS.items()}
PINNED_FIELDS = frozenset({"comment", "follow", "share", "gift", "join", "like"})

USER_LEFT: Left = {
    9: PICTURE,
    10: SIZES,
    11: SIZES,
    16: ACCOUNT,
    21: BADGES,
    22: ACCOUNT,
    23: ACCOUNT,
    32: ACCOUNT,
    25: ACCOUNT,
    37: ACCOUNT,
    61: ACCOUNT,
    64: BADGES,
    1028: TWICE,
}
COMMON_LEFT: Left = {3: CONNECTION, 8: SENTENCE, ANY: ROUTING}
TEXT_LEFT: Left = {3: FORMAT, 4: {2: FORMAT}}
BY_MESSAGE: dict[str, Left] = {
    "BadgeStruct": {ANY: BADGES},
    "FullText": TEXT_LEFT,
    "Image": {ANY: PICTURE},
    "ImageModel": {ANY: PICTURE},
    "KindCommon": {3: CONNECTION, 8: {ANY: SENTENCE, **TEXT_LEFT}, ANY: ROUTING},
    "TextPieceGift": {3: PICTURE, 4: LOOK},
    "TextPieceUser": {2: FORMAT},
    "User": USER_LEFT,
}
"""What is left out of a message, wherever one occurs."""
OWN_LEFT: dict[str, Left] = {
    "WebcastChatMessage": {1: COMMON_LEFT, 2: USER_LEFT, 11: TRACKING, 12: USER_LEFT, 19: JUDGED, 20: JUDGED},
    "WebcastControlMessage": {1: COMMON_LEFT},
    "WebcastGiftMessage": {
        1: COMMON_LEFT,
        7: USER_LEFT,
        13: TWICE,
        14: ROUTING,
        15: {1: PICTURE, 5: TWICE, 15: LOOK, 21: LOOK, ANY: LOOK},
        16: TRACKING,
        19: SENTENCE,
        22: TRACKING,
        23: {1: CONNECTION, ANY: TIMING},
        34: LOOK,
        36: TRACKING,
        37: LOOK,
        39: LOOK,
    },
    "WebcastLikeMessage": {1: COMMON_LEFT, 5: USER_LEFT, 8: SENTENCE, 9: LOOK, 10: LOOK},
    "WebcastMemberMessage": {1: COMMON_LEFT, 2: USER_LEFT, 18: SENTENCE, 21: TRACKING},
    "WebcastQuestionNewMessage": {1: COMMON_LEFT, 2: {5: USER_LEFT}},
    "WebcastRoomUserSeqMessage": {1: COMMON_LEFT, 2: {2: {9: FACES, 46: FACES, ANY: ACCOUNT}}},
    "WebcastSocialMessage": {1: COMMON_LEFT, 2: USER_LEFT},
    "WebcastAccessRecallMessage": {8: UNNAMED},
    "WebcastBarrageMessage": {100: {3: UNNAMED}, 103: BADGES},
    "WebcastBottomMessage": {5: UNNAMED, 6: UNNAMED, 7: UNNAMED, 11: UNNAMED},
    "WebcastCapsuleMessage": {6: UNNAMED},
    "WebcastGiftBroadcastMessage": {4: {3: UNNAMED, 6: LOOK, 11: UNNAMED}},
    "WebcastGoalUpdateMessage": {
        2: {2: UNNAMED},
        3: {4: {6: TWICE}, 11: {5: TWICE, 6: UNNAMED, 7: UNNAMED, 8: BADGES}, 13: TWICE},
        7: {6: TWICE},
        12: TWICE,
        15: UNNAMED,
    },
    "WebcastLinkLayerMessage": {
        **dict.fromkeys((100, 110, 111, 118, 200), UNNAMED),
        102: {1: UNNAMED, 2: {2: {3: UNNAMED, 5: UNNAMED}, 3: {5: UNNAMED}}},
    },
    "WebcastLinkMessage": {
        **dict.fromkeys((9, 10, 21), UNNAMED),
        20: {1: {1: {15: UNNAMED}, 4: UNNAMED}, 2: {1: {15: UNNAMED}, 4: UNNAMED}},
    },
    "WebcastLinkMicBattle": {3: {7: UNNAMED}, 13: UNNAMED, 20: UNNAMED},
    "WebcastLinkMicBattleItemCard": {5: {1: dict.fromkeys((5, 6, 7, 8, 11, 12), UNNAMED), 2: UNNAMED}},
    "WebcastLinkMicBattlePunishFinish": {3: UNNAMED, 4: UNNAMED},
    "WebcastLinkMicMethod": {7: UNNAMED},
    "WebcastLinkmicBattleTaskMessage": {
        3: {1: {1: UNNAMED, 2: {1: UNNAMED}, 3: UNNAMED, 4: UNNAMED}},
        4: UNNAMED,
        5: UNNAMED,
    },
    "WebcastMarqueeAnnouncementMessage": {3: {1: {3: UNNAMED, 6: LOOK, 11: UNNAMED}}},
    "WebcastMsgDetectMessage": {3: UNNAMED},
    "WebcastOecLiveShoppingMessage": {
        2: UNNAMED,
        3: UNNAMED,
        4: {6: UNNAMED, 8: UNNAMED, 10: UNNAMED, 11: UNNAMED},
        5: UNNAMED,
    },
    "WebcastPartnershipDropsUpdateMessage": {4: UNNAMED, 5: UNNAMED, 6: UNNAMED},
    "WebcastPerceptionMessage": {2: UNNAMED},
    "WebcastRankUpdateMessage": {2: {4: UNNAMED, 7: UNNAMED}},
    "WebcastRoomNotifyMessage": {3: UNNAMED, 6: LOOK},
    "WebcastSubPinEventMessage": {3: {5: UNNAMED, 6: UNNAMED, 8: {3: {1: UNNAMED}}}},
}
"""What is left out of the messages of one kind, beside that."""

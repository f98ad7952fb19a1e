"""Webcast's protobuf messages: the .proto files, the modules generated from them (`make generate`), and their reader.

`kinds` has the messages of the kinds that the documentation does not name.
"""

from google.protobuf.message import DecodeError

from . import kinds_pb2 as kinds
from .reading import reader
from .varints import TooManyFields
from .webcast_pb2 import (
    AccessControl,
    Addressed,
    AnyMessage,
    BadgeStruct,
    ChatMessage,
    Common,
    Contributor,
    ControlMessage,
    Envelope,
    FetchResult,
    Gift,
    GiftMessage,
    GiftMonitorInfo,
    HeartBeat,
    ImEnterRoom,
    LikeMessage,
    MemberMessage,
    PushFrame,
    PushHeader,
    Question,
    QuestionNewMessage,
    RoomUserSeqMessage,
    RoomVerification,
    SocialMessage,
    Text,
    User,
)

__all__ = [
    "AccessControl",
    "Addressed",
    "AnyMessage",
    "BadgeStruct",
    "ChatMessage",
    "Common",
    "Contributor",
    "ControlMessage",
    "DecodeError",
    "Envelope",
    "FetchResult",
    "Gift",
    "GiftMessage",
    "GiftMonitorInfo",
    "HeartBeat",
    "ImEnterRoom",
    "LikeMessage",
    "MemberMessage",
    "PushFrame",
    "PushHeader",
    "Question",
    "QuestionNewMessage",
    "RoomUserSeqMessage",
    "RoomVerification",
    "SocialMessage",
    "Text",
    "TooManyFields",
    "User",
    "kinds",
    "reader",
]

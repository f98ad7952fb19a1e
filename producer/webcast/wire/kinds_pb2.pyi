from producer.webcast.wire import personal_pb2 as _personal_pb2
from producer.webcast.wire import webcast_pb2 as _webcast_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class KindCommon(_message.Message):
    __slots__ = ("msg_id", "create_time", "display_text")
    MSG_ID_FIELD_NUMBER: _ClassVar[int]
    CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_TEXT_FIELD_NUMBER: _ClassVar[int]
    msg_id: int
    create_time: int
    display_text: FullText
    def __init__(self, msg_id: _Optional[int] = ..., create_time: _Optional[int] = ..., display_text: _Optional[_Union[FullText, _Mapping]] = ...) -> None: ...

class TextPieceUser(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: _webcast_pb2.User
    def __init__(self, user: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ...) -> None: ...

class TextPieceGift(_message.Message):
    __slots__ = ("gift_id", "name")
    GIFT_ID_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    gift_id: int
    name: _webcast_pb2.PatternRef
    def __init__(self, gift_id: _Optional[int] = ..., name: _Optional[_Union[_webcast_pb2.PatternRef, _Mapping]] = ...) -> None: ...

class TextPieceImage(_message.Message):
    __slots__ = ("image",)
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    image: _webcast_pb2.ImageModel
    def __init__(self, image: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ...) -> None: ...

class TextPiece(_message.Message):
    __slots__ = ("type", "string_value", "user_value", "gift_value", "image_value")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STRING_VALUE_FIELD_NUMBER: _ClassVar[int]
    USER_VALUE_FIELD_NUMBER: _ClassVar[int]
    GIFT_VALUE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_VALUE_FIELD_NUMBER: _ClassVar[int]
    type: int
    string_value: str
    user_value: TextPieceUser
    gift_value: TextPieceGift
    image_value: TextPieceImage
    def __init__(self, type: _Optional[int] = ..., string_value: _Optional[str] = ..., user_value: _Optional[_Union[TextPieceUser, _Mapping]] = ..., gift_value: _Optional[_Union[TextPieceGift, _Mapping]] = ..., image_value: _Optional[_Union[TextPieceImage, _Mapping]] = ...) -> None: ...

class FullText(_message.Message):
    __slots__ = ("key", "default_pattern", "pieces")
    KEY_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_PATTERN_FIELD_NUMBER: _ClassVar[int]
    PIECES_FIELD_NUMBER: _ClassVar[int]
    key: str
    default_pattern: str
    pieces: _containers.RepeatedCompositeFieldContainer[TextPiece]
    def __init__(self, key: _Optional[str] = ..., default_pattern: _Optional[str] = ..., pieces: _Optional[_Iterable[_Union[TextPiece, _Mapping]]] = ...) -> None: ...

class BattleSetting(_message.Message):
    __slots__ = ("battle_id", "start_time_ms", "duration", "channel_id", "status", "invite_type", "battle_type", "extra_duration_second", "end_time_ms")
    BATTLE_ID_FIELD_NUMBER: _ClassVar[int]
    START_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    INVITE_TYPE_FIELD_NUMBER: _ClassVar[int]
    BATTLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    EXTRA_DURATION_SECOND_FIELD_NUMBER: _ClassVar[int]
    END_TIME_MS_FIELD_NUMBER: _ClassVar[int]
    battle_id: int
    start_time_ms: int
    duration: int
    channel_id: int
    status: int
    invite_type: int
    battle_type: int
    extra_duration_second: int
    end_time_ms: int
    def __init__(self, battle_id: _Optional[int] = ..., start_time_ms: _Optional[int] = ..., duration: _Optional[int] = ..., channel_id: _Optional[int] = ..., status: _Optional[int] = ..., invite_type: _Optional[int] = ..., battle_type: _Optional[int] = ..., extra_duration_second: _Optional[int] = ..., end_time_ms: _Optional[int] = ...) -> None: ...

class BattleUserArmy(_message.Message):
    __slots__ = ("user_id", "score", "nickname", "avatar_thumb", "diamond_score")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_THUMB_FIELD_NUMBER: _ClassVar[int]
    DIAMOND_SCORE_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    score: int
    nickname: str
    avatar_thumb: _webcast_pb2.ImageModel
    diamond_score: int
    def __init__(self, user_id: _Optional[int] = ..., score: _Optional[int] = ..., nickname: _Optional[str] = ..., avatar_thumb: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., diamond_score: _Optional[int] = ...) -> None: ...

class BattleUserArmies(_message.Message):
    __slots__ = ("user_armies", "hostscore")
    USER_ARMIES_FIELD_NUMBER: _ClassVar[int]
    HOSTSCORE_FIELD_NUMBER: _ClassVar[int]
    user_armies: _containers.RepeatedCompositeFieldContainer[BattleUserArmy]
    hostscore: int
    def __init__(self, user_armies: _Optional[_Iterable[_Union[BattleUserArmy, _Mapping]]] = ..., hostscore: _Optional[int] = ...) -> None: ...

class HostArmies(_message.Message):
    __slots__ = ("host_id", "armies")
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    ARMIES_FIELD_NUMBER: _ClassVar[int]
    host_id: int
    armies: BattleUserArmies
    def __init__(self, host_id: _Optional[int] = ..., armies: _Optional[_Union[BattleUserArmies, _Mapping]] = ...) -> None: ...

class BattleTeamUser(_message.Message):
    __slots__ = ("user_id", "score")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    score: int
    def __init__(self, user_id: _Optional[int] = ..., score: _Optional[int] = ...) -> None: ...

class BattleTeamUserArmies(_message.Message):
    __slots__ = ("team_id", "team_users", "team_score", "user_armies")
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    TEAM_USERS_FIELD_NUMBER: _ClassVar[int]
    TEAM_SCORE_FIELD_NUMBER: _ClassVar[int]
    USER_ARMIES_FIELD_NUMBER: _ClassVar[int]
    team_id: int
    team_users: _containers.RepeatedCompositeFieldContainer[BattleTeamUser]
    team_score: int
    user_armies: BattleUserArmies
    def __init__(self, team_id: _Optional[int] = ..., team_users: _Optional[_Iterable[_Union[BattleTeamUser, _Mapping]]] = ..., team_score: _Optional[int] = ..., user_armies: _Optional[_Union[BattleUserArmies, _Mapping]] = ...) -> None: ...

class BattleTeamResult(_message.Message):
    __slots__ = ("team_id", "team_users", "result", "team_score")
    TEAM_ID_FIELD_NUMBER: _ClassVar[int]
    TEAM_USERS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    TEAM_SCORE_FIELD_NUMBER: _ClassVar[int]
    team_id: int
    team_users: _containers.RepeatedCompositeFieldContainer[BattleTeamUser]
    result: int
    team_score: int
    def __init__(self, team_id: _Optional[int] = ..., team_users: _Optional[_Iterable[_Union[BattleTeamUser, _Mapping]]] = ..., result: _Optional[int] = ..., team_score: _Optional[int] = ...) -> None: ...

class BattleResult(_message.Message):
    __slots__ = ("user_id", "result", "score")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    result: int
    score: int
    def __init__(self, user_id: _Optional[int] = ..., result: _Optional[int] = ..., score: _Optional[int] = ...) -> None: ...

class HostResult(_message.Message):
    __slots__ = ("host_id", "result")
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    host_id: int
    result: BattleResult
    def __init__(self, host_id: _Optional[int] = ..., result: _Optional[_Union[BattleResult, _Mapping]] = ...) -> None: ...

class BattleUser(_message.Message):
    __slots__ = ("user_id", "nick_name", "avatar", "display_id")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    nick_name: str
    avatar: _webcast_pb2.ImageModel
    display_id: str
    def __init__(self, user_id: _Optional[int] = ..., nick_name: _Optional[str] = ..., avatar: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., display_id: _Optional[str] = ...) -> None: ...

class BattleUserInfo(_message.Message):
    __slots__ = ("user",)
    USER_FIELD_NUMBER: _ClassVar[int]
    user: BattleUser
    def __init__(self, user: _Optional[_Union[BattleUser, _Mapping]] = ...) -> None: ...

class HostInfo(_message.Message):
    __slots__ = ("host_id", "info")
    HOST_ID_FIELD_NUMBER: _ClassVar[int]
    INFO_FIELD_NUMBER: _ClassVar[int]
    host_id: int
    info: BattleUserInfo
    def __init__(self, host_id: _Optional[int] = ..., info: _Optional[_Union[BattleUserInfo, _Mapping]] = ...) -> None: ...

class PunishInfo(_message.Message):
    __slots__ = ("type", "reason", "id", "user_id")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    type: str
    reason: str
    id: str
    user_id: int
    def __init__(self, type: _Optional[str] = ..., reason: _Optional[str] = ..., id: _Optional[str] = ..., user_id: _Optional[int] = ...) -> None: ...

class FanTicketUser(_message.Message):
    __slots__ = ("user_id", "fan_ticket_count")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FAN_TICKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    fan_ticket_count: int
    def __init__(self, user_id: _Optional[int] = ..., fan_ticket_count: _Optional[int] = ...) -> None: ...

class FanTicketNotice(_message.Message):
    __slots__ = ("users", "total_fan_ticket_count", "icon_url")
    USERS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FAN_TICKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    ICON_URL_FIELD_NUMBER: _ClassVar[int]
    users: _containers.RepeatedCompositeFieldContainer[FanTicketUser]
    total_fan_ticket_count: int
    icon_url: str
    def __init__(self, users: _Optional[_Iterable[_Union[FanTicketUser, _Mapping]]] = ..., total_fan_ticket_count: _Optional[int] = ..., icon_url: _Optional[str] = ...) -> None: ...

class LinkMicFanTicketMethod(_message.Message):
    __slots__ = ("common", "notice")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    notice: FanTicketNotice
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., notice: _Optional[_Union[FanTicketNotice, _Mapping]] = ...) -> None: ...

class LinkMicMethod(_message.Message):
    __slots__ = ("common", "message_type", "user_id", "fan_ticket_count")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    FAN_TICKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    message_type: int
    user_id: int
    fan_ticket_count: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., message_type: _Optional[int] = ..., user_id: _Optional[int] = ..., fan_ticket_count: _Optional[int] = ...) -> None: ...

class RankUpdate(_message.Message):
    __slots__ = ("rank_type", "own_rank", "default_content", "show_entrance_animation", "countdown", "belong_type", "request_first_show_type", "supported_version", "owneronrank", "entranceicon", "current_score", "list_schema")
    RANK_TYPE_FIELD_NUMBER: _ClassVar[int]
    OWN_RANK_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_CONTENT_FIELD_NUMBER: _ClassVar[int]
    SHOW_ENTRANCE_ANIMATION_FIELD_NUMBER: _ClassVar[int]
    COUNTDOWN_FIELD_NUMBER: _ClassVar[int]
    BELONG_TYPE_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIRST_SHOW_TYPE_FIELD_NUMBER: _ClassVar[int]
    SUPPORTED_VERSION_FIELD_NUMBER: _ClassVar[int]
    OWNERONRANK_FIELD_NUMBER: _ClassVar[int]
    ENTRANCEICON_FIELD_NUMBER: _ClassVar[int]
    CURRENT_SCORE_FIELD_NUMBER: _ClassVar[int]
    LIST_SCHEMA_FIELD_NUMBER: _ClassVar[int]
    rank_type: int
    own_rank: int
    default_content: FullText
    show_entrance_animation: bool
    countdown: int
    belong_type: int
    request_first_show_type: int
    supported_version: int
    owneronrank: bool
    entranceicon: _webcast_pb2.ImageModel
    current_score: int
    list_schema: str
    def __init__(self, rank_type: _Optional[int] = ..., own_rank: _Optional[int] = ..., default_content: _Optional[_Union[FullText, _Mapping]] = ..., show_entrance_animation: _Optional[bool] = ..., countdown: _Optional[int] = ..., belong_type: _Optional[int] = ..., request_first_show_type: _Optional[int] = ..., supported_version: _Optional[int] = ..., owneronrank: _Optional[bool] = ..., entranceicon: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., current_score: _Optional[int] = ..., list_schema: _Optional[str] = ...) -> None: ...

class RankUpdateMessage(_message.Message):
    __slots__ = ("common", "updates", "group_type", "op_type", "rank_priority", "is_animation_loop_play", "animation_loop_for_off")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    UPDATES_FIELD_NUMBER: _ClassVar[int]
    GROUP_TYPE_FIELD_NUMBER: _ClassVar[int]
    OP_TYPE_FIELD_NUMBER: _ClassVar[int]
    RANK_PRIORITY_FIELD_NUMBER: _ClassVar[int]
    IS_ANIMATION_LOOP_PLAY_FIELD_NUMBER: _ClassVar[int]
    ANIMATION_LOOP_FOR_OFF_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    updates: _containers.RepeatedCompositeFieldContainer[RankUpdate]
    group_type: int
    op_type: int
    rank_priority: int
    is_animation_loop_play: bool
    animation_loop_for_off: bool
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., updates: _Optional[_Iterable[_Union[RankUpdate, _Mapping]]] = ..., group_type: _Optional[int] = ..., op_type: _Optional[int] = ..., rank_priority: _Optional[int] = ..., is_animation_loop_play: _Optional[bool] = ..., animation_loop_for_off: _Optional[bool] = ...) -> None: ...

class LinkLayerUser(_message.Message):
    __slots__ = ("room_id", "user_id")
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    room_id: int
    user_id: int
    def __init__(self, room_id: _Optional[int] = ..., user_id: _Optional[int] = ...) -> None: ...

class LinkLayerPlayer(_message.Message):
    __slots__ = ("user", "link_mic_id", "time_ns")
    USER_FIELD_NUMBER: _ClassVar[int]
    LINK_MIC_ID_FIELD_NUMBER: _ClassVar[int]
    TIME_NS_FIELD_NUMBER: _ClassVar[int]
    user: LinkLayerUser
    link_mic_id: str
    time_ns: int
    def __init__(self, user: _Optional[_Union[LinkLayerUser, _Mapping]] = ..., link_mic_id: _Optional[str] = ..., time_ns: _Optional[int] = ...) -> None: ...

class LinkLayerUsers(_message.Message):
    __slots__ = ("linked_users", "waiting_users")
    LINKED_USERS_FIELD_NUMBER: _ClassVar[int]
    WAITING_USERS_FIELD_NUMBER: _ClassVar[int]
    linked_users: _containers.RepeatedCompositeFieldContainer[LinkLayerPlayer]
    waiting_users: _containers.RepeatedCompositeFieldContainer[LinkLayerPlayer]
    def __init__(self, linked_users: _Optional[_Iterable[_Union[LinkLayerPlayer, _Mapping]]] = ..., waiting_users: _Optional[_Iterable[_Union[LinkLayerPlayer, _Mapping]]] = ...) -> None: ...

class LinkLayerListChange(_message.Message):
    __slots__ = ("users",)
    USERS_FIELD_NUMBER: _ClassVar[int]
    users: LinkLayerUsers
    def __init__(self, users: _Optional[_Union[LinkLayerUsers, _Mapping]] = ...) -> None: ...

class LinkLayerMessage(_message.Message):
    __slots__ = ("common", "message_type", "channel_id", "scene", "list_change")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    LIST_CHANGE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    message_type: int
    channel_id: int
    scene: int
    list_change: LinkLayerListChange
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., message_type: _Optional[int] = ..., channel_id: _Optional[int] = ..., scene: _Optional[int] = ..., list_change: _Optional[_Union[LinkLayerListChange, _Mapping]] = ...) -> None: ...

class MessageRedEnvelopInfo(_message.Message):
    __slots__ = ("envelope_id", "business_type", "envelope_idc", "send_user_name", "diamond_count", "people_count", "unpack_at", "send_user_id", "send_user_avatar", "create_at", "room_id", "follow_show_status", "skin_id", "vote_count", "super_fan_count")
    ENVELOPE_ID_FIELD_NUMBER: _ClassVar[int]
    BUSINESS_TYPE_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_IDC_FIELD_NUMBER: _ClassVar[int]
    SEND_USER_NAME_FIELD_NUMBER: _ClassVar[int]
    DIAMOND_COUNT_FIELD_NUMBER: _ClassVar[int]
    PEOPLE_COUNT_FIELD_NUMBER: _ClassVar[int]
    UNPACK_AT_FIELD_NUMBER: _ClassVar[int]
    SEND_USER_ID_FIELD_NUMBER: _ClassVar[int]
    SEND_USER_AVATAR_FIELD_NUMBER: _ClassVar[int]
    CREATE_AT_FIELD_NUMBER: _ClassVar[int]
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    FOLLOW_SHOW_STATUS_FIELD_NUMBER: _ClassVar[int]
    SKIN_ID_FIELD_NUMBER: _ClassVar[int]
    VOTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    SUPER_FAN_COUNT_FIELD_NUMBER: _ClassVar[int]
    envelope_id: str
    business_type: int
    envelope_idc: str
    send_user_name: str
    diamond_count: int
    people_count: int
    unpack_at: int
    send_user_id: str
    send_user_avatar: _webcast_pb2.ImageModel
    create_at: str
    room_id: str
    follow_show_status: int
    skin_id: int
    vote_count: int
    super_fan_count: int
    def __init__(self, envelope_id: _Optional[str] = ..., business_type: _Optional[int] = ..., envelope_idc: _Optional[str] = ..., send_user_name: _Optional[str] = ..., diamond_count: _Optional[int] = ..., people_count: _Optional[int] = ..., unpack_at: _Optional[int] = ..., send_user_id: _Optional[str] = ..., send_user_avatar: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., create_at: _Optional[str] = ..., room_id: _Optional[str] = ..., follow_show_status: _Optional[int] = ..., skin_id: _Optional[int] = ..., vote_count: _Optional[int] = ..., super_fan_count: _Optional[int] = ...) -> None: ...

class EnvelopeMessage(_message.Message):
    __slots__ = ("common", "envelope_info", "display")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ENVELOPE_INFO_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    envelope_info: MessageRedEnvelopInfo
    display: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., envelope_info: _Optional[_Union[MessageRedEnvelopInfo, _Mapping]] = ..., display: _Optional[int] = ...) -> None: ...

class LinkedUser(_message.Message):
    __slots__ = ("user", "time", "link_mic_id", "fan_ticket_count")
    USER_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    LINK_MIC_ID_FIELD_NUMBER: _ClassVar[int]
    FAN_TICKET_COUNT_FIELD_NUMBER: _ClassVar[int]
    user: _webcast_pb2.User
    time: int
    link_mic_id: str
    fan_ticket_count: int
    def __init__(self, user: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ..., time: _Optional[int] = ..., link_mic_id: _Optional[str] = ..., fan_ticket_count: _Optional[int] = ...) -> None: ...

class LinkListChange(_message.Message):
    __slots__ = ("linked_users", "waiting_users")
    LINKED_USERS_FIELD_NUMBER: _ClassVar[int]
    WAITING_USERS_FIELD_NUMBER: _ClassVar[int]
    linked_users: _containers.RepeatedCompositeFieldContainer[LinkedUser]
    waiting_users: _containers.RepeatedCompositeFieldContainer[LinkedUser]
    def __init__(self, linked_users: _Optional[_Iterable[_Union[LinkedUser, _Mapping]]] = ..., waiting_users: _Optional[_Iterable[_Union[LinkedUser, _Mapping]]] = ...) -> None: ...

class LinkMessage(_message.Message):
    __slots__ = ("common", "message_type", "linker_id", "scene", "list_change_content")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    LINKER_ID_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    LIST_CHANGE_CONTENT_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    message_type: int
    linker_id: int
    scene: int
    list_change_content: LinkListChange
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., message_type: _Optional[int] = ..., linker_id: _Optional[int] = ..., scene: _Optional[int] = ..., list_change_content: _Optional[_Union[LinkListChange, _Mapping]] = ...) -> None: ...

class LiveStreamGoalIndicator(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: str
    def __init__(self, key: _Optional[str] = ...) -> None: ...

class LiveStreamSubGoalGift(_message.Message):
    __slots__ = ("name", "icon", "diamond_count", "type")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    DIAMOND_COUNT_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    name: str
    icon: _webcast_pb2.ImageModel
    diamond_count: int
    type: int
    def __init__(self, name: _Optional[str] = ..., icon: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., diamond_count: _Optional[int] = ..., type: _Optional[int] = ...) -> None: ...

class LiveStreamSubGoal(_message.Message):
    __slots__ = ("type", "id", "progress", "target", "gift", "source", "recommended_text", "recommended_header")
    TYPE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    GIFT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDED_TEXT_FIELD_NUMBER: _ClassVar[int]
    RECOMMENDED_HEADER_FIELD_NUMBER: _ClassVar[int]
    type: int
    id: int
    progress: int
    target: int
    gift: LiveStreamSubGoalGift
    source: int
    recommended_text: str
    recommended_header: str
    def __init__(self, type: _Optional[int] = ..., id: _Optional[int] = ..., progress: _Optional[int] = ..., target: _Optional[int] = ..., gift: _Optional[_Union[LiveStreamSubGoalGift, _Mapping]] = ..., source: _Optional[int] = ..., recommended_text: _Optional[str] = ..., recommended_header: _Optional[str] = ...) -> None: ...

class LiveStreamGoalContributor(_message.Message):
    __slots__ = ("user_id", "avatar", "display_id", "score")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    AVATAR_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    avatar: _webcast_pb2.ImageModel
    display_id: str
    score: int
    def __init__(self, user_id: _Optional[int] = ..., avatar: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., display_id: _Optional[str] = ..., score: _Optional[int] = ...) -> None: ...

class LiveStreamGoal(_message.Message):
    __slots__ = ("id", "type", "status", "sub_goals", "description", "audit_status", "cycle_type", "start_time", "expire_time", "real_finish_time", "contributors", "contributors_length", "audit_description", "goal_extra_info", "mode", "challenge_type", "is_uneditable", "create_source")
    ID_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUB_GOALS_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    AUDIT_STATUS_FIELD_NUMBER: _ClassVar[int]
    CYCLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    EXPIRE_TIME_FIELD_NUMBER: _ClassVar[int]
    REAL_FINISH_TIME_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTORS_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTORS_LENGTH_FIELD_NUMBER: _ClassVar[int]
    AUDIT_DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    GOAL_EXTRA_INFO_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    CHALLENGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    IS_UNEDITABLE_FIELD_NUMBER: _ClassVar[int]
    CREATE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    id: int
    type: int
    status: int
    sub_goals: _containers.RepeatedCompositeFieldContainer[LiveStreamSubGoal]
    description: str
    audit_status: int
    cycle_type: int
    start_time: int
    expire_time: int
    real_finish_time: int
    contributors: _containers.RepeatedCompositeFieldContainer[LiveStreamGoalContributor]
    contributors_length: int
    audit_description: str
    goal_extra_info: str
    mode: int
    challenge_type: str
    is_uneditable: bool
    create_source: int
    def __init__(self, id: _Optional[int] = ..., type: _Optional[int] = ..., status: _Optional[int] = ..., sub_goals: _Optional[_Iterable[_Union[LiveStreamSubGoal, _Mapping]]] = ..., description: _Optional[str] = ..., audit_status: _Optional[int] = ..., cycle_type: _Optional[int] = ..., start_time: _Optional[int] = ..., expire_time: _Optional[int] = ..., real_finish_time: _Optional[int] = ..., contributors: _Optional[_Iterable[_Union[LiveStreamGoalContributor, _Mapping]]] = ..., contributors_length: _Optional[int] = ..., audit_description: _Optional[str] = ..., goal_extra_info: _Optional[str] = ..., mode: _Optional[int] = ..., challenge_type: _Optional[str] = ..., is_uneditable: _Optional[bool] = ..., create_source: _Optional[int] = ...) -> None: ...

class GoalUpdateMessage(_message.Message):
    __slots__ = ("common", "indicator", "goal", "contributor_id", "contributor_avatar", "contributor_display_id", "contribute_subgoal", "contribute_count", "contribute_score", "gift_repeat_count", "update_source", "goal_extra")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    INDICATOR_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTOR_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTOR_AVATAR_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTOR_DISPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTE_SUBGOAL_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTE_COUNT_FIELD_NUMBER: _ClassVar[int]
    CONTRIBUTE_SCORE_FIELD_NUMBER: _ClassVar[int]
    GIFT_REPEAT_COUNT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_SOURCE_FIELD_NUMBER: _ClassVar[int]
    GOAL_EXTRA_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    indicator: LiveStreamGoalIndicator
    goal: LiveStreamGoal
    contributor_id: int
    contributor_avatar: _webcast_pb2.ImageModel
    contributor_display_id: str
    contribute_subgoal: LiveStreamSubGoal
    contribute_count: int
    contribute_score: int
    gift_repeat_count: int
    update_source: int
    goal_extra: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., indicator: _Optional[_Union[LiveStreamGoalIndicator, _Mapping]] = ..., goal: _Optional[_Union[LiveStreamGoal, _Mapping]] = ..., contributor_id: _Optional[int] = ..., contributor_avatar: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., contributor_display_id: _Optional[str] = ..., contribute_subgoal: _Optional[_Union[LiveStreamSubGoal, _Mapping]] = ..., contribute_count: _Optional[int] = ..., contribute_score: _Optional[int] = ..., gift_repeat_count: _Optional[int] = ..., update_source: _Optional[int] = ..., goal_extra: _Optional[str] = ...) -> None: ...

class RoomMessage(_message.Message):
    __slots__ = ("common", "content", "supprot_landscape", "source", "icon", "scene", "is_welcome", "show_duration_ms", "sub_scene", "schema")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    SUPPROT_LANDSCAPE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    IS_WELCOME_FIELD_NUMBER: _ClassVar[int]
    SHOW_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    SUB_SCENE_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    content: str
    supprot_landscape: bool
    source: int
    icon: _webcast_pb2.ImageModel
    scene: str
    is_welcome: bool
    show_duration_ms: int
    sub_scene: str
    schema: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., content: _Optional[str] = ..., supprot_landscape: _Optional[bool] = ..., source: _Optional[int] = ..., icon: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., scene: _Optional[str] = ..., is_welcome: _Optional[bool] = ..., show_duration_ms: _Optional[int] = ..., sub_scene: _Optional[str] = ..., schema: _Optional[str] = ...) -> None: ...

class RankTextMessage(_message.Message):
    __slots__ = ("common", "scene", "owner_idx_before_update", "owner_idx_after_update", "self_get_badge_msg", "other_get_badge_msg", "cur_user_id", "left_icon", "content", "rank_type")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    OWNER_IDX_BEFORE_UPDATE_FIELD_NUMBER: _ClassVar[int]
    OWNER_IDX_AFTER_UPDATE_FIELD_NUMBER: _ClassVar[int]
    SELF_GET_BADGE_MSG_FIELD_NUMBER: _ClassVar[int]
    OTHER_GET_BADGE_MSG_FIELD_NUMBER: _ClassVar[int]
    CUR_USER_ID_FIELD_NUMBER: _ClassVar[int]
    LEFT_ICON_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    RANK_TYPE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    scene: int
    owner_idx_before_update: int
    owner_idx_after_update: int
    self_get_badge_msg: FullText
    other_get_badge_msg: FullText
    cur_user_id: int
    left_icon: _webcast_pb2.ImageModel
    content: FullText
    rank_type: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., scene: _Optional[int] = ..., owner_idx_before_update: _Optional[int] = ..., owner_idx_after_update: _Optional[int] = ..., self_get_badge_msg: _Optional[_Union[FullText, _Mapping]] = ..., other_get_badge_msg: _Optional[_Union[FullText, _Mapping]] = ..., cur_user_id: _Optional[int] = ..., left_icon: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., content: _Optional[_Union[FullText, _Mapping]] = ..., rank_type: _Optional[int] = ...) -> None: ...

class BarrageTypeUserGradeParam(_message.Message):
    __slots__ = ("level", "user")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    level: int
    user: _webcast_pb2.User
    def __init__(self, level: _Optional[int] = ..., user: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ...) -> None: ...

class BarrageTypeFansLevelParam(_message.Message):
    __slots__ = ("level", "user")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    level: int
    user: _webcast_pb2.User
    def __init__(self, level: _Optional[int] = ..., user: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ...) -> None: ...

class BarrageMessage(_message.Message):
    __slots__ = ("common", "msg_type", "icon", "content", "duration", "background", "right_icon", "display_config", "gallery_gift_id", "scene", "use_marquee", "show_type", "render_type", "left_icon_display_type", "ribbon_animation", "hybrid_url", "schema", "sub_type", "common_barrage_content", "user", "user_grade_param", "fans_level_param")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    RIGHT_ICON_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_CONFIG_FIELD_NUMBER: _ClassVar[int]
    GALLERY_GIFT_ID_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    USE_MARQUEE_FIELD_NUMBER: _ClassVar[int]
    SHOW_TYPE_FIELD_NUMBER: _ClassVar[int]
    RENDER_TYPE_FIELD_NUMBER: _ClassVar[int]
    LEFT_ICON_DISPLAY_TYPE_FIELD_NUMBER: _ClassVar[int]
    RIBBON_ANIMATION_FIELD_NUMBER: _ClassVar[int]
    HYBRID_URL_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    SUB_TYPE_FIELD_NUMBER: _ClassVar[int]
    COMMON_BARRAGE_CONTENT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    USER_GRADE_PARAM_FIELD_NUMBER: _ClassVar[int]
    FANS_LEVEL_PARAM_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    msg_type: int
    icon: _webcast_pb2.ImageModel
    content: FullText
    duration: int
    background: _webcast_pb2.ImageModel
    right_icon: _webcast_pb2.ImageModel
    display_config: int
    gallery_gift_id: int
    scene: str
    use_marquee: bool
    show_type: int
    render_type: int
    left_icon_display_type: int
    ribbon_animation: _webcast_pb2.ImageModel
    hybrid_url: str
    schema: str
    sub_type: str
    common_barrage_content: FullText
    user: _webcast_pb2.User
    user_grade_param: BarrageTypeUserGradeParam
    fans_level_param: BarrageTypeFansLevelParam
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., msg_type: _Optional[int] = ..., icon: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., content: _Optional[_Union[FullText, _Mapping]] = ..., duration: _Optional[int] = ..., background: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., right_icon: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., display_config: _Optional[int] = ..., gallery_gift_id: _Optional[int] = ..., scene: _Optional[str] = ..., use_marquee: _Optional[bool] = ..., show_type: _Optional[int] = ..., render_type: _Optional[int] = ..., left_icon_display_type: _Optional[int] = ..., ribbon_animation: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., hybrid_url: _Optional[str] = ..., schema: _Optional[str] = ..., sub_type: _Optional[str] = ..., common_barrage_content: _Optional[_Union[FullText, _Mapping]] = ..., user: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ..., user_grade_param: _Optional[_Union[BarrageTypeUserGradeParam, _Mapping]] = ..., fans_level_param: _Optional[_Union[BarrageTypeFansLevelParam, _Mapping]] = ...) -> None: ...

class LinkMicArmies(_message.Message):
    __slots__ = ("common", "battle_id", "armies", "channel_id", "send_gift_success_time", "update_battle_score_time", "trigger_reason", "from_user_id", "gift_id", "gift_count", "gift_icon_image", "total_diamond_count", "repeat_count", "team_armies", "trigger_critical_strike", "has_team_match_mvp_sfx", "log_id", "battle_settings")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    BATTLE_ID_FIELD_NUMBER: _ClassVar[int]
    ARMIES_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    SEND_GIFT_SUCCESS_TIME_FIELD_NUMBER: _ClassVar[int]
    UPDATE_BATTLE_SCORE_TIME_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_REASON_FIELD_NUMBER: _ClassVar[int]
    FROM_USER_ID_FIELD_NUMBER: _ClassVar[int]
    GIFT_ID_FIELD_NUMBER: _ClassVar[int]
    GIFT_COUNT_FIELD_NUMBER: _ClassVar[int]
    GIFT_ICON_IMAGE_FIELD_NUMBER: _ClassVar[int]
    TOTAL_DIAMOND_COUNT_FIELD_NUMBER: _ClassVar[int]
    REPEAT_COUNT_FIELD_NUMBER: _ClassVar[int]
    TEAM_ARMIES_FIELD_NUMBER: _ClassVar[int]
    TRIGGER_CRITICAL_STRIKE_FIELD_NUMBER: _ClassVar[int]
    HAS_TEAM_MATCH_MVP_SFX_FIELD_NUMBER: _ClassVar[int]
    LOG_ID_FIELD_NUMBER: _ClassVar[int]
    BATTLE_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    battle_id: int
    armies: _containers.RepeatedCompositeFieldContainer[HostArmies]
    channel_id: int
    send_gift_success_time: int
    update_battle_score_time: int
    trigger_reason: int
    from_user_id: int
    gift_id: int
    gift_count: int
    gift_icon_image: _webcast_pb2.ImageModel
    total_diamond_count: int
    repeat_count: int
    team_armies: _containers.RepeatedCompositeFieldContainer[BattleTeamUserArmies]
    trigger_critical_strike: bool
    has_team_match_mvp_sfx: bool
    log_id: str
    battle_settings: BattleSetting
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., battle_id: _Optional[int] = ..., armies: _Optional[_Iterable[_Union[HostArmies, _Mapping]]] = ..., channel_id: _Optional[int] = ..., send_gift_success_time: _Optional[int] = ..., update_battle_score_time: _Optional[int] = ..., trigger_reason: _Optional[int] = ..., from_user_id: _Optional[int] = ..., gift_id: _Optional[int] = ..., gift_count: _Optional[int] = ..., gift_icon_image: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., total_diamond_count: _Optional[int] = ..., repeat_count: _Optional[int] = ..., team_armies: _Optional[_Iterable[_Union[BattleTeamUserArmies, _Mapping]]] = ..., trigger_critical_strike: _Optional[bool] = ..., has_team_match_mvp_sfx: _Optional[bool] = ..., log_id: _Optional[str] = ..., battle_settings: _Optional[_Union[BattleSetting, _Mapping]] = ...) -> None: ...

class UnauthorizedMemberMessage(_message.Message):
    __slots__ = ("common", "action", "nick_name_prefix", "nick_name", "enter_text")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_PREFIX_FIELD_NUMBER: _ClassVar[int]
    NICK_NAME_FIELD_NUMBER: _ClassVar[int]
    ENTER_TEXT_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    action: int
    nick_name_prefix: FullText
    nick_name: str
    enter_text: FullText
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., action: _Optional[int] = ..., nick_name_prefix: _Optional[_Union[FullText, _Mapping]] = ..., nick_name: _Optional[str] = ..., enter_text: _Optional[_Union[FullText, _Mapping]] = ...) -> None: ...

class MsgDetectTimes(_message.Message):
    __slots__ = ("first_ms", "second_ms", "third_ms")
    FIRST_MS_FIELD_NUMBER: _ClassVar[int]
    SECOND_MS_FIELD_NUMBER: _ClassVar[int]
    THIRD_MS_FIELD_NUMBER: _ClassVar[int]
    first_ms: int
    second_ms: int
    third_ms: int
    def __init__(self, first_ms: _Optional[int] = ..., second_ms: _Optional[int] = ..., third_ms: _Optional[int] = ...) -> None: ...

class MsgDetectMessage(_message.Message):
    __slots__ = ("common", "detect_type", "times", "region")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    DETECT_TYPE_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    REGION_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    detect_type: int
    times: MsgDetectTimes
    region: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., detect_type: _Optional[int] = ..., times: _Optional[_Union[MsgDetectTimes, _Mapping]] = ..., region: _Optional[str] = ...) -> None: ...

class PollVoter(_message.Message):
    __slots__ = ("user_id", "nickname", "avatar")
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    AVATAR_FIELD_NUMBER: _ClassVar[int]
    user_id: int
    nickname: str
    avatar: _webcast_pb2.ImageModel
    def __init__(self, user_id: _Optional[int] = ..., nickname: _Optional[str] = ..., avatar: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ...) -> None: ...

class PollOption(_message.Message):
    __slots__ = ("votes", "display_content", "option_idx", "voters")
    VOTES_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_CONTENT_FIELD_NUMBER: _ClassVar[int]
    OPTION_IDX_FIELD_NUMBER: _ClassVar[int]
    VOTERS_FIELD_NUMBER: _ClassVar[int]
    votes: int
    display_content: str
    option_idx: int
    voters: _containers.RepeatedCompositeFieldContainer[PollVoter]
    def __init__(self, votes: _Optional[int] = ..., display_content: _Optional[str] = ..., option_idx: _Optional[int] = ..., voters: _Optional[_Iterable[_Union[PollVoter, _Mapping]]] = ...) -> None: ...

class PollStartContent(_message.Message):
    __slots__ = ("start_time", "end_time", "options", "title", "operator")
    START_TIME_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    TITLE_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    start_time: int
    end_time: int
    options: _containers.RepeatedCompositeFieldContainer[PollOption]
    title: str
    operator: _webcast_pb2.User
    def __init__(self, start_time: _Optional[int] = ..., end_time: _Optional[int] = ..., options: _Optional[_Iterable[_Union[PollOption, _Mapping]]] = ..., title: _Optional[str] = ..., operator: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ...) -> None: ...

class PollEndContent(_message.Message):
    __slots__ = ("end_type", "options", "operator")
    END_TYPE_FIELD_NUMBER: _ClassVar[int]
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    end_type: int
    options: _containers.RepeatedCompositeFieldContainer[PollOption]
    operator: _webcast_pb2.User
    def __init__(self, end_type: _Optional[int] = ..., options: _Optional[_Iterable[_Union[PollOption, _Mapping]]] = ..., operator: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ...) -> None: ...

class PollUpdateVotesContent(_message.Message):
    __slots__ = ("options", "operator")
    OPTIONS_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    options: _containers.RepeatedCompositeFieldContainer[PollOption]
    operator: _webcast_pb2.User
    def __init__(self, options: _Optional[_Iterable[_Union[PollOption, _Mapping]]] = ..., operator: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ...) -> None: ...

class PollMessage(_message.Message):
    __slots__ = ("common", "message_type", "poll_id", "start_content", "end_content", "update_votes_content", "poll_kind")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    POLL_ID_FIELD_NUMBER: _ClassVar[int]
    START_CONTENT_FIELD_NUMBER: _ClassVar[int]
    END_CONTENT_FIELD_NUMBER: _ClassVar[int]
    UPDATE_VOTES_CONTENT_FIELD_NUMBER: _ClassVar[int]
    POLL_KIND_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    message_type: int
    poll_id: int
    start_content: PollStartContent
    end_content: PollEndContent
    update_votes_content: PollUpdateVotesContent
    poll_kind: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., message_type: _Optional[int] = ..., poll_id: _Optional[int] = ..., start_content: _Optional[_Union[PollStartContent, _Mapping]] = ..., end_content: _Optional[_Union[PollEndContent, _Mapping]] = ..., update_votes_content: _Optional[_Union[PollUpdateVotesContent, _Mapping]] = ..., poll_kind: _Optional[int] = ...) -> None: ...

class RoomPinMessage(_message.Message):
    __slots__ = ("common", "chat_message", "social_message", "gift_message", "member_message", "like_message", "method", "pin_time", "operator", "action", "display_duration", "pin_msg_id")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CHAT_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    SOCIAL_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    GIFT_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    MEMBER_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    LIKE_MESSAGE_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PIN_TIME_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_DURATION_FIELD_NUMBER: _ClassVar[int]
    PIN_MSG_ID_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    chat_message: _webcast_pb2.ChatMessage
    social_message: _webcast_pb2.SocialMessage
    gift_message: _webcast_pb2.GiftMessage
    member_message: _webcast_pb2.MemberMessage
    like_message: _webcast_pb2.LikeMessage
    method: str
    pin_time: int
    operator: _webcast_pb2.User
    action: int
    display_duration: int
    pin_msg_id: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., chat_message: _Optional[_Union[_webcast_pb2.ChatMessage, _Mapping]] = ..., social_message: _Optional[_Union[_webcast_pb2.SocialMessage, _Mapping]] = ..., gift_message: _Optional[_Union[_webcast_pb2.GiftMessage, _Mapping]] = ..., member_message: _Optional[_Union[_webcast_pb2.MemberMessage, _Mapping]] = ..., like_message: _Optional[_Union[_webcast_pb2.LikeMessage, _Mapping]] = ..., method: _Optional[str] = ..., pin_time: _Optional[int] = ..., operator: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ..., action: _Optional[int] = ..., display_duration: _Optional[int] = ..., pin_msg_id: _Optional[int] = ...) -> None: ...

class ImDeleteMessage(_message.Message):
    __slots__ = ("common", "delete_msg_ids", "delete_user_ids")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    DELETE_MSG_IDS_FIELD_NUMBER: _ClassVar[int]
    DELETE_USER_IDS_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    delete_msg_ids: _containers.RepeatedScalarFieldContainer[int]
    delete_user_ids: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., delete_msg_ids: _Optional[_Iterable[int]] = ..., delete_user_ids: _Optional[_Iterable[int]] = ...) -> None: ...

class ShoppingProduct(_message.Message):
    __slots__ = ("title", "price", "image_url", "url", "shop_name", "schema")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    IMAGE_URL_FIELD_NUMBER: _ClassVar[int]
    URL_FIELD_NUMBER: _ClassVar[int]
    SHOP_NAME_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    title: str
    price: str
    image_url: str
    url: str
    shop_name: str
    schema: str
    def __init__(self, title: _Optional[str] = ..., price: _Optional[str] = ..., image_url: _Optional[str] = ..., url: _Optional[str] = ..., shop_name: _Optional[str] = ..., schema: _Optional[str] = ...) -> None: ...

class OecLiveShoppingMessage(_message.Message):
    __slots__ = ("common", "product")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    product: ShoppingProduct
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., product: _Optional[_Union[ShoppingProduct, _Mapping]] = ...) -> None: ...

class BottomMessage(_message.Message):
    __slots__ = ("common", "punish_info")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    PUNISH_INFO_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    punish_info: PunishInfo
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., punish_info: _Optional[_Union[PunishInfo, _Mapping]] = ...) -> None: ...

class SubPinGoal(_message.Message):
    __slots__ = ("id", "time", "description", "target", "progress")
    ID_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    id: int
    time: int
    description: SubPinText
    target: int
    progress: int
    def __init__(self, id: _Optional[int] = ..., time: _Optional[int] = ..., description: _Optional[_Union[SubPinText, _Mapping]] = ..., target: _Optional[int] = ..., progress: _Optional[int] = ...) -> None: ...

class SubPinText(_message.Message):
    __slots__ = ("content",)
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    content: str
    def __init__(self, content: _Optional[str] = ...) -> None: ...

class SubPin(_message.Message):
    __slots__ = ("goal",)
    GOAL_FIELD_NUMBER: _ClassVar[int]
    goal: SubPinGoal
    def __init__(self, goal: _Optional[_Union[SubPinGoal, _Mapping]] = ...) -> None: ...

class SubPinEventMessage(_message.Message):
    __slots__ = ("common", "action_type", "pin", "user_id")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ACTION_TYPE_FIELD_NUMBER: _ClassVar[int]
    PIN_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    action_type: int
    pin: SubPin
    user_id: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., action_type: _Optional[int] = ..., pin: _Optional[_Union[SubPin, _Mapping]] = ..., user_id: _Optional[int] = ...) -> None: ...

class EmoteChatMessage(_message.Message):
    __slots__ = ("common", "user", "emote_list", "user_identity")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    EMOTE_LIST_FIELD_NUMBER: _ClassVar[int]
    USER_IDENTITY_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    user: _webcast_pb2.User
    emote_list: _containers.RepeatedCompositeFieldContainer[_webcast_pb2.EmoteModel]
    user_identity: _webcast_pb2.UserIdentity
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., user: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ..., emote_list: _Optional[_Iterable[_Union[_webcast_pb2.EmoteModel, _Mapping]]] = ..., user_identity: _Optional[_Union[_webcast_pb2.UserIdentity, _Mapping]] = ...) -> None: ...

class LinkMicBattle(_message.Message):
    __slots__ = ("common", "battle_id", "battle_settings", "action", "battle_result", "invitee_gift_permission_type", "armies", "anchors_info", "bubble_text", "action_by_user_id", "team_battle_result", "team_armies")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    BATTLE_ID_FIELD_NUMBER: _ClassVar[int]
    BATTLE_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    BATTLE_RESULT_FIELD_NUMBER: _ClassVar[int]
    INVITEE_GIFT_PERMISSION_TYPE_FIELD_NUMBER: _ClassVar[int]
    ARMIES_FIELD_NUMBER: _ClassVar[int]
    ANCHORS_INFO_FIELD_NUMBER: _ClassVar[int]
    BUBBLE_TEXT_FIELD_NUMBER: _ClassVar[int]
    ACTION_BY_USER_ID_FIELD_NUMBER: _ClassVar[int]
    TEAM_BATTLE_RESULT_FIELD_NUMBER: _ClassVar[int]
    TEAM_ARMIES_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    battle_id: int
    battle_settings: BattleSetting
    action: int
    battle_result: _containers.RepeatedCompositeFieldContainer[HostResult]
    invitee_gift_permission_type: int
    armies: _containers.RepeatedCompositeFieldContainer[HostArmies]
    anchors_info: _containers.RepeatedCompositeFieldContainer[HostInfo]
    bubble_text: str
    action_by_user_id: int
    team_battle_result: _containers.RepeatedCompositeFieldContainer[BattleTeamResult]
    team_armies: _containers.RepeatedCompositeFieldContainer[BattleTeamUserArmies]
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., battle_id: _Optional[int] = ..., battle_settings: _Optional[_Union[BattleSetting, _Mapping]] = ..., action: _Optional[int] = ..., battle_result: _Optional[_Iterable[_Union[HostResult, _Mapping]]] = ..., invitee_gift_permission_type: _Optional[int] = ..., armies: _Optional[_Iterable[_Union[HostArmies, _Mapping]]] = ..., anchors_info: _Optional[_Iterable[_Union[HostInfo, _Mapping]]] = ..., bubble_text: _Optional[str] = ..., action_by_user_id: _Optional[int] = ..., team_battle_result: _Optional[_Iterable[_Union[BattleTeamResult, _Mapping]]] = ..., team_armies: _Optional[_Iterable[_Union[BattleTeamUserArmies, _Mapping]]] = ...) -> None: ...

class RoomVerifyMessage(_message.Message):
    __slots__ = ("common", "action", "content", "notice_type", "close_room")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    NOTICE_TYPE_FIELD_NUMBER: _ClassVar[int]
    CLOSE_ROOM_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    action: int
    content: str
    notice_type: int
    close_room: bool
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., action: _Optional[int] = ..., content: _Optional[str] = ..., notice_type: _Optional[int] = ..., close_room: _Optional[bool] = ...) -> None: ...

class AccessRecallMessage(_message.Message):
    __slots__ = ("common", "status", "subject")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    status: int
    subject: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., status: _Optional[int] = ..., subject: _Optional[str] = ...) -> None: ...

class LiveIntroMessage(_message.Message):
    __slots__ = ("common", "id", "audit_status", "content", "user", "intro_mode", "badges", "content_language")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    AUDIT_STATUS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    INTRO_MODE_FIELD_NUMBER: _ClassVar[int]
    BADGES_FIELD_NUMBER: _ClassVar[int]
    CONTENT_LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    id: int
    audit_status: int
    content: str
    user: _webcast_pb2.User
    intro_mode: int
    badges: _containers.RepeatedCompositeFieldContainer[_webcast_pb2.BadgeStruct]
    content_language: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., id: _Optional[int] = ..., audit_status: _Optional[int] = ..., content: _Optional[str] = ..., user: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ..., intro_mode: _Optional[int] = ..., badges: _Optional[_Iterable[_Union[_webcast_pb2.BadgeStruct, _Mapping]]] = ..., content_language: _Optional[str] = ...) -> None: ...

class BattleTaskParameter(_message.Message):
    __slots__ = ("name", "value")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class BattleTaskText(_message.Message):
    __slots__ = ("key", "parameters")
    KEY_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    key: str
    parameters: _containers.RepeatedCompositeFieldContainer[BattleTaskParameter]
    def __init__(self, key: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[BattleTaskParameter, _Mapping]]] = ...) -> None: ...

class BattleTaskPrompt(_message.Message):
    __slots__ = ("text", "image")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    text: BattleTaskText
    image: _webcast_pb2.ImageModel
    def __init__(self, text: _Optional[_Union[BattleTaskText, _Mapping]] = ..., image: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ...) -> None: ...

class BattleTask(_message.Message):
    __slots__ = ("prompts",)
    PROMPTS_FIELD_NUMBER: _ClassVar[int]
    prompts: _containers.RepeatedCompositeFieldContainer[BattleTaskPrompt]
    def __init__(self, prompts: _Optional[_Iterable[_Union[BattleTaskPrompt, _Mapping]]] = ...) -> None: ...

class BattleTaskStart(_message.Message):
    __slots__ = ("task",)
    TASK_FIELD_NUMBER: _ClassVar[int]
    task: BattleTask
    def __init__(self, task: _Optional[_Union[BattleTask, _Mapping]] = ...) -> None: ...

class BattleTaskResult(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: BattleTaskText
    def __init__(self, text: _Optional[_Union[BattleTaskText, _Mapping]] = ...) -> None: ...

class LinkmicBattleTaskMessage(_message.Message):
    __slots__ = ("common", "message_type", "start", "result")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    message_type: int
    start: BattleTaskStart
    result: BattleTaskResult
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., message_type: _Optional[int] = ..., start: _Optional[_Union[BattleTaskStart, _Mapping]] = ..., result: _Optional[_Union[BattleTaskResult, _Mapping]] = ...) -> None: ...

class NoticeImage(_message.Message):
    __slots__ = ("url_list", "uri")
    URL_LIST_FIELD_NUMBER: _ClassVar[int]
    URI_FIELD_NUMBER: _ClassVar[int]
    url_list: _containers.RepeatedScalarFieldContainer[str]
    uri: str
    def __init__(self, url_list: _Optional[_Iterable[str]] = ..., uri: _Optional[str] = ...) -> None: ...

class NoticeBackground(_message.Message):
    __slots__ = ("image",)
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    image: NoticeImage
    def __init__(self, image: _Optional[_Union[NoticeImage, _Mapping]] = ...) -> None: ...

class RoomNotifyMessage(_message.Message):
    __slots__ = ("common", "schema", "background", "source", "user_id")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    BACKGROUND_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    schema: str
    background: NoticeBackground
    source: str
    user_id: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., schema: _Optional[str] = ..., background: _Optional[_Union[NoticeBackground, _Mapping]] = ..., source: _Optional[str] = ..., user_id: _Optional[int] = ...) -> None: ...

class ItemCard(_message.Message):
    __slots__ = ("name_key", "image", "time", "owner", "schema")
    NAME_KEY_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    name_key: str
    image: _webcast_pb2.ImageModel
    time: int
    owner: BattleUserInfo
    schema: str
    def __init__(self, name_key: _Optional[str] = ..., image: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., time: _Optional[int] = ..., owner: _Optional[_Union[BattleUserInfo, _Mapping]] = ..., schema: _Optional[str] = ...) -> None: ...

class ItemCardUse(_message.Message):
    __slots__ = ("card", "text")
    CARD_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    card: ItemCard
    text: FullText
    def __init__(self, card: _Optional[_Union[ItemCard, _Mapping]] = ..., text: _Optional[_Union[FullText, _Mapping]] = ...) -> None: ...

class ItemCardAward(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: FullText
    def __init__(self, text: _Optional[_Union[FullText, _Mapping]] = ...) -> None: ...

class LinkMicBattleItemCard(_message.Message):
    __slots__ = ("common", "battle_id", "message_type", "use", "award")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    BATTLE_ID_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    USE_FIELD_NUMBER: _ClassVar[int]
    AWARD_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    battle_id: int
    message_type: int
    use: ItemCardUse
    award: ItemCardAward
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., battle_id: _Optional[int] = ..., message_type: _Optional[int] = ..., use: _Optional[_Union[ItemCardUse, _Mapping]] = ..., award: _Optional[_Union[ItemCardAward, _Mapping]] = ...) -> None: ...

class CapsuleMessage(_message.Message):
    __slots__ = ("common", "icon", "text", "button_text", "schema", "key")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ICON_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    BUTTON_TEXT_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    icon: _webcast_pb2.ImageModel
    text: FullText
    button_text: FullText
    schema: str
    key: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., icon: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., text: _Optional[_Union[FullText, _Mapping]] = ..., button_text: _Optional[_Union[FullText, _Mapping]] = ..., schema: _Optional[str] = ..., key: _Optional[str] = ...) -> None: ...

class PartnershipDropsUpdateMessage(_message.Message):
    __slots__ = ("common", "change_mode", "id")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CHANGE_MODE_FIELD_NUMBER: _ClassVar[int]
    ID_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    change_mode: int
    id: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., change_mode: _Optional[int] = ..., id: _Optional[str] = ...) -> None: ...

class InRoomBannerMessage(_message.Message):
    __slots__ = ("common", "data")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    data: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., data: _Optional[str] = ...) -> None: ...

class PerceptionMessage(_message.Message):
    __slots__ = ("common", "punish_info")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    PUNISH_INFO_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    punish_info: PunishInfo
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., punish_info: _Optional[_Union[PunishInfo, _Mapping]] = ...) -> None: ...

class CaptionContent(_message.Message):
    __slots__ = ("lang", "content")
    LANG_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    lang: str
    content: str
    def __init__(self, lang: _Optional[str] = ..., content: _Optional[str] = ...) -> None: ...

class CaptionMessage(_message.Message):
    __slots__ = ("common", "timestamp_ms", "duration_ms", "content", "sentence_id", "sequence_id", "definite")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_MS_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    SENTENCE_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_ID_FIELD_NUMBER: _ClassVar[int]
    DEFINITE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    timestamp_ms: int
    duration_ms: int
    content: _containers.RepeatedCompositeFieldContainer[CaptionContent]
    sentence_id: int
    sequence_id: int
    definite: bool
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., timestamp_ms: _Optional[int] = ..., duration_ms: _Optional[int] = ..., content: _Optional[_Iterable[_Union[CaptionContent, _Mapping]]] = ..., sentence_id: _Optional[int] = ..., sequence_id: _Optional[int] = ..., definite: _Optional[bool] = ...) -> None: ...

class LinkMicBattlePunishFinish(_message.Message):
    __slots__ = ("common", "channel_id", "battle_id", "battle_settings")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    BATTLE_ID_FIELD_NUMBER: _ClassVar[int]
    BATTLE_SETTINGS_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    channel_id: int
    battle_id: int
    battle_settings: BattleSetting
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., channel_id: _Optional[int] = ..., battle_id: _Optional[int] = ..., battle_settings: _Optional[_Union[BattleSetting, _Mapping]] = ...) -> None: ...

class GiftBroadcastMessage(_message.Message):
    __slots__ = ("common", "user_id", "image", "notification")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_ID_FIELD_NUMBER: _ClassVar[int]
    IMAGE_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    user_id: int
    image: _webcast_pb2.ImageModel
    notification: RoomNotifyMessage
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., user_id: _Optional[int] = ..., image: _Optional[_Union[_webcast_pb2.ImageModel, _Mapping]] = ..., notification: _Optional[_Union[RoomNotifyMessage, _Mapping]] = ...) -> None: ...

class MarqueeNotifications(_message.Message):
    __slots__ = ("messages",)
    MESSAGES_FIELD_NUMBER: _ClassVar[int]
    messages: _containers.RepeatedCompositeFieldContainer[RoomNotifyMessage]
    def __init__(self, messages: _Optional[_Iterable[_Union[RoomNotifyMessage, _Mapping]]] = ...) -> None: ...

class MarqueeAnnouncementMessage(_message.Message):
    __slots__ = ("common", "scene", "notifications")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATIONS_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    scene: str
    notifications: MarqueeNotifications
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., scene: _Optional[str] = ..., notifications: _Optional[_Union[MarqueeNotifications, _Mapping]] = ...) -> None: ...

class HourlyRankData(_message.Message):
    __slots__ = ("text",)
    TEXT_FIELD_NUMBER: _ClassVar[int]
    text: FullText
    def __init__(self, text: _Optional[_Union[FullText, _Mapping]] = ...) -> None: ...

class HourlyRankMessage(_message.Message):
    __slots__ = ("common", "data")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    data: HourlyRankData
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., data: _Optional[_Union[HourlyRankData, _Mapping]] = ...) -> None: ...

class SystemMessage(_message.Message):
    __slots__ = ("common", "message")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    message: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., message: _Optional[str] = ...) -> None: ...

class SubNotifyMessage(_message.Message):
    __slots__ = ("common", "user", "exhibition_type", "sub_month", "subscribe_type", "old_subscribe_status", "message_type", "subscribing_status", "is_send", "is_custom", "gift_source", "message_display_style", "package_id")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    USER_FIELD_NUMBER: _ClassVar[int]
    EXHIBITION_TYPE_FIELD_NUMBER: _ClassVar[int]
    SUB_MONTH_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBE_TYPE_FIELD_NUMBER: _ClassVar[int]
    OLD_SUBSCRIBE_STATUS_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_TYPE_FIELD_NUMBER: _ClassVar[int]
    SUBSCRIBING_STATUS_FIELD_NUMBER: _ClassVar[int]
    IS_SEND_FIELD_NUMBER: _ClassVar[int]
    IS_CUSTOM_FIELD_NUMBER: _ClassVar[int]
    GIFT_SOURCE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_DISPLAY_STYLE_FIELD_NUMBER: _ClassVar[int]
    PACKAGE_ID_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    user: _webcast_pb2.User
    exhibition_type: int
    sub_month: int
    subscribe_type: int
    old_subscribe_status: int
    message_type: int
    subscribing_status: int
    is_send: bool
    is_custom: bool
    gift_source: int
    message_display_style: int
    package_id: str
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., user: _Optional[_Union[_webcast_pb2.User, _Mapping]] = ..., exhibition_type: _Optional[int] = ..., sub_month: _Optional[int] = ..., subscribe_type: _Optional[int] = ..., old_subscribe_status: _Optional[int] = ..., message_type: _Optional[int] = ..., subscribing_status: _Optional[int] = ..., is_send: _Optional[bool] = ..., is_custom: _Optional[bool] = ..., gift_source: _Optional[int] = ..., message_display_style: _Optional[int] = ..., package_id: _Optional[str] = ...) -> None: ...

class OecAuctionData(_message.Message):
    __slots__ = ("state",)
    STATE_FIELD_NUMBER: _ClassVar[int]
    state: OecAuctionState
    def __init__(self, state: _Optional[_Union[OecAuctionState, _Mapping]] = ...) -> None: ...

class OecAuctionState(_message.Message):
    __slots__ = ("auction",)
    AUCTION_FIELD_NUMBER: _ClassVar[int]
    auction: OecAuction
    def __init__(self, auction: _Optional[_Union[OecAuction, _Mapping]] = ...) -> None: ...

class OecAuction(_message.Message):
    __slots__ = ("id", "status", "end_time", "winner_nickname", "price", "price_text", "winner_avatar_url")
    ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    END_TIME_FIELD_NUMBER: _ClassVar[int]
    WINNER_NICKNAME_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    PRICE_TEXT_FIELD_NUMBER: _ClassVar[int]
    WINNER_AVATAR_URL_FIELD_NUMBER: _ClassVar[int]
    id: str
    status: int
    end_time: int
    winner_nickname: str
    price: str
    price_text: str
    winner_avatar_url: str
    def __init__(self, id: _Optional[str] = ..., status: _Optional[int] = ..., end_time: _Optional[int] = ..., winner_nickname: _Optional[str] = ..., price: _Optional[str] = ..., price_text: _Optional[str] = ..., winner_avatar_url: _Optional[str] = ...) -> None: ...

class OecTracking(_message.Message):
    __slots__ = ("event_name", "parameters")
    EVENT_NAME_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    event_name: str
    parameters: _containers.RepeatedCompositeFieldContainer[OecTrackingParameter]
    def __init__(self, event_name: _Optional[str] = ..., parameters: _Optional[_Iterable[_Union[OecTrackingParameter, _Mapping]]] = ...) -> None: ...

class OecTrackingParameter(_message.Message):
    __slots__ = ("key", "value")
    KEY_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    key: str
    value: str
    def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class OecAuctionResult(_message.Message):
    __slots__ = ("user", "product", "variant", "order_create_time", "result_time")
    USER_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_FIELD_NUMBER: _ClassVar[int]
    VARIANT_FIELD_NUMBER: _ClassVar[int]
    ORDER_CREATE_TIME_FIELD_NUMBER: _ClassVar[int]
    RESULT_TIME_FIELD_NUMBER: _ClassVar[int]
    user: OecBuyer
    product: OecProduct
    variant: OecVariant
    order_create_time: int
    result_time: int
    def __init__(self, user: _Optional[_Union[OecBuyer, _Mapping]] = ..., product: _Optional[_Union[OecProduct, _Mapping]] = ..., variant: _Optional[_Union[OecVariant, _Mapping]] = ..., order_create_time: _Optional[int] = ..., result_time: _Optional[int] = ...) -> None: ...

class OecBuyer(_message.Message):
    __slots__ = ("id", "nickname", "display_id")
    ID_FIELD_NUMBER: _ClassVar[int]
    NICKNAME_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_ID_FIELD_NUMBER: _ClassVar[int]
    id: int
    nickname: str
    display_id: str
    def __init__(self, id: _Optional[int] = ..., nickname: _Optional[str] = ..., display_id: _Optional[str] = ...) -> None: ...

class OecProduct(_message.Message):
    __slots__ = ("title", "price", "product_id")
    TITLE_FIELD_NUMBER: _ClassVar[int]
    PRICE_FIELD_NUMBER: _ClassVar[int]
    PRODUCT_ID_FIELD_NUMBER: _ClassVar[int]
    title: str
    price: OecPrice
    product_id: str
    def __init__(self, title: _Optional[str] = ..., price: _Optional[_Union[OecPrice, _Mapping]] = ..., product_id: _Optional[str] = ...) -> None: ...

class OecPrice(_message.Message):
    __slots__ = ("formatted",)
    FORMATTED_FIELD_NUMBER: _ClassVar[int]
    formatted: str
    def __init__(self, formatted: _Optional[str] = ...) -> None: ...

class OecVariant(_message.Message):
    __slots__ = ("lot_number", "sku_id")
    LOT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SKU_ID_FIELD_NUMBER: _ClassVar[int]
    lot_number: str
    sku_id: str
    def __init__(self, lot_number: _Optional[str] = ..., sku_id: _Optional[str] = ...) -> None: ...

class AccessControlMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class BoostCardMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class GameRankNotifyMessage(_message.Message):
    __slots__ = ("common", "msg_type")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    MSG_TYPE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    msg_type: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., msg_type: _Optional[int] = ...) -> None: ...

class GiftDynamicRestrictionMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class GiftPanelUpdateMessage(_message.Message):
    __slots__ = ("common", "room_id", "timestamp")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    TIMESTAMP_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    room_id: int
    timestamp: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., room_id: _Optional[int] = ..., timestamp: _Optional[int] = ...) -> None: ...

class GiftPromptMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class GuideMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class HourlyRankRewardMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class LinkMicLayoutStateMessage(_message.Message):
    __slots__ = ("common", "room_id")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    ROOM_ID_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    room_id: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., room_id: _Optional[int] = ...) -> None: ...

class LinkStateMessage(_message.Message):
    __slots__ = ("common", "channel_id", "scene", "version")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_ID_FIELD_NUMBER: _ClassVar[int]
    SCENE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    channel_id: int
    scene: int
    version: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., channel_id: _Optional[int] = ..., scene: _Optional[int] = ..., version: _Optional[int] = ...) -> None: ...

class LiveGameIntroMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class NoticeMessage(_message.Message):
    __slots__ = ("common", "notice_type")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    NOTICE_TYPE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    notice_type: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., notice_type: _Optional[int] = ...) -> None: ...

class OecLiveCreatorMessage(_message.Message):
    __slots__ = ("common", "auction_data", "tracking")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    AUCTION_DATA_FIELD_NUMBER: _ClassVar[int]
    TRACKING_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    auction_data: OecAuctionData
    tracking: OecTracking
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., auction_data: _Optional[_Union[OecAuctionData, _Mapping]] = ..., tracking: _Optional[_Union[OecTracking, _Mapping]] = ...) -> None: ...

class OecLiveManagerMessage(_message.Message):
    __slots__ = ("common", "type", "auction_result")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    TYPE_FIELD_NUMBER: _ClassVar[int]
    AUCTION_RESULT_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    type: int
    auction_result: OecAuctionResult
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., type: _Optional[int] = ..., auction_result: _Optional[_Union[OecAuctionResult, _Mapping]] = ...) -> None: ...

class PartnershipGameOfflineMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class PartnershipPunishMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class SpeakerMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class ToastMessage(_message.Message):
    __slots__ = ("common", "display_duration_ms", "delay_display_duration_ms")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    DISPLAY_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    DELAY_DISPLAY_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    display_duration_ms: int
    delay_display_duration_ms: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., display_duration_ms: _Optional[int] = ..., delay_display_duration_ms: _Optional[int] = ...) -> None: ...

class UpdateShareRevenueNoticeMessage(_message.Message):
    __slots__ = ("common",)
    COMMON_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ...) -> None: ...

class ViewerPicksUpdateMessage(_message.Message):
    __slots__ = ("common", "update_type")
    COMMON_FIELD_NUMBER: _ClassVar[int]
    UPDATE_TYPE_FIELD_NUMBER: _ClassVar[int]
    common: KindCommon
    update_type: int
    def __init__(self, common: _Optional[_Union[KindCommon, _Mapping]] = ..., update_type: _Optional[int] = ...) -> None: ...

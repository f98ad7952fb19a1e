"""One typed record per schema. Generated from schemas/ by `make generate`; do not edit."""

from typing import TypedDict


class Meta(TypedDict):
    """Where and when an event came from."""

    event_id: str
    streamer: str
    room_id: str
    message_id: str | None
    method: str | None
    created_at: int | None
    received_at: int
    room_sequence: int
    is_history: bool
    worker: str
    streak_id: str | None
    payload: bytes | None
    text_repaired: bool | None
    streamer_id: str | None
    connection: str | None


class AccessControlEvent(TypedDict):
    """TikTok asks viewers to prove that they are none of a machine's; an anonymous visit ends."""

    name: str
    meta: Meta | None


class AccessRecallEvent(TypedDict):
    """TikTok took a permission of the streamer's away."""

    subject: str | None
    name: str
    status: int | None
    meta: Meta | None


class Avatar(TypedDict):
    """The URLs of a user's avatar."""

    urls: list[str]
    avatar_url: str | None


class Badge(TypedDict):
    """A badge of a user, such as moderator."""

    type: str | None
    name: str | None


class BadgeContainer(TypedDict):
    """A user's badges."""

    badges: list[Badge]


class BadgeText(TypedDict):
    """A badge that shows a text."""

    key: str | None
    default_pattern: str | None


class BadgeStruct(TypedDict):
    """A badge as TikTok describes one."""

    display_type: int | None
    scene_type: int | None
    text: BadgeText | None


class Image(TypedDict):
    """A picture that TikTok serves."""

    url_list: list[str]
    uri: str | None
    height: int | None
    width: int | None
    avg_color: str | None
    is_animated: bool | None


class ExtraAttributes(TypedDict):
    """Further attributes of a user."""

    followRole: int | None


class UserBadge(TypedDict):
    """A badge of a user, of whatever form."""

    display_type: int | None
    scene_type: int | None
    level: int | None
    key: str | None
    name: str | None
    text: str | None


class User(TypedDict):
    """A TikTok user."""

    userId: int | None
    uniqueId: str | None
    nickname: str | None
    profilePicture: Avatar | None
    extraAttributes: ExtraAttributes
    badge: BadgeContainer
    is_following: bool
    is_friend: bool
    is_moderator: bool
    user_id_str: str | None
    sec_uid: str | None
    following_count: int | None
    follower_count: int | None
    gifter_level: int | None
    fan_club_name: str | None
    fan_club_level: int | None
    is_subscriber: bool | None
    badge_list: list[UserBadge] | None


class TextPieceUser(TypedDict):
    """A user in the slot of a text."""

    user: User | None


class PatternRef(TypedDict):
    """A text without slots, such as the name of a gift in a text."""

    key: str | None
    default_pattern: str | None


class TextPieceGift(TypedDict):
    """A gift in the slot of a text."""

    gift_id: int | None
    gift_id_str: str | None
    name: PatternRef | None


class TextPieceImage(TypedDict):
    """A picture in the slot of a text."""

    image: Image | None


class TextPiece(TypedDict):
    """What fills one slot of a text."""

    type: int | None
    string_value: str | None
    user_value: TextPieceUser | None
    gift_value: TextPieceGift | None
    image_value: TextPieceImage | None


class Text(TypedDict):
    """A text of TikTok's, and what fills its slots."""

    key: str | None
    default_pattern: str | None
    pieces: list[TextPiece]


class BarrageGrade(TypedDict):
    """A user's level as a gifter."""

    level: int | None
    user: User | None


class BarrageFansLevel(TypedDict):
    """A user's level as a member of the team."""

    level: int | None
    user: User | None


class BarrageEvent(TypedDict):
    """An announcement that runs across the screen, such as the entrance of a gifter."""

    msg_type: int | None
    icon: Image | None
    content: Text | None
    duration: int | None
    background: Image | None
    right_icon: Image | None
    display_config: int | None
    gallery_gift_id: int | None
    gallery_gift_id_str: str | None
    scene: str | None
    use_marquee: bool | None
    show_type: int | None
    render_type: int | None
    left_icon_display_type: int | None
    ribbon_animation: Image | None
    hybrid_url: str | None
    schema: str | None
    sub_type: str | None
    common_barrage_content: Text | None
    user: User | None
    user_grade_param: BarrageGrade | None
    fans_level_param: BarrageFansLevel | None
    name: str
    meta: Meta | None


class BattleResult(TypedDict):
    """How a battle ended for one host."""

    user_id: int | None
    user_id_str: str | None
    result: int | None
    score: int | None


class BattleSetting(TypedDict):
    """The terms of a battle between hosts."""

    battle_id: int | None
    battle_id_str: str | None
    start_time_ms: int | None
    duration: int | None
    channel_id: int | None
    channel_id_str: str | None
    status: int | None
    invite_type: int | None
    battle_type: int | None
    extra_duration_second: int | None
    end_time_ms: int | None


class BattleTaskParameter(TypedDict):
    """What fills a slot of a task's text."""

    name: str | None
    value: str | None


class BattleTaskText(TypedDict):
    """A text of a task."""

    key: str | None
    parameters: list[BattleTaskParameter]


class BattleTaskPrompt(TypedDict):
    """A text that is shown at some time of a task."""

    text: BattleTaskText | None
    image: Image | None


class BattleTask(TypedDict):
    """A task within a battle."""

    prompts: list[BattleTaskPrompt]


class BattleTaskResult(TypedDict):
    """What came of a task."""

    text: BattleTaskText | None


class BattleTaskStart(TypedDict):
    """A task that was set."""

    task: BattleTask | None


class BattleTeamUser(TypedDict):
    """A host's part in a team's points."""

    user_id: int | None
    user_id_str: str | None
    score: int | None


class BattleTeamResult(TypedDict):
    """How a battle ended for one team."""

    team_id: int | None
    team_id_str: str | None
    team_users: list[BattleTeamUser]
    result: int | None
    team_score: int | None


class BattleUserArmy(TypedDict):
    """A supporter of one side of a battle."""

    user_id: int | None
    user_id_str: str | None
    score: int | None
    nickname: str | None
    avatar_thumb: Image | None
    diamond_score: int | None


class BattleUserArmies(TypedDict):
    """One side of a battle: its best supporters and its points."""

    user_armies: list[BattleUserArmy]
    hostscore: int | None


class BattleTeamUserArmies(TypedDict):
    """One team of a battle with several hosts a side."""

    team_id: int | None
    team_id_str: str | None
    team_users: list[BattleTeamUser]
    team_score: int | None
    user_armies: BattleUserArmies | None


class BattleUser(TypedDict):
    """A user as battle messages describe one."""

    user_id: int | None
    user_id_str: str | None
    nick_name: str | None
    avatar: Image | None
    display_id: str | None


class BattleUserInfo(TypedDict):
    """A user within a battle message."""

    user: BattleUser | None


class BoostCardEvent(TypedDict):
    """A card that boosts the live, or what it is worth now."""

    name: str
    meta: Meta | None


class PunishInfo(TypedDict):
    """A measure of TikTok's against a user."""

    type: str | None
    reason: str | None
    id: str | None
    user_id: int | None
    user_id_str: str | None


class BottomEvent(TypedDict):
    """A notice at the bottom of the screen, such as a warning of TikTok's."""

    punish_info: PunishInfo | None
    display_text: Text | None
    name: str
    meta: Meta | None


class CapsuleEvent(TypedDict):
    """A reminder above the chat, such as of a goal."""

    icon: Image | None
    text: Text | None
    button_text: Text | None
    schema: str | None
    key: str | None
    name: str
    meta: Meta | None


class CaptionContent(TypedDict):
    """A caption in one language."""

    lang: str | None
    content: str | None


class CaptionEvent(TypedDict):
    """What the streamer said, as text."""

    timestamp_ms: int | None
    duration_ms: int | None
    content: list[CaptionContent]
    sentence_id: int | None
    sentence_id_str: str | None
    sequence_id: int | None
    sequence_id_str: str | None
    definite: bool | None
    name: str
    meta: Meta | None


class Emote(TypedDict):
    """A picture that is sent like a letter."""

    emote_id: str | None
    image: Image | None
    audit_status: int | None
    uuid: str | None
    emote_type: int | None
    content_source: int | None


class EmoteWithIndex(TypedDict):
    """An emote within a comment."""

    index: int | None
    emote: Emote | None


class UserIdentity(TypedDict):
    """A viewer's relation to the streamer."""

    is_gift_giver_of_anchor: bool | None
    is_subscriber_of_anchor: bool | None
    is_mutual_following_with_anchor: bool | None
    is_follower_of_anchor: bool | None
    is_moderator_of_anchor: bool | None
    is_anchor: bool | None


class CommentEvent(TypedDict):
    """Someone commented on the live."""

    user: User | None
    comment: str | None
    name: str
    at_user: User | None
    emotes: list[EmoteWithIndex] | None
    content_language: str | None
    user_identity: UserIdentity | None
    mention_users: list[User] | None
    meta: Meta | None


class RoomInfo(TypedDict):
    """What the look-up that found a live said of it and of whose it is: a snapshot of that moment."""

    unique_id: str | None
    nickname: str | None
    title: str | None
    followers: int | None
    viewers: int | None
    visits: int | None
    likes: int | None


class ConnectEvent(TypedDict):
    """The producer connected to the live; published once a connection."""

    name: str
    started_at: int | None
    room: RoomInfo | None
    meta: Meta | None


class TopViewer(TypedDict):
    """A viewer, by what TikTok says of those at the top."""

    userId: int | None
    user_id_str: str | None
    uniqueId: str | None
    nickname: str | None


class Contributor(TypedDict):
    """One of the viewers at the top of a live."""

    score: int | None
    user: TopViewer | None
    rank: int | None


class DisconnectEvent(TypedDict):
    """The producer's connection to the live ended; published once a connection, unless the process was killed."""

    name: str
    reason: str | None
    meta: Meta | None


class EmoteChatEvent(TypedDict):
    """Someone sent emotes."""

    user: User | None
    emote_list: list[Emote]
    user_identity: UserIdentity | None
    name: str
    meta: Meta | None


class EnvelopeInfo(TypedDict):
    """A treasure box."""

    envelope_id: str | None
    business_type: int | None
    envelope_idc: str | None
    send_user_name: str | None
    diamond_count: int | None
    people_count: int | None
    unpack_at: int | None
    send_user_id: str | None
    send_user_avatar: Image | None
    create_at: str | None
    room_id: str | None
    follow_show_status: int | None
    skin_id: int | None
    skin_id_str: str | None
    vote_count: int | None
    super_fan_count: int | None


class EnvelopeEvent(TypedDict):
    """A treasure box appeared or went."""

    envelope_info: EnvelopeInfo | None
    display: int | None
    display_text: Text | None
    name: str
    meta: Meta | None


class GiftIcon(TypedDict):
    """A picture of a gift in the gift list."""

    avg_color: str | None
    uri: str | None
    is_animated: bool | None
    url_list: list[str] | None


class ExtendedGift(TypedDict):
    """A gift as the gift list describes it."""

    id: int | None
    name: str | None
    type: int | None
    diamond_count: int | None
    describe: str | None
    duration: int | None
    event_name: str | None
    icon: GiftIcon | None
    image: GiftIcon | None
    notify: bool | None
    is_broadcast_gift: bool | None
    is_displayed_on_panel: bool | None
    is_effect_befview: bool | None
    is_random_gift: bool | None
    is_gray: bool | None
    id_str: str | None


class FanTicketUser(TypedDict):
    """A linked user's fan tickets."""

    user_id: int | None
    user_id_str: str | None
    fan_ticket_count: int | None


class FanTicketNotice(TypedDict):
    """Fan tickets of all linked users."""

    users: list[FanTicketUser]
    total_fan_ticket_count: int | None
    icon_url: str | None


class FollowEvent(TypedDict):
    """A user followed the streamer."""

    user: User | None
    displayType: str | None
    label: str | None
    name: str
    share_type: int | None
    action: int | None
    share_target: str | None
    follow_count: int | None
    share_count: int | None
    meta: Meta | None


class GameRankNotifyEvent(TypedDict):
    """The rank of the live among those of a game."""

    msg_type: int | None
    name: str
    meta: Meta | None


class GiftDetailImage(TypedDict):
    """The picture of a gift."""

    giftPictureUrl: str | None


class GiftDetails(TypedDict):
    """What a gift is and costs."""

    giftImage: GiftDetailImage | None
    describe: str | None
    giftType: int | None
    diamondCount: int | None
    giftName: str | None
    duration: int | None
    combo: bool | None


class GiftExtra(TypedDict):
    """Who received a gift and when."""

    timestamp: int | None
    receiverUserId: int | None
    receiver_user_id_str: str | None


class Gift(TypedDict):
    """A gift within a gift event."""

    giftId: int | None
    repeatCount: int | None
    repeatEnd: int | None
    giftDetails: GiftDetails | None
    giftExtra: GiftExtra | None
    extended_gift: ExtendedGift | None
    gift_type: int | None
    streakable: bool
    streaking: bool
    gift_list_version: str | None
    gift_id_str: str | None
    fan_ticket_count: int | None
    group_count: int | None
    combo_count: int | None
    group_id: int | None
    group_id_str: str | None
    send_type: int | None
    color_id: int | None
    order_id: str | None


class NoticeImage(TypedDict):
    """The picture behind a notification."""

    url_list: list[str]
    uri: str | None


class NoticeBackground(TypedDict):
    """What is behind a notification."""

    image: NoticeImage | None


class RoomNotification(TypedDict):
    """A notification across rooms, within another message."""

    display_text: Text | None
    schema: str | None
    background: NoticeBackground | None
    source: str | None
    user_id: int | None
    user_id_str: str | None


class GiftBroadcastEvent(TypedDict):
    """A gift that is announced beyond its room."""

    user_id: int | None
    user_id_str: str | None
    image: Image | None
    notification: RoomNotification | None
    name: str
    meta: Meta | None


class GiftDynamicRestrictionEvent(TypedDict):
    """Which gifts may be given changed."""

    name: str
    meta: Meta | None


class GiftEvent(TypedDict):
    """A gift message was received; a streak sends many of them, each with a running total."""

    user: User | None
    gift: Gift | None
    name: str
    to_user: User | None
    user_identity: UserIdentity | None
    meta: Meta | None


class GiftFinalizedEvent(TypedDict):
    """What was really given: a total for each streak once it is over, and each gift without streaks."""

    user: User | None
    gift_id: str | None
    gift_name: str | None
    streak_id: str
    count: int
    total: int
    diamonds: int | None
    diamonds_source: str
    gift_list_version: str | None
    ended_by: str
    corrects: str | None
    last_message_id: str | None
    name: str
    receiver_id: str | None
    receiver_unique_id: str | None
    receiver_nickname: str | None
    price: int | None
    gift_picture_url: str | None
    first_message_at: int | None
    last_message_at: int | None
    meta: Meta | None


class GiftPanelUpdateEvent(TypedDict):
    """The panel of gifts changed."""

    room_id: int | None
    room_id_str: str | None
    timestamp: int | None
    name: str
    meta: Meta | None


class GiftPromptEvent(TypedDict):
    """A prompt to give something."""

    name: str
    meta: Meta | None


class SubGoalGift(TypedDict):
    """The gift that a goal counts."""

    name: str | None
    icon: Image | None
    diamond_count: int | None
    type: int | None


class SubGoal(TypedDict):
    """A part of a goal: how many of what."""

    type: int | None
    id: int | None
    id_str: str | None
    progress: int | None
    target: int | None
    gift: SubGoalGift | None
    source: int | None
    recommended_text: str | None
    recommended_header: str | None


class GoalContributor(TypedDict):
    """A user that contributed to a goal."""

    user_id: int | None
    user_id_str: str | None
    avatar: Image | None
    display_id: str | None
    score: int | None


class Goal(TypedDict):
    """A goal of the streamer's, such as a number of gifts."""

    id: int | None
    id_str: str | None
    type: int | None
    status: int | None
    sub_goals: list[SubGoal]
    description: str | None
    audit_status: int | None
    cycle_type: int | None
    start_time: int | None
    expire_time: int | None
    real_finish_time: int | None
    contributors: list[GoalContributor]
    contributors_length: int | None
    audit_description: str | None
    goal_extra_info: str | None
    mode: int | None
    challenge_type: str | None
    is_uneditable: bool | None
    create_source: int | None


class GoalIndicator(TypedDict):
    """Which goal an update is about."""

    key: str | None


class GoalUpdateEvent(TypedDict):
    """A goal of the streamer's, or progress towards it."""

    indicator: GoalIndicator | None
    goal: Goal | None
    contributor_id: int | None
    contributor_id_str: str | None
    contributor_avatar: Image | None
    contributor_display_id: str | None
    contribute_subgoal: SubGoal | None
    contribute_count: int | None
    contribute_score: int | None
    gift_repeat_count: int | None
    update_source: int | None
    goal_extra: str | None
    name: str
    meta: Meta | None


class GuideEvent(TypedDict):
    """A hint of TikTok's to viewers."""

    name: str
    meta: Meta | None


class HostArmies(TypedDict):
    """One host's side of a battle."""

    host_id: int | None
    host_id_str: str | None
    armies: BattleUserArmies | None


class HostInfo(TypedDict):
    """A host of a battle."""

    host_id: int | None
    host_id_str: str | None
    info: BattleUserInfo | None


class HostResult(TypedDict):
    """One host's result of a battle."""

    host_id: int | None
    host_id_str: str | None
    result: BattleResult | None


class HourlyRankData(TypedDict):
    """The streamer's place in the hourly ranking."""

    text: Text | None


class HourlyRankEvent(TypedDict):
    """The streamer's place in the hourly ranking; rank_update carries rankings today."""

    data: HourlyRankData | None
    name: str
    meta: Meta | None


class HourlyRankRewardEvent(TypedDict):
    """A reward for a place in the hourly ranking."""

    name: str
    meta: Meta | None


class ImDeleteEvent(TypedDict):
    """Messages were taken back."""

    delete_msg_ids: list[int]
    delete_msg_ids_str: list[str]
    delete_user_ids: list[int]
    delete_user_ids_str: list[str]
    name: str
    meta: Meta | None


class InRoomBannerEvent(TypedDict):
    """The banners of the room."""

    data: str | None
    name: str
    meta: Meta | None


class ItemCard(TypedDict):
    """An item of a battle, such as a boosting glove."""

    name_key: str | None
    image: Image | None
    time: int | None
    owner: BattleUserInfo | None
    schema: str | None


class ItemCardAward(TypedDict):
    """The award of an item."""

    text: Text | None


class ItemCardUse(TypedDict):
    """The use of an item."""

    card: ItemCard | None
    text: Text | None


class JoinEvent(TypedDict):
    """A user joined the live."""

    user: User | None
    displayType: str | None
    label: str | None
    name: str
    member_count: int | None
    enter_type: int | None
    action: int | None
    client_enter_source: str | None
    client_enter_type: str | None
    meta: Meta | None


class Label(TypedDict):
    """A label of a streamer on the shared list."""

    name: str | None
    value: str | None


class LikeEvent(TypedDict):
    """A user liked the live."""

    user: User | None
    likeCount: int | None
    totalLikeCount: int | None
    displayType: str | None
    label: str | None
    name: str
    meta: Meta | None


class LinkedUser(TypedDict):
    """A user that is linked to the live, or waits to be."""

    user: User | None
    time: int | None
    link_mic_id: str | None
    fan_ticket_count: int | None


class LinkListChange(TypedDict):
    """The users of a link after a change."""

    linked_users: list[LinkedUser]
    waiting_users: list[LinkedUser]


class LinkEvent(TypedDict):
    """The users that are linked to the live changed."""

    message_type: int | None
    linker_id: int | None
    linker_id_str: str | None
    scene: int | None
    list_change_content: LinkListChange | None
    name: str
    meta: Meta | None


class LinkLayerUser(TypedDict):
    """A user of a linked channel, by ids."""

    room_id: int | None
    room_id_str: str | None
    user_id: int | None
    user_id_str: str | None


class LinkLayerPlayer(TypedDict):
    """A user that is linked, or waits to be."""

    user: LinkLayerUser | None
    link_mic_id: str | None
    time_ns: int | None


class LinkLayerUsers(TypedDict):
    """The users of a linked channel."""

    linked_users: list[LinkLayerPlayer]
    waiting_users: list[LinkLayerPlayer]


class LinkLayerListChange(TypedDict):
    """The users of a linked channel after a change."""

    users: LinkLayerUsers | None


class LinkLayerEvent(TypedDict):
    """The linked channel changed, told by ids; link tells the same with users."""

    message_type: int | None
    channel_id: int | None
    channel_id_str: str | None
    scene: int | None
    list_change: LinkLayerListChange | None
    name: str
    meta: Meta | None


class LinkMicArmiesEvent(TypedDict):
    """The points and supporters of a battle between hosts."""

    battle_id: int | None
    battle_id_str: str | None
    armies: list[HostArmies]
    channel_id: int | None
    channel_id_str: str | None
    send_gift_success_time: int | None
    update_battle_score_time: int | None
    trigger_reason: int | None
    from_user_id: int | None
    from_user_id_str: str | None
    gift_id: int | None
    gift_id_str: str | None
    gift_count: int | None
    gift_icon_image: Image | None
    total_diamond_count: int | None
    repeat_count: int | None
    team_armies: list[BattleTeamUserArmies]
    trigger_critical_strike: bool | None
    has_team_match_mvp_sfx: bool | None
    log_id: str | None
    battle_settings: BattleSetting | None
    name: str
    meta: Meta | None


class LinkMicBattleEvent(TypedDict):
    """A battle between hosts began, ended, or is asked for."""

    battle_id: int | None
    battle_id_str: str | None
    battle_settings: BattleSetting | None
    action: int | None
    battle_result: list[HostResult]
    invitee_gift_permission_type: int | None
    armies: list[HostArmies]
    anchors_info: list[HostInfo]
    bubble_text: str | None
    action_by_user_id: int | None
    action_by_user_id_str: str | None
    team_battle_result: list[BattleTeamResult]
    team_armies: list[BattleTeamUserArmies]
    name: str
    meta: Meta | None


class LinkMicBattleItemCardEvent(TypedDict):
    """An item was won or used in a battle between hosts."""

    battle_id: int | None
    battle_id_str: str | None
    message_type: int | None
    use: ItemCardUse | None
    award: ItemCardAward | None
    name: str
    meta: Meta | None


class LinkMicBattlePunishFinishEvent(TypedDict):
    """The time after a battle between hosts, when the loser pays, is over."""

    channel_id: int | None
    channel_id_str: str | None
    battle_id: int | None
    battle_id_str: str | None
    battle_settings: BattleSetting | None
    name: str
    meta: Meta | None


class LinkMicEvent(TypedDict):
    """Something changed for a user that is linked to the live; in the captures always a count of fan tickets."""

    message_type: int | None
    user_id: int | None
    user_id_str: str | None
    fan_ticket_count: int | None
    name: str
    meta: Meta | None


class LinkMicFanTicketEvent(TypedDict):
    """The fan tickets (diamonds received) of the users that are linked to the live."""

    notice: FanTicketNotice | None
    name: str
    meta: Meta | None


class LinkMicLayoutStateEvent(TypedDict):
    """How hosts and guests are laid out on the screen."""

    room_id: int | None
    room_id_str: str | None
    name: str
    meta: Meta | None


class LinkStateEvent(TypedDict):
    """The state of a connection between hosts and guests."""

    channel_id: int | None
    channel_id_str: str | None
    scene: int | None
    version: int | None
    name: str
    meta: Meta | None


class LinkmicBattleTaskEvent(TypedDict):
    """A task within a battle between hosts was set, or what came of it."""

    message_type: int | None
    start: BattleTaskStart | None
    result: BattleTaskResult | None
    name: str
    meta: Meta | None


class LiveEndEvent(TypedDict):
    """The live ended; published once a live by the session that saw it end."""

    name: str
    reason: str | None
    action: int | None
    tips: str | None
    started_at: int | None
    meta: Meta | None


class LiveGameIntroEvent(TypedDict):
    """The game that the live is about."""

    name: str
    meta: Meta | None


class LiveIntroEvent(TypedDict):
    """What the streamer says of the live to those who join."""

    id: int | None
    id_str: str | None
    audit_status: int | None
    content: str | None
    user: User | None
    intro_mode: int | None
    badges: list[BadgeStruct]
    content_language: str | None
    name: str
    meta: Meta | None


class LiveStartEvent(TypedDict):
    """A live was found; published once a live by the session that found it, before it is connected to."""

    name: str
    known_by: str | None
    started_at: int | None
    renamed_to: str | None
    room: RoomInfo | None
    meta: Meta | None


class MarqueeNotifications(TypedDict):
    """What a marquee shows."""

    messages: list[RoomNotification]


class MarqueeAnnouncementEvent(TypedDict):
    """An announcement across rooms, such as that a top streamer is live."""

    scene: str | None
    notifications: MarqueeNotifications | None
    name: str
    meta: Meta | None


class MsgDetectTimes(TypedDict):
    """Times on the way of a message."""

    first_ms: int | None
    second_ms: int | None
    third_ms: int | None


class MsgDetectEvent(TypedDict):
    """TikTok measures how fast its messages are."""

    times: MsgDetectTimes | None
    region: str | None
    name: str
    detect_type: int | None
    meta: Meta | None


class NoticeEvent(TypedDict):
    """A notice of TikTok's."""

    notice_type: int | None
    name: str
    meta: Meta | None


class OecAuction(TypedDict):
    """An auction of a shop's live."""

    id: str | None
    status: int | None
    end_time: int | None
    winner_nickname: str | None
    price: str | None
    price_text: str | None
    winner_avatar_url: str | None


class OecAuctionState(TypedDict):
    """The state of an auction."""

    auction: OecAuction | None


class OecAuctionData(TypedDict):
    """What a message says of an auction."""

    state: OecAuctionState | None


class OecBuyer(TypedDict):
    """Who bids or buys."""

    id: int | None
    id_str: str | None
    nickname: str | None
    display_id: str | None


class OecPrice(TypedDict):
    """A price."""

    formatted: str | None


class OecProduct(TypedDict):
    """What is sold."""

    title: str | None
    price: OecPrice | None
    product_id: str | None


class OecVariant(TypedDict):
    """Which of a product's."""

    lot_number: str | None
    sku_id: str | None


class OecAuctionResult(TypedDict):
    """A lot, and who leads or has won."""

    user: OecBuyer | None
    product: OecProduct | None
    variant: OecVariant | None
    order_create_time: int | None
    result_time: int | None


class OecTrackingParameter(TypedDict):
    """A name and what it is."""

    key: str | None
    value: str | None


class OecTracking(TypedDict):
    """What happened, as TikTok's own statistics are told."""

    event_name: str | None
    parameters: list[OecTrackingParameter]


class OecLiveCreatorEvent(TypedDict):
    """An auction of a shop's live: its start, its bids and its end."""

    auction_data: OecAuctionData | None
    tracking: OecTracking | None
    name: str
    meta: Meta | None


class OecLiveManagerEvent(TypedDict):
    """The state of a shop's live: of an auction, who leads and who won."""

    type: int | None
    auction_result: OecAuctionResult | None
    name: str
    meta: Meta | None


class ShoppingProduct(TypedDict):
    """A product that is shown in a live."""

    title: str | None
    price: str | None
    image_url: str | None
    url: str | None
    schema: str | None
    shop_name: str | None


class OecLiveShoppingEvent(TypedDict):
    """The streamer shows a product of TikTok's shop, or stops to."""

    product: ShoppingProduct | None
    name: str
    meta: Meta | None


class PartnershipDropsUpdateEvent(TypedDict):
    """A game's rewards for watching changed."""

    id: str | None
    name: str
    change_mode: int | None
    meta: Meta | None


class PartnershipGameOfflineEvent(TypedDict):
    """Games that are no longer offered with the live."""

    name: str
    meta: Meta | None


class PartnershipPunishEvent(TypedDict):
    """A measure of TikTok's against a partnership."""

    name: str
    meta: Meta | None


class PauseEvent(TypedDict):
    """The live was paused by its host; it goes on, or ends."""

    tips: str | None
    source: str | None
    name: str
    meta: Meta | None


class PerceptionEvent(TypedDict):
    """TikTok tells of a measure against a user."""

    punish_info: PunishInfo | None
    name: str
    meta: Meta | None


class PollVoter(TypedDict):
    """A user that voted."""

    user_id: int | None
    user_id_str: str | None
    nickname: str | None
    avatar: Image | None


class PollOption(TypedDict):
    """An answer of a poll."""

    votes: int | None
    display_content: str | None
    option_idx: int | None
    voters: list[PollVoter]


class PollEnd(TypedDict):
    """A poll that ended."""

    end_type: int | None
    options: list[PollOption]
    operator: User | None


class PollStart(TypedDict):
    """A poll that began."""

    start_time: int | None
    end_time: int | None
    options: list[PollOption]
    title: str | None
    operator: User | None


class PollVotes(TypedDict):
    """The votes of a poll."""

    options: list[PollOption]
    operator: User | None


class PollEvent(TypedDict):
    """A poll of the streamer's began, ended, or was voted in."""

    message_type: int | None
    poll_id: int | None
    poll_id_str: str | None
    start_content: PollStart | None
    end_content: PollEnd | None
    update_votes_content: PollVotes | None
    poll_kind: int | None
    name: str
    meta: Meta | None


class QuestionEvent(TypedDict):
    """Someone asked a question (Q&A)."""

    questionText: str | None
    user: User | None
    name: str
    question_id: int | None
    question_id_str: str | None
    create_time: int | None
    meta: Meta | None


class RankTextEvent(TypedDict):
    """A viewer came to be among the top viewers of the live."""

    scene: int | None
    owner_idx_before_update: int | None
    owner_idx_after_update: int | None
    self_get_badge_msg: Text | None
    other_get_badge_msg: Text | None
    cur_user_id: int | None
    cur_user_id_str: str | None
    left_icon: Image | None
    content: Text | None
    rank_type: int | None
    display_text: Text | None
    name: str
    meta: Meta | None


class RankUpdate(TypedDict):
    """The streamer's place in one ranking."""

    rank_type: int | None
    own_rank: int | None
    default_content: Text | None
    show_entrance_animation: bool | None
    countdown: int | None
    belong_type: int | None
    request_first_show_type: int | None
    supported_version: int | None
    owneronrank: bool | None
    entranceicon: Image | None
    current_score: int | None
    list_schema: str | None


class RankUpdateEvent(TypedDict):
    """The streamer's places in TikTok's rankings."""

    updates: list[RankUpdate]
    group_type: int | None
    op_type: int | None
    rank_priority: int | None
    is_animation_loop_play: bool | None
    animation_loop_for_off: bool | None
    name: str
    meta: Meta | None


class RoomEvent(TypedDict):
    """A notice in the room, such as that somebody became a member of the team."""

    content: str | None
    supprot_landscape: bool | None
    source: int | None
    icon: Image | None
    scene: str | None
    is_welcome: bool | None
    show_duration_ms: int | None
    sub_scene: str | None
    schema: str | None
    display_text: Text | None
    name: str
    meta: Meta | None


class RoomNotifyEvent(TypedDict):
    """A notification, such as that somebody got an item in a battle."""

    display_text: Text | None
    schema: str | None
    background: NoticeBackground | None
    source: str | None
    user_id: int | None
    user_id_str: str | None
    name: str
    meta: Meta | None


class ShareEvent(TypedDict):
    """A user shared the live."""

    user: User | None
    displayType: str | None
    label: str | None
    name: str
    share_type: int | None
    action: int | None
    share_target: str | None
    follow_count: int | None
    share_count: int | None
    meta: Meta | None


class RoomPinEvent(TypedDict):
    """A message was pinned to the top of the chat."""

    comment: CommentEvent | None
    follow: FollowEvent | None
    share: ShareEvent | None
    gift: GiftEvent | None
    join: JoinEvent | None
    like: LikeEvent | None
    method: str | None
    pin_time: int | None
    operator: User | None
    action: int | None
    display_duration: int | None
    pin_msg_id: int | None
    pin_msg_id_str: str | None
    name: str
    meta: Meta | None


class RoomStatsEvent(TypedDict):
    """TikTok's own totals of a live that is heard."""

    name: str
    title: str | None
    viewers: int | None
    total_viewers: int | None
    visits: int | None
    likes: int | None
    shares: int | None
    follows: int | None
    gifters: int | None
    meta: Meta | None


class RoomVerifyEvent(TypedDict):
    """TikTok checks the room."""

    action: int | None
    content: str | None
    notice_type: int | None
    close_room: bool | None
    name: str
    meta: Meta | None


class SpeakerEvent(TypedDict):
    """An announcement over all lives."""

    name: str
    meta: Meta | None


class StreamerEvent(TypedDict):
    """A streamer as the shared list has it."""

    name: str
    unique_id: str | None
    user_id: str | None
    labels: list[Label]
    meta: Meta | None


class SubNotifyEvent(TypedDict):
    """A user subscribed to the streamer."""

    user: User | None
    exhibition_type: int | None
    sub_month: int | None
    subscribe_type: int | None
    old_subscribe_status: int | None
    message_type: int | None
    subscribing_status: int | None
    is_send: bool | None
    is_custom: bool | None
    gift_source: int | None
    message_display_style: int | None
    package_id: str | None
    display_text: Text | None
    name: str
    meta: Meta | None


class SubPinText(TypedDict):
    """The words of a subscription pin."""

    content: str | None


class SubPinGoal(TypedDict):
    """What a subscription pin shows, by its numbers a goal."""

    id: int | None
    id_str: str | None
    time: int | None
    description: SubPinText | None
    target: int | None
    progress: int | None


class SubPin(TypedDict):
    """A subscription pin."""

    goal: SubPinGoal | None


class SubPinEvent(TypedDict):
    """Something about subscriptions was pinned."""

    pin: SubPin | None
    user_id: int | None
    user_id_str: str | None
    name: str
    action_type: int | None
    meta: Meta | None


class SystemEvent(TypedDict):
    """A word of TikTok's to everybody who joins, such as a welcome."""

    message: str | None
    display_text: Text | None
    name: str
    meta: Meta | None


class ToastEvent(TypedDict):
    """A short message over the screen."""

    display_duration_ms: int | None
    delay_display_duration_ms: int | None
    name: str
    meta: Meta | None


class UnauthorizedMemberEvent(TypedDict):
    """A viewer without an account joined the live on the web."""

    action: int | None
    nick_name_prefix: Text | None
    nick_name: str | None
    enter_text: Text | None
    name: str
    meta: Meta | None


class UnknownEvent(TypedDict):
    """A message that is none of the other events; nothing of it is lost."""

    name: str
    method: str | None
    payload: bytes | None
    meta: Meta | None


class UnpauseEvent(TypedDict):
    """The live goes on after a pause."""

    tips: str | None
    source: str | None
    name: str
    meta: Meta | None


class UpdateShareRevenueNoticeEvent(TypedDict):
    """The number of those with whom revenue is shared changed."""

    name: str
    meta: Meta | None


class ViewerCountUpdateEvent(TypedDict):
    """The number of viewers changed."""

    viewerCount: int | None
    name: str
    ranks: list[Contributor] | None
    total_user: int | None
    anonymous: int | None
    meta: Meta | None


class ViewerPicksUpdateEvent(TypedDict):
    """What viewers picked changed."""

    update_type: int | None
    name: str
    meta: Meta | None

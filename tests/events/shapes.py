"""Where each field of a record is on the wire, by number: the protocol sheet's tables and a reading of captured bytes.

Shares nothing with the program: messages are read by `wire_reader`, and written with something in every field.
"""

from typing import Any

from tests.events.wire_reader import Raw
from tests.events.wire_writer import Field, Fields

Place = tuple[int | tuple[int, int], str]

SHAPES: dict[str, dict[str, Place]] = {
    "AccessControlEvent": {},
    "AccessRecallEvent": {
        "subject": (5, "text"),
        "status": (2, "number"),
    },
    "BadgeStruct": {
        "display_type": (1, "number"),
        "scene_type": (3, "number"),
        "text": (21, "BadgeText"),
    },
    "BadgeText": {
        "key": (2, "text"),
        "default_pattern": (3, "text"),
    },
    "BarrageEvent": {
        "msg_type": (3, "number"),
        "icon": (4, "Image"),
        "content": (5, "Text"),
        "duration": (6, "number"),
        "background": (7, "Image"),
        "right_icon": (8, "Image"),
        "display_config": (9, "number"),
        "gallery_gift_id": (10, "number"),
        "gallery_gift_id_str": (10, "number as text"),
        "scene": (11, "text"),
        "use_marquee": (14, "flag"),
        "show_type": (15, "number"),
        "render_type": (17, "number"),
        "left_icon_display_type": (18, "number"),
        "ribbon_animation": (19, "Image"),
        "hybrid_url": (21, "text"),
        "schema": (22, "text"),
        "sub_type": (23, "text"),
        "common_barrage_content": (24, "Text"),
        "user": (50, "User"),
        "user_grade_param": (100, "BarrageGrade"),
        "fans_level_param": (101, "BarrageFansLevel"),
    },
    "BarrageFansLevel": {
        "level": (1, "number"),
        "user": (4, "User"),
    },
    "BarrageGrade": {
        "level": (1, "number"),
        "user": (4, "User"),
    },
    "BattleResult": {
        "user_id": (1, "number"),
        "user_id_str": (1, "number as text"),
        "result": (2, "number"),
        "score": (3, "number"),
    },
    "BattleSetting": {
        "battle_id": (1, "number"),
        "battle_id_str": (1, "number as text"),
        "start_time_ms": (2, "number"),
        "duration": (3, "number"),
        "channel_id": (4, "number"),
        "channel_id_str": (4, "number as text"),
        "status": (5, "number"),
        "invite_type": (6, "number"),
        "battle_type": (8, "number"),
        "extra_duration_second": (9, "number"),
        "end_time_ms": (10, "number"),
    },
    "BattleTask": {
        "prompts": (2, "[BattleTaskPrompt]"),
    },
    "BattleTaskParameter": {
        "name": (1, "text"),
        "value": (2, "text"),
    },
    "BattleTaskPrompt": {
        "text": (2, "BattleTaskText"),
        "image": (25, "Image"),
    },
    "BattleTaskResult": {
        "text": (1, "BattleTaskText"),
    },
    "BattleTaskStart": {
        "task": (1, "BattleTask"),
    },
    "BattleTaskText": {
        "key": (1, "text"),
        "parameters": (2, "[BattleTaskParameter]"),
    },
    "BattleTeamResult": {
        "team_id": (1, "number"),
        "team_id_str": (1, "number as text"),
        "team_users": (2, "[BattleTeamUser]"),
        "result": (3, "number"),
        "team_score": (4, "number"),
    },
    "BattleTeamUser": {
        "user_id": (1, "number"),
        "user_id_str": (1, "number as text"),
        "score": (2, "number"),
    },
    "BattleTeamUserArmies": {
        "team_id": (1, "number"),
        "team_id_str": (1, "number as text"),
        "team_users": (2, "[BattleTeamUser]"),
        "team_score": (3, "number"),
        "user_armies": (4, "BattleUserArmies"),
    },
    "BattleUser": {
        "user_id": (1, "number"),
        "user_id_str": (1, "number as text"),
        "nick_name": (2, "text"),
        "avatar": (3, "Image"),
        "display_id": (4, "text"),
    },
    "BattleUserArmies": {
        "user_armies": (1, "[BattleUserArmy]"),
        "hostscore": (2, "number"),
    },
    "BattleUserArmy": {
        "user_id": (1, "number"),
        "user_id_str": (1, "number as text"),
        "score": (2, "number"),
        "nickname": (3, "text"),
        "avatar_thumb": (4, "Image"),
        "diamond_score": (5, "number"),
    },
    "BattleUserInfo": {
        "user": (1, "BattleUser"),
    },
    "BoostCardEvent": {},
    "BottomEvent": {
        "punish_info": (8, "PunishInfo"),
        "display_text": ((1, 8), "Text"),
    },
    "CapsuleEvent": {
        "icon": (2, "Image"),
        "text": (3, "Text"),
        "button_text": (4, "Text"),
        "schema": (5, "text"),
        "key": (7, "text"),
    },
    "CaptionContent": {
        "lang": (1, "text"),
        "content": (2, "text"),
    },
    "CaptionEvent": {
        "timestamp_ms": (2, "number"),
        "duration_ms": (3, "number"),
        "content": (4, "[CaptionContent]"),
        "sentence_id": (5, "number"),
        "sentence_id_str": (5, "number as text"),
        "sequence_id": (6, "number"),
        "sequence_id_str": (6, "number as text"),
        "definite": (7, "flag"),
    },
    "Emote": {
        "emote_id": (1, "text"),
        "image": (2, "Image"),
        "audit_status": (3, "number"),
        "uuid": (4, "text"),
        "emote_type": (5, "number"),
        "content_source": (6, "number"),
    },
    "EmoteChatEvent": {
        "user": (2, "User"),
        "emote_list": (3, "[Emote]"),
        "user_identity": (5, "UserIdentity"),
    },
    "EmoteWithIndex": {
        "index": (1, "number"),
        "emote": (2, "Emote"),
    },
    "EnvelopeEvent": {
        "envelope_info": (2, "EnvelopeInfo"),
        "display": (3, "number"),
        "display_text": ((1, 8), "Text"),
    },
    "EnvelopeInfo": {
        "envelope_id": (1, "text"),
        "business_type": (2, "number"),
        "envelope_idc": (3, "text"),
        "send_user_name": (4, "text"),
        "diamond_count": (5, "number"),
        "people_count": (6, "number"),
        "unpack_at": (7, "number"),
        "send_user_id": (8, "text"),
        "send_user_avatar": (9, "Image"),
        "create_at": (10, "text"),
        "room_id": (11, "text"),
        "follow_show_status": (12, "number"),
        "skin_id": (13, "number"),
        "skin_id_str": (13, "number as text"),
        "vote_count": (14, "number"),
        "super_fan_count": (16, "number"),
    },
    "FanTicketNotice": {
        "users": (1, "[FanTicketUser]"),
        "total_fan_ticket_count": (2, "number"),
        "icon_url": (5, "text"),
    },
    "FanTicketUser": {
        "user_id": (1, "number"),
        "user_id_str": (1, "number as text"),
        "fan_ticket_count": (2, "number"),
    },
    "GameRankNotifyEvent": {
        "msg_type": (2, "number"),
    },
    "GiftBroadcastEvent": {
        "user_id": (2, "number"),
        "user_id_str": (2, "number as text"),
        "image": (3, "Image"),
        "notification": (4, "RoomNotification"),
    },
    "GiftDynamicRestrictionEvent": {},
    "GiftPanelUpdateEvent": {
        "room_id": (2, "number"),
        "room_id_str": (2, "number as text"),
        "timestamp": (3, "number"),
    },
    "GiftPromptEvent": {},
    "Goal": {
        "id": (1, "number"),
        "id_str": (1, "number as text"),
        "type": (2, "number"),
        "status": (3, "number"),
        "sub_goals": (4, "[SubGoal]"),
        "description": (5, "text"),
        "audit_status": (6, "number"),
        "cycle_type": (7, "number"),
        "start_time": (8, "number"),
        "expire_time": (9, "number"),
        "real_finish_time": (10, "number"),
        "contributors": (11, "[GoalContributor]"),
        "contributors_length": (12, "number"),
        "audit_description": (14, "text"),
        "goal_extra_info": (16, "text"),
        "mode": (17, "number"),
        "challenge_type": (20, "text"),
        "is_uneditable": (21, "flag"),
        "create_source": (23, "number"),
    },
    "GoalContributor": {
        "user_id": (1, "number"),
        "user_id_str": (1, "number as text"),
        "avatar": (2, "Image"),
        "display_id": (3, "text"),
        "score": (4, "number"),
    },
    "GoalIndicator": {
        "key": (1, "text"),
    },
    "GoalUpdateEvent": {
        "indicator": (2, "GoalIndicator"),
        "goal": (3, "Goal"),
        "contributor_id": (4, "number"),
        "contributor_id_str": (4, "number as text"),
        "contributor_avatar": (5, "Image"),
        "contributor_display_id": (6, "text"),
        "contribute_subgoal": (7, "SubGoal"),
        "contribute_count": (9, "number"),
        "contribute_score": (10, "number"),
        "gift_repeat_count": (11, "number"),
        "update_source": (16, "number"),
        "goal_extra": (17, "text"),
    },
    "GuideEvent": {},
    "HostArmies": {
        "host_id": (1, "number"),
        "host_id_str": (1, "number as text"),
        "armies": (2, "BattleUserArmies"),
    },
    "HostInfo": {
        "host_id": (1, "number"),
        "host_id_str": (1, "number as text"),
        "info": (2, "BattleUserInfo"),
    },
    "HostResult": {
        "host_id": (1, "number"),
        "host_id_str": (1, "number as text"),
        "result": (2, "BattleResult"),
    },
    "HourlyRankData": {
        "text": (4, "Text"),
    },
    "HourlyRankEvent": {
        "data": (2, "HourlyRankData"),
    },
    "HourlyRankRewardEvent": {},
    "ImDeleteEvent": {
        "delete_msg_ids": (2, "numbers"),
        "delete_msg_ids_str": (2, "numbers as texts"),
        "delete_user_ids": (3, "numbers"),
        "delete_user_ids_str": (3, "numbers as texts"),
    },
    "Image": {
        "url_list": (1, "texts"),
        "uri": (2, "text"),
        "height": (3, "number"),
        "width": (4, "number"),
        "avg_color": (5, "text"),
        "is_animated": (9, "flag"),
    },
    "InRoomBannerEvent": {
        "data": (2, "text"),
    },
    "ItemCard": {
        "name_key": (1, "text"),
        "image": (2, "Image"),
        "time": (3, "number"),
        "owner": (4, "BattleUserInfo"),
        "schema": (10, "text"),
    },
    "ItemCardAward": {
        "text": (1, "Text"),
    },
    "ItemCardUse": {
        "card": (1, "ItemCard"),
        "text": (3, "Text"),
    },
    "LinkEvent": {
        "message_type": (2, "number"),
        "linker_id": (3, "number"),
        "linker_id_str": (3, "number as text"),
        "scene": (4, "number"),
        "list_change_content": (20, "LinkListChange"),
    },
    "LinkLayerEvent": {
        "message_type": (2, "number"),
        "channel_id": (3, "number"),
        "channel_id_str": (3, "number as text"),
        "scene": (4, "number"),
        "list_change": (102, "LinkLayerListChange"),
    },
    "LinkLayerListChange": {
        "users": (2, "LinkLayerUsers"),
    },
    "LinkLayerPlayer": {
        "user": (1, "LinkLayerUser"),
        "link_mic_id": (2, "text"),
        "time_ns": (4, "number"),
    },
    "LinkLayerUser": {
        "room_id": (1, "number"),
        "room_id_str": (1, "number as text"),
        "user_id": (2, "number"),
        "user_id_str": (2, "number as text"),
    },
    "LinkLayerUsers": {
        "linked_users": (2, "[LinkLayerPlayer]"),
        "waiting_users": (3, "[LinkLayerPlayer]"),
    },
    "LinkListChange": {
        "linked_users": (1, "[LinkedUser]"),
        "waiting_users": (2, "[LinkedUser]"),
    },
    "LinkMicArmiesEvent": {
        "battle_id": (2, "number"),
        "battle_id_str": (2, "number as text"),
        "armies": (3, "[HostArmies]"),
        "channel_id": (4, "number"),
        "channel_id_str": (4, "number as text"),
        "send_gift_success_time": (5, "number"),
        "update_battle_score_time": (6, "number"),
        "trigger_reason": (7, "number"),
        "from_user_id": (8, "number"),
        "from_user_id_str": (8, "number as text"),
        "gift_id": (9, "number"),
        "gift_id_str": (9, "number as text"),
        "gift_count": (10, "number"),
        "gift_icon_image": (11, "Image"),
        "total_diamond_count": (12, "number"),
        "repeat_count": (13, "number"),
        "team_armies": (14, "[BattleTeamUserArmies]"),
        "trigger_critical_strike": (15, "flag"),
        "has_team_match_mvp_sfx": (16, "flag"),
        "log_id": (17, "text"),
        "battle_settings": (18, "BattleSetting"),
    },
    "LinkMicBattleEvent": {
        "battle_id": (2, "number"),
        "battle_id_str": (2, "number as text"),
        "battle_settings": (3, "BattleSetting"),
        "action": (4, "number"),
        "battle_result": (5, "[HostResult]"),
        "invitee_gift_permission_type": (8, "number"),
        "armies": (9, "[HostArmies]"),
        "anchors_info": (10, "[HostInfo]"),
        "bubble_text": (11, "text"),
        "action_by_user_id": (16, "number"),
        "action_by_user_id_str": (16, "number as text"),
        "team_battle_result": (17, "[BattleTeamResult]"),
        "team_armies": (18, "[BattleTeamUserArmies]"),
    },
    "LinkMicBattleItemCardEvent": {
        "battle_id": (2, "number"),
        "battle_id_str": (2, "number as text"),
        "message_type": (3, "number"),
        "use": (5, "ItemCardUse"),
        "award": (7, "ItemCardAward"),
    },
    "LinkMicBattlePunishFinishEvent": {
        "channel_id": (2, "number"),
        "channel_id_str": (2, "number as text"),
        "battle_id": (5, "number"),
        "battle_id_str": (5, "number as text"),
        "battle_settings": (6, "BattleSetting"),
    },
    "LinkMicEvent": {
        "message_type": (2, "number"),
        "user_id": (5, "number"),
        "user_id_str": (5, "number as text"),
        "fan_ticket_count": (6, "number"),
    },
    "LinkMicFanTicketEvent": {
        "notice": (2, "FanTicketNotice"),
    },
    "LinkMicLayoutStateEvent": {
        "room_id": (2, "number"),
        "room_id_str": (2, "number as text"),
    },
    "LinkStateEvent": {
        "channel_id": (2, "number"),
        "channel_id_str": (2, "number as text"),
        "scene": (3, "number"),
        "version": (4, "number"),
    },
    "LinkedUser": {
        "user": (1, "User"),
        "time": (2, "number"),
        "link_mic_id": (5, "text"),
        "fan_ticket_count": (7, "number"),
    },
    "LinkmicBattleTaskEvent": {
        "message_type": (2, "number"),
        "start": (3, "BattleTaskStart"),
        "result": (6, "BattleTaskResult"),
    },
    "LiveGameIntroEvent": {},
    "LiveIntroEvent": {
        "id": (2, "number"),
        "id_str": (2, "number as text"),
        "audit_status": (3, "number"),
        "content": (4, "text"),
        "user": (5, "User"),
        "intro_mode": (6, "number"),
        "badges": (7, "[BadgeStruct]"),
        "content_language": (8, "text"),
    },
    "MarqueeAnnouncementEvent": {
        "scene": (2, "text"),
        "notifications": (3, "MarqueeNotifications"),
    },
    "MarqueeNotifications": {
        "messages": (1, "[RoomNotification]"),
    },
    "MsgDetectEvent": {
        "times": (4, "MsgDetectTimes"),
        "region": (6, "text"),
        "detect_type": (2, "number"),
    },
    "MsgDetectTimes": {
        "first_ms": (1, "number"),
        "second_ms": (2, "number"),
        "third_ms": (3, "number"),
    },
    "NoticeBackground": {
        "image": (2, "NoticeImage"),
    },
    "NoticeEvent": {
        "notice_type": (3, "number"),
    },
    "NoticeImage": {
        "url_list": (3, "texts"),
        "uri": (4, "text"),
    },
    "OecAuction": {
        "id": (1, "text"),
        "status": (2, "number"),
        "end_time": (3, "number"),
        "winner_nickname": (5, "text"),
        "price": (6, "text"),
        "price_text": (7, "text"),
        "winner_avatar_url": (8, "text"),
    },
    "OecAuctionData": {
        "state": (2, "OecAuctionState"),
    },
    "OecAuctionResult": {
        "user": (1, "OecBuyer"),
        "product": (2, "OecProduct"),
        "variant": (3, "OecVariant"),
        "order_create_time": (5, "number"),
        "result_time": (6, "number"),
    },
    "OecAuctionState": {
        "auction": (1, "OecAuction"),
    },
    "OecBuyer": {
        "id": (1, "number"),
        "id_str": (1, "number as text"),
        "nickname": (3, "text"),
        "display_id": (38, "text"),
    },
    "OecLiveCreatorEvent": {
        "auction_data": (3, "OecAuctionData"),
        "tracking": (4, "OecTracking"),
    },
    "OecLiveManagerEvent": {
        "type": (2, "number"),
        "auction_result": (11, "OecAuctionResult"),
    },
    "OecLiveShoppingEvent": {
        "product": (4, "ShoppingProduct"),
    },
    "OecPrice": {
        "formatted": (1, "text"),
    },
    "OecProduct": {
        "title": (1, "text"),
        "price": (3, "OecPrice"),
        "product_id": (4, "text"),
    },
    "OecTracking": {
        "event_name": (3, "text"),
        "parameters": (4, "[OecTrackingParameter]"),
    },
    "OecTrackingParameter": {
        "key": (1, "text"),
        "value": (2, "text"),
    },
    "OecVariant": {
        "lot_number": (1, "text"),
        "sku_id": (4, "text"),
    },
    "PartnershipDropsUpdateEvent": {
        "id": (3, "text"),
        "change_mode": (2, "number"),
    },
    "PartnershipGameOfflineEvent": {},
    "PartnershipPunishEvent": {},
    "PatternRef": {
        "key": (1, "text"),
        "default_pattern": (2, "text"),
    },
    "PerceptionEvent": {
        "punish_info": (3, "PunishInfo"),
    },
    "PollEnd": {
        "end_type": (1, "number"),
        "options": (2, "[PollOption]"),
        "operator": (3, "User"),
    },
    "PollEvent": {
        "message_type": (2, "number"),
        "poll_id": (3, "number"),
        "poll_id_str": (3, "number as text"),
        "start_content": (4, "PollStart"),
        "end_content": (5, "PollEnd"),
        "update_votes_content": (6, "PollVotes"),
        "poll_kind": (7, "number"),
    },
    "PollOption": {
        "votes": (1, "number"),
        "display_content": (2, "text"),
        "option_idx": (3, "number"),
        "voters": (4, "[PollVoter]"),
    },
    "PollStart": {
        "start_time": (1, "number"),
        "end_time": (2, "number"),
        "options": (3, "[PollOption]"),
        "title": (4, "text"),
        "operator": (5, "User"),
    },
    "PollVoter": {
        "user_id": (1, "number"),
        "user_id_str": (1, "number as text"),
        "nickname": (2, "text"),
        "avatar": (3, "Image"),
    },
    "PollVotes": {
        "options": (2, "[PollOption]"),
        "operator": (3, "User"),
    },
    "PunishInfo": {
        "type": (1, "text"),
        "reason": (2, "text"),
        "id": (3, "text"),
        "user_id": (4, "number"),
        "user_id_str": (4, "number as text"),
    },
    "RankTextEvent": {
        "scene": (2, "number"),
        "owner_idx_before_update": (3, "number"),
        "owner_idx_after_update": (4, "number"),
        "self_get_badge_msg": (5, "Text"),
        "other_get_badge_msg": (6, "Text"),
        "cur_user_id": (7, "number"),
        "cur_user_id_str": (7, "number as text"),
        "left_icon": (8, "Image"),
        "content": (9, "Text"),
        "rank_type": (10, "number"),
        "display_text": ((1, 8), "Text"),
    },
    "RankUpdate": {
        "rank_type": (1, "number"),
        "own_rank": (2, "number"),
        "default_content": (3, "Text"),
        "show_entrance_animation": (5, "flag"),
        "countdown": (6, "number"),
        "belong_type": (8, "number"),
        "request_first_show_type": (9, "number"),
        "supported_version": (10, "number"),
        "owneronrank": (11, "flag"),
        "entranceicon": (12, "Image"),
        "current_score": (15, "number"),
        "list_schema": (16, "text"),
    },
    "RankUpdateEvent": {
        "updates": (2, "[RankUpdate]"),
        "group_type": (3, "number"),
        "op_type": (4, "number"),
        "rank_priority": (5, "number"),
        "is_animation_loop_play": (7, "flag"),
        "animation_loop_for_off": (8, "flag"),
    },
    "RoomEvent": {
        "content": (2, "text"),
        "supprot_landscape": (3, "flag"),
        "source": (4, "number"),
        "icon": (5, "Image"),
        "scene": (6, "text"),
        "is_welcome": (7, "flag"),
        "show_duration_ms": (9, "number"),
        "sub_scene": (10, "text"),
        "schema": (11, "text"),
        "display_text": ((1, 8), "Text"),
    },
    "RoomNotification": {
        "display_text": ((1, 8), "Text"),
        "schema": (2, "text"),
        "background": (6, "NoticeBackground"),
        "source": (9, "text"),
        "user_id": (10, "number"),
        "user_id_str": (10, "number as text"),
    },
    "RoomNotifyEvent": {
        "display_text": ((1, 8), "Text"),
        "schema": (2, "text"),
        "background": (6, "NoticeBackground"),
        "source": (9, "text"),
        "user_id": (10, "number"),
        "user_id_str": (10, "number as text"),
    },
    "RoomPinEvent": {
        "method": (30, "text"),
        "pin_time": (31, "number"),
        "operator": (32, "User"),
        "action": (33, "number"),
        "display_duration": (34, "number"),
        "pin_msg_id": (35, "number"),
        "pin_msg_id_str": (35, "number as text"),
    },
    "RoomVerifyEvent": {
        "action": (2, "number"),
        "content": (3, "text"),
        "notice_type": (4, "number"),
        "close_room": (5, "flag"),
    },
    "ShoppingProduct": {
        "title": (1, "text"),
        "price": (2, "text"),
        "image_url": (3, "text"),
        "url": (4, "text"),
        "schema": (9, "text"),
        "shop_name": (7, "text"),
    },
    "SpeakerEvent": {},
    "SubGoal": {
        "type": (1, "number"),
        "id": (2, "number"),
        "id_str": (2, "number as text"),
        "progress": (3, "number"),
        "target": (4, "number"),
        "gift": (5, "SubGoalGift"),
        "source": (8, "number"),
        "recommended_text": (9, "text"),
        "recommended_header": (10, "text"),
    },
    "SubGoalGift": {
        "name": (1, "text"),
        "icon": (2, "Image"),
        "diamond_count": (3, "number"),
        "type": (4, "number"),
    },
    "SubNotifyEvent": {
        "user": (2, "User"),
        "exhibition_type": (3, "number"),
        "sub_month": (4, "number"),
        "subscribe_type": (5, "number"),
        "old_subscribe_status": (6, "number"),
        "message_type": (7, "number"),
        "subscribing_status": (8, "number"),
        "is_send": (9, "flag"),
        "is_custom": (10, "flag"),
        "gift_source": (11, "number"),
        "message_display_style": (12, "number"),
        "package_id": (14, "text"),
        "display_text": ((1, 8), "Text"),
    },
    "SubPin": {
        "goal": (8, "SubPinGoal"),
    },
    "SubPinEvent": {
        "pin": (3, "SubPin"),
        "user_id": (4, "number"),
        "user_id_str": (4, "number as text"),
        "action_type": (2, "number"),
    },
    "SubPinGoal": {
        "id": (1, "number"),
        "id_str": (1, "number as text"),
        "time": (2, "number"),
        "description": (3, "SubPinText"),
        "target": (4, "number"),
        "progress": (5, "number"),
    },
    "SubPinText": {
        "content": (2, "text"),
    },
    "SystemEvent": {
        "message": (2, "text"),
        "display_text": ((1, 8), "Text"),
    },
    "Text": {
        "key": (1, "text"),
        "default_pattern": (2, "text"),
        "pieces": (4, "[TextPiece]"),
    },
    "TextPiece": {
        "type": (1, "number"),
        "string_value": (11, "text"),
        "user_value": (21, "TextPieceUser"),
        "gift_value": (22, "TextPieceGift"),
        "image_value": (25, "TextPieceImage"),
    },
    "TextPieceGift": {
        "gift_id": (1, "number"),
        "gift_id_str": (1, "number as text"),
        "name": (2, "PatternRef"),
    },
    "TextPieceImage": {
        "image": (1, "Image"),
    },
    "TextPieceUser": {
        "user": (1, "User"),
    },
    "ToastEvent": {
        "display_duration_ms": (2, "number"),
        "delay_display_duration_ms": (3, "number"),
    },
    "UnauthorizedMemberEvent": {
        "action": (2, "number"),
        "nick_name_prefix": (3, "Text"),
        "nick_name": (4, "text"),
        "enter_text": (5, "Text"),
    },
    "UpdateShareRevenueNoticeEvent": {},
    "UserIdentity": {
        "is_gift_giver_of_anchor": (1, "flag"),
        "is_subscriber_of_anchor": (2, "flag"),
        "is_mutual_following_with_anchor": (3, "flag"),
        "is_follower_of_anchor": (4, "flag"),
        "is_moderator_of_anchor": (5, "flag"),
        "is_anchor": (6, "flag"),
    },
    "ViewerPicksUpdateEvent": {
        "update_type": (2, "number"),
    },
}
"""Number and kind of each field, by record. A pair of numbers is a field within a field."""

PERSON: Fields = {
    1: 6800000000000000001,
    3: "Ann 🌹",
    9: {1: ["https://p/1", "https://p/2"]},
    22: {1: 40, 2: 50, 3: 2},
    24: {1: {1: "Ann's club", 2: 7}},
    32: {2: 1},
    38: "ann",
    46: "MS4w",
    64: [
        {3: 1, 21: {2: "pm_mt_moderator_im", 3: "Moderator"}},
        {1: 4, 3: 8, 12: {5: "24"}, 23: {1: 1, 4: "24"}},
    ],
}


def expected(record: str, message: Raw) -> dict[str, Any]:
    """The value of a record that a message must become, without an event's name and meta."""
    fields = SHAPES[record]
    value = {field: _read(message, place, kind) for field, (place, kind) in fields.items()}
    if "user" in fields and "user_identity" in fields:
        (who, _), (identity, _) = fields["user"], fields["user_identity"]
        assert isinstance(who, int)
        assert isinstance(identity, int)
        value["user"] = user(message.message(who), message.message(identity))
    return value


def _read(message: Raw, place: int | tuple[int, int], kind: str) -> Any:
    if isinstance(place, tuple):
        outer, place = place
        message = message.message(outer) or Raw({})
    match kind:
        case "number":
            return message.number(place)
        case "number as text":
            return None if (number := message.number(place)) is None else str(number)
        case "numbers":
            return message.numbers(place)
        case "numbers as texts":
            return [str(number) for number in message.numbers(place)]
        case "flag":
            return None if (number := message.number(place)) is None else number != 0
        case "text":
            return message.text(place)
        case "texts":
            return message.texts(place)
        case "User":
            return user(message.message(place))
    if kind.startswith("["):
        return [expected(kind.strip("[]"), each) for each in message.messages(place)]
    part = message.message(place)
    return expected(kind, part) if part else None


def user(person: Raw | None, identity: Raw | None = None) -> dict[str, Any] | None:
    """The documented user that a wire user must become; `identity` is what the message says of them beside it."""
    if person is None:
        return None
    club = (person.message(24) or Raw({})).message(1) or Raw({})
    picture, relation, attributes = person.message(9), person.message(22), person.message(32)
    urls = picture.texts(1) if picture else []
    texts = [text for badge in person.messages(64) for text in badge.messages(21)]
    follow_role = (relation.number(3) if relation else None) or 0
    follows, friend = follow_role in (1, 2, 3), follow_role == 2
    if identity is not None:
        follows, friend = bool(identity.number(4)), bool(identity.number(3))
    number = person.number(1)
    return {
        "userId": number,
        "uniqueId": person.text(38),
        "nickname": person.text(3),
        "profilePicture": {"urls": urls, "avatar_url": urls[-1] if urls else None} if picture else None,
        "extraAttributes": {"followRole": follow_role},
        "badge": {"badges": [{"type": text.text(2), "name": text.text(3)} for text in texts]},
        "is_following": follows,
        "is_friend": friend,
        "is_moderator": any("moderator" in (text.text(2) or "") for text in texts)
        or any(badge.number(3) == 1 for badge in person.messages(64))
        or bool(attributes and attributes.number(2))
        or bool(identity and identity.number(5)),
        "user_id_str": None if number is None else str(number),
        "sec_uid": person.text(46),
        "following_count": relation.number(1) if relation else None,
        "follower_count": relation.number(2) if relation else None,
        "gifter_level": _level(person, 8),
        "fan_club_name": club.text(1),
        "fan_club_level": club.number(2) if (level := _level(person, 10)) is None else level,
        "is_subscriber": bool(identity and identity.number(2))
        or any(badge.number(3) in (4, 7) for badge in person.messages(64)),
        "badge_list": [_badge(badge) for badge in person.messages(64)] or None,
    }


def top_viewer(person: Raw | None) -> dict[str, Any] | None:
    """What is told of a user at the top of a room."""
    if person is None:
        return None
    number = person.number(1)
    return {
        "userId": number,
        "user_id_str": None if number is None else str(number),
        "uniqueId": person.text(38),
        "nickname": person.text(3),
    }


def _badge(badge: Raw) -> dict[str, Any]:
    text, plain, combined = (badge.message(place) for place in (21, 22, 23))
    shown = combined.message(3) if combined else None
    level = (badge.message(12) or Raw({})).text(5)
    key, name = (text.text(2), text.text(3)) if text else (shown.text(1), shown.text(2)) if shown else (None, None)
    return {
        "display_type": badge.number(1),
        "scene_type": badge.number(3),
        "level": int(level) if level else None,
        "key": key,
        "name": name,
        "text": combined.text(4) if combined else plain.text(2) if plain else None,
    }


def _level(person: Raw, scene: int) -> int | None:
    badges = [badge for badge in person.messages(64) if badge.number(3) == scene]
    level = (badges[0].message(12) or Raw({})).text(5) if badges else None
    return int(level) if level else None


def full(record: str) -> Fields:
    """A message with something in every field that a record has."""
    fields: dict[int, Field] = {}
    for place, kind in SHAPES[record].values():
        if isinstance(place, tuple):
            fields[place[0]] = {place[1]: _something(kind, place[1])}
        elif kind not in ("number as text", "numbers as texts"):
            fields[place] = _something(kind, place)
    return fields


def _something(kind: str, place: int) -> Field:
    match kind:
        case "number":
            return 7_200_000_000_000_000_000 + place
        case "numbers":
            return [7_200_000_000_000_000_000 + place, place]
        case "flag":
            return 1
        case "text":
            return f"text {place} 🌹"
        case "texts":
            return [f"text {place}", "another"]
        case "User":
            return PERSON
    return [full(kind.strip("[]"))] * 2 if kind.startswith("[") else full(kind)

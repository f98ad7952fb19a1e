"""What a live's messages add up to; pure."""

from collections import Counter
from dataclasses import dataclass, field

from google.protobuf.message import DecodeError

from producer.simulator.messages import Message
from producer.webcast.wire import GiftMessage, LikeMessage


@dataclass(slots=True)
class Tally:
    """One live's, since its start."""

    events: Counter[str] = field(default_factory=Counter)
    """Messages by the event that they become."""
    likes: int = 0
    gifters: set[int] = field(default_factory=set)

    def count(self, message: Message) -> None:
        """Count a message that was sent; of one that nobody can read it is known only that it was."""
        self.events[message.event] += 1
        try:
            if message.event == "like":
                self.likes += LikeMessage.FromString(message.payload).count
            elif message.event == "gift":
                self.gifters.add(GiftMessage.FromString(message.payload).user.id)
        except DecodeError:
            return

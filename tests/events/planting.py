"""Messages with a value of its own in every field that names or pictures somebody, by the marks of the .proto files."""

from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from producer.webcast.wire import kinds
from producer.webcast.wire import personal_pb2 as marks
from tests.published import MESSAGES, UNDOCUMENTED

ALL: dict[str, type[Message]] = MESSAGES | {
    method: getattr(kinds, method.removeprefix("Webcast")) for method in UNDOCUMENTED
}
"""Every known kind of message, by its method."""
PERSONAL: Any = marks.personal
DEEPEST = 12
"""A text can have a user, and a user none of a text: nothing real is deeper."""


@dataclass
class Planter:
    """Fills messages, and knows what it filled in."""

    numbers: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)

    @property
    def planted(self) -> list[str]:
        """Everything as it would be seen in a text."""
        return [*map(str, self.numbers), *self.texts]

    def fill(self, message: Message, depth: int = 0) -> None:
        """Plant in every marked field of a message, and of those in it."""
        for each in message.DESCRIPTOR.fields:
            mark = each.GetOptions().Extensions[PERSONAL]
            if each.message_type is not None and mark == marks.NOTHING:
                if depth < DEEPEST:
                    part = getattr(message, each.name)
                    self.fill(part.add() if each.is_repeated else part, depth + 1)
            elif mark != marks.NOTHING:
                self._plant(message, each, mark)

    def _plant(self, message: Any, each: Any, mark: int) -> None:
        if each.message_type is not None:
            getattr(message, each.name).url_list.append(f"https://pictures.invalid/{self._text()}")
        elif each.type == each.TYPE_INT64:
            self.numbers.append(7_654_321_000_000_000_000 + len(self.numbers))
            if each.is_repeated:
                getattr(message, each.name).append(self.numbers[-1])
            else:
                setattr(message, each.name, self.numbers[-1])
        else:
            text = self._text()
            setattr(message, each.name, f"sslocal://page?user={text}" if mark == marks.LINK else text)

    def _text(self) -> str:
        self.texts.append(f"planted{len(self.texts):05}x")
        return self.texts[-1]

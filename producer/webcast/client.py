"""websockets' client, which reads piece by piece, so that a thousand that have much to read leave others their time."""

from collections.abc import Sequence
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Opcode
from websockets.protocol import State

from producer.webcast.share import Share

PIECE_BYTES = 4 * 1024
UNREAD_BYTES = 256 * 1024
"""Of what waits to be sent. Our own frames wait long before."""


class Client(ClientConnection):
    """Takes what came piece by piece, one in a turn of the loop: a frame may be two bytes long, and each takes 10 us.

    Who has time for more takes it himself. It answers pings, and gives up a server that sends them and does not read
    what it is answered.
    """

    def __init__(self, *arguments: Any, share: Share, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._share = share
        self._store = b""
        self._takes_soon = False

    def has_message(self) -> bool:
        """Whether `recv` has a binary message to give, whole, without waiting; what came is taken until it has."""
        queue = self.recv_messages.frames.queue
        while self._store and not queue:
            self._take_piece()
        return bool(queue) and queue[0].opcode is Opcode.BINARY and queue[0].fin

    def send_together(self, messages: Sequence[bytes]) -> bool:
        """Send binary messages in one piece, without waiting; say whether the server lags behind in reading.

        The library's `send` makes a piece of each. On a socket that is closing nothing is sent.
        """
        if self.protocol.state is not State.OPEN or self.transport.is_closing():
            return False
        for message in messages:
            self.protocol.send_binary(message)
        self.transport.write(b"".join(self.protocol.data_to_send()))
        return self.paused

    def data_received(self, data: bytes) -> None:
        self._store += data
        if self._takes_soon:
            return
        if self._share.over():
            self._take_later()
        else:
            self._take()

    def eof_received(self) -> None:
        self._take_all()
        super().eof_received()

    def connection_lost(self, exc: Exception | None) -> None:
        self._take_all()
        super().connection_lost(exc)

    def _take(self) -> None:
        self._takes_soon = False
        if self._store:
            self._take_piece()
        elif self.transport.is_closing():
            return
        if self.transport.get_write_buffer_size() > UNREAD_BYTES:
            self.transport.abort()
        elif self._store:
            self._take_later()
        elif not self.recv_messages.paused:
            self.transport.resume_reading()

    def _take_later(self) -> None:
        self._takes_soon = True
        self.transport.pause_reading()
        self._share.later(self._take)

    def _take_piece(self) -> None:
        piece, self._store = self._store[:PIECE_BYTES], self._store[PIECE_BYTES:]
        super().data_received(piece)

    def _take_all(self) -> None:
        while self._store:
            self._take_piece()

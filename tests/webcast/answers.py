"""Answers for httpx's mock transport that come in pieces, as from a socket: nothing of them is read beforehand."""

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence

import httpx


class Pieces(httpx.AsyncByteStream):
    """A body, piece by piece; counts what was taken of it."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = pieces
        self.taken = 0

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for piece in self._pieces:
            self.taken += len(piece)
            yield piece


def answer(
    content: bytes = b"", *, status: int = 200, headers: Mapping[str, str] | Sequence[tuple[str, str]] = ()
) -> httpx.Response:
    """An answer with this body, in one piece."""
    encoded = [(name.encode(), value.encode("utf-8")) for name, value in dict_items(headers)]
    return httpx.Response(status, headers=encoded, stream=Pieces([content]))


def dict_items(headers: Mapping[str, str] | Sequence[tuple[str, str]]) -> list[tuple[str, str]]:
    return list(headers.items() if isinstance(headers, Mapping) else headers)

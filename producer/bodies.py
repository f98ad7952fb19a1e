"""The body of an HTTP answer, whole, within a bound that counts before the memory is spent."""

import zlib

import httpx

from producer.strangers import Unreadable

ACCEPTED = "gzip"
"""What to ask for (Accept-Encoding): nothing else is read."""


async def read(response: httpx.Response, *, most_bytes: int) -> bytes:
    """Read a streamed answer to its end, inflated where it is gzipped once; httpx would inflate without a bound.

    Raises Unreadable, once more than `most_bytes` came or came out, or for another encoding.
    """
    encoding = response.headers.get("content-encoding", "").strip().lower()
    if encoding not in ("", "identity", "gzip", "x-gzip"):
        raise Unreadable("it is encoded in a way that was not asked for")
    stream = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS) if encoding.endswith("gzip") else None
    body = bytearray()
    came = 0
    async for chunk in response.aiter_raw():
        came += len(chunk)
        try:
            body += chunk if stream is None else stream.decompress(chunk, most_bytes + 1 - len(body))
        except zlib.error as cause:
            raise Unreadable("it is not gzip, though it says so") from cause
        if max(came, len(body)) > most_bytes:
            raise Unreadable(f"it is longer than {most_bytes} bytes")
    if stream is not None and came and not stream.eof:
        raise Unreadable("it ends in the middle of its gzip")
    return bytes(body)

"""producer.bodies: what a body may be, and what it may cost."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import Sequence

import httpx
import pytest

from producer import bodies
from producer.strangers import Unreadable
from tests.webcast.answers import Pieces


def read(pieces: Sequence[bytes], *, encoding: str | None = None, most: int = 1_000) -> bytes:
    async def main() -> bytes:
        headers = {} if encoding is None else {"Content-Encoding": encoding}
        return await bodies.read(httpx.Response(200, headers=headers, stream=Pieces(pieces)), most_bytes=most)

    return asyncio.run(main())


@pytest.mark.parametrize("encoding", [None, "identity", ""])
def test_a_plain_body_is_read_as_it_is(encoding: str | None) -> None:
    assert read([b"ab", b"", b"c"], encoding=encoding) == b"abc"


@pytest.mark.parametrize("encoding", ["gzip", "GZIP", "x-gzip"])
def test_a_gzipped_body_is_inflated_wherever_it_is_cut(encoding: str) -> None:
    data = gzip.compress(b"abc" * 100)

    assert read([bytes([byte]) for byte in data], encoding=encoding) == b"abc" * 100


@pytest.mark.parametrize("encoding", ["gzip, gzip", "br", "deflate", "zstd", "gzip,"])
def test_another_encoding_is_refused(encoding: str) -> None:
    with pytest.raises(Unreadable):
        read([gzip.compress(b"abc")], encoding=encoding)


@pytest.mark.parametrize(
    "data", [b"abc", gzip.compress(b"abc")[:-1], gzip.compress(b"abc")[:12], zlib.compress(b"abc")], ids=range(4)
)
def test_what_is_no_whole_gzip_is_refused(data: bytes) -> None:
    with pytest.raises(Unreadable):
        read([data], encoding="gzip")


def test_an_empty_body_is_empty_however_it_is_encoded() -> None:
    assert read([], encoding="gzip") == b""


@pytest.mark.parametrize(("size", "readable"), [(1_000, True), (1_001, False)])
@pytest.mark.parametrize("encoding", [None, "gzip"])
def test_the_bound_is_on_what_comes_out(size: int, readable: bool, encoding: str | None) -> None:
    data = bytes(size)
    pieces = [gzip.compress(data) if encoding else data]

    if readable:
        assert read(pieces, encoding=encoding) == data
    else:
        with pytest.raises(Unreadable, match="longer than 1000"):
            read(pieces, encoding=encoding)


def test_a_bomb_costs_no_more_than_its_bound() -> None:
    bomb = gzip.compress(bytes(256 * 1024 * 1024), 9)

    tracemalloc.start()
    with pytest.raises(Unreadable):
        read([bomb], encoding="gzip", most=1024 * 1024)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 4 * 1024 * 1024


def test_what_comes_behind_the_end_counts_too() -> None:
    endless = [gzip.compress(b"abc"), *[bytes(100)] * 100]

    with pytest.raises(Unreadable, match="longer than 1000"):
        read(endless, encoding="gzip")

"""What every codec of bytes promises, as questions to it."""

import gc
import tracemalloc
from collections.abc import Callable, Iterable
from itertools import pairwise

from drivers.frames import Codec, Frame, Noise


def told(codec: Codec[Frame], pieces: Iterable[bytes]) -> list[Frame]:
    """Everything, the end included."""
    return [frame for piece in pieces for frame in codec.feed(piece)] + codec.end()


def in_pieces(data: bytes, cuts: list[int]) -> list[bytes]:
    return [data[start:stop] for start, stop in pairwise([0, *sorted(cuts), len(data)])]


def size(frames: Iterable[Frame]) -> int:
    """How many bytes they account for."""
    return sum(frame.size if isinstance(frame, Noise) else len(frame.raw) for frame in frames)


def stays_small(make: Callable[[], Codec[Frame]], flood: bytes) -> bool:
    """Whether a flood of 256 KiB leaves a codec with less than 4 KiB: what grows does so each time, others' threads do not."""
    return any(_held(make(), flood * (4096 // len(flood))) < 4096 for _ in range(3))


def _held(codec: Codec[Frame], chunk: bytes) -> int:
    codec.feed(chunk)
    gc.collect()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(64):
            codec.feed(chunk)
        gc.collect()
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()

"""The perceptual hash of a picture: 256 bits that are nearly the same for a copy of it.

The picture is resized to 64×64 grey. Each of the 16×16 lowest frequencies of its cosine transform
gives one bit: whether it is above their median (`imagehash.phash(hash_size=16)`). The distance of
two pictures is the number of bits in which they differ (Hamming), 0 … 256; unrelated pictures
differ in about half of the bits.
"""

import re
from collections.abc import Sequence

import numpy as np
from jaxtyping import Int, UInt8, UInt64
from PIL import Image

from emorank.errors import DatasetError

SIDE = 16
BITS = SIDE * SIDE
_HASH = re.compile(rf"[0-9a-f]{{{BITS // 4}}}")
_WORDS = BITS // 64
_PAIRS = 1 << 20  # compared at once: 8 MB of words, which stay in the processor's cache


def phash(rgb: UInt8[np.ndarray, "height width 3"]) -> str:
    """Return the hash of a picture as 64 hexadecimal digits."""
    import imagehash  # loads SciPy and PyWavelets

    return str(imagehash.phash(Image.fromarray(rgb), hash_size=SIDE))


def words(hashes: Sequence[str]) -> UInt64[np.ndarray, "hashes 4"]:
    """Unpack hexadecimal hashes to four words of 64 bits each.

    Raises:
        DatasetError: a hash does not have 64 hexadecimal digits.
    """
    bad = next((text for text in hashes if not _HASH.fullmatch(text)), None)
    if bad is not None:
        raise DatasetError(
            f"'{bad[:70]}' is not a perceptual hash; expected {BITS // 4} hexadecimal digits, "
            "as phash() returns them"
        )
    data = b"".join(bytes.fromhex(text) for text in hashes)
    return np.frombuffer(data, dtype=">u8").reshape(len(hashes), _WORDS).astype(np.uint64)


def nearest(
    queries: UInt64[np.ndarray, "queries 4"], references: UInt64[np.ndarray, "references 4"]
) -> tuple[Int[np.ndarray, " queries"], Int[np.ndarray, " queries"]]:
    """Return for each query the smallest Hamming distance to a reference, and which one it is.

    Distances are counted in blocks: 20 000 queries against 80 000 references need about ten
    megabytes. The first of equally near references is returned; −1 if there is no reference.
    """
    distance = np.full(len(queries), BITS + 1, dtype=np.int64)
    index = np.full(len(queries), -1, dtype=np.int64)
    width = max(1, min(len(references), 1 << 13))
    step = _PAIRS // width
    for start in range(0, len(queries), step):
        block = queries[start : start + step]
        rows = np.arange(len(block))
        for left in range(0, len(references), width):
            bits = _distances(block, references[left : left + width])
            column = bits.argmin(axis=1)
            least = bits[rows, column].astype(np.int64)
            closer = least < distance[start : start + step]
            distance[start : start + step][closer] = least[closer]
            index[start : start + step][closer] = left + column[closer]
    return distance, index


def _distances(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    total = np.zeros((len(a), len(b)), dtype=np.uint16)
    for word in range(_WORDS):
        total += np.bitwise_count(a[:, word, None] ^ b[None, :, word])
    return total

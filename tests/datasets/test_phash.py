"""The perceptual hash and the search for the nearest one."""

import imagehash
import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from emorank.datasets.phash import BITS, nearest, phash, words

hashes = hnp.arrays(
    np.uint64, st.tuples(st.integers(1, 20), st.just(4)), elements=st.integers(0, 2**64 - 1)
)


@given(hashes, hashes)
def test_nearest_against_counting_bit_by_bit(queries, references):
    """The smallest Hamming distance, and the first reference that has it."""
    distance, index = nearest(queries, references)
    for row, query in enumerate(queries):
        bits = [
            sum(int(a ^ b).bit_count() for a, b in zip(query, reference, strict=True))
            for reference in references
        ]
        assert distance[row] == min(bits)
        assert index[row] == bits.index(min(bits))


def test_blocks_do_not_change_the_answer():
    """More references and queries than one block holds."""
    rng = np.random.default_rng(0)
    references = rng.integers(0, 2**63, (20_000, 4)).astype(np.uint64)
    queries = references[rng.permutation(20_000)[:300]].copy()
    queries[:, 0] ^= np.uint64(0b101)
    distance, index = nearest(queries, references)
    assert (distance == 2).all()
    np.testing.assert_array_equal(references[index][:, 1:], queries[:, 1:])


def test_no_references():
    """Everything is farther than any distance."""
    distance, index = nearest(words(["0" * 64]), words([]))
    assert distance.tolist() == [BITS + 1]
    assert index.tolist() == [-1]


def test_hash_is_64_hexadecimal_digits_of_imagehash():
    """Packed and unpacked, it is the same 256 bits."""
    rgb = np.random.default_rng(0).integers(0, 256, (64, 48, 3), dtype=np.uint8)
    text = phash(rgb)
    assert len(text) == 64
    bits = imagehash.hex_to_hash(text).hash.reshape(-1)
    packed = words([text])[0]
    unpacked = [int(word) >> (63 - bit) & 1 for word in packed for bit in range(64)]
    np.testing.assert_array_equal(unpacked, bits.astype(int))

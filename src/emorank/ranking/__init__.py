"""From relevance to a rank of expression intensity: Minimal, Average or Strong.

`rank(maps)` is the paper's rule; `rank_from_counts(counts)` is its last step, for published counts.
"""

from emorank.ranking.intervals import IntervalRanks, rank, rank_from_counts

__all__ = ["IntervalRanks", "rank", "rank_from_counts"]

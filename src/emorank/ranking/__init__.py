"""From relevance to a rank of expression intensity: Minimal, Average or Strong.

`rank(maps)` is the paper's rule; `rank_from_counts(counts)` its last step, from published counts.
"""

from emorank.ranking.intervals import IntervalRanks, rank, rank_from_counts

__all__ = ["IntervalRanks", "rank", "rank_from_counts"]

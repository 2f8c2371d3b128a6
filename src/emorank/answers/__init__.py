"""What raters said: votes read and checked, and the rank that the majority gave."""

from emorank.answers.votes import read_votes
from emorank.answers.voting import majority, sheet

__all__ = ["majority", "read_votes", "sheet"]

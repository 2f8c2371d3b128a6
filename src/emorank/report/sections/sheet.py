"""The raters' votes, as Table 5 of the paper shows them."""

from dataclasses import dataclass

import pandas as pd

from emorank.answers.voting import Ties, majority, sheet
from emorank.report.page import Section, section_of

ROWS = 12


@dataclass(frozen=True)
class VotesSummary:
    """The raters' votes, and whether they were simulated.

    Attributes:
        ties: the tie policy, in words.
        tied: images whose raters tied.
        sheet: Table 5's sheet, from `answers.voting.sheet`.
    """

    raters: int
    votes: int
    ties: str
    tied: int
    sheet: pd.DataFrame
    simulated: bool = False


_TIES = {"median": "ordinal median of all votes", "disputed": "left out as disputed"}


def votes_summary(votes: pd.DataFrame, ties: Ties) -> VotesSummary | None:
    """Counts and sheet of a table of votes (`image`, `rater`, `rank`); None if it is empty."""
    if votes.empty:
        return None
    return VotesSummary(
        raters=votes["rater"].nunique(),
        votes=len(votes),
        ties=_TIES[ties],
        tied=int(majority(votes, ties)["tied"].sum()),
        sheet=sheet(votes, ties),
        simulated=bool(votes["rater"].str.startswith("simulated").all()),
    )


def section(votes: VotesSummary | None) -> Section:
    """The first rows of the sheet; without votes the section says so."""
    return section_of("sheet", "Raters’ sheet", votes=votes, most=ROWS)

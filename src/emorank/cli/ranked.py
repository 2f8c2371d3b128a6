"""`emorank rank --rank NAME` for the ranks beside the paper's."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.studies import open_with, progress_bar

if TYPE_CHECKING:
    from emorank.evaluation.laboratory.validity import Correlations
    from emorank.evaluation.level_agreement import LevelAgreement
    from emorank.evaluation.statistics.uncertainty import Estimate


def rank_test_faces(folder: Path, method: str, settings: tuple[str, ...]) -> None:
    """Rank the test part, and say how well it agrees with what is known."""
    from emorank.study.ranks.ranked import rank_test_part

    study = open_with(folder, settings)
    with progress_bar("ranks") as progress:
        table, follows, agrees = rank_test_part(study, method, progress)
    out = study.path(f"ranks_{method}.parquet")
    click.echo(f"{len(table):,} faces: {out}")
    click.echo(f"ranks abstained from: {int(table['level'].isna().sum())}")
    for line in said(follows, agrees):
        click.echo(line)


def said(follows: "Correlations", agrees: "LevelAgreement") -> list[str]:
    """The agreement in sentences; none where nothing is known of these faces."""
    lines = []
    if follows.count:
        rho = words(follows.spearman_within)
        lines.append(f"Spearman with the known intensity, within emotion: {rho}")
    if agrees.count:
        kappa = words(agrees.quadratic_kappa)
        faces = f"{agrees.count} ranked faces of known level, neutral ones among them"
        lines.append(f"quadratic kappa with the raters' majority, on {faces}: {kappa}")
    return lines


def words(estimate: "Estimate") -> str:
    """A value with its interval, or why there is none."""
    if estimate.value is None:
        return f"– ({estimate.reason})"
    if estimate.low is None:
        return f"{estimate.value:.2f} ({estimate.reason})"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f}, {estimate.method})"


def print_ranks(rows: list[dict[str, Any]]) -> None:
    """One line per face; the features that a rank is made of are in the written tables."""
    from rich.box import SIMPLE_HEAD
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table

    from emorank.vocabulary import LEVELS

    if not rows:
        return
    levels = [key for key in (f"p_{level.lower()}" for level in LEVELS) if key in rows[0]]
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    probabilities = ["/".join(level[:3] for level in LEVELS)] if levels else []
    for title in ("image", "face", "named", "ranked", "rank", "score", *probabilities):
        table.add_column(title, no_wrap=True)
    for row in rows:
        table.add_row(
            escape(Path(row["image"]).name),
            str(row["face"]),
            f"{row['predicted']} {row['p_' + row['predicted']]:.2f}",
            row["expressed"],
            row["rank"] or "unsure",
            f"{row['score']:.2f}",
            *([" ".join(f"{row[key]:.2f}" for key in levels)] if levels else []),
        )
    Console().print(table)

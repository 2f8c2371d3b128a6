"""`emorank rate summary` of a project on four levels, a slider or pairs."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    import pandas as pd

    from emorank.answers.scales import Scale
    from emorank.evaluation.raters.scale_summary import ScaleSummary


def other_scale(file: Path) -> "tuple[Scale, pd.DataFrame] | None":
    """Scale and answers of a project that has another scale than the paper's; otherwise None."""
    from emorank.room.settings import is_project

    if not is_project(file):
        return None
    from emorank.cli.rate.project import open_room

    opened = open_room(file)
    from emorank.room.scaled import scaled_answers
    from emorank.room.store import scale_of_project

    return None if scale_of_project(opened).standard else scaled_answers(opened)


def summarise_project(
    file: Path,
    found: "tuple[Scale, pd.DataFrame]",
    out: Path | None,
    copy: Path | None,
    report: Path | None,
    asked: str | None,
    method: Path | None,
    as_json: bool,
    rows: int,
    resamples: int,
    seed: int,
) -> None:
    """Print the summary; `out` gets the scores, `copy` the answers, `report` the page."""
    import msgspec
    import numpy as np

    from emorank.answers.formats.csv_parquet import write_sheet
    from emorank.cli.rate.against import compared, print_compared
    from emorank.cli.rate.exclusion import exclusion_of, print_exclusion, section
    from emorank.evaluation.raters.careless import kept
    from emorank.evaluation.raters.face_scores import face_scores
    from emorank.evaluation.raters.scale_summary import summarise_scale
    from emorank.files import private
    from emorank.results.stored import plain

    scale, answers = found
    exclusion = exclusion_of(file, scale, answers, asked)
    rng = np.random.default_rng(seed)
    whole = summarise_scale(scale, answers, rng, marks=exclusion.marks, resamples=resamples)
    without = None
    scores = face_scores(scale, answers)
    if exclusion.any_out:
        left = kept(answers, exclusion.marks)
        without = summarise_scale(
            scale, left, np.random.default_rng(seed),
            marks=tuple(one for one in exclusion.marks if not one.excluded), resamples=resamples,
        )  # fmt: skip
        others = face_scores(scale, left)[["image", "emotion", "score"]]
        names = {"score": "score_without"}
        scores = scores.merge(others.rename(columns=names), "left", ["image", "emotion"])
    against = None
    if method is not None:
        against = compared(file, method, scores, scale.kind == "pairs", resamples, seed)
    with private():
        for table, path in ((scores, out), (answers, copy)):
            if path is not None:
                write_sheet(table, path)
    if report is not None:
        from emorank.report.page import write
        from emorank.report.scale_page import scale_page

        part = section(exclusion, whole, without)
        write(scale_page(whole, scores, file.name, (part,) if part else ()), report)
    if as_json:
        values = {"format": "project"} | plain(whole) | {"exclusion": exclusion.stored(without)}
        values |= {} if against is None else {"against": [plain(one) for one in against]}
        text = msgspec.json.encode(values | {"scores": scores.to_dict("records")})
        click.echo(msgspec.json.format(text, indent=2).decode())
    else:
        _print(whole, scores.head(rows))
        print_exclusion(exclusion, whole, without)
        if against is not None and method is not None:
            print_compared(against, method)
    for path in (out, copy, report):
        if path is not None:
            click.echo(f"wrote {path}", err=True)


def _print(summary: "ScaleSummary", scores: "pd.DataFrame") -> None:
    from emorank.cli.terminal import print_line, print_table
    from emorank.report.scale_page import first_line, statistics_table
    from emorank.report.words import cell

    print_line(first_line(summary), "bold")
    print_table(("answer", "number"), [(word, n) for word, n in summary.answers.items()])
    table = statistics_table(summary)
    print_table(tuple(table.columns), [list(row) for row in table.to_numpy(dtype=object)])
    for note in summary.notes:
        print_line(note)
    if len(scores):
        rows = [[cell(value) for value in row] for row in scores.itertuples(index=False, name=None)]
        print_table(tuple(scores.columns), rows, title="Scores of faces; --out writes all")

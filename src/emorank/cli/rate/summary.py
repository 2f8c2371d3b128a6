"""`emorank rate summary`: majority, Table 5's sheet and agreement of a file of votes."""

from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.answers.formats import FORMATS
from emorank.cli.options import FILE, FILE_OR_FOLDER, overwrite_option
from emorank.cli.votes import Said, said_options

if TYPE_CHECKING:
    from emorank.evaluation.raters.rating_summary import EmotionSummary
    from emorank.evaluation.raters.ratings import NoneAs


@click.command("summary", short_help="Majority, Table 5's sheet and agreement of a file of votes.")
@click.argument("file", type=FILE_OR_FOLDER)
@click.option(
    "--ties",
    type=click.Choice(["median", "disputed"]),
    default="median",
    show_default=True,
    help="How the sheet decides ties; the counts are printed for both ways.",
)
@click.option(
    "--none",
    "none_as",
    type=click.Choice(["level", "missing"]),
    default="level",
    show_default=True,
    help="'No such emotion here' as the level below Minimal, or left out of the agreement.",
)
@said_options
@click.option(
    "--format", "kind", type=click.Choice(FORMATS), help="Of FILE; its content decides by default."
)
@click.option("--out", type=FILE, help="Write the whole sheet: .csv, .parquet or .json.")
@click.option(
    "--answers",
    "copy",
    type=FILE,
    help="Write the answers, one row a vote: .csv, .parquet or .json.",
)
@click.option(
    "--exclude-rule",
    metavar="RULE",
    help="Show the results without raters whom RULE leaves out, too; by default the rule that a "
    "project declares. See emorank rate rule --help.",
)
@click.option(
    "--scores",
    "method",
    type=FILE,
    help="Compare scores of a method (columns image and score) with those of the raters.",
)
@click.option("--report", type=FILE, help="Write a page with figures, one HTML file.")
@overwrite_option
@click.option("--json", "as_json", is_flag=True, help="Print JSON instead of tables.")
@click.option("--rows", default=10, show_default=True, type=click.IntRange(0), help="Of the sheet.")
@click.option(
    "--resamples",
    default=2000,
    show_default=True,
    type=click.IntRange(100, 100_000),
    help="Of the bootstrap over images.",
)
@click.option("--seed", default=0, show_default=True, type=click.IntRange(0), help="Of the same.")
def command(
    file: Path,
    ties: str,
    none_as: str,
    said: Said,
    kind: str | None,
    out: Path | None,
    copy: Path | None,
    exclude_rule: str | None,
    method: Path | None,
    report: Path | None,
    overwrite: bool,
    as_json: bool,
    rows: int,
    resamples: int,
    seed: int,
) -> None:
    """Print the majority of the raters in FILE, and how well they agree.

    FILE holds one row a vote (image, rater, answer; also emotion, repeat, reaction_ms …) as CSV,
    Parquet or JSON, or is a sheet like the paper's Table 5, an export of Label Studio, the ratings
    of MDNS, the table of FER+ or CREMA-D, or a rating project. Answers are Minimal, Average,
    Strong, None (no such emotion here) and Skip.

    \b
    Examples:
      emorank rate summary votes.csv
      emorank rate summary votes.csv --ties disputed --out sheet.csv --report agreement.html
      emorank rate summary primary_expression_annotations.json --cut 1,2,4 --none missing
      emorank rate summary export.json --control intensity --json
      emorank rate summary votes.csv --exclude-rule "run>=0.5"
      emorank rate summary votes.csv --map "Low=Minimal,Medium=Average,High=Strong"
    """
    import msgspec
    import numpy as np

    from emorank.answers.declared import declared
    from emorank.answers.emotion_votes import EmotionVotes
    from emorank.answers.formats.csv_parquet import write_sheet
    from emorank.answers.interchange import write_answers
    from emorank.answers.scales import THREE
    from emorank.answers.voting import answer_sheet
    from emorank.cli.rate import summary_tables
    from emorank.cli.rate.against import compared, print_compared
    from emorank.cli.rate.exclusion import exclusion_of, print_exclusion, section
    from emorank.cli.rate.scale_summary import other_scale, summarise_project
    from emorank.cli.unfinished_work import require_new
    from emorank.errors import VotesError
    from emorank.evaluation.raters.careless import kept, with_values
    from emorank.evaluation.raters.face_scores import face_scores
    from emorank.evaluation.raters.rating_summary import (
        RatingSummary,
        summarise,
        summarise_emotions,
    )
    from emorank.files import private
    from emorank.room.sources import read_source

    for path in (out, copy, report):
        if path is not None and path.resolve() == file.resolve():
            raise click.UsageError(f"{path}: is the file that is read; give another name")
    for path in (out, copy):
        if path is not None and path.suffix.lower() not in (".csv", ".parquet", ".json"):
            raise click.UsageError(f"{path}: expected an ending .csv, .parquet or .json")
    for path in filter(None, (out, copy, report)):
        require_new(path, overwrite)
    if other := other_scale(file):
        summarise_project(
            file, other, out, copy, report, exclude_rule, method, as_json, rows, resamples, seed
        )
        return
    source = read_source(file, kind, declared(**said))
    # A room's answers are its owner's alone; those of a file are as open as the file.
    keep = private if source.format == "project" else nullcontext
    content, rng = source.content, np.random.default_rng(seed)
    summary: RatingSummary | EmotionSummary
    exclusion, without, against = None, None, None
    if isinstance(content, EmotionVotes):
        if copy is not None:
            raise VotesError(f"{file}: holds votes on emotions; there are no answers to write")
        summary = summarise_emotions(content, rng, resamples=resamples)
        sheet = content.table()
    else:
        level: NoneAs = "level" if none_as == "level" else "missing"
        summary = summarise(content, rng, none_as=level, named=source.named, resamples=resamples)
        numbers = with_values(content)
        exclusion = exclusion_of(file, THREE, numbers, exclude_rule)
        if method is not None:
            against = compared(file, method, face_scores(THREE, numbers), False, resamples, seed)
        if exclusion.any_out:
            again = np.random.default_rng(seed)
            left = kept(content, exclusion.marks)
            without = summarise(left, again, none_as=level, named=source.named, resamples=resamples)
        sheet = answer_sheet(content, "median" if ties == "median" else "disputed")
        if copy is not None:
            with keep():
                write_answers(content, copy)
    if out is not None:
        with keep():
            write_sheet(sheet, out)
    if report is not None:
        from emorank.report.page import write
        from emorank.report.rating_page import rating_page

        page = rating_page(summary, title=file.name)
        part = None if exclusion is None else section(exclusion, summary, without)
        write(replace(page, sections=(*page.sections, *([part] if part else []))), report)
    if as_json:
        from emorank.results.stored import plain

        more: dict[str, Any] = {}
        if exclusion is not None:
            more["exclusion"] = exclusion.stored(without)
        more |= {} if against is None else {"against": [plain(one) for one in against]}
        text = msgspec.json.encode({"format": source.format} | plain(summary) | more)
        click.echo(msgspec.json.format(text, indent=2).decode())
    elif isinstance(summary, RatingSummary):
        summary_tables.print_ratings(summary, sheet.head(rows), ties)
        if exclusion is not None:
            print_exclusion(exclusion, summary, without)
        if against is not None and method is not None:
            print_compared(against, method)
    else:
        summary_tables.print_emotions(summary, sheet.head(rows))
    for path in (out, copy, report):
        if path is not None:
            click.echo(f"wrote {path}", err=True)

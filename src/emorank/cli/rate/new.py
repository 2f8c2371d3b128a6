"""`emorank rate new`: make a rating project."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.options import FILE_OR_FOLDER, comma_list, dataset_options
from emorank.cli.rate.declared import Declaring, protocol_option
from emorank.cli.studies import progress_bar, read_settings

if TYPE_CHECKING:
    from emorank.room.project import Project
    from emorank.room.protocol import Declared


@click.command(
    "new",
    cls=Declaring,
    short_help="Make a rating project and print an invite link for each rater.",
)
@click.argument("images", metavar="IMAGES_OR_STUDY", type=FILE_OR_FOLDER)
@click.option(
    "--raters", type=click.IntRange(1, 1000), help="How many; by default as many as --names, or 10."
)
@click.option(
    "--names",
    callback=comma_list,
    help="Their names, with commas between; by default r1, r2 ….",
)
@click.option(
    "--scale",
    type=click.Choice(["three", "four", "slider", "pairs"]),
    default="three",
    show_default=True,
    help="Three or four levels, a slider from 0 to 100, or which of two faces is stronger.",
)
@click.option(
    "--levels",
    callback=comma_list,
    help="Names of the four levels, weakest first; by default Minimal,Moderate,Strong,Extreme.",
)
@click.option("--ties", is_flag=True, help="Of pairs: 'equally strong' is an answer too.")
@click.option(
    "--pairs-per-face",
    type=click.IntRange(1),
    help="Of pairs: how many each face is in at least; by default 6.",
)
@click.option(
    "--per-rater",
    type=click.IntRange(1),
    help="Faces that each rater rates; by default all. With pairs: pairs.",
)
@click.option(
    "--raters-per-face",
    "per_unit",
    type=click.IntRange(1),
    help="Raters that each face has at least; alone, it decides how many faces a rater rates.",
)
@click.option(
    "--exclude-rule",
    metavar="RULE",
    help="When raters are left out, declared before there are data; see emorank rate rule --help.",
)
@click.option(
    "--keep-days",
    type=click.IntRange(1, 36_500),
    help="Days after the last answer until what is personal is to be deleted; status reminds.",
)
@click.option("--out", required=True, type=FILE_OR_FOLDER, help="Folder to make.")
@protocol_option
@click.option(
    "--order",
    "ordering",
    type=click.Choice(["emotion", "mixed"]),
    default="emotion",
    show_default=True,
    help="One expressed emotion after another, as in the paper, or all mixed.",
)
@click.option(
    "--repeats",
    default=0.05,
    show_default=True,
    type=click.FloatRange(0, 0.3),
    help="Share of images that come twice, for each rater's own consistency; 0 for none.",
)
@click.option(
    "--shortest-viewing",
    default=0.25,
    show_default=True,
    type=click.FloatRange(0, 10),
    help="Seconds that a face is seen before an answer to it counts.",
)
@click.option(
    "--emotions",
    callback=comma_list,
    help="Only these, with commas between; by default all but neutral.",
)
@click.option(
    "--face-size",
    type=int,
    help="Of the longer side of each face on the screen, in CSS pixels; by default 360.",
)
@click.option("--background", help="Of the raters' page, #rrggbb; by default the grey #808080.")
@click.option("--question", help="With {emotion} where the word goes.")
@click.option("--title", help="Of the project; raters see it.")
@click.option("--seed", default=0, show_default=True, help="Of the raters' orders.")
@click.option(
    "--base-url", help="What the links begin with, if not this machine: https://rate.example.org"
)
@click.option("--database", metavar="URL", help="postgresql+psycopg://…; by default a file.")
@dataset_options
def command(
    images: Path,
    raters: int | None,
    names: list[str],
    scale: str,
    levels: list[str],
    ties: bool,
    pairs_per_face: int | None,
    per_rater: int | None,
    per_unit: int | None,
    exclude_rule: str | None,
    keep_days: int | None,
    out: Path,
    declared: "Declared | None",
    ordering: str,
    repeats: float,
    shortest_viewing: float,
    emotions: list[str],
    face_size: int | None,
    background: str | None,
    question: str | None,
    title: str | None,
    seed: int,
    base_url: str | None,
    database: str | None,
    dataset: str,
    options: tuple[str, ...],
) -> None:
    """Make a rating project in a new folder.

    IMAGES_OR_STUDY is a folder per emotion, any data set that `emorank data inspect` recognises,
    the folder of a study, or a folder of images that are all rated for the one emotion that
    --emotions names. Pictures are copied under random names; the project
    needs nothing else. One link per rater is printed, and the owner's: each works once.

    \b
    Examples:
      emorank rate new my_faces --raters 10 --out ratings
      emorank rate new mine --names ada,ben,cleo --order mixed --out ratings
      emorank rate new my_faces --raters 12 --per-rater 10 --raters-per-face 3 --out ratings
      emorank rate new my_faces --scale slider --out ratings
      emorank rate new my_faces --scale pairs --ties --pairs-per-face 4 --out ratings
      emorank rate new my_faces --exclude-rule "fast>0.1, run>=0.5" --keep-days 365 --out ratings
      emorank rate new sample --dataset sample --out ratings
      emorank rate new my_faces --protocol protocol.toml --out ratings

    A file protocol.toml, of which every line may be left out:

    \b
      order = "mixed"            # any option above, with _ for -
      raters = 4
      [languages]
      offered = ["en", "de"]     # en, de, es, fr, zh are there
      [consent]
      kept = "until the end of 2030"
      contact = "lab@example.org"
      [breaks]
      every = 50
      [[demographics]]
      key = "age"
      kind = "number"
      least = 18
      most = 99
      [completion]
      code = "C0FFEE"

    docs/rating_protocol.md describes every key.
    """
    from emorank.answers.scales import scale_of
    from emorank.errors import needing
    from emorank.evaluation.raters.careless import parse_rule

    with needing("web", "a rating project"):
        from emorank.room.creation import Setup, create_project
        from emorank.room.design import Design
    from emorank.cli.rate.project import people, print_links
    from emorank.study.verbs.gallery_of_study import gallery

    open_link = declared is not None and declared.protocol.open_link is not None
    who = _raters(raters, names, 0 if open_link else 10)
    pictures = gallery(images, dataset, emotions, **read_settings(options))
    # Raters see the title, and where images come from may say what to expect of them.
    chosen: dict[str, Any] = {
        "face_size": face_size,
        "background": background and background.lower(),
        "question": question,
        "base_url": base_url,
        "database": database,
    }
    setup = Setup(
        ordering=ordering,  # type: ignore[arg-type]  # click has checked it
        repeats=repeats,
        shortest_ms=round(1000 * shortest_viewing),
        seed=seed,
        source=pictures.source,
        title=title or "Expression intensity",
        design=Design(
            scale_of(scale, tuple(levels), ties),
            per_rater=per_rater,
            per_unit=per_unit,
            pairs_per_face=pairs_per_face,
            keep_days=keep_days,
        ),
        rule=parse_rule(exclude_rule).text if exclude_rule else "",
        **{key: value for key, value in chosen.items() if value is not None},
    )
    left_out = pictures.left_out
    more = [f"… and {len(left_out) - 20} more"] if len(left_out) > 20 else []
    for line in [*left_out[:20], *more]:
        click.echo(f"left out: {line}", err=True)
    with progress_bar("pictures") as progress:
        project = create_project(
            out, pictures.images, pictures.read, who, setup, progress, pictures.persons, declared
        )
    _print_counts(project, len(pictures.images), len(who))
    print_links(project, people(project))


def _raters(count: int | None, names: list[str], usual: int) -> list[str]:
    from emorank.errors import RatingError

    if names and count not in (None, len(names)):
        raise RatingError(
            f"--raters {count}, but {_number(len(names), 'name')} in --names; "
            "leave out --raters, or name each rater"
        )
    return names or [f"r{number}" for number in range(1, (count or usual) + 1)]


def _print_counts(project: "Project", asked: int, raters: int) -> None:
    from emorank.room.overview import pictures

    shown = len(pictures(project))
    if shown < asked:
        reasons = project.folder / "excluded.csv"
        click.echo(f"left out: {asked - shown} images that cannot be read, see {reasons}", err=True)
    click.echo(f"{project.folder}: {_number(shown, 'image')}, {_number(raters, 'rater')}")


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

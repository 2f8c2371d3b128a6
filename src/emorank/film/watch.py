"""Films become folders of tables; what was done is not done again after a stop."""

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from emorank import delimited
from emorank.errors import ImageError, PlanError, StudyError
from emorank.files import replacing
from emorank.film import tables
from emorank.film.alone import LOCK, alone_in
from emorank.film.drawn import PAGE, draw_what_is_missing
from emorank.film.films import FPS, RESULT, UNFINISHED, Film, films_in
from emorank.film.labels import LABELS
from emorank.film.measure import Reading, measure
from emorank.film.sequences import MANIFEST, manifest
from emorank.progress import Progress, silent
from emorank.reading.journal import Journal, state_of

if TYPE_CHECKING:
    from emorank.study.folder import Study

_NAMED = 1000  # broken frames that are listed


@dataclass(frozen=True)
class WatchedFilm:
    """The folder of a film that was read.

    Attributes:
        name: of the film and the folder.
        folder: holds `frames`, `events`, `film.json` and what else was asked for.
        about: what `film.json` says: `film`, `frames` (in the film), `read`, `broken` (how many),
            `broken_frames` (the first thousand, with the reason), `early` (why it ended before its
            end), `faces`, `tracks`, `events`, `width`, `height`, `rate`, `seconds`, `codec`.
        again: whether an earlier command has read it.
        drawn: files that people look at: the page, the figure of the timeline as PNG and PDF, and
            films if asked for.
    """

    name: str
    folder: Path
    about: dict[str, Any]
    again: bool = False
    drawn: Sequence[Path] = ()

    @property
    def page(self) -> Path:
        """The page on which the film plays beside its timeline."""
        return self.folder / PAGE

    def frames(self) -> pd.DataFrame:
        """A row for each face of each frame that was read, and for each frame without a face."""
        return tables.read(self.folder, tables.FRAMES)

    def events(self) -> pd.DataFrame:
        """A row for each expression that comes and goes."""
        return tables.read(self.folder, tables.EVENTS)


@dataclass(frozen=True)
class Watched:
    """The films that were read, and why others were not."""

    films: list[WatchedFilm]
    excluded: list[ImageError]

    def __iter__(self) -> Iterator[WatchedFilm]:
        return iter(self.films)

    def __len__(self) -> int:
        return len(self.films)


@dataclass(frozen=True)
class _Options:
    """What is asked of every film."""

    reading: Reading
    key: str
    temperature: float
    smoothed: bool
    format: str
    labels: Sequence[str]
    overwrite: bool
    draw: bool = True
    annotate: bool = False
    heatmaps: bool = False


def watch(
    films: Path | str | Iterable[Path | str],
    out: Path | str,
    *,
    every: int = 1,
    faces: int | None = None,
    rank: str | Iterable[str] = (),
    study: "Study | Path | str | None" = None,
    device: str | None = None,
    crops: int = 1,
    smooth: bool = True,
    save_faces: bool = False,
    fps: float = FPS,
    format: str = "parquet",  # noqa: A002 - as the option is called
    labels: str | Iterable[str] = (),
    draw: bool = True,
    annotate: bool = False,
    heatmaps: bool = False,
    shard: tuple[int, int] | None = None,
    overwrite: bool = False,
    progress: Progress = silent,
) -> Watched:
    """Read films: whose faces are in each frame, what they express and how strongly, and when.

    Each film gets a folder `out`/NAME with the tables `frames` and `events`, a page on which the
    film plays beside its timeline, and a figure; docs/film.md describes them. The same call goes on
    where an earlier one was stopped, and does not read again what is done.

    Args:
        films: files, folders of films, folders of frames; one, or any number.
        out: the folder for all of them.
        every: read only each so many-th frame.
        faces: of a frame, the nearest ones; None for all.
        rank: as in `rank_images`, one or several.
        study: whose network answers, or its folder; None for the shipped one.
        device: as in `read`.
        crops: of each face, whose logits are averaged: 1 or 3.
        smooth: smooth the curves along each track.
        save_faces: write each face as a picture, and the table `faces.csv` of them, which is a data
            set with sequences.
        fps: frames a second of a folder of frames.
        format: "parquet" or "csv".
        labels: "elan", "boris" or both: files that these programs read.
        draw: the page and the figure.
        annotate: write a film with boxes, persons, emotions and levels, `annotated.webm`.
        heatmaps: write a film with the heatmap of each face, `heatmaps.webm`.
        shard: (i, n): read only each n-th film from the i-th on, 1 ≤ i ≤ n, as one of n tasks of a
            cluster that share `out`.
        overwrite: replace results of other options.
        progress: is told how many frames of the film are done.

    Returns:
        The films that were read, and an ImageError for each that could not be.

    Raises:
        ImageError: the only film cannot be read; or a folder holds no film and no frame.
        MissingExtraError: a film's file, and the extra 'film' is not installed.
        StudyError: there are results of other options, and `overwrite` is not given; or the study
            lacks what a rank needs; or another process reads this film.
        PlanError: an argument is none of those expected.
    """
    labels = (labels,) if isinstance(labels, str) else tuple(labels)
    _check(every, faces, fps, format, labels)
    if shard is not None and not 1 <= shard[0] <= shard[1]:
        raise PlanError(f"shard {shard[0]}/{shard[1]}: expected I/N with 1 ≤ I ≤ N")
    out = Path(out)
    if out.exists() and not out.is_dir():
        raise PlanError(f"{out}: is a file; expected the name of a folder")
    ranks = (rank,) if isinstance(rank, str) else tuple(rank)
    options = _options(
        study, ranks, device, crops, every, faces, smooth, save_faces, format, labels, overwrite
    )
    options = replace(options, draw=draw, annotate=annotate, heatmaps=heatmaps)
    given = (films,) if isinstance(films, Path | str) else films
    listed = films_in(given, fps)
    if not listed:
        raise PlanError("expected at least one film, or a folder of frames; none was given")
    alone = len(listed) == 1
    if shard is not None:
        listed = listed[shard[0] - 1 :: shard[1]]
    watched, excluded = [], []
    for number, film in enumerate(listed, start=1):
        where = (
            f"{film.name}, " if len(listed) == 1 else f"{number} of {len(listed)}: {film.name}, "
        )
        try:
            watched.append(_one(film, out / film.name, options, _Clock(progress, where)))
        except ImageError as error:
            if alone:
                raise
            excluded.append(error)
    return Watched(watched, excluded)


def _check(every: int, faces: int | None, fps: float, form: str, labels: Sequence[str]) -> None:
    for name, value, least in (("every", every, 1), ("faces", faces, 1)):
        if value is not None and value < least:
            raise PlanError(f"{name}={value}: expected at least {least}")
    if not 0 < fps < 1e5:
        raise PlanError(f"fps={fps}: expected frames a second, for instance 30")
    if form not in tables.FORMATS:
        raise PlanError(f"format='{form}': expected {' or '.join(tables.FORMATS)}")
    for label in labels:
        if label not in LABELS:
            raise PlanError(f"labels='{label}': expected {' or '.join(LABELS)}")


def _options(
    study: "Study | Path | str | None",
    ranks: tuple[str, ...],
    device: str | None,
    crops: int,
    every: int,
    faces: int | None,
    smoothed: bool,
    save: bool,
    form: str,
    labels: Sequence[str],
    overwrite: bool,
) -> _Options:
    from emorank.study.answer_store import RankStates
    from emorank.study.folder import fingerprint, open_study
    from emorank.study.learning.measured_faces import temperature_of
    from emorank.study.readers import check_levels, reader_of

    if isinstance(study, Path | str):
        study = open_study(study)
    check_levels(ranks)
    reader = reader_of(study, ranks, device=device, crops=crops)
    network = reader.network
    temperature = temperature_of(study, network) if study and network.knows_neutral else 1.0
    options = [list(reader.ranks), every, faces, crops, save, network.device.type]
    state = RankStates(study).of("".join(list(reader.ranks)[:1]), options)
    key = fingerprint(state, temperature, smoothed, form)
    return _Options(
        Reading(reader, every, faces, save), key, temperature, smoothed, form, labels, overwrite
    )


def _one(film: Film, folder: Path, options: _Options, clock: "_Clock") -> WatchedFilm:
    """Read a film into its folder, or what is missing of it."""
    key = _key(film, options)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with alone_in(folder):
            return _alone(film, folder, key, options, clock)
    finally:
        _remove_if_empty(folder)


def _alone(film: Film, folder: Path, key: str, options: _Options, clock: "_Clock") -> WatchedFilm:
    about = _finished(folder)
    journal = Journal(folder / UNFINISHED, key)
    again = about is not None and about["key"] == key
    if about is None or not again:
        _refuse_others(folder, about, journal, options.overwrite)
        end = measure(options.reading, film, folder, journal, clock.tell)
        about = _write(film, folder, key, journal, end, options)
    journal.discard()
    for label in options.labels:
        pair = tables.read(folder, tables.FRAMES), tables.read(folder, tables.EVENTS)
        LABELS[label](folder, film.path, about, pair)
    network = options.reading.reader.network if options.heatmaps else None
    drawn = draw_what_is_missing(
        film,
        folder,
        about,
        page=options.draw,
        annotate=options.annotate,
        heatmaps=network,
        progress=clock.drawing,
    )
    return WatchedFilm(film.name, folder, about, again, drawn)


def _refuse_others(
    folder: Path, about: dict[str, Any] | None, journal: Journal, overwrite: bool
) -> None:
    """Refuse to replace results of another command, or remove them."""
    if (about is not None or journal.of_another) and not overwrite:
        what = "the unfinished result" if about is None else "the result"
        raise StudyError(
            f"{folder}: holds {what} of a command with other options, of another network, or of a "
            "film that has changed since; give another --out, or --overwrite (overwrite=True) to "
            "begin anew"
        )
    if journal.of_another:
        journal.discard()
    for name in (
        RESULT,
        *(f"{t}.{e}" for t in (tables.FRAMES, tables.EVENTS) for e in tables.FORMATS),
    ):
        (folder / name).unlink(missing_ok=True)


def _write(
    film: Film, folder: Path, key: str, journal: Journal, end: dict[str, Any], options: _Options
) -> dict[str, Any]:
    """Write the tables, and then what says that they are there."""
    records = (record for _, record in journal.records())
    face = options.reading.column_row()
    made = tables.tables_of(
        film.name, records, face, options.temperature, smoothed=options.smoothed
    )
    if made.frames.empty:
        reason = made.broken[0]["reason"] if made.broken else "it holds no frame"
        journal.discard()
        raise ImageError(film.path, f"no frame of it can be used: {reason}")
    tables.write(made.frames, folder / f"{tables.FRAMES}.{options.format}")
    if options.reading.save:
        delimited.write(folder / MANIFEST, manifest(film.name, made.frames))
    tables.write(made.events, folder / f"{tables.EVENTS}.{options.format}")
    about = {
        "film": str(film.path),
        "key": key,
        "every": options.reading.every,
        "frames": end["end"],
        "read": int(made.frames["frame"].nunique()),
        "broken": len(made.broken),
        "broken_frames": made.broken[:_NAMED],
        "early": end["early"],
        "faces": int(made.frames["face"].notna().sum()),
        "tracks": int(made.frames["track"].nunique()),
        "events": len(made.events),
        **{name: value for name, value in end["about"].items() if name != "frames"},
    }
    with replacing(folder / RESULT) as partial:
        partial.write_text(json.dumps(about, indent=1), encoding="utf-8")
    return about


def _finished(folder: Path) -> dict[str, Any] | None:
    """What `film.json` says; None if it is not there or damaged."""
    try:
        about = json.loads((folder / RESULT).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return None
    return about if isinstance(about, dict) and "key" in about else None


def _key(film: Film, options: _Options) -> str:
    from emorank.study.folder import fingerprint

    paths = film.frames or (film.path,)
    states = [[path.name, *state_of(path)] for path in paths]
    return fingerprint(
        str(film.path.absolute()), film.fps if film.frames else 0, states, options.key
    )


def _remove_if_empty(folder: Path) -> None:
    """Leave no folder of a film that could not be read."""
    if [path.name for path in folder.iterdir()] in ([], [LOCK]):
        (folder / LOCK).unlink(missing_ok=True)
        folder.rmdir()


class _Clock:
    """Tells how far a film is, and how fast it goes."""

    def __init__(self, progress: Progress, words: str) -> None:
        self.progress, self.words = progress, words
        self.begun = time.monotonic()
        self.first: int | None = None

    def tell(self, done: int, total: int) -> None:
        """So many frames are done."""
        if self.first is None:
            self.first = done - 1
        rate = (done - self.first) / max(time.monotonic() - self.begun, 1e-9)
        self.progress(done, total, f"{self.words}{rate:.1f} a second")

    def drawing(self, done: int, total: int, note: str = "") -> None:
        """So many frames are decoded for what is drawn."""
        self.progress(done, total, f"{self.words}{note}")

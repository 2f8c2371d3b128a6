"""What people look at: figure, page, annotated film and heatmap film, from a film's tables."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd
from PIL import Image

from emorank import __version__
from emorank.errors import PlanError
from emorank.files import replacing
from emorank.film import stills, tables
from emorank.film.alone import alone_in
from emorank.film.decoder import Decoding, Frame
from emorank.film.films import FPS, RESULT, Film, films_in
from emorank.film.heatmap_film import heated
from emorank.film.marks import annotated, marks_of
from emorank.film.tracks import gap_between
from emorank.film.webm import write_webm
from emorank.progress import Progress, silent
from emorank.report import style
from emorank.report.film_curves import has_levels, persons_of
from emorank.report.film_page import FilmPage, Version, write_film_page
from emorank.report.timeline import POINTS, drawn, timeline

if TYPE_CHECKING:
    from emorank.reading.emotion_network import EmotionNetwork
    from emorank.study.folder import Study

PAGE, FIGURE = "index.html", "timeline"
ANNOTATED, HEATMAPS = "annotated.webm", "heatmaps.webm"
FACES = 200
"""So many of the strongest events have a face on the page."""
SECOND = "original"
"""The film's name in the folder of its results, before the ending."""
_STAMP = "pictures.json"
_DRAWN = (PAGE, f"{FIGURE}.png", f"{FIGURE}.pdf", ANNOTATED, HEATMAPS)
_DOTS = 150  # per inch of the figure


def draw_film(
    folder: Path | str,
    *,
    annotate: bool = False,
    heatmaps: bool = False,
    study: "Study | Path | str | None" = None,
    device: str | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """Draw again a film that `watch` has read: page and figure, and films if asked for.

    They come from its tables. The network is not asked again, except for heatmaps.

    Args:
        folder: of the film's results.
        annotate: write a film with boxes, persons, emotions and levels, `annotated.webm`.
        heatmaps: write a film with the heatmap of each face, `heatmaps.webm`.
        study: whose network's heatmaps they are, or its folder; None for the shipped one.
        device: as in `read`.
        progress: is told how far it is.

    Returns:
        The files that are there then.

    Raises:
        PlanError: the folder is not that of a film that was read.
        ImageError: a film is to be written, and the film is not there any more.
        MissingExtraError: a film is to be written, and the extra 'film' is not installed.
        StudyError: another process works on this film.
    """
    folder = Path(folder)
    try:
        about = json.loads((folder / RESULT).read_text(encoding="utf-8"))
        film, _ = _film_of(folder, about), about["key"]
    except (OSError, ValueError, LookupError, TypeError):
        raise PlanError(f"{folder}: expected the folder of a film that was read") from None
    network = None
    if heatmaps:
        from emorank.study.folder import open_study
        from emorank.study.readers import reader_of

        study = open_study(study) if isinstance(study, Path | str) else study
        network = reader_of(study, (), device=device).network
    with alone_in(folder):
        return draw_what_is_missing(
            film, folder, about, anew=True, annotate=annotate, heatmaps=network, progress=progress
        )


def draw_what_is_missing(
    film: Film,
    folder: Path,
    about: Mapping[str, Any],
    *,
    page: bool = True,
    anew: bool = False,
    annotate: bool = False,
    heatmaps: "EmotionNetwork | None" = None,
    progress: Progress = silent,
) -> list[Path]:
    """Draw figure, page, and films if asked for, as far as they are not there.

    The film is decoded for what needs its pictures. What shows other tables than those that are
    there is removed.

    Args:
        film: as `films_in` gives it.
        folder: of its tables.
        about: what `film.json` says.
        page: draw the page and the figure.
        anew: also where they are there.
        annotate: write `ANNOTATED`.
        heatmaps: the network whose heatmaps are wanted as a film.
        progress: is told how far it is.

    Returns:
        The files that are there then.

    Raises:
        ImageError: a film is to be written, and the film cannot be decoded.
        MissingExtraError: what writes films is not installed.
    """
    _remove_others(folder, about)
    wanted = [ANNOTATED] * annotate + [HEATMAPS] * (heatmaps is not None)
    missing = [name for name in wanted if not (folder / name).exists()]
    there = (folder / PAGE).exists() and _stamp(folder).get("page") == __version__
    if missing or (page and (anew or not there)):
        frames, events = (
            typed(tables.read(folder, name)) for name in (tables.FRAMES, tables.EVENTS)
        )
        for name in missing:
            marks = marks_of(frames, about.get("every", 1))
            pictures = _told(Decoding(film), about, progress, name)
            if name == HEATMAPS and heatmaps is not None:
                shown = heated(pictures, marks, heatmaps)
            else:
                shown = annotated(pictures, marks)
            write_webm(folder / name, shown, None if film.frames else film.path)
        if page or (folder / PAGE).exists():
            name = Path(about["film"]).name or film.name
            _draw_tables(film, name, folder, frames, events, progress)
            _set_stamp(folder, tables=about["key"], page=__version__)
    return [folder / name for name in _DRAWN if (folder / name).exists()]


def _draw_tables(
    film: Film,
    name: str,
    folder: Path,
    frames: pd.DataFrame,
    events: pd.DataFrame,
    progress: Progress,
) -> None:
    """The figure and the page, with this name above them, and the stills that they need."""
    persons = persons_of(frames, gap_of(frames), POINTS, -np.inf)
    in_figure = drawn(persons, events)
    on_page = events.nlargest(FACES, "log_odds")["event"].tolist()
    some = events[events["event"].isin([*in_figure, *on_page])]
    stills.take_stills(film, folder, frames, some, progress)
    faces = _face_files(folder, some)
    shown = {
        event: np.asarray(Image.open(faces[event]).convert("RGB"))
        for event in in_figure
        if event in faces
    }
    odds, seconds = has_levels(frames), seconds_of(frames)
    figure = timeline(name, seconds, persons, events, shown, odds=odds)
    for ending, data in (("png", style.png(figure, _DOTS)), ("pdf", style.pdf(figure))):
        with replacing(folder / f"{FIGURE}.{ending}") as partial:
            partial.write_bytes(data)
    _write_page(film, name, folder, frames, events, faces)


def _film_of(folder: Path, about: Mapping[str, Any]) -> Film:
    """The film that a folder is of, as far as it is still there, by its first or second name."""
    path = Path(about["film"])
    if not path.exists():
        path = next(iter(sorted(folder.glob(f"{SECOND}*"))), path)
    if path.is_dir():
        for one in films_in([path], about.get("rate") or FPS):
            if one.path == path:
                return Film(folder.name, path, one.frames, one.fps)
    return Film(folder.name, path)


def gap_of(frames: pd.DataFrame) -> float:
    """Seconds without a face that are a gap in this film."""
    return gap_between(np.unique(frames["time"].to_numpy(np.float64)))


def seconds_of(frames: pd.DataFrame) -> float:
    """How long the film is, as far as it was read: to the end of its last frame."""
    times = np.unique(frames["time"].to_numpy(np.float64))
    if not len(times):
        return 0.0
    return float(times[-1] + (np.median(np.diff(times)) if len(times) > 1 else 0.04))


def typed(table: pd.DataFrame) -> pd.DataFrame:
    """The numbers of a table that came from CSV as numbers, also where there is no row."""
    numbers = ("event", "track", "onset", "apex", "offset", "apex_frame", "log_odds", "score")
    kinds = {name: "float64" for name in numbers if name in table and table[name].dtype == object}
    return table.astype(kinds)


def _told(
    decoding: Decoding, about: Mapping[str, Any], progress: Progress, words: str
) -> Iterator[Frame]:
    """The frames, and the progress is told of each."""
    total = about.get("frames") or 0
    for done, frame in enumerate(decoding, 1):
        progress(done, max(total, done), words)
        yield frame


def _remove_others(folder: Path, about: Mapping[str, Any]) -> None:
    """Remove what was drawn of other tables."""
    if _stamp(folder).get("tables") == about["key"]:
        return
    for name in _DRAWN:
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / stills.FOLDER, ignore_errors=True)
    _set_stamp(folder, tables=about["key"])


def _stamp(folder: Path) -> dict[str, Any]:
    """Of which tables the pictures are, and which version has drawn the page; empty if unknown."""
    try:
        said = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def _set_stamp(folder: Path, **said: str) -> None:
    with replacing(folder / _STAMP) as partial:
        partial.write_text(json.dumps(said), encoding="utf-8")


def _write_page(
    film: Film,
    name: str,
    folder: Path,
    frames: pd.DataFrame,
    events: pd.DataFrame,
    faces: Mapping[int, Path],
) -> None:
    times = dict(zip(frames["frame"].tolist(), frames["time"].tolist(), strict=True))
    below = folder / stills.FOLDER
    single = [
        (float(times[number]), path.read_bytes())
        for number in sorted(times)
        if (path := below / stills.frame_file(number)).exists()
    ]
    page = FilmPage(
        name=name,
        seconds=seconds_of(frames),
        frames=frames,
        events=events,
        gap=gap_of(frames),
        size=stills.size_of(folder),
        faces={event: path.read_bytes() for event, path in faces.items()},
        stills=single,
        versions=_versions(film, folder),
        tables=[
            path.name
            for table in (tables.FRAMES, tables.EVENTS)
            for ending in tables.FORMATS
            if (path := folder / f"{table}.{ending}").exists()
        ],
    )
    write_film_page(page, folder / PAGE)


def _face_files(folder: Path, events: pd.DataFrame) -> dict[int, Path]:
    """The picture of each event's face that is there."""
    below, found = folder / stills.FOLDER, {}
    for event, track, frame in events[["event", "track", "apex_frame"]].itertuples(index=False):
        path = below / stills.apex_file(int(frame), int(track))
        if path.exists():
            found[int(event)] = path
    return found


def _versions(film: Film, folder: Path) -> list[Version]:
    """Files of the film beside the page, or as near as may be."""
    made = [
        Version(label, name)
        for label, name in (("annotated", ANNOTATED), ("with heatmaps", HEATMAPS))
        if (folder / name).exists()
    ]
    if film.frames or not film.path.is_file():
        return made
    return [Version("as it is", _beside(film, folder), boxes=True), *made]


def _beside(film: Film, folder: Path) -> str:
    """The film's address from the page: in its folder, under a second name, where disks allow it.

    A second name takes no room, and the folder can be moved and passed on with the film in it.
    """
    suffix = film.path.suffix.lower()
    place = folder / f"{SECOND}{suffix if suffix[1:].isalnum() else ''}"
    if place.exists() and place.samefile(film.path):
        return quote(place.name)
    place.unlink(missing_ok=True)
    try:
        os.link(film.path.resolve(), place)
    except OSError:
        try:
            path = Path(os.path.relpath(film.path.resolve(), folder.resolve())).as_posix()
            return quote(os.fsencode(path))  # a name may hold bytes that are no text
        except ValueError:  # another drive
            return film.path.resolve().as_uri()
    return quote(place.name)

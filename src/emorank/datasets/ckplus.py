"""CK+, the extended Cohn-Kanade set, as the 981-image CK+48 release or as published.

CK+48: `CK+48/anger/S010_004_00000017.png`, a folder per emotion, file = person_sequence_frame;
48×48 crops, the last three frames of 327 sequences of 118 persons. These are Table 2's numbers
for CK+ (981 in all). The three frames of a sequence are nearly the same picture.

As published: `cohn-kanade-images/S011/001/S011_001_00000016.png` with
`Emotion/S011/001/…_emotion.txt` for 327 of 593 sequences; a sequence runs from neutral to the
peak. Its first frame is loaded as neutral and its last three frames as the labelled emotion, as
most articles and CK+48 do; options change this.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from emorank.datasets import folder_walk
from emorank.datasets.table import EXPRESSED, Card, Dataset, Problem, dataset
from emorank.errors import DatasetError, PlanError
from emorank.vocabulary import Emotion

CARD = Card(
    name="CK+",
    title="The Extended Cohn-Kanade Dataset",
    licence="Non-commercial research under the agreement of the Affect Analysis Group",
    citation=(
        "Lucey, P., Cohn, J. F., Kanade, T., Saragih, J., Ambadar, Z., Matthews, I. (2010). The "
        "Extended Cohn-Kanade Dataset (CK+): A complete dataset for action unit and "
        "emotion-specified expression. CVPR Workshops, 94-101."
    ),
    url="https://www.jeffcohn.net/resources/",
    cropped=True,
    counts=dict(zip(EXPRESSED, (135, 54, 177, 75, 207, 84, 249), strict=True)),
)

# By the number in an _emotion.txt file, README of the release
LABELS = (Emotion.NEUTRAL, *EXPRESSED)

_NAME = re.compile(r"(?P<person>S\d{3})_(?P<take>\d{3})_(?P<frame>\d{8})\.[A-Z]+", re.IGNORECASE)
_IMAGES = ("cohn-kanade-images", "extended-cohn-kanade-images")
_LABELS = ("Emotion", "Emotion_labels")


def recognise(root: Path) -> bool:
    """Whether the folder holds CK+ file names, with a label folder or in emotion folders."""
    if _parts(root) is not None:
        return True
    return folder_walk.most_names(root, _NAME.fullmatch) and any(
        _emotion_of(file) is not None for file in folder_walk.images(root)
    )


def load(root: Path, peak: int = 3, neutral: bool = True) -> Dataset:
    """Read the table of faces in whichever of the two layouts the folder has.

    Args:
        root: the folder `CK+48`, or the one that holds `cohn-kanade-images` and `Emotion`, or a
            folder around either.
        peak: how many last frames of a sequence count as its emotion (sequence layout only).
        neutral: whether its first frame is loaded as neutral (sequence layout only).

    Raises:
        DatasetError: the folder holds neither layout.
        PlanError: `peak` is below 1.
    """
    if peak < 1:
        raise PlanError(f"peak is {peak}; expected 1 or more last frames of a sequence")
    folder_walk.require_folder(root, CARD.name)
    if parts := _parts(root):
        return _load_sequences(root, *parts, peak=peak, neutral=neutral)
    return _load_folders(root)


def _load_folders(root: Path) -> Dataset:
    rows: list[dict[str, object]] = []
    files, problems = folder_walk.survey(root)
    for file in files:
        match, emotion = _NAME.fullmatch(Path(file).name), _emotion_of(file)
        if match is None:
            problems.append(Problem(file, "is not named like S010_004_00000017.png"))
        elif emotion is None:
            problems.append(Problem(file, "is in no folder named after an emotion"))
        else:
            rows.append(_row(file, emotion, match))
    if not rows:
        raise DatasetError(
            f"{root}: expected CK+48 (anger/S010_004_00000017.png …) or CK+ as published "
            f"(cohn-kanade-images/ and Emotion/), found {len(problems)} images that fit neither"
        )
    return dataset(CARD, root, rows, problems)


def _load_sequences(root: Path, images: Path, labels: Path, peak: int, neutral: bool) -> Dataset:
    rows: list[dict[str, object]] = []
    problems: list[Problem] = []
    for name, frames in _sequences(root, images, problems):
        label = _label(labels, name, problems)
        if label is None:
            continue
        first, last = frames[:1], frames[1:][-peak:] or frames
        if neutral and len(frames) > 1:
            rows += [_row(file, Emotion.NEUTRAL, match) for file, match in first]
        rows += [_row(file, label, match) for file, match in last]
    if not rows:
        raise DatasetError(
            f"{root}: found {images.name} and {labels.name}, but no sequence with a label; "
            "expected Emotion/S011/001/S011_001_00000016_emotion.txt beside the images"
        )
    counts = {emotion: number // 3 * peak for emotion, number in (CARD.counts or {}).items()}
    if neutral:
        counts[Emotion.NEUTRAL] = 327
    return dataset(replace(CARD, cropped=False, counts=counts), root, rows, problems)


def _sequences(
    root: Path, images: Path, problems: list[Problem]
) -> Iterator[tuple[str, list[tuple[str, re.Match[str]]]]]:
    """Yield each sequence's name and its frames in their order in time."""
    sequences: dict[str, list[tuple[str, re.Match[str]]]] = {}
    prefix = images.relative_to(root).as_posix()
    files, left_out = folder_walk.survey(images)
    problems += [Problem(f"{prefix}/{problem.file}", problem.reason) for problem in left_out]
    for file in files:
        match = _NAME.fullmatch(Path(file).name)
        where = f"{prefix}/{file}" if prefix != "." else file
        if match is None:
            problems.append(Problem(where, "is not named like S011_001_00000016.png"))
            continue
        sequences.setdefault(_sequence(match), []).append((where, match))
    for name, frames in sorted(sequences.items()):
        yield name, sorted(frames, key=lambda frame: int(frame[1]["frame"]))


def _label(labels: Path, sequence: str, problems: list[Problem]) -> Emotion | None:
    person, take = sequence.split("_")
    folder = folder_walk.child(labels, person, take)
    texts = sorted(folder.glob("*_emotion.txt")) if folder is not None else []
    if not texts:
        problems.append(Problem(sequence, "the sequence has no emotion label"))
        return None
    try:
        number = float(texts[0].read_text(encoding="ascii").strip())
        return LABELS[[float(index) for index in range(len(LABELS))].index(number)]
    except (OSError, ValueError):
        reason = "the emotion label is no number from 0 to 7; the sequence is left out"
        problems.append(Problem(texts[0].relative_to(labels.parent).as_posix(), reason))
        return None


def _parts(root: Path) -> tuple[Path, Path] | None:
    """Return the folders of images and of labels, None if this is not the published layout."""
    images = next(filter(None, (folder_walk.find(root, name) for name in _IMAGES)), None)
    labels = next(filter(None, (folder_walk.find(root, name) for name in _LABELS)), None)
    return (images, labels) if images is not None and labels is not None else None


def _emotion_of(file: str) -> Emotion | None:
    """Return the emotion that the image's own folder is named after."""
    try:
        return Emotion.parse(Path(file).parent.name)
    except DatasetError:
        return None


def _row(file: str, emotion: Emotion, match: re.Match[str]) -> dict[str, object]:
    return {
        "image": file,
        "emotion": emotion.value,
        "person": match["person"].upper(),
        "sequence": _sequence(match),
        "frame": int(match["frame"]),
    }


def _sequence(match: re.Match[str]) -> str:
    return f"{match['person'].upper()}_{match['take']}"

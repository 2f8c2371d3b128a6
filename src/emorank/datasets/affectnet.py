"""AffectNet: photographs from the web with an expression each, in its two layouts; no persons.

The older lists: `training.csv` and `validation.csv` with a path, a face box, 68 landmarks and an
expression 0-10, beside the images (often in `Manually_Annotated_Images/`). An image may show
several people, so the reader returns the listed face with a margin of half its size on every side:
the face detection that follows finds the labelled face and not another one. The listed landmarks
are not used, because all data sets have the same detector and crop.

The 2021 layout: `train_set/images/<id>.jpg`, `train_set/annotations/<id>_exp.npy` and the same in
`val_set`; faces are cropped already. Ids repeat across the two, so an image is known by its path.

The published split is not used; `splits.py` makes another. Expressions 8-10 (none, uncertain, no
face) and unusable rows are left out; the problems say how many for each reason.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from jaxtyping import UInt8

from emorank import delimited, images
from emorank.datasets import folder_walk
from emorank.datasets.table import Card, Dataset, Problem, dataset, inside, plain
from emorank.errors import DatasetError
from emorank.naming import image_name
from emorank.vocabulary import Emotion

_WORDS = ("neutral", "happy", "sadness", "surprise", "fear", "disgust", "anger", "contempt")
EXPRESSIONS = tuple(map(Emotion, _WORDS))
LEFT_OUT: dict[int | None, str] = {
    8: "expression 8, none",
    9: "expression 9, uncertain",
    10: "expression 10, no face",
}

_TRAINING = (74874, 134415, 25459, 14090, 6378, 3803, 24882, 3750)
_LIST_COUNTS = {e: n + 500 for e, n in zip(EXPRESSIONS, _TRAINING, strict=True)}

CARD = Card(
    name="AffectNet",
    title="AffectNet: facial expression, valence and arousal in the wild",
    licence="Non-commercial research under the agreement of the University of Denver",
    citation=(
        "Mollahosseini, A., Hasani, B., Mahoor, M. H. (2019). AffectNet: A Database for Facial "
        "Expression, Valence, and Arousal Computing in the Wild. IEEE Transactions on Affective "
        "Computing 10(1), 18-31."
    ),
    url="http://mohammadmahoor.com/affectnet/",
    cropped=True,
    # one image of contempt fewer in the validation part of 2021
    counts=_LIST_COUNTS | {Emotion.CONTEMPT: _LIST_COUNTS[Emotion.CONTEMPT] - 1},
)

# automatically_annotated.csv is not read: a network made its labels, not people.
_LISTS = ("training.csv", "validation.csv")
_SETS = ("train_set", "val_set")
_FIELDS = (
    "subDirectory_filePath",
    "face_x",
    "face_y",
    "face_width",
    "face_height",
    "facial_landmarks",
    "expression",
    "valence",
    "arousal",
)
_IMAGES = ("Manually_Annotated_Images", "Manually_Annotated")
_MARGIN = 0.5

Box = tuple[int, int, int, int]


def recognise(root: Path) -> bool:
    """Whether the folder holds one of the two layouts."""
    return bool(_sets(root) or _lists(root))


def load(root: Path) -> Dataset:
    """Read the table of faces in whichever of the two layouts the folder has.

    Raises:
        DatasetError: the folder holds neither layout, or no usable image.
    """
    folder_walk.require_folder(root, CARD.name)
    if sets := _sets(root):
        return _load_sets(root, sets)
    if lists := _lists(root):
        return _load_lists(root, lists)
    raise DatasetError(
        f"{root}: expected AffectNet, either training.csv and validation.csv with a column "
        "subDirectory_filePath, or train_set/ and val_set/ with images/ and annotations/; found "
        "neither; give the folder that holds them"
    )


@dataclass(frozen=True)
class FaceReader:
    """Reads an image and cuts out the listed face with a margin."""

    root: Path
    boxes: Mapping[str, Box]  # x, y, width, height in pixels

    def __call__(self, image: str) -> UInt8[np.ndarray, "height width 3"]:
        """Return upright RGB of the face and of a margin of half its box, within the image."""
        rgb = images.read(inside(self.root, image))
        x, y, width, height = self.boxes.get(image, (0, 0, 0, 0))
        if width <= 0 or height <= 0:
            return rgb
        room_x, room_y = int(_MARGIN * width), int(_MARGIN * height)
        top, left = max(0, y - room_y), max(0, x - room_x)
        face = rgb[top : y + height + room_y, left : x + width + room_x]
        # A box outside its picture cannot be right, so the whole picture is taken.
        return np.ascontiguousarray(face) if min(face.shape[:2]) >= images.LIMITS.side else rgb


def _load_lists(root: Path, lists: list[Path]) -> Dataset:
    rows: dict[str, dict[str, object]] = {}
    boxes: dict[str, Box] = {}
    reasons: Counter[str] = Counter()
    for file in lists:
        folder: Path | None = None
        for record in _records(file):
            image, expression = image_name((record[0] or "").strip()), _number(record[6])
            if expression is None or not 0 <= expression < len(EXPRESSIONS):
                reasons[LEFT_OUT.get(expression, "no expression")] += 1
                continue
            if not plain(image):
                reasons["the path leaves the data folder"] += 1
                continue
            folder = folder or _folder_of(root, file, image)
            if folder is None or not (folder / image).is_file():
                reasons["the image file is missing"] += 1
                continue
            name = (folder.relative_to(root) / image).as_posix()
            if name in rows:
                reasons["the image is listed again"] += 1
                continue
            rows[name] = {"image": name, "emotion": EXPRESSIONS[expression].value}
            box = [_number(value) for value in record[1:5]]
            if None not in box:
                boxes[name] = tuple(value or 0 for value in box)  # type: ignore[assignment]
    card = replace(CARD, cropped=False, counts=_LIST_COUNTS)
    return _finish(card, root, list(rows.values()), reasons, FaceReader(root, boxes))


def _load_sets(root: Path, sets: list[Path]) -> Dataset:
    rows: list[dict[str, object]] = []
    reasons: Counter[str] = Counter()
    problems: list[Problem] = []
    for part in sets:
        annotations = folder_walk.child(part, "annotations") or part
        folder = folder_walk.child(part, "images") or part
        prefix = folder.relative_to(root)
        files, left_out = folder_walk.survey(folder, skip=("annotations",))
        problems += left_out
        for file in files:
            expression = _annotation(annotations / f"{Path(file).stem}_exp.npy")
            if isinstance(expression, str):
                reasons[expression] += 1
            elif 0 <= expression < len(EXPRESSIONS):
                emotion = EXPRESSIONS[expression].value
                rows.append({"image": (prefix / file).as_posix(), "emotion": emotion})
            else:
                reasons[LEFT_OUT.get(expression, "no expression from 0 to 10")] += 1
    return _finish(CARD, root, rows, reasons, None, problems)


def _finish(
    card: Card,
    root: Path,
    rows: list[dict[str, object]],
    reasons: Counter[str],
    read: FaceReader | None,
    problems: Iterable[Problem] = (),
) -> Dataset:
    counted = [Problem(f"({count} images)", reason) for reason, count in sorted(reasons.items())]
    return dataset(card, root, rows, [*problems, *counted], read)


def _annotation(file: Path) -> int | str:
    """Return the expression, or the reason why there is none."""
    try:
        # The published files hold a string in an array without dimensions. A pickle in their
        # place would run code when read, so it is refused.
        return int(float(np.load(file, allow_pickle=False).item()))
    except FileNotFoundError:
        return "the annotation file is missing"
    except (OSError, ValueError, OverflowError, TypeError, AttributeError, EOFError, MemoryError):
        return "the annotation file is no plain array of one number"


def _records(file: Path) -> Iterator[list[str]]:
    """Yield the fields of each row; a list without a header has the published order."""
    names, head, lines = _table(file)
    order = list(range(len(_FIELDS)))
    if _FIELDS[0].lower() in names:
        missing = [name for name in _FIELDS[:7] if name.lower() not in names]
        if missing:
            raise DatasetError(
                f"{file}: lacks the columns {', '.join(missing)}; expected {', '.join(_FIELDS)}"
            )
        order = [names.index(name.lower()) for name in _FIELDS[:7]]
    else:
        yield [*head, *[""] * 9][:9]
    for _, record in lines:
        yield [record[index] if index < len(record) else "" for index in order]


def _table(file: Path) -> tuple[list[str], list[str], delimited.Rows]:
    """The names of the columns, the first row as it is, and the other rows."""
    head, lines = delimited.table(file, DatasetError, damaged="replace")
    names = [name.strip().lower() for name in head]
    if _FIELDS[0].lower() not in names:  # the semicolons in landmarks separate no cells
        head, lines = delimited.table(file, DatasetError, delimiters=",", damaged="replace")
    return names, head, lines


def _is_list(file: Path) -> bool:
    try:
        names, head, _ = _table(file)
    except DatasetError:
        return False
    # Without a header the first row has a path, a box, landmarks joined by ";", three numbers.
    return _FIELDS[0].lower() in names or (len(head) == len(_FIELDS) and head[5].count(";") > 100)


def _lists(root: Path) -> list[Path]:
    paths = (folder_walk.find(root, name) for name in _LISTS)
    return [file for file in paths if file is not None and file.is_file() and _is_list(file)]


def _sets(root: Path) -> list[Path]:
    paths = (folder_walk.find(root, name) for name in _SETS)
    return [path for path in paths if path is not None and folder_walk.child(path, "annotations")]


def _folder_of(root: Path, file: Path, image: str) -> Path | None:
    """Return the folder that the paths of a list are relative to: the one that has `image`."""
    near = [file.parent, root]
    near += [folder for name in _IMAGES if (folder := folder_walk.find(root, name)) is not None]
    near += [sub for folder in near[2:] for sub in folder_walk.folders(folder)]
    return next((folder for folder in near if (folder / image).is_file()), None)


def _number(text: str) -> int | None:
    try:
        return int(float(text))
    except (ValueError, OverflowError):
        return None

"""RAF-DB, the Real-world Affective Faces, basic emotions: 15 339 faces from the web, no persons.

`EmoLabel/list_patition_label.txt` (spelt so) names each image and a number 1-7; the images lie in
`Image/aligned/train_00001_aligned.jpg` (100×100, the default here) and, not cropped,
`Image/original/train_00001.jpg`. The published split is not used; `splits.py` makes another.
"""

from collections import Counter
from dataclasses import replace
from pathlib import Path, PurePosixPath

from emorank import delimited
from emorank.datasets import folder_walk
from emorank.datasets.table import Card, Dataset, Problem, dataset
from emorank.errors import DatasetError, PlanError
from emorank.naming import image_name, whole
from emorank.vocabulary import Emotion

VIEWS = ("aligned", "original")

_WORDS = ("surprise", "fear", "disgust", "happy", "sadness", "anger", "neutral")
LABELS = {str(number): Emotion(word) for number, word in enumerate(_WORDS, start=1)}

CARD = Card(
    name="RAF-DB",
    title="The Real-world Affective Faces Database (basic emotions)",
    licence="Non-commercial research under the agreement of its authors; no redistribution",
    citation=(
        "Li, S., Deng, W., Du, J. (2017). Reliable Crowdsourcing and Deep Locality-Preserving "
        "Learning for Expression Recognition in the Wild. CVPR 2017, 2584-2593."
    ),
    url="http://www.whdeld.com/raf/model1.html",
    cropped=True,
    counts={
        Emotion.SURPRISE: 1290 + 329,
        Emotion.FEAR: 281 + 74,
        Emotion.DISGUST: 717 + 160,
        Emotion.HAPPY: 4772 + 1185,
        Emotion.SADNESS: 1982 + 478,
        Emotion.ANGER: 705 + 162,
        Emotion.NEUTRAL: 2524 + 680,
    },
)

_LISTS = ("list_patition_label.txt", "list_partition_label.txt")


def recognise(root: Path) -> bool:
    """Whether the folder holds RAF-DB's list of labels."""
    return _list(root) is not None


def load(root: Path, view: str = "aligned") -> Dataset:
    """Read the table of faces from the list of labels.

    Args:
        root: the folder `basic`, or the one around it.
        view: "aligned" for the cropped faces, "original" for the photographs.

    Raises:
        DatasetError: no list of labels, or none of the listed images is there.
        PlanError: no such view.
    """
    if view not in VIEWS:
        raise PlanError(f"RAF-DB has no view '{view}'; expected one of {', '.join(VIEWS)}")
    folder_walk.require_folder(root, CARD.name)
    file = _list(root)
    if file is None:
        raise DatasetError(
            f"{root}: expected RAF-DB with EmoLabel/list_patition_label.txt, found no such list"
        )
    folder = folder_walk.child(file.parent.parent, "Image", view)
    if folder is None:
        raise DatasetError(
            f"{file.parent.parent}: expected the images in Image/{view}, found no such folder; "
            "unpack the images beside EmoLabel, or choose the other view"
        )
    files, problems = folder_walk.survey(folder)
    present = {Path(name).name.lower(): name for name in files}
    rows: list[dict[str, object]] = []
    reasons: Counter[str] = Counter()
    for _, cells in delimited.rows(file, DatasetError, delimiters=" \t,;", damaged="replace"):
        words = [word for cell in cells for word in cell.split()]
        if not words:
            continue
        image = present.get(_file_name(PurePosixPath(image_name(words[0])).name, view).lower())
        label = LABELS.get(whole(words[1])) if len(words) == 2 else None
        if label is None:
            reason = f"has no label from 1 to 7: '{' '.join(words)[:60]}'"
            problems.append(Problem(words[0], reason))
        elif image is None:
            reasons["the image file is missing"] += 1
        else:
            name = (folder.relative_to(root) / image).as_posix()
            rows.append({"image": name, "emotion": label.value})
    problems += [Problem(f"({n} images)", reason) for reason, n in sorted(reasons.items())]
    return dataset(replace(CARD, cropped=view == "aligned"), root, rows, problems)


def _file_name(name: str, view: str) -> str:
    stem, dot, extension = name.rpartition(".")
    return f"{stem}_aligned{dot}{extension}" if view == "aligned" else name


def _list(root: Path) -> Path | None:
    for name in _LISTS:
        for path in ((name,), ("EmoLabel", name)):
            file = folder_walk.find(root, *path)
            if file is not None and file.is_file() and file.parent.name.lower() == "emolabel":
                return file
    return None

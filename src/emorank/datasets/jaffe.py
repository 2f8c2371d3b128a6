"""JAFFE: 213 grey photographs of ten Japanese women, six emotions and neutral.

The file name has all labels: `KA.AN1.39.tiff` is person KA, anger, first pose, number 39. Other
formats than TIFF and either case are accepted, in one folder or in several.

Table 2 of the paper lists 30 images of each of seven classes, with contempt among them and a
total of 180. JAFFE holds no contempt: the seventh class is neutral and is loaded as such. Thirty
is ten persons times three poses; of some there are two or four poses, 213 images in all.
"""

import re
from pathlib import Path

from emorank.datasets import folder_walk
from emorank.datasets.table import SIX_AND_NEUTRAL, Card, Dataset, Problem, dataset
from emorank.errors import DatasetError

CARD = Card(
    name="JAFFE",
    title="The Japanese Female Facial Expression dataset",
    licence="Non-commercial scientific research on request; no redistribution",
    citation=(
        "Lyons, M., Akamatsu, S., Kamachi, M., Gyoba, J. (1998). Coding facial expressions with "
        "Gabor wavelets. Third IEEE International Conference on Automatic Face and Gesture "
        "Recognition, 200-205."
    ),
    url="https://zenodo.org/records/3451524",
    cropped=False,
    counts=dict(zip(SIX_AND_NEUTRAL, (30, 29, 32, 31, 31, 30, 30), strict=True)),
)

CODES = {emotion[:2].upper(): emotion for emotion in SIX_AND_NEUTRAL}  # "AN" is anger

_NAME = re.compile(
    r"(?P<person>[A-Z]{2})[._-](?P<code>AN|DI|FE|HA|NE|SA|SU)(?P<pose>\d)[._-](?P<number>\d{1,3})"
    r"\.[A-Z]+",
    re.IGNORECASE,
)


def recognise(root: Path) -> bool:
    """Whether most image files below the folder are named as JAFFE names them."""
    return folder_walk.most_names(root, _NAME.fullmatch)


def load(root: Path) -> Dataset:
    """Read the table of faces from the file names.

    Raises:
        DatasetError: no file is named as JAFFE names them.
    """
    folder_walk.require_folder(root, CARD.name)
    rows: list[dict[str, object]] = []
    files, problems = folder_walk.survey(root)
    seen: dict[tuple[str, ...], str] = {}
    # TIFF files first: they are the originals, and a conversion is left out as a copy.
    for file in sorted(files, key=lambda file: ".tif" not in file.lower()):
        match = _NAME.fullmatch(Path(file).name)
        if match is None:
            problems.append(Problem(file, "is not named like KA.AN1.39.tiff"))
            continue
        key = tuple(part.upper() for part in match.groups())
        if key in seen:
            problems.append(Problem(file, f"is a copy of {seen[key]}"))
            continue
        seen[key] = file
        rows.append({"image": file, "emotion": CODES[key[1]].value, "person": key[0]})
    if not rows:
        raise DatasetError(
            f"{root}: expected JAFFE's files (KA.AN1.39.tiff …), found {len(problems)} images "
            "with other names; give the folder that holds the 213 files"
        )
    return dataset(CARD, root, rows, problems)

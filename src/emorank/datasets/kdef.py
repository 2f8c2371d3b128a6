"""KDEF: 70 persons, seven expressions, two sessions, five angles: 4900 colour photographs.

`KDEF/AF01/AF01ANS.JPG` is session A, female 01, anger, seen straight: the person is F01, the same
in both sessions; the letter is the gender. Folders per person or all files in one folder, either
case. AKDEF, the averaged faces that come along, shows no persons and is left out.

Table 2 of the paper lists 70 images of each of seven classes (490 in all), with contempt among
them: one session seen straight, 70 persons times seven. KDEF holds no contempt: the seventh class
is neutral and is loaded as such. The default here is both sessions, 140 of each class, 980 in all;
`session="A"` gives the number of the paper.
"""

import re
from dataclasses import replace
from pathlib import Path

from emorank import images
from emorank.datasets import folder_walk
from emorank.datasets.table import SIX_AND_NEUTRAL, Card, Dataset, Problem, dataset
from emorank.errors import DatasetError, ImageError, PlanError
from emorank.vocabulary import Emotion

SESSIONS = ("AB", "A", "B")
ANGLES = ("S", "HL", "HR", "FL", "FR", "all")

# "AN" is anger; the word of the data set for fear is "afraid".
CODES = {("af" if e is Emotion.FEAR else e)[:2].upper(): e for e in SIX_AND_NEUTRAL}

GENDERS = {"F": "female", "M": "male"}

CARD = Card(
    name="KDEF",
    title="The Karolinska Directed Emotional Faces",
    licence="Non-commercial research on request; no redistribution",
    citation=(
        "Lundqvist, D., Flykt, A., Öhman, A. (1998). The Karolinska Directed Emotional Faces - "
        "KDEF, CD ROM from Department of Clinical Neuroscience, Psychology section, Karolinska "
        "Institutet, ISBN 91-630-7164-9."
    ),
    url="https://www.kdef.se",
    cropped=False,
    counts=dict.fromkeys(CODES.values(), 140),
)

# Two files of the CD have names that are too short. The names missing from their folders suggest
# what they should be. That is a guess, so they are listed and left out.
WRONG_NAMES = {"AF31V": "AF31SAHL", "AM31H": "AM31SUHR"}

_NAME = re.compile(
    r"(?P<session>[AB])(?P<person>[FM]\d{2})(?P<code>AF|AN|DI|HA|NE|SA|SU)"
    r"(?P<angle>S|HL|HR|FL|FR)\.[A-Z]+",
    re.IGNORECASE,
)
_AVERAGES = ("AKDEF",)
# A black 562×762 JPEG has about 4 kB, a face about 70 kB: only small files are decoded to check.
_SUSPICIOUS_BYTES = 15_000
_BLACK = 24  # a picture without a brighter value shows nothing; JPEG makes black a little brighter


def recognise(root: Path) -> bool:
    """Whether most image files below the folder are named as KDEF names them."""
    return folder_walk.most_names(root, _NAME.fullmatch, skip=_AVERAGES)


def load(root: Path, angle: str = "S", session: str = "AB") -> Dataset:
    """Read the table of faces from the file names.

    Args:
        root: the folder `KDEF_and_AKDEF`, the folder `KDEF` in it, or a flat folder of its files.
        angle: one of `ANGLES`: straight, half left or right, full left or right, or all five.
        session: one of `SESSIONS`: both, the first or the second.

    Raises:
        DatasetError: no file is named as KDEF names them, or none of this angle and session.
        PlanError: no such angle or session.
    """
    for option, value, allowed in (("angle", angle, ANGLES), ("session", session, SESSIONS)):
        if value not in allowed:
            raise PlanError(f"KDEF has no {option} '{value}'; expected one of {', '.join(allowed)}")
    folder_walk.require_folder(root, CARD.name)
    rows: list[dict[str, object]] = []
    files, problems = folder_walk.survey(root, _AVERAGES)
    averages = folder_walk.find(root, *_AVERAGES)
    if averages is not None:
        problems.append(Problem(averages.relative_to(root).as_posix(), "averages, not persons"))
    others = 0
    for file in files:
        match = _NAME.fullmatch(Path(file).name)
        if match is None:
            problems.append(Problem(file, _wrong_name(Path(file).stem)))
        elif (
            angle not in ("all", match["angle"].upper()) or match["session"].upper() not in session
        ):
            others += 1
        elif _black(root / file):
            problems.append(Problem(file, "is a black picture"))
        else:
            rows.append(
                {
                    "image": file,
                    "emotion": CODES[match["code"].upper()].value,
                    "person": match["person"].upper(),
                    "gender": GENDERS[match["person"][0].upper()],
                }
            )
    if not rows:
        raise DatasetError(
            f"{root}: expected KDEF's files (AF01ANS.JPG …) of angle {angle} and session "
            f"{session}, found none among {others + len(problems)} images; give the folder "
            "KDEF_and_AKDEF or KDEF, or another angle or session"
        )
    if others:
        reason = f"{others} images of other angles or sessions were not asked for"
        problems.append(Problem("(whole set)", f"{reason} (angle {angle}, session {session})"))
    each = 70 * len(session) * (5 if angle == "all" else 1)
    return dataset(replace(CARD, counts=dict.fromkeys(CODES.values(), each)), root, rows, problems)


def _wrong_name(stem: str) -> str:
    meant = WRONG_NAMES.get(stem.upper())
    if meant is None:
        return "is not named like AF01ANS.JPG"
    return f"has a wrong name on the CD; by the names that are missing beside it, it is {meant}"


def _black(file: Path) -> bool:
    try:
        small = file.stat().st_size <= _SUSPICIOUS_BYTES
        return small and bool(images.read(file).max() < _BLACK)
    except (OSError, ImageError):
        return False  # a later stage that reads the pixels lists what cannot be read

"""What raters said of the images of a study, from whatever file or project holds their answers."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path, PurePosixPath

import pandas as pd

from emorank.answers.answers_table import SKIP, firsts_of
from emorank.answers.formats import read_answers
from emorank.answers.tabular import quoted
from emorank.errors import DatasetError, VotesError
from emorank.vocabulary import Emotion


def answers_on(
    path: Path, emotions: Mapping[str, str], others: Collection[str] = ()
) -> pd.DataFrame:
    """The answers about the emotion that each image is known to express.

    Raters may have been asked about several emotions of an image, as those of MDNS were. An answer
    to a question without an emotion counts for the image's. An image may be called by the name of
    its file without folder and ending, where there is only one of that name.

    Args:
        path: votes, the sheet of Table 5, answers in any of `formats.FORMATS`, or the folder of a
            rating project.
        emotions: of each image.
        others: further images that raters may have seen; their answers are left out.

    Returns:
        `image`, `emotion`, `rater`, `answer` (a rank's label or None) and what else is known of
        each, first showings only; one question an image.

    Raises:
        VotesError: the file is of no known format or not a valid one, holds answers on other
            images, or none about these emotions.
    """
    answers = firsts_of(read_answers(path))
    known = {*emotions, *others}
    answers["image"] = answers["image"].map(_full_names(known, answers["image"])).astype("string")
    _check_images(path, answers["image"], known)
    answers = answers[(answers["answer"] != SKIP) & answers["image"].isin(emotions)]
    asked = answers["emotion"].map(_word, na_action="ignore")
    about = asked.isna() | asked.eq(answers["image"].map(emotions)).fillna(value=False)
    if len(answers) and not about.any():
        image, emotion = answers[["image", "emotion"]].iloc[0]
        raise VotesError(
            f"{path}: no answer is about the emotion that its image is said to express; the first "
            f"is on {quoted(emotion)}, and {quoted(image)} expresses {emotions[image]}"
        )
    return answers[about].reset_index(drop=True)


def _full_names(known: Collection[str], named: Iterable[str]) -> dict[str, str]:
    """The image that each name stands for; the name itself where it is one, or stands for none."""
    stems: dict[str, list[str]] = {}
    for image in known:
        stems.setdefault(PurePosixPath(image).stem, []).append(image)
    only = {stem: images[0] for stem, images in stems.items() if len(images) == 1}
    return {name: name if name in known else only.get(name, name) for name in {*named}}


def _check_images(path: Path, images: pd.Series, known: Collection[str]) -> None:
    unknown = sorted({*images} - {*known})
    if unknown:
        shown = ", ".join(map(quoted, unknown[:3])) + (", …" if len(unknown) > 3 else "")
        raise VotesError(
            f"{path}: no vote was taken: {len(unknown):,} × unknown image ({shown}); expected "
            f"images of the study, such as {quoted(min(known, default=''))}"
        )


def _word(emotion: str) -> str:
    try:
        return str(Emotion.parse(emotion))
    except DatasetError:
        return emotion

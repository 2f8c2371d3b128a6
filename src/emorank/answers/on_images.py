"""The answers on the images of a study, of all those that raters gave."""

from collections.abc import Collection, Mapping
from pathlib import Path

import pandas as pd

from emorank.answers.answers_table import SKIP, firsts_of
from emorank.answers.names import check_images, full_names
from emorank.answers.tabular import quoted
from emorank.errors import VotesError


def answers_on(
    answers: pd.DataFrame,
    emotions: Mapping[str, str],
    others: Collection[str] = (),
    *,
    source: Path,
) -> pd.DataFrame:
    """The answers about the emotion that each image expresses.

    Raters may have been asked about several emotions of an image, as those of MDNS were. An answer
    to a question without an emotion counts for the image's. An image may be called by the name of
    its file without folder and ending, where only one image has that name.

    `emotions` has that of each image. `others` are further images that raters may have seen;
    answers on them are left out. Errors name `source`. Returns rows of `answers`: no Skip, first
    showings only, one question an image.

    Raises:
        VotesError: there are answers on other images, or none about these emotions.
    """
    answers = firsts_of(answers)
    images = {*emotions, *others}
    names = answers["image"].map(full_names(answers["image"], images)).astype("string")
    check_images(source, names, images)
    answers["image"] = names
    answers = answers[(answers["answer"] != SKIP) & answers["image"].isin(emotions)]
    word = answers["emotion"]
    about = word.isna() | word.eq(answers["image"].map(emotions)).fillna(value=False)
    if len(answers) and not about.any():
        image, emotion = answers[["image", "emotion"]].iloc[0]
        raise VotesError(
            f"{source}: expected answers about the emotion that each image expresses; there is "
            f"none. The first answer is about {quoted(emotion)}, and {quoted(image)} expresses "
            f"{emotions[image]}"
        )
    return answers[about].reset_index(drop=True)

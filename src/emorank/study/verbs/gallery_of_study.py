"""The images of a study, or of a data set that no study has, for a rating project."""

from collections.abc import Collection
from pathlib import Path

from emorank.room.gallery import Gallery, gallery_of_dataset, gallery_of_faces
from emorank.study.folder import open_study
from emorank.study.framing import open_dataset


def gallery(
    path: Path | str, dataset: str = "auto", emotions: Collection[str] = (), **options: object
) -> Gallery:
    """The faces of a study's folder, or the images of a data set.

    Args:
        path: the folder.
        dataset: as in `datasets.load`; for a study it is not used.
        emotions: that are asked for; all but neutral if empty.
        options: of the data set.

    Raises:
        DatasetError: no data set is recognised there.
        RatingError: no image is left, or nothing says which emotion images are rated for.
    """
    path = Path(path)
    if not (path / "study.toml").is_file():
        return gallery_of_dataset(path, dataset, emotions, **options)
    study = open_study(path)
    read = open_dataset(study).read
    return gallery_of_faces(study.table("faces"), read, emotions, f"study {path.name}")

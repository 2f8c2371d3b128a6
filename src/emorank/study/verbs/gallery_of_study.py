"""The images of a study, or of a data set that no study has, for a rating project."""

from collections.abc import Collection
from pathlib import Path

from emorank.room.gallery import Gallery, gallery_of_dataset, gallery_of_faces
from emorank.study.folder import open_study
from emorank.study.framed_faces import open_dataset


def gallery(
    path: Path | str, dataset: str = "auto", emotions: Collection[str] = (), **options: object
) -> Gallery:
    """The faces of a study's folder, or the images of a data set.

    All emotions but neutral are asked for if `emotions` is empty. `dataset` and `options` are as in
    `datasets.load`; for a study they are not used.

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

"""The shipped sample: rendered faces of known intensity; no real person is in it.

`sample/render.py` at the root of the repository makes it; `docs/sample.md` says how. Its votes are
computed from the known intensity by ten simulated raters; no person has rated the images.
"""

from importlib.resources import files
from pathlib import Path

import pandas as pd

from emorank.datasets.table import Card, Dataset, dataset
from emorank.errors import DatasetError

CARD = Card(
    name="sample",
    title="The rendered sample of emorank",
    licence="Apache-2.0; made with anny (Apache-2.0) from MakeHuman's meshes (CC0)",
    citation="The shipped sample of emorank: faces rendered with anny 0.6.2, expressions after "
    "Ekman, Friesen & Hager (2002), Facial Action Coding System: Investigator's Guide.",
    url="https://pypi.org/project/anny/",
    cropped=True,
    simulated=True,
    aligned=True,
)


def load() -> Dataset:
    """Read the shipped sample: six emotions at four known intensities, and neutral faces.

    `frame` counts from the weakest image of a sequence to its peak; `intensity` is the factor in
    [0, 1] on the facial actions, 0 for neutral. Gender, age (nearer to anny's young adult or to
    old) and skin tone of the persons are those of the rendering (`sample/groups.py`).

    Raises:
        DatasetError: the installed package lacks the sample.
    """
    root = _folder()
    tables = (root / "faces.csv", root / "persons.csv")
    for table in tables:
        if not table.is_file():
            what = "expected a table of the shipped sample, found none; install emorank again"
            raise DatasetError(f"{table}: {what}")
    faces = pd.read_csv(tables[0], dtype={"person": "string", "frame": "Int64"})
    persons = pd.read_csv(tables[1], dtype="string")
    return dataset(CARD, root, faces.merge(persons, on="person", how="left"))


def votes_path() -> Path:
    """Return the votes of ten *simulated* raters: CSV with columns image, rater, rank."""
    return _folder() / "votes.csv"


def _folder() -> Path:
    return Path(str(files("emorank.datasets"))) / "sample_faces"

"""The groups of the sample's persons, from what they were rendered with: gender, age, skin tone.

    python sample/groups.py FOLDER

writes `persons.csv`. Gender and age are parameters of anny: 0 male, 1 female; 0.67 a young adult,
1 old, and a person belongs to the nearer one. Skin tone is the class of the individual typology
angle of the person's skin colour, before any light falls on it (Chardon, Cretois and Hourseau
1991, International Journal of Cosmetic Science 13, 191-208). The mixture of shapes that anny calls
african, asian and caucasian is left out: it is no ethnicity.
"""

import csv
import math
import sys
from pathlib import Path

import numpy as np
from skimage.color import rgb2lab

from persons import PERSONS, Person

COLUMNS = ("person", "gender", "age", "skin")
OLD = (2 / 3 + 1) / 2
TONES = ((55, "very light"), (41, "light"), (28, "intermediate"), (10, "tan"), (-30, "brown"))


def main() -> None:
    """Write the table."""
    if len(sys.argv) != 2:
        sys.exit("usage: python sample/groups.py FOLDER")
    with (Path(sys.argv[1]) / "persons.csv").open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([COLUMNS, *map(groups, PERSONS)])


def groups(person: Person) -> tuple[str, str, str, str]:
    """One row of the table."""
    gender = "female" if person.phenotype["gender"] > 0.5 else "male"
    age = "old" if person.phenotype["age"] > OLD else "young"
    return person.name, gender, age, tone(person.skin)


def tone(skin: tuple[int, int, int]) -> str:
    """The class of a skin colour, sRGB in 0-255."""
    lightness, _, yellow = rgb2lab(np.array([[skin]], np.uint8))[0, 0]
    angle = math.degrees(math.atan2(lightness - 50, yellow))
    return next((name for least, name in TONES if angle > least), "dark")


if __name__ == "__main__":
    main()

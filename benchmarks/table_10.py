"""Put a study's Table 10 into docs/comparison.md: python -m benchmarks.table_10 STUDY PLACE.

PLACE is the word of the marks between which the table stands: sample, folds or london. The study
has been compared before (`emorank compare`); what is written is its comparison.json.
"""

import re
import sys
from pathlib import Path

import pandas as pd

from benchmarks.timing import machine
from emorank.report.sections.comparison import scores_table, tests_table
from emorank.results.comparison import Comparison
from emorank.study.folder import open_study

PAGE = Path(__file__).parents[1] / "docs" / "comparison.md"
TESTED = ["Ours less it", "p, Holm", "Learn, ms", "Look, ms", "Predict, ms"]


def main() -> str:
    """Replace the table; returns what was done."""
    folder, place = sys.argv[1:]
    values = open_study(folder).read(Comparison)
    if values is None:
        sys.exit(f"{folder} was not compared: emorank compare {folder}")
    found = values.expressive or values.all
    tests = tests_table(found, values.timing)[TESTED]
    table = pd.concat([scores_table(found), tests], axis=1)
    count = found.scores[found.reference].count
    seed = values.about.seed
    about = f"{count} faces of {found.persons} persons, seed {seed}; {machine()}."
    left = [
        f"Left out: {name}: {why.replace(folder, Path(folder).name)}"
        for name, why in values.left_out.items()
    ]
    block = "\n\n".join([about, markdown(table), *left])
    marks = re.compile(rf"(<!-- table {place} -->\n).*?(<!-- end -->)", re.DOTALL)
    page, number = marks.subn(lambda m: f"{m[1]}{block}\n{m[2]}", PAGE.read_text(encoding="utf-8"))
    if number != 1:
        sys.exit(f"{PAGE}: expected one place '<!-- table {place} -->', found {number}")
    PAGE.write_text(page, encoding="utf-8")
    return f"{PAGE}: {place}, {len(table)} rows"


def markdown(table: pd.DataFrame) -> str:
    """A table as GitHub writes it."""
    lines = [list(table.columns), ["---"] * len(table.columns), *table.astype(str).to_numpy()]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


if __name__ == "__main__":
    print(main())

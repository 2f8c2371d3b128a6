"""The script behind docs/faithfulness.md, and whether the page says what its CSV says."""

import re
import runpy
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from emorank.evaluation.maps.blind import BLIND
from emorank.evaluation.maps.map_scores import COLUMNS, Settings, summary
from emorank.relevance.methods import METHODS
from emorank.results.faithfulness import Faithfulness
from emorank.study.folder import create_study
from emorank.study.plan import Plan

ROOT = Path(__file__).parents[2]
script = runpy.run_path(str(ROOT / "studies" / "faithfulness.py"))
SCORES = {"edges": 1.0, "epsilon-plus": 3.0, "epsilon": 0.5}
FACES = pd.DataFrame({"image": ["a", "b", "c", "d"], "person": ["p", "p", "q", "q"]})


def study(folder, scores, settings=None):
    """A study in which each method has its score, a tenth more for each next face."""
    made = create_study(folder, Plan())
    rows = [
        (method, image, "between", "mean", 0.0, score + number / 10)
        for method, score in scores.items()
        for number, image in enumerate(FACES["image"])
    ]
    rows += [(method, "a", "logit most", "mean", 0.5, 9.0) for method in scores]
    table = pd.DataFrame(rows, columns=list(COLUMNS))
    persons = FACES.set_index("image")["person"]
    means = tuple(summary(table, persons, np.random.default_rng(0)))
    passes = dict.fromkeys(scores, 2.0)
    found = Faithfulness(
        settings or Settings(faces=4), tuple(FACES["image"]), 2, (), {}, 0, passes, means
    )
    made.write_table("faces", FACES)
    made.write_table(Faithfulness.NAME, table)
    made.write(found)
    return made


def test_it_collects_scores_costs_and_leads(tmp_path):
    """Each method once, what two studies share too; a lead is taken face by face."""
    first = study(tmp_path / "one", {k: SCORES[k] for k in ("edges", "epsilon-plus")})
    second = study(tmp_path / "two", {k: SCORES[k] for k in ("edges", "epsilon")})
    table = script["collected"]([first, second]).set_index(["method", "measure", "of"])
    assert table.index.is_unique
    assert not table.index.isin(["logit most"], level="measure").any()
    assert table.loc[("epsilon", "between", "mean"), "value"] == pytest.approx(0.65)
    assert table.loc[("epsilon", "passes", ""), "value"] == 2
    lead = table.loc[("epsilon", "between less epsilon-plus", "mean")]
    assert list(lead[["value", "low", "high"]]) == pytest.approx([-2.5] * 3)
    assert ("edges", "between less edges", "mean") not in table.index


def test_it_refuses_what_was_measured_otherwise(tmp_path):
    """Other settings, or nothing at all."""
    first = study(tmp_path / "one", SCORES)
    second = study(tmp_path / "two", SCORES, Settings(faces=4, seed=1))
    with pytest.raises(SystemExit, match="differ in faces"):
        script["collected"]([first, second])
    with pytest.raises(SystemExit, match="nothing was measured"):
        script["collected"]([create_study(tmp_path / "three", Plan())])


def test_the_page_says_what_the_table_says():
    """The main table of docs/faithfulness.md has every method, with the CSV's numbers."""
    shipped = pd.read_csv(ROOT / "studies" / "faithfulness.csv", keep_default_na=False)
    known = shipped.set_index(["method", "measure", "of"])
    page = (ROOT / "docs" / "faithfulness.md").read_text(encoding="utf-8")
    lines = re.search(r"\| method \| `between`.*\n.*\n((?:\|.*\n)+)", page).group(1)
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in lines.splitlines()]
    assert {row[0].strip("`") for row in cells} == {*METHODS, *BLIND}
    columns = [
        (f"between{less}", fill) for less in ("", " less edges") for fill in ("mean", "blur")
    ]
    for name, *numbers in cells:
        for cell, (measure, fill) in zip(numbers, columns, strict=False):
            if cell == "–":
                continue
            row = known.loc[(name.strip("`"), measure, fill), ["value", "low", "high"]]
            printed = [float(n.replace("−", "-")) for n in re.findall(r"[−\d.]+", cell)]
            assert printed == pytest.approx(row.astype(float).tolist(), abs=0.0051)

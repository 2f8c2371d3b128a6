"""Writes what `emorank faithfulness` measured as CSV: a row per method, measure and fill.

    emorank run studies/sample.toml --out demo
    emorank faithfulness demo --methods all
    python studies/faithfulness.py demo studies/faithfulness_sample.csv

For photographs:

    emorank run studies/folder.toml --data london_faces --out london --set train.epochs=12
    emorank faithfulness london --methods all
    python studies/faithfulness.py london studies/faithfulness_london.csv
"""

import sys
from pathlib import Path

import pandas as pd

import emorank
from emorank.study.faithfulness import read

study, target = emorank.open_study(sys.argv[1]), Path(sys.argv[2])
found = read(study)
if found is None:
    sys.exit(f"{study.folder}: nothing was measured; first: emorank faithfulness {study.folder}")
rows = [
    {
        "method": score.method,
        "measure": score.measure,
        "of": score.of,
        "faces": score.faces,
        "value": score.estimate.value,
        "low": score.estimate.low,
        "high": score.estimate.high,
    }
    for score in found.scores
    if not score.measure.startswith(("logit", "probability"))
]
rows += [
    {"method": name, "measure": "passes", "of": "", "faces": len(found.images), "value": value}
    for name, value in found.passes.items()
]
pd.DataFrame(rows).round(4).to_csv(target, index=False)

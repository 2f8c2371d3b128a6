"""The section on the model: curves where there were epochs, a sentence where there was one fit."""

import pandas as pd

from emorank.report.sections.model import section

PAPERS = {"train": {"epochs": 100, "hidden": 4096, "views": 2}, "model": {"weights": "imagenet"}}
READY = PAPERS | {"train": PAPERS["train"] | {"backbone": "expression", "head": "auto"}}


def training(rows):
    """So many epochs."""
    columns = ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy")
    values = dict.fromkeys(columns, [0.25] * rows)
    return pd.DataFrame({"epoch": range(1, rows + 1)} | values | {"seconds": [1.0] * rows})


def test_a_fit_has_a_sentence_and_no_settings_of_epochs():
    """What it did not follow is not listed."""
    said = str(section(READY, training(1)).body)
    assert "Fitted at once: accuracy 0.250" in said
    assert "views" in said
    for word in ("epochs", "hidden", "imagenet", "Curves"):
        assert word not in said


def test_epochs_have_curves_and_all_settings():
    """Also a single one, and those of the dense layers on a ready backbone."""
    dense = READY | {"train": READY["train"] | {"head": "dense"}}
    for plan, rows in ((PAPERS, 3), (PAPERS, 1), (dense, 3)):
        said = str(section(plan, training(rows)).body)
        assert "Curves: loss and accuracy" in said
        assert "4,096" in said
        assert "Fitted at once" not in said
    assert "Nothing was trained" in str(section(PAPERS, None).body)

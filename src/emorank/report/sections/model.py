"""The plan of a study, and the curves of its training."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from emorank.report.page import Section, section_of
from emorank.report.style import INK, PALETTE, blank, styled

# Settings of training in epochs, from weights of a file.
_EPOCHS = {
    *("epochs", "learning_rate", "weight_decay", "dropout", "hidden", "unfreeze", "patience"),
    *("weights", "mean", "std", "bgr"),
}


def section(plan: Mapping[str, object], training: pd.DataFrame | None) -> Section:
    """Every setting (a mapping is a group of its own), and the curves if anything was trained.

    A logistic head is fitted at once and has no curves: then losses and accuracies are a sentence.
    """
    fitted = training is not None and len(training) == 1 and is_logistic(plan.get("train"))
    drawn = fit = None
    if training is not None and len(training) > 0:
        fit = training.iloc[0].to_dict() if fitted else None
        drawn = None if fitted else curves(training)
    settings = {name: _in_use(group) if fitted else group for name, group in plan.items()}
    return section_of("model", "Model and training", plan=settings, curves=drawn, fit=fit)


def is_logistic(train: object) -> bool:
    """Whether the classifier is a logistic regression: on a ready backbone, unless it is dense."""
    if not isinstance(train, Mapping):
        return False
    return train.get("backbone", "vgg16") != "vgg16" and train.get("head") != "dense"


def _in_use(group: object) -> object:
    """A group of settings without those that a head that is fitted at once does not follow."""
    if not isinstance(group, Mapping):
        return group
    return {name: value for name, value in group.items() if name not in _EPOCHS}


@styled
def curves(training: pd.DataFrame) -> Figure:
    """Loss and accuracy over the epochs; the epoch whose weights are the model's is marked.

    That is the one with the highest validation accuracy, and among equals the lowest loss. The
    columns are `epoch`, and `train_` and `validation_` with `loss` and `accuracy`.
    """
    figure = blank(7.6, 3.1)
    known = training.dropna(subset=["validation_accuracy", "validation_loss"])
    order = known.sort_values(["validation_accuracy", "validation_loss"], ascending=[False, True])
    best = order.iloc[0] if len(order) else None
    for i, name in enumerate(("loss", "accuracy")):
        axes = figure.add_subplot(1, 2, i + 1)
        for part, colour in (("train", PALETTE[0]), ("validation", PALETTE[5])):
            column = f"{part}_{name}"
            axes.plot(training["epoch"], training[column], c=colour, label=part)
            if best is not None and part == "validation":
                axes.axvline(best["epoch"], color=INK, lw=0.8, ls=":")
                axes.plot(best["epoch"], best[column], "o", c=colour, ms=5)
                text = f"epoch {best['epoch']:.0f}: {best[column]:.3f}"
                axes.set_title(f"{name.capitalize()} — best {text}")
        axes.set_xlabel("epoch")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_ylim(bottom=0, top=1.02 if name == "accuracy" else None)
        axes.grid(axis="y")
        axes.legend()
    return figure

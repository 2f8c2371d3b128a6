"""The figure of relevance_cost: cost and memory of each preset, ours beside the peers."""

from pathlib import Path

import matplotlib

matplotlib.use("Agg")
import matplotlib.pyplot as plt
from matplotlib.axes import Axes

# Okabe and Ito's colours, which tell apart with any colour vision; the hatch tells in grey.
STYLES = {
    "emorank": {"color": "#0072B2"},
    "zennit": {"color": "#E69F00", "hatch": "//"},
    "captum": {"color": "#009E73", "hatch": ".."},
}
Bars = dict[tuple[str, str], float]


def draw(passes: Bars, memory: Bars, subtitle: str, file: Path) -> None:
    """Draw two panels of bars, by (who, preset); those without a preset become lines."""
    presets = list(dict.fromkeys(preset for _, preset in passes if preset))
    figure, (left, right) = plt.subplots(
        1, 2, figsize=(10, 0.75 * len(presets) + 1.6), sharey=True, layout="constrained"
    )
    _panel(left, passes, presets, "{:.1f}")
    left.set_xlabel("cost in plain forward passes (less is better)")
    _panel(right, {key: mib / 1024 for key, mib in memory.items()}, presets, "{:.2f}")
    right.set_xlabel("peak memory, GiB (less is better)")
    left.set_yticks(range(len(presets)), presets)
    left.invert_yaxis()
    handles, labels = left.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside upper center", ncols=len(labels), frameon=False)
    figure.supxlabel(subtitle, fontsize=8, color="0.35")
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=150)
    plt.close(figure)


def _panel(axes: Axes, values: Bars, presets: list[str], number: str) -> None:
    high = 0.8 / len(STYLES)
    for k, (who, style) in enumerate(STYLES.items()):
        places = [place for place, preset in enumerate(presets) if (who, preset) in values]
        lengths = [values[who, presets[place]] for place in places]
        bars = axes.barh(
            [place + (k - 1) * high for place in places], lengths, high, label=who,
            edgecolor="white", **style,
        )  # fmt: skip
        axes.bar_label(bars, [number.format(v) for v in lengths], padding=3, fontsize=8)
    gradient = values.get(("gradient", ""))
    if gradient is not None:
        axes.axvline(gradient, color="0.3", linestyle="--", linewidth=1, label="gradient")
    axes.margins(x=0.12)
    axes.set_xlim(left=0)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)
    axes.grid(axis="x", color="0.9")
    axes.set_axisbelow(True)

"""`emorank explain --weights`: images explained by a bare checkpoint."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank.cli.heatmaps import Names, write
from emorank.cli.new_images import chunks, report_excluded, with_bar

if TYPE_CHECKING:
    from emorank.networks.network import Network
    from emorank.relevance import Preset


def explain_with_weights(
    images: tuple[Path, ...],
    weights: Path,
    presets: tuple[str, ...],
    *,
    rules: Mapping[str, str],
    bias: Any,
    max_pooling: Any,
    out: Path,
    crop: str | None,
    nearest: bool,
    strict: bool,
    target: str | None,
    against: str | None,
    probability: bool,
    all_classes: bool,
    at: tuple[str, ...],
    labels: Path | None,
    size: int | None,
    device: str | None,
    save: Path | None,
) -> None:
    """Draw a figure for each face, and write the relevance where it is asked for."""
    _check_usage(target, against, probability, all_classes, at, save)
    from emorank.datasets import walk
    from emorank.networks.network import load_network
    from emorank.reading.explanations import check_ending, explain_images, save_relevance
    from emorank.report.explained import check_classes, draw_classes, draw_explanation

    if save is not None:
        check_ending(save)
    chosen = {name: _method(name, rules, bias, max_pooling) for name in _names(presets)}
    paths = walk.paths(images)
    network = load_network(weights, labels)
    if device is not None:
        network = network.on(device)
    if all_classes:
        check_classes(network.classes, len(chosen))
    explanations = explain_images(
        network,
        paths,
        chosen,
        _target(network, target, against, probability),
        each=all_classes,
        at=at,
        size=size,
        crop=crop,
        nearest=nearest,
        strict=strict,
    )
    each = network.classes if all_classes else 1
    note = _note(rules, bias, max_pooling)
    names, kept = Names(out), []
    for found in chunks(with_bar(explanations, len(paths), each), each):
        png = draw_classes(found, note) if all_classes else draw_explanation(found[0], note)
        write(names(found[0].image, found[0].face), png)
        if save is not None:
            kept += found
    if save is not None and kept:
        save_relevance(kept, save)
        click.echo(save)
    report_excluded(explanations.excluded, len(paths))


def _method(name: str, rules: Mapping[str, str], bias: Any, max_pooling: Any) -> "str | Preset":
    """An explainer by its name, or a preset with its rules changed."""
    from emorank.relevance import EXPLAINERS, override_preset
    from emorank.relevance.methods import check_method

    check_method(name)
    if name not in EXPLAINERS:
        return override_preset(name, rules, bias=bias, max_pooling=max_pooling)
    if rules or bias or max_pooling:
        raise click.UsageError(
            f"--rule, --bias and --max-pooling change the rules of LRP, and {name} has none"
        )
    return name


def _check_usage(
    target: str | None,
    against: str | None,
    probability: bool,
    all_classes: bool,
    at: tuple[str, ...],
    save: Path | None,
) -> None:
    if all_classes and (target is not None or against is not None or probability):
        raise click.UsageError(
            "--all-classes explains the logit of every class; leave out --target, --against and "
            "--probability"
        )
    if against is not None and probability:
        raise click.UsageError("choose one of --against (of logits) and --probability")
    if at and save is None:
        raise click.UsageError("--at LAYER goes with --save FILE, where its relevance is written")


def _target(network: "Network", target: str | None, against: str | None, probability: bool) -> Any:
    from emorank.relevance import Difference, Probability

    of = None if target is None else network.index(target)
    if probability:
        return Probability(of)
    if against is None:
        return of
    return Difference(of, None if against == "runner-up" else network.index(against))


def _names(given: tuple[str, ...]) -> list[str]:
    from emorank.relevance import DEFAULT, PRESETS

    names = [name.strip() for words in given for name in words.split(",")]
    return list(PRESETS) if "all" in names else names or [DEFAULT]


def _note(rules: Mapping[str, str], bias: str | None, max_pooling: str | None) -> str:
    """What is not as in the presets: "with features.0 by flat, bias distributed"."""
    words = [f"{key} by {rule}" for key, rule in rules.items()]
    words += [f"bias {bias}"] if bias else []
    words += [f"max pooling {max_pooling}"] if max_pooling else []
    return f"with {', '.join(words)}" if words else ""

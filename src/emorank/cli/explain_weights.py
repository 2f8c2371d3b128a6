"""`emorank explain --weights`: images explained by a bare checkpoint."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from emorank import __version__
from emorank.cli.explain_options import Drawing, Request
from emorank.cli.many_images import write_relevance
from emorank.cli.new_images import figures_of, report_excluded, with_bar
from emorank.cli.unfinished_work import finishing, require_new
from emorank.printable import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from emorank.networks.network import Network
    from emorank.reading.unfinished import Row
    from emorank.relevance import Preset
    from emorank.scale.asked_relevance import AnyNetwork


def explain_with_weights(
    drawing: Drawing, weights: Path, request: Request, many: dict[str, Any]
) -> None:
    """Draw a figure for each face, and write the relevance where a file is asked for.

    `many` are the options of a run that writes relevance in the place of figures.
    """
    _check_usage(drawing, request)
    methods = {name: _method(name, drawing) for name in _names(drawing.presets)}
    if drawing.parts is not None:
        asked = _asked(weights, request, methods)
        options = {name: getattr(drawing, name) for name in
                   ("crop", "nearest", "strict", "half", "device", "overwrite")}  # fmt: skip
        write_relevance(drawing.images, drawing.parts, options | many | {"network": asked})
        return
    from emorank.datasets import folder_walk
    from emorank.framing import batches
    from emorank.reading.explanations import explain_images, save_relevance
    from emorank.report.explained import check_classes, draw_classes, draw_explanation

    if drawing.save is not None:
        require_new(drawing.save, drawing.overwrite)
    paths, left_out = folder_walk.paths(drawing.files)
    figures, kept = figures_of(drawing, paths, _key(drawing, weights, request))
    # The relevance of all images goes into one file at the end.
    lacking = kept.lacking(paths) if drawing.save is None else paths
    network = _network(weights, request)
    if drawing.device is not None:
        network = network.on(drawing.device)
    if request.all_classes:
        check_classes(network.classes, len(methods))
    explanations = explain_images(
        network,
        lacking,
        methods,
        target=_target(network, request),
        each=request.all_classes,
        at=request.at,
        size=request.size,
        crop=drawing.crop,
        nearest=drawing.nearest,
        strict=drawing.strict,
    )
    each = network.classes if request.all_classes else 1
    note, saved = _note(drawing), list[Any]()

    def drawn() -> "Iterator[Row]":
        for classes in batches(with_bar(explanations, len(lacking), each), each):
            first = classes[0]
            whole = request.all_classes
            png = draw_classes(classes, note=note) if whole else draw_explanation(first, note=note)
            if drawing.save is not None:
                saved.extend(classes)
            yield figures.write(first.image, first.face, png, first.warning)

    with finishing(kept):
        kept.add(drawn())
    if drawing.save is not None and saved:
        save_relevance(saved, drawing.save)
        click.echo(drawing.save)
    report_excluded(left_out, explanations.excluded, len(paths))


def _asked(weights: Path, request: Request, methods: "dict[str, str | Preset]") -> "AnyNetwork":
    """What a run over any number of images is told; what is assumed of the network is printed."""
    from emorank.scale.asked_relevance import AnyNetwork

    network = _network(weights, request)
    return AnyNetwork(
        weights,
        methods,
        _target(network, request),
        each=request.all_classes,
        at=request.at,
        size=request.size,
        labels=request.labels,
        normalisation=_normalisation(request),
        bgr=request.bgr,
        stride_in=request.stride_in,
        grey=request.gray,
    )


def _normalisation(request: Request) -> Any:
    """What is said of it; None where nothing is."""
    from emorank.networks.normalisation import normalisation

    said = request.mean is not None or request.std is not None
    return normalisation(request.mean, request.std) if said else None


def _network(weights: Path, request: Request) -> "Network":
    """The network of a file, as it is said to read images; what was assumed is printed."""
    from emorank.networks.network import load_network

    own = _normalisation(request)
    network = load_network(
        weights,
        request.labels,
        normalisation=own,
        bgr=request.bgr,
        stride_in=request.stride_in,
        grey=request.gray,
        size=request.size,
    )
    lacking = [o for o, v in {"mean": request.mean, "std": request.std}.items() if v is None]
    half = [f"ImageNet's --{option} assumed" for option in lacking] if own is not None else []
    found = f"{network.architecture}, {network.classes} outputs; reads "
    found += network.reads
    for note in (found, *half, *network.notes):
        click.echo(f"{printable(weights.name)}: {note}", err=True)
    return network


def _check_usage(drawing: Drawing, request: Request) -> None:
    one_class = request.target is not None or request.against is not None
    if request.all_classes and (one_class or request.probability):
        raise click.UsageError(
            "--all-classes explains the logit of every class; leave out --target, --against and "
            "--probability"
        )
    if request.against is not None and request.probability:
        raise click.UsageError("choose one of --against (of logits) and --probability")
    if request.gray and request.bgr:
        raise click.UsageError("grey images have no order of channels; choose --bgr or --gray")
    if request.at and drawing.save is None:
        raise click.UsageError("--at LAYER goes with --save, where its relevance is written")


def _key(drawing: Drawing, weights: Path, request: Request) -> str:
    """Says of which network and options figures are."""
    from emorank.study.folder import fingerprint

    state = weights.stat() if weights.is_file() else None
    options = {k: str(v) for k, v in vars(drawing).items() if k not in ("images", "overwrite")}
    asked = {name: str(value) for name, value in vars(request).items()}
    when = state and [state.st_size, state.st_mtime_ns]
    return fingerprint(str(weights.resolve()), when, options, asked, __version__)


def _names(presets: tuple[str, ...]) -> list[str]:
    from emorank.relevance import HEATMAP, PRESETS

    names = [name.strip() for text in presets for name in text.split(",")]
    return list(PRESETS) if "all" in names else names or [HEATMAP]


def _method(name: str, drawing: Drawing) -> "str | Preset":
    """An explainer by its name, or a preset with its rules changed."""
    from emorank.relevance import EXPLAINERS, override_preset
    from emorank.relevance.methods import check_method

    check_method(name)
    if name not in EXPLAINERS:
        return override_preset(
            name,
            drawing.rules,
            bias=drawing.bias,
            max_pooling=drawing.max_pooling,
            products=drawing.products,
        )
    if drawing.rules or drawing.bias or drawing.max_pooling or drawing.products:
        raise click.UsageError(
            "--rule, --bias, --max-pooling and --products change the rules of LRP, and "
            f"{name} has none"
        )
    return name


def _target(network: "Network", request: Request) -> Any:
    from emorank.relevance import Difference, Probability

    of = None if request.target is None else network.index(request.target)
    if request.probability:
        return Probability(of)
    if request.against is None:
        return of
    runner_up = request.against == "runner-up"
    return Difference(of, None if runner_up else network.index(request.against))


def _note(drawing: Drawing) -> str:
    """What differs from the presets: "with features.0 by flat, bias distributed"."""
    words = [f"{key} by {rule}" for key, rule in drawing.rules.items()]
    words += [f"bias {drawing.bias}"] if drawing.bias else []
    words += [f"max pooling {drawing.max_pooling}"] if drawing.max_pooling else []
    words += [f"products {drawing.products}"] if drawing.products else []
    return f"with {', '.join(words)}" if words else ""

"""Stage 4: propagate the relevance of every test image's predicted emotion back to its pixels."""

import numpy as np

from emorank.networks.normalisation import to_batch
from emorank.progress import Progress, silent
from emorank.records import RecordStore
from emorank.relevance import flat_parts
from emorank.relevance.presets import depends_on_ties
from emorank.results.metrics import Conservation
from emorank.study.folder import Study
from emorank.study.framed_faces import Framed
from emorank.study.relevance_maps import rules_in_words, stores
from emorank.study.trained_network import trained_network


def explain(study: Study, progress: Progress = silent) -> str:
    """Write relevance maps and their conservation; returns a line that says what came out.

    Raises:
        StudyError: the test part has no predictions yet.
        RelevanceError: the rules do not fit the network.
    """
    network = trained_network(study)
    table = study.table("predictions").merge(study.table("faces"), on="image")
    targets = [network.classes.index(word) for word in table["predicted"]]
    framed, explainer, batch = Framed(study, table), network.explainer, network.batch
    maps, sums = stores(study, len(explainer.layers))
    have = set(sums.keys())
    # Equal pictures share a map: two under one digest would make four rows of two ranks.
    first = {digest: i for i, digest in reversed(list(enumerate(table["digest"])))}
    wanted = sorted(i for digest, i in first.items() if digest not in have)
    flat: dict[int, float] = {}
    with maps.appending() as maps_out, sums.appending() as sums_out:
        # A kill between the two stores leaves a map without its sums: it is written again.
        maps_out.keep(len(have))
        for start in range(0, len(wanted), batch):
            rows = wanted[start : start + batch]
            progress(len(table) - len(wanted) + start, len(table), "relevance")
            images = to_batch(
                [framed(i) for i in rows], network.normalisation, device=network.device
            )
            record = explainer(images, [targets[i] for i in rows])
            flat |= dict(zip(rows, record.flat.tolist(), strict=True))
            keys = [table["digest"][i] for i in rows]
            maps_out.append(keys, record.pixels.cpu().numpy())
            sums_out.append(keys, record.sums.T.cpu().numpy())
    progress(len(table), len(table), "relevance")
    # Those of a run that was cut short, in whose store there is no place for it.
    for i in first.values():
        if i not in flat:
            images = to_batch([framed(i)], network.normalisation)
            flat[i] = float(flat_parts.flat_share(images)[0])
    large: dict[str, float] = {}
    if depends_on_ties(network.preset):
        shares = {str(table["image"][i]): flat[first[d]] for i, d in enumerate(table["digest"])}
        large = {image: round(s, 4) for image, s in shares.items() if s >= flat_parts.LARGE}
    warning = (
        f"{len(large)} of {len(table)} pictures are in large part {flat_parts.WARNING}"
        if large
        else ""
    )
    study.write_metrics("conservation", conservation(explainer.layers, sums, large, warning))
    line = f"{len(table)} relevance maps, {rules_in_words(study.plan.explain)}"
    return f"{line}; {warning}" if warning else line


def conservation(
    layers: tuple[str, ...], store: RecordStore, flat: dict[str, float], warning: str
) -> Conservation:
    """Median relevance at the inputs of each layer, as a share of the logit (equation 2)."""
    sums = np.asarray(store.read(), np.float64)
    logits = sums[:, :1]
    shares = np.divide(sums, logits, out=np.full_like(sums, np.nan), where=logits != 0)
    median = np.nanmedian(shares[:, 1:], axis=0)
    return Conservation(layers, tuple(round(float(v), 6) for v in median), flat, warning)

"""The paper's numbered tables and figures, from whatever study."""

from dataclasses import dataclass, replace
from pathlib import Path

from emorank.errors import EmorankError, StudyError
from emorank.progress import Progress, silent
from emorank.report.item import Item
from emorank.report.paper import write
from emorank.report.paper_entries import ENTRIES, PaperEntry
from emorank.report.sections.comparison import items as comparison_items
from emorank.results.comparison import Comparison
from emorank.study.folder import Study
from emorank.study.reproducing.findings import Findings
from emorank.study.run import is_done


@dataclass(frozen=True)
class PaperFolder:
    """Tables and figures that were written.

    Attributes:
        page: the page that shows all of them.
        missing: what could not be made, each with its reason: "Table 5: nobody rated; …".
    """

    page: Path
    missing: tuple[str, ...]


def paper(
    study: Study, out: Path | str | None = None, *, progress: Progress = silent
) -> PaperFolder:
    """Write the paper's tables and figures as the study has them.

    What cannot be made is named, with the reason and what to do, and is no error. The folder is
    `paper/` in the study if `out` is None.

    Raises:
        StudyError: not one of them can be made.
    """
    findings = Findings(study)
    items = [*(_item(findings, entry) for entry in ENTRIES), *_table_10(study)]
    if all(item.content is None for item in items):
        raise StudyError(f"{study.folder}: nothing to show yet; {items[0].missing}")
    folder = Path(out) if out else study.path("paper")
    page = write(items, folder, study.plan.title, banner=_banner(findings), progress=progress)
    missing = [f"{item.number}: {item.missing}" for item in items if item.content is None]
    return PaperFolder(page, tuple(missing))


def _item(findings: Findings, entry: PaperEntry) -> Item:
    """Made, or why it is missing."""
    about = (entry.name, entry.number, entry.title)
    if not is_done(findings.study, entry.stage):
        why = (
            f"the stage '{entry.stage}' is not done for this plan; do it with: emorank "
            f"{entry.stage} --study {findings.study.folder}"
        )
        return Item(*about, None, missing=why)
    try:
        return Item(*about, **entry.make(findings))
    except EmorankError as error:
        return Item(*about, None, missing=str(error))


def _table_10(study: Study) -> list[Item]:
    """What `emorank compare` measured, or that it was not asked to."""
    result = study.read(Comparison)
    if result is not None:
        # Beside figures 10 to 12 of the paper, "figure_10" would be another thing.
        items = comparison_items(result)
        return [replace(i, name=i.name.replace("figure_10", "figure_table_10")) for i in items]
    why = f"nothing was compared for this plan; do it with: emorank compare {study.folder}"
    title = "Estimators of intensity side by side"
    return [
        Item("table_10", "Table 10", title, None, missing=why),
        Item("figure_table_10", "Table 10 as a figure", title, None, missing=why),
    ]


def _banner(findings: Findings) -> str:
    """What is simulated: the faces, the raters; empty if nothing is."""
    lines = []
    if findings.rendered:
        lines.append("The faces are rendered, not photographed.")
    if findings.voted and findings.study.table("votes")["rater"].str.startswith("simulated").all():
        lines.append("The raters are simulated, not people.")
    return " ".join(lines)

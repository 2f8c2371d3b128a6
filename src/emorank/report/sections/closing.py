"""The end of a report: versions, references, and what the model is not for."""

import platform
from collections.abc import Mapping
from importlib import metadata

from emorank.report.page import Section, section_of

PAPER = (
    "S. B. Punuri, S. K. Kuanar, T. K. Mishra, V. V. R. M. Rao, S. S. Reddy: Decoding Human Facial "
    "Emotions: A Ranking Approach using Explainable AI. IEEE Access 12, 186229–186245, 2024. "
    "doi:10.1109/ACCESS.2024.3474012"
)
LRP = (
    "S. Bach, A. Binder, G. Montavon, F. Klauschen, K.-R. Müller, W. Samek: On pixel-wise "
    "explanations for non-linear classifier decisions by layer-wise relevance propagation. "
    "PLOS ONE 10(7), e0130140, 2015. doi:10.1371/journal.pone.0130140"
)
BIBTEX = """\
@software{emorank,
  author  = {{The emorank maintainers}},
  title   = {emorank},
  version = {VERSION},
  year    = {YEAR}
}
@article{punuri2024decoding,
  author  = {Punuri, Sudheer Babu and Kuanar, Sanjay Kumar and Mishra, Tusar Kanti
             and Rao, Veeranki Venkata Rama Maheswara and Reddy, Shiva Shankar},
  title   = {Decoding Human Facial Emotions: A Ranking Approach using {Explainable AI}},
  journal = {IEEE Access},
  volume  = {12},
  pages   = {186229--186245},
  year    = {2024},
  doi     = {10.1109/ACCESS.2024.3474012}
}
@article{bach2015pixelwise,
  author  = {Bach, Sebastian and Binder, Alexander and Montavon, Gr{\\'e}goire and
             Klauschen, Frederick and M{\\"u}ller, Klaus-Robert and Samek, Wojciech},
  title   = {On Pixel-Wise Explanations for Non-Linear Classifier Decisions by Layer-Wise
             Relevance Propagation},
  journal = {PLOS ONE},
  volume  = {10},
  number  = {7},
  pages   = {e0130140},
  year    = {2015},
  doi     = {10.1371/journal.pone.0130140}
}"""
YEAR = "2026"
"""Of this version of emorank."""
LIBRARIES = ("torch", "numpy", "pandas", "pillow", "scikit-learn", "onnxruntime")


def versions_section(version: str, hashes: Mapping[str, str]) -> Section:
    """Versions of emorank and of libraries, and the SHA-256 of files by their name."""
    versions = {"emorank": version, "Python": platform.python_version()}
    versions |= {name: metadata.version(name) for name in LIBRARIES}
    return section_of("versions", "Versions and hashes", versions=versions, hashes=hashes)


def cite_section(version: str, citation: str) -> Section:
    """References of the program and the method, and the citation of the data set; as BibTeX too."""
    program = f"The emorank maintainers: emorank {version}. {YEAR}."
    references = list(filter(None, [program, PAPER, LRP, citation]))
    bibtex = BIBTEX.replace("VERSION", version).replace("YEAR", YEAR)
    return section_of("cite", "How to cite", references=references, bibtex=bibtex)


def limits_section(*, by_group: bool) -> Section:
    """What this is not for; `by_group` says whether the page has results by group."""
    return section_of("limits", "What this is not for", by_group=by_group)

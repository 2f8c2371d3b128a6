"""The first use of a word of the glossary on a page leads to it, with its sentence as a hint."""

import re
from functools import cache
from pathlib import Path

GLOSSARY = Path(__file__).parent.parent / "glossary.md"
# Words that everybody knows, or that a page explains where it uses them.
PLAIN = {
    *("Expressed emotion", "Expression intensity", "Level", "Neutral", "Sequence", "Crop"),
    *("Network", "Layer", "Rule", "Target", "Rank", "Score", "Study", "Plan", "Stage", "Accuracy"),
    *("Interval", "Rater", "Vote", "answer", "Majority", "Consent", "Exposure", "Evidence", "Cut"),
    *(
        "threshold",
        "features",
        "head",
        "Fold",
        "Audit",
        "Ordinal",
        "Calibrated",
        "Compound",
        "offset",
    ),
    *("validation", "Abstain", "Relevance", "Heatmap", "Training", "test part", "The paper's rule"),
    *("Gate", "resample", "Baseline", "Attention check", "Careless rater", "Simulated rater"),
    *("Onset", "Ceiling"),
}
# Not in code, links, pictures, HTML, headings or tables.
CLOSED = re.compile(
    r"^ *```.*?^ *```\s*?$|`[^`]*`|!?\[(?:[^\]`]|`[^`]*`)*\](?:\([^)]*\))?|<[^>]*>|^#.*?$|^\|.*?$",
    re.DOTALL | re.MULTILINE,
)
BARE = {"glossary.md", "changelog.md", "supported_networks.md", "releasing.md", "reviewing.md"}


@cache
def terms() -> dict[str, tuple[str, str]]:
    """Each term of the glossary that pages link: its anchor, and the sentence about it."""
    found = {}
    text = GLOSSARY.read_text(encoding="utf-8")
    for title, about in re.findall(
        r"^### ([^\n]+)\n\n(.+?)(?=\n\n|\Z)", text, re.MULTILINE | re.DOTALL
    ):
        anchor = re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-")
        sentence = re.sub(r" \(\[[^\]]*\]\([^)]*\)\)", "", " ".join(about.split()))
        for term in title.split(", "):
            if term not in PLAIN:
                found[term] = (
                    anchor,
                    sentence.translate({ord('"'): "'", ord("*"): None, ord("`"): None}),
                )
    return found


def explain(text: str, name: str) -> str:
    """A page whose first use of each term is a link."""
    if name in BARE:
        return text
    open_parts = re.split(f"({CLOSED.pattern})", text, flags=CLOSED.flags)
    for term, (anchor, sentence) in terms().items():
        word = re.compile(rf"(?<![\w-]){re.escape(term)}(?![\w-])", re.IGNORECASE)
        for place in range(0, len(open_parts), 2):
            found = word.search(open_parts[place])
            if found:
                link = f'[{found[0]}](glossary.md#{anchor} "{sentence}")'
                part = open_parts[place]
                rest = part[: found.start()], link, part[found.end() :]
                open_parts[place : place + 1] = rest
                break
    return "".join(open_parts)

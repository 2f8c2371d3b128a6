"""Whether file names that all emotion folders share name persons, or only number pictures.

`happy/ann.jpg` and `sadness/ann.jpg` show one person. `happy/im0.png` and `sadness/im0.png` do not:
downloads, cameras and films number their pictures alike.
"""

import re
from collections.abc import Collection

SHARE = 0.9
"""Share of the names that must name somebody, and be in every emotion folder."""

# Words before a number that say who.
_PERSON = re.compile(
    r"actor|actress|id|p|participant|person|pid|proband|s|sub|subj|subject|user|volunteer|vp"
)
# Words that say of any picture what it is or what made it.
_PICTURE = re.compile(
    r"aligned|at|aug|bild|capture|cimg|clip|copy|crop|cropped|dcim|dji|download|downloaded|dsc|dscf"
    r"|dscn|edited|eos|face|faces|file|final|foto|frame|gopr|hpim|im|image|images|imagen|img|imgp"
    r"|item|jpeg|jpg|kif|large|mg|mov|mvi|new|of|original|out|output|photo|pic|pics|pict|picture|png"
    r"|pxl|sam|sample|scan|screen|screenshot|shot|signal|small|snap|snapshot|still|temp|test|thumb"
    r"|tmp|train|unnamed|untitled|val|vid|video|wa|whatsapp"
)
_HASH = re.compile(r"(?=.*\d)[0-9a-f]{8,}")
_COUNTER = re.compile(r"[a-z]?\d{6,}")  # of cameras, and the time: P1010001, 20240131_123456
_SHORT = 3  # letters of a code, such as AF01


def naming(stems: Collection[str]) -> bool:
    """Whether most of some file names without endings name somebody."""
    words = {stem: _word(stem) for stem in stems}
    numbered = {stem: word for stem, word in words.items() if word and re.search(r"\d", stem)}
    kinds = {*numbered.values()}
    varied = len(kinds) > 1 and 2 * len(kinds) >= len(numbered)  # ann1, ben2, cleo3
    codes = sum(len(word) <= _SHORT for word in kinds) > 1  # AF01, BM02

    def names_somebody(stem: str) -> bool:
        word = words[stem]
        if not word or stem not in numbered or varied:
            return bool(word)
        return bool(_PERSON.fullmatch(word)) or (codes and len(word) <= _SHORT)

    return sum(map(names_somebody, words)) >= SHARE * len(words)


def _word(stem: str) -> str:
    """What is left of a name without numbers, hashes and the usual words for a picture."""
    stem = stem.casefold()
    joined = re.sub(r"[\W_]", "", stem)
    if _HASH.fullmatch(joined) or _COUNTER.fullmatch(joined):
        return ""
    return " ".join(word for word in re.findall(r"[^\W\d_]+", stem) if not _PICTURE.fullmatch(word))

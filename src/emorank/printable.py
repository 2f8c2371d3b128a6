"""Names that come from outside, written so that they can be shown, and steer nothing."""

import re

# Control characters, line and paragraph separators, marks of the direction of writing and other
# invisible ones, and halves of surrogate pairs. The joiners U+200C and U+200D stay: Persian, Hindi
# and emoji are written with them. So do unusual spaces: names of macOS screenshots have them.
_UNSAFE = re.compile(
    "[\\x00-\\x1f\\x7f-\\x9f\\xad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f"
    "\\ufeff\\ufff9-\\ufffb\\ud800-\\udfff\\U000e0000-\\U000e007f]"
)


def printable(words: str) -> str:
    r"""The text with an escape in the place of each character that cannot be shown as it is.

    A byte of a file name that is not UTF-8 becomes `\xff`, a line break `\n`, a mark that turns the
    direction of writing `\u202e`. The result can be encoded in UTF-8. Other texts are returned as
    they are.
    """
    return _UNSAFE.sub(_escape, words)


def _escape(match: re.Match[str]) -> str:
    character = match[0]
    if "\udc80" <= character <= "\udcff":  # how Python holds a byte that is not UTF-8 (PEP 383)
        return f"\\x{ord(character) - 0xDC00:02x}"
    return character.encode("unicode_escape", "surrogatepass").decode("ascii")

"""What is wrong in a study's file, in plain words."""

import re

import msgspec

_KINDS = {
    "object": "a table", "array": "a list", "int": "a whole number", "float": "a number",
    "str": "text", "bool": "true or false", "null": "nothing", "datetime": "a date",
}  # fmt: skip


def reason(error: msgspec.ValidationError) -> str:
    """What msgspec says, as "[practice] faces[0]: unknown key 'x'"."""
    what, _, where = str(error).partition(" - at `$")
    place = where.rstrip("`").lstrip(".")
    table, _, rest = place.partition(".")
    what = re.sub(r"^Object contains unknown field `(.*)`$", r"unknown key '\1'", what)
    what = re.sub(r"^Object missing required field `(.*)`$", r"'\1' is missing", what)
    what = re.sub(r"^Invalid enum value (.*)$", r"\1 is none of the words that it can be", what)
    if found := re.match("Expected `(.*)`, got `(.*)`$", what):
        wanted = [kind for kind in found[1].split(" | ") if kind != "null"]
        names = " or ".join(_KINDS.get(kind, kind) for kind in wanted)
        what = f"expected {names}, came {_KINDS.get(found[2], found[2])}"
    spot = f"[{table}]{' ' + rest if rest else ''}: " if place else ""
    return f"{spot}{what}"

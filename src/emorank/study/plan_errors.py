"""What is wrong with a plan, in a sentence: the place, what came, what was expected, near names."""

import json
import re
from difflib import get_close_matches
from typing import Any, get_args, get_type_hints

import msgspec
from msgspec import inspect

_PLACE = re.compile(r" - at `\$(.*)`$")
_UNKNOWN = re.compile(r"unknown field `(.*?)`")


def sentence(error: msgspec.ValidationError, tree: dict[str, Any], plan: type) -> str:
    """Say in words why `tree` is no `plan`; the error is that of `msgspec.convert`."""
    place = _PLACE.search(str(error))
    kind, value, names = _at(re.findall(r"[^.\[\]]+|\.{3}", place[1] if place else ""), tree, plan)
    if unknown := _UNKNOWN.search(str(error)):
        return _unknown_key(unknown[1], names, value, kind, plan)
    expected = inspect.type_info(kind)
    near = ""
    if isinstance(expected, inspect.LiteralType):
        near = suggestion(str(value), map(str, expected.values))
    return f"{'.'.join(names)} is {_shown(value)}; expected {_words(expected)}{near}"


def suggestion(word: str, known: Any) -> str:
    """The known words that a mistyped one may mean: "; did you mean 'epochs'?", or nothing."""
    near = get_close_matches(word.lower(), list(known), 2)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def _at(keys: list[str], tree: Any, plan: type) -> tuple[Any, Any, list[str]]:
    """The type and the value at a place, and the names that lead there."""
    kind, value, names = plan, tree, list[str]()
    for key in keys:
        if key == "...":  # a value of a table whose keys are not ours
            kind = get_args(kind)[1]
            key = next(name for name, inner in value.items() if not _fits(inner, kind))
            value = value[key]
        elif isinstance(value, list):
            kind, value = get_args(kind)[0], value[int(key)]
            key = f"{names.pop()}[{key}]"
        else:
            kind, value = get_type_hints(kind, include_extras=True)[key], value[key]
        names.append(key)
    return kind, value, names


def _fits(value: Any, kind: Any) -> bool:
    try:
        msgspec.convert(value, kind)
    except msgspec.ValidationError:
        return False
    return True


def _unknown_key(key: str, names: list[str], table: dict[str, Any], kind: Any, plan: type) -> str:
    fields = kind.__struct_fields__
    where = f"[{'.'.join(names)}]" if names else "a plan"
    what = "table" if isinstance(table.get(key), dict) else "key"
    near = suggestion(key, fields)
    for name, inner in get_type_hints(plan).items():
        if not near and key in getattr(inner, "__struct_fields__", ()):
            near = f"; it belongs to [{name}]"
    return f"{where} has no {what} '{key}'{near or '; it has ' + ', '.join(fields)}"


def _shown(value: Any) -> str:
    """A value as TOML writes it."""
    if isinstance(value, dict | list):
        return "a table" if isinstance(value, dict) else "a list"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:59]}…"


def _words(kind: inspect.Type) -> str:
    """What is expected, in words."""
    match kind:
        case inspect.IntType():
            return f"a whole number{_bounds(kind)}"
        case inspect.FloatType():
            return f"a number{_bounds(kind)}"
        case inspect.StrType():
            return "a text in quotation marks" + (" that is not blank" if kind.pattern else "")
        case inspect.BoolType():
            return "true or false"
        case inspect.LiteralType():
            return "one of " + ", ".join(f'"{value}"' for value in kind.values)
        case inspect.ListType():
            return f"a list, each item {_words(kind.item_type)}"
        case inspect.UnionType():
            return ", or ".join(map(_words, kind.types))
    return "a table of settings"


def _bounds(kind: inspect.IntType | inspect.FloatType) -> str:
    bounds = (
        (kind.ge, "at least"),
        (kind.gt, "more than"),
        (kind.le, "at most"),
        (kind.lt, "less than"),
    )
    words = " and ".join(f"{word} {bound:,g}" for bound, word in bounds if bound is not None)
    return f" that is {words}" if words else ""

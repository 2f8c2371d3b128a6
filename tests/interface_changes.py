"""How two public interfaces (`public_interface.py`) differ, in words: what breaks, what adds."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any


class Kind(Enum):
    """What a change does to programs that were written before it."""

    BREAKS = "breaks"
    DEFAULT = "changes what happens by default"
    ADDS = "adds"


ADVICE = """
breaks: keep the old way beside the new one, and let it warn (docs/stability.md), or wait for the
  next major version.
changes what happens by default: name it in CHANGELOG.md under "Changed".
adds: name it in CHANGELOG.md under "Added".
Then promise the new interface: python -m tests.public_interface --write"""


@dataclass(frozen=True)
class Change:
    """One difference."""

    kind: Kind
    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.kind.value}: {self.where}: {self.what}"


def explained(found: list[Change]) -> str:
    """All changes, those that break first, and what to do."""
    order = list(Kind)
    ranked = sorted(found, key=lambda one: (order.index(one.kind), one.where, one.what))
    lines = map(str, ranked)
    return "the public interface is not the promised one:\n" + "\n".join(lines) + "\n" + ADVICE


def changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    """Every difference between two interfaces."""
    return [
        *_objects(before["names"], after["names"], made=True),
        *_objects(before["records"], after["records"], made=False),
        *_commands(before["commands"], after["commands"]),
    ]


def _objects(before: dict[str, Any], after: dict[str, Any], *, made: bool) -> Iterator[Change]:
    """Names; `made` says whether people make the classes themselves."""
    yield from _gone_and_new(before, after, "")
    for name in before.keys() & after.keys():
        old, new = before[name], after[name]
        if "parameters" in old and "parameters" in new:
            yield from _function(name, old, new)
        elif ("parameters" in old) != ("parameters" in new):
            yield Change(Kind.BREAKS, name, "was a function and is none, or the other way round")
        else:
            yield from _class(name, old, new, made=made)


def _class(name: str, old: dict[str, Any], new: dict[str, Any], *, made: bool) -> Iterator[Change]:
    if lost := [base for base in old.get("bases", []) if base not in new.get("bases", [])]:
        yield Change(Kind.BREAKS, name, f"is no {', '.join(lost)} any longer")
    for part in ("words", "properties", "keys", "methods"):
        one, two = _named(old.get(part)), _named(new.get(part))
        yield from _gone_and_new(one, two, f"{name}.")
        for word in one.keys() & two.keys():
            where = f"{name}.{word}"
            if part == "methods":
                yield from _function(where, one[word], two[word])
            elif one[word] != two[word] and not (
                part == "properties" and _parts(two[word]) <= _parts(one[word])
            ):
                yield Change(Kind.BREAKS, where, f"was {one[word]}, is {two[word]}")
    for part in ("value", "type"):
        if old.get(part) != new.get(part):
            kind = Kind.DEFAULT if part == "value" else Kind.BREAKS
            if part == "type" and _parts(old.get(part, "")) < _parts(new.get(part, "")):
                kind = Kind.ADDS
            yield Change(kind, name, f"was {old.get(part)}, is {new.get(part)}")
    yield from _parameters(name, old.get("made from", []), new.get("made from", []))
    one, two = old.get("fields", []), new.get("fields", [])
    if made:
        yield from _parameters(name, one, two)
    else:
        yield from _read(name, _split(one), _split(two))


def _read(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """Fields that people read and never give."""
    yield from _gone_and_new(old, new, f"{name}.")
    for field in old.keys() & new.keys():
        one, two = old[field].type, new[field].type
        if not _parts(two) <= _parts(one):
            yield Change(Kind.BREAKS, f"{name}.{field}", f"was {one}, is {two}")


def _function(name: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    yield from _parameters(name, old["parameters"], new["parameters"])
    if not _parts(new["returns"]) <= _parts(old["returns"]):
        yield Change(Kind.BREAKS, name, f"returned {old['returns']}, returns {new['returns']}")


@dataclass(frozen=True)
class _Parameter:
    """A parameter as it is written: `name: type = default`, after a lone `*` by its name only."""

    place: int | None
    type: str
    default: str | None


def _split(lines: list[str]) -> dict[str, _Parameter]:
    read: dict[str, _Parameter] = {}
    by_name = False
    for line in lines:
        if line == "*":
            by_name = True
            continue
        name, _, rest = line.partition(": ")
        kind, equals, default = rest.partition(" = ")
        free = name.startswith("*")
        by_name = by_name or free
        given = default if equals else ("" if free else None)
        read[name] = _Parameter(None if by_name else len(read), kind, given)
    return read


def _parameters(where: str, before: list[str], after: list[str]) -> Iterator[Change]:
    old, new = _split(before), _split(after)
    for name in old.keys() - new.keys():
        yield Change(Kind.BREAKS, where, f"has no parameter '{name}' any longer")
    for name in new.keys() - old.keys():
        required = new[name].default is None
        kind = Kind.BREAKS if required else Kind.ADDS
        yield Change(kind, where, f"has the new {'required ' * required}parameter '{name}'")
    for name in old.keys() & new.keys():
        one, two = old[name], new[name]
        if one.place is not None and two.place is None:
            yield Change(Kind.BREAKS, where, f"'{name}' can no longer be given by its place")
        elif one.place is not None and one.place != two.place:
            yield Change(
                Kind.BREAKS, where, f"'{name}' has moved from place {one.place} to {two.place}"
            )
        elif one.place is None and two.place is not None:
            yield Change(Kind.ADDS, where, f"'{name}' may be given by its place")
        if one.default != two.default:
            yield _default(where, name, one, two)
        if one.type != two.type:
            kind = Kind.ADDS if _parts(one.type) < _parts(two.type) else Kind.BREAKS
            yield Change(kind, where, f"'{name}' took {one.type}, takes {two.type}")


def _default(where: str, name: str, one: _Parameter, two: _Parameter) -> Change:
    if two.default is None:
        return Change(Kind.BREAKS, where, f"'{name}' has to be given now")
    if one.default is None:
        return Change(Kind.ADDS, where, f"'{name}' need not be given any longer")
    return Change(Kind.DEFAULT, where, f"'{name}' was {one.default} by default, is {two.default}")


def _commands(before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    yield from _gone_and_new(before, after, "")
    for name in before.keys() & after.keys():
        yield from _options(name, before[name], after[name])


def _options(where: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[Change]:
    """Options are known by each of their spellings, arguments by their place."""
    old, new = _spelt(before), _spelt(after)
    for word in old.keys() - new.keys():
        yield Change(Kind.BREAKS, where, f"has no {word} any longer")
    for word in new.keys() - old.keys():
        kind = Kind.BREAKS if new[word]["required"] else Kind.ADDS
        yield Change(kind, where, f"has the new {word}{', required' * new[word]['required']}")
    places = [[word for word in some if not word.startswith("-")] for some in (old, new)]
    common = [[word for word in some if word in old and word in new] for some in places]
    if common[0] != common[1]:
        yield Change(
            Kind.BREAKS, where, f"took {', '.join(common[0])}, takes {', '.join(common[1])}"
        )
    for word in old.keys() & new.keys():
        yield from _option(f"{where} {word}", old[word], new[word])


def _option(where: str, one: dict[str, Any], two: dict[str, Any]) -> Iterator[Change]:
    for key in ("required", "several"):
        if one[key] != two[key]:
            stricter = two[key] if key == "required" else one[key]
            kind = Kind.BREAKS if stricter else Kind.ADDS
            yield Change(kind, where, f"is {'' if two[key] else 'not '}{key} now")
    if one.get("type") != two.get("type"):
        yield Change(Kind.BREAKS, where, f"took {one.get('type')}, takes {two.get('type')}")
    for choice in one.get("choices", []):
        if choice not in two.get("choices", []):
            yield Change(Kind.BREAKS, where, f"does not take '{choice}' any longer")
    for choice in two.get("choices", []):
        if choice not in one.get("choices", []):
            yield Change(Kind.ADDS, where, f"takes '{choice}' too")
    if one.get("default") != two.get("default"):
        words = f"was {one.get('default')} by default, is {two.get('default')}"
        yield Change(Kind.DEFAULT, where, words)


def _spelt(options: dict[str, Any]) -> dict[str, Any]:
    return {word: about for words, about in options.items() for word in words.split(", ")}


def _gone_and_new(old: dict[str, Any], new: dict[str, Any], prefix: str) -> Iterator[Change]:
    for name in old.keys() - new.keys():
        yield Change(Kind.BREAKS, f"{prefix}{name}", "is not there any longer")
    for name in new.keys() - old.keys():
        yield Change(Kind.ADDS, f"{prefix}{name}", "is new")


def _named(some: Any) -> dict[str, Any]:
    """Words with their values; a list of words has none."""
    return some if isinstance(some, dict) else dict.fromkeys(some or [])


def _parts(union: str) -> set[str]:
    """The alternatives of `A | B[C | D]`: those outside of brackets."""
    parts, depth = [""], 0
    for sign in union:
        depth += (sign in "[(") - (sign in "])")
        if sign == "|" and depth == 0:
            parts.append("")
        else:
            parts[-1] += sign
    words = {part.strip() for part in parts}
    for word in [word for word in words if word.startswith("Literal[")]:
        words.remove(word)
        words.update(word.removeprefix("Literal[").removesuffix("]").split(", "))
    return words

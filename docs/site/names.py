"""The public names with signatures, parameters and errors, from the docstrings alone."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import griffe

import emorank

SOURCE = Path(emorank.__file__).parent.parent
PAGE = re.compile(r"docs/(\w+)\.md")
SIGN = re.compile(r"(?<!\w)([*_<\[\]])")
INTRODUCTION = """# Every public name

Made from the docstrings of the code. [The API](api.md) says what belongs together, with an example
of each. `import emorank` gives all of these; [below](#records) are the records that they return.
"""
RECORDS = """## Records

What the functions above return or take. You do not make these yourself.
"""


def reference() -> str:
    """The page of all public names, in the order of the alphabet, and of their records."""
    logging.getLogger("griffe").setLevel(logging.ERROR)
    package = griffe.load("emorank", search_paths=[str(SOURCE)], docstring_parser="google")
    lines, met = [INTRODUCTION, "## Names", ""], {}
    public = set()
    for name in emorank.__all__:
        value = found(package, ".".join(emorank._PLACES[name]))
        public.add(value.path)
        lines += entry(name, value, f"emorank.{name}")
        for record in records(value):
            met[record.path] = record
    lines += [RECORDS]
    for path, record in sorted(met.items(), key=lambda item: item[1].name):
        if path not in public:
            lines += entry(record.name, record, path)
    return "\n".join(lines)


def found(package: griffe.Module, path: str) -> griffe.Object:
    """The function or class of a full name, wherever it was defined."""
    value = package[path.removeprefix("emorank.")]
    return value.final_target if value.is_alias else value


def records(value: griffe.Object) -> Iterator[griffe.Class]:
    """The classes of emorank that a function returns."""
    returns = getattr(value, "returns", None)
    if returns is None or isinstance(returns, str):
        return
    for part in returns.iterate():
        if isinstance(part, griffe.ExprName) and part.canonical_path.startswith("emorank."):
            package = value.package
            try:
                named = found(package, part.canonical_path)
            except KeyError:
                continue
            if named.is_class:
                yield named


def entry(title: str, value: griffe.Object, path: str, level: int = 3) -> Iterator[str]:
    """A heading, the signature, and what the docstring says."""
    yield from [f"{'#' * level} {title}", "", "```python", signature(value, path), "```", ""]
    yield from described(value)
    if value.is_class:
        words = [str(m.value) for m in value.members.values() if is_word(m)]
        if words:
            yield from [f"Its values: {', '.join(f'`{word}`' for word in words)}.", ""]
        for member in value.members.values():
            if member.name.startswith("_") or member.is_alias or not member.docstring:
                continue
            if member.is_attribute and "property" not in member.labels:
                continue
            words = [line for line in described(member) if line]
            call = "" if member.is_attribute else "()"
            yield from [f"`.{member.name}{call}`", ": " + "\n\n  ".join(words), ""]


def signature(value: griffe.Object, path: str) -> str:
    """How it is called, a line for each parameter where there are many."""
    if value.is_class:
        bases = ", ".join(str(base) for base in value.bases)
        line = f"class {path}({bases})" if bases else f"class {path}"
        inside = [
            f"    {field.name}: {field.annotation}{default(field)}" for field in fields(value)
        ]
        return "\n".join([f"{line}:", *inside]) if inside else line
    if value.is_attribute:
        return f"{path}: {value.annotation}"
    written, starred = [], False
    for parameter in value.parameters:
        kind = parameter.kind
        if kind is griffe.ParameterKind.keyword_only and not starred:
            written.append("*")
            starred = True
        mark = {"variadic positional": "*", "variadic keyword": "**"}.get(kind.value, "")
        starred = starred or mark == "*"
        text = f"{mark}{parameter.name}"
        if parameter.annotation is not None:
            text += f": {parameter.annotation}"
        if parameter.default is not None and not mark:
            text += f" = {parameter.default}" if parameter.annotation else f"={parameter.default}"
        written.append(text)
    ending = f" -> {value.returns}" if value.returns is not None else ""
    line = f"{path}({', '.join(written)}){ending}"
    if len(line) <= 88:
        return line
    return f"{path}(\n" + "".join(f"    {text},\n" for text in written) + f"){ending}"


def fields(value: griffe.Class) -> Iterator[griffe.Attribute]:
    """What a record holds, in its order; an enumeration has words instead."""
    for member in value.members.values():
        named = member.is_attribute and not member.is_alias and not member.name.startswith("_")
        if named and member.annotation is not None and "property" not in member.labels:
            yield member


def default(field: griffe.Attribute) -> str:
    """What a field is if nobody says it; what a factory makes is left to the description."""
    written = str(field.value) if field.value is not None else ""
    return f" = {written}" if written and len(written) <= 60 and "(" not in written else ""


def type_and_default(item: griffe.DocstringParameter, value: griffe.Object) -> str:
    """Type and default of a parameter, in brackets."""
    named = () if value.is_class else getattr(value, "parameters", ())
    known = {one.name: one.default for one in named}
    parts = [f"`{item.annotation}`"] if item.annotation is not None else []
    if known.get(item.name) is not None:
        parts.append(f"`{known[item.name]}` by default")
    return f" ({'; '.join(parts)})" if parts else ""


def described(value: griffe.Object) -> Iterator[str]:
    """The docstring as Markdown."""
    if value.docstring is None:
        return
    options = {"returns_named_value": False, "returns_multiple_items": False}
    for section in value.docstring.parse("google", warnings=False, **options):
        match section.kind.value:
            case "text":
                yield from [safe(section.value), ""]
            case "parameters" | "other parameters" | "attributes":
                yield from [f"**{section.kind.value.capitalize()}**", ""]
                yield from [
                    f"- `{item.name}`{type_and_default(item, value)}: {flat(item.description)}"
                    for item in section.value
                ]
                yield ""
            case "returns" | "yields":
                words = " ".join(flat(item.description) for item in section.value)
                yield from [f"**{section.kind.value.capitalize()}** {words}", ""]
            case "raises":
                yield from ["**Raises**", ""]
                for item in section.value:
                    yield f"- `{item.annotation}`: {flat(item.description)}"
                yield ""
            case "examples":
                for kind, words in section.value:
                    code = kind.value == "examples"
                    yield from ["```python", words, "```", ""] if code else [safe(words), ""]
            case _:
                yield from [safe(section.value.contents), ""]


def flat(words: str) -> str:
    """A description on one line."""
    return safe(" ".join(words.split()))


def safe(words: str) -> str:
    """Text whose signs mean nothing in Markdown, outside of code."""
    parts = re.split(r"(``?[^`]+``?)", words)
    parts[::2] = [PAGE.sub(r"[\1](\1.md)", SIGN.sub(r"\\\1", part)) for part in parts[::2]]
    return "".join(parts)


def is_word(member: griffe.Object) -> bool:
    """Whether a member of a class is one of the words of an enumeration."""
    return member.name.isupper() and member.is_attribute and member.parent.bases != []

"""What others rely on, as data: public names with their signatures, verbs with their options.

`public_interface.json` holds it as it was promised last; docs/stability.md says what is promised.

    python -m tests.public_interface                 # what has changed, and whether it breaks
    python -m tests.public_interface --write         # promise what there is now
    python -m tests.public_interface --since v1.0.0  # what has changed since that commit
"""

import inspect
import json
import logging
import re
import subprocess
import sys
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Any

import click
import griffe
from docs.site.command_line import verbs_of
from docs.site.names import SOURCE, found
from tests.interface_changes import changes, explained

import emorank
from emorank.cli import emorank as command_line
from emorank.relevance.rules import RULES

PROMISED = Path(__file__).with_name("public_interface.json")
PLAIN = (bool, int, float, str, bytes, Path, type(None))
METHODS = {"__call__", "__iter__", "__len__", "__getitem__"}
# What these have beside is for the program itself, and nobody makes one.
KEPT = {
    "emorank.study.folder.Study": {"folder", "plan", "table", "metrics", "path"},
    "emorank.study.explained_faces.Rules": {"preset", "rules", "bias", "max_pooling", "products"},
    "emorank.reading.stream.Stream": {"excluded", "to_frame", "__iter__"},
    "emorank.networks.onnx_files.step_net.OnnxNet": {"forward"},
    "emorank.relevance.propagate.Explainer": {"layers", "each", "stream", "__call__"},
    "emorank.relevance.explainers.Attributor": {"layers", "each", "__call__"},
}


def interface() -> dict[str, dict[str, Any]]:
    """All of it: `names`, the `records` and types that their signatures lead to, `commands`."""
    logging.getLogger("griffe").setLevel(logging.ERROR)
    package = griffe.load("emorank", search_paths=[str(SOURCE)], docstring_parser="google")
    public = {name: found(package, path) for name, path in public_names()}
    titles = {value.path: name for name, value in reversed(public.items())}
    names = {name: described(value) for name, value in public.items()}
    met: dict[str, griffe.Object] = {}
    waiting = list(public.values())
    while waiting:
        for record in mentioned(waiting.pop()):
            if record.path not in met and record.path not in titles:
                met[record.path] = record
                waiting.append(record)
    return {
        "names": names,
        "records": {short(path, met): described(met[path]) for path in sorted(met)},
        "commands": dict(commands()),
    }


def short(path: str, others: Iterable[str]) -> str:
    """The name of a class, with its module where another is called alike: modules may move."""
    *_, module, name = path.split(".")
    alike = [one for one in others if one.endswith(f".{name}")]
    return name if len(alike) == 1 else f"{module}.{name}"


def public_names() -> Iterator[tuple[str, str]]:
    """Each public name, and where griffe finds it."""
    for name in emorank.__all__:
        yield f"emorank.{name}", ".".join(["emorank", *emorank._PLACES[name]])
    relevance = import_module("emorank.relevance")
    for name in relevance.__all__:
        value = getattr(relevance, name)
        own = hasattr(
            value, "__qualname__"
        )  # a module of the package may have the name of what it holds
        place = f"{value.__module__}.{value.__name__}" if own else f"emorank.relevance.{name}"
        yield f"emorank.relevance.{name}", place
    for rule in dict.fromkeys(RULES.values()):
        yield f"emorank.relevance.rules.{rule.__name__}", f"emorank.relevance.rules.{rule.__name__}"
    errors = import_module("emorank.errors")
    for name, value in vars(errors).items():
        if inspect.isclass(value) and value.__module__ == errors.__name__:
            yield f"emorank.errors.{name}", f"emorank.errors.{name}"


def described(value: griffe.Object) -> dict[str, Any]:
    """A function, class or constant."""
    if value.is_class:
        return class_of(value)
    if value.is_function:
        return function_of(value, runtime(value.path))
    constant = runtime(value.path)
    if isinstance(constant, dict):
        return {"keys": sorted(constant)}
    if isinstance(constant, PLAIN):
        return {"value": repr(constant)}
    if isinstance(constant, tuple | list) and all(isinstance(one, PLAIN) for one in constant):
        return {"keys": [str(one) for one in constant]}
    return {"type": flat(value.value)}


def class_of(value: griffe.Class) -> dict[str, Any]:
    """Bases, fields in their order, words of an enumeration, properties and methods."""
    real = runtime(value.path)
    told: dict[str, Any] = {}
    if bases := [flat(base) for base in value.bases]:
        told["bases"] = bases
    if issubclass(real, Enum):
        told["words"] = {one.name: repr(one.value) for one in real}
    kept = KEPT.get(value.path)
    inside = [
        member
        for member in value.members.values()
        if (not member.name.startswith("_") or member.name in METHODS)
        and (kept is None or member.name in kept)
        and not (issubclass(real, Enum) and member.name.isupper())
        and member.labels != {"class-attribute"}
    ]
    fields, properties, methods = [], {}, {}
    for member in inside:
        if member.is_alias:
            continue
        if member.is_function:
            own = inspect.getattr_static(real, member.name)
            methods[member.name] = function_of(member, getattr(own, "__func__", own), owner=True)
        elif "property" in member.labels:
            properties[member.name] = flat(member.annotation)
        elif member.annotation is not None:
            default = "" if member.value is None else f" = {' '.join(str(member.value).split())}"
            fields.append(f"{member.name}: {flat(member.annotation)}{default}")
    if "__init__" in value.members and not fields and kept is None:
        own = function_of(value.members["__init__"], real.__init__, owner=True)
        told["made from"] = own["parameters"]
    told |= {"fields": fields} if fields else {}
    told |= {"properties": properties} if properties else {}
    return told | ({"methods": methods} if methods else {})


def function_of(value: griffe.Function, real: Any, *, owner: bool = False) -> dict[str, Any]:
    """Parameters as one writes them, a default by its value, and what is returned."""
    defaults = inspect.signature(real).parameters
    written, starred = [], False
    for parameter in list(value.parameters)[owner and "staticmethod" not in value.labels :]:
        mark = {"variadic positional": "*", "variadic keyword": "**"}.get(parameter.kind.value, "")
        if parameter.kind is griffe.ParameterKind.keyword_only and not starred:
            written.append("*")
        starred = starred or mark == "*" or parameter.kind is griffe.ParameterKind.keyword_only
        text = f"{mark}{parameter.name}: {flat(parameter.annotation)}"
        if parameter.default is not None and not mark:
            default = defaults[parameter.name].default
            simple = isinstance(default, PLAIN) or (
                isinstance(default, tuple) and all(isinstance(one, PLAIN) for one in default)
            )
            text += (
                f" = {default!r}" if simple else f" = {' '.join(str(parameter.default).split())}"
            )
        written.append(text)
    return {"parameters": written, "returns": flat(value.returns)}


def mentioned(value: griffe.Object) -> Iterator[griffe.Object]:
    """The classes and names of types of emorank in a signature, or in fields."""
    expressions: list[Any] = []
    if value.is_function:
        expressions = [value.returns, *(parameter.annotation for parameter in value.parameters)]
    elif value.is_class:
        kept = KEPT.get(value.path)
        for member in value.members.values():
            if member.is_alias or (member.name.startswith("_") and member.name not in METHODS):
                continue
            if kept is not None and member.name not in kept:
                continue
            if member.is_function:
                yield from mentioned(member)
            elif member.is_attribute and member.labels != {"class-attribute"}:
                expressions.append(member.annotation)
    elif value.is_attribute and "keys" not in described(value):
        expressions = [value.value]
    for expression in expressions:
        if isinstance(expression, str):  # written as text, to be imported only by a type checker
            continue
        for part in expression.iterate() if expression is not None else ():
            if isinstance(part, griffe.ExprName) and part.canonical_path.startswith("emorank."):
                try:
                    other = found(value.package, part.canonical_path)
                except (KeyError, griffe.AliasResolutionError):
                    continue
                if other.is_class or (other.is_attribute and other.value is not None):
                    yield other


def flat(expression: Any) -> str:
    """An annotation on one line, one that is text without its quotation marks."""
    return "" if expression is None else " ".join(str(expression).strip("'\"").split())


def runtime(path: str) -> Any:
    """The object of a full name."""
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)


def commands() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every verb with its arguments and options, in the order of its help."""
    top = click.Context(command_line, info_name="emorank")
    waiting = [("emorank", command_line, top)]
    while waiting:
        name, command, context = waiting.pop(0)
        shown = [option for option in command.params if not getattr(option, "hidden", False)]
        yield name, dict(map(option_of, shown))
        if isinstance(command, click.Group):
            for verb, below in verbs_of(command, context):
                inside = click.Context(below, info_name=verb, parent=context)
                waiting.append((f"{name} {verb}", below, inside))


def option_of(option: click.Parameter) -> tuple[str, dict[str, Any]]:
    """What one writes for it, and what it takes."""
    named = isinstance(option, click.Option)
    about: dict[str, Any] = {"required": option.required}
    if isinstance(option.type, click.Choice):
        about["choices"] = [str(one) for one in option.type.choices]
    else:
        about["type"] = "flag" if named and option.is_flag else option.type.name
    about["several"] = bool(option.multiple) if named else option.nargs != 1
    if named and isinstance(option.default, PLAIN) and option.default is not None:
        about["default"] = re.sub(r"^/.*", "a place of the machine", str(option.default))
    if not named:
        return (option.name or "").upper(), about
    return ", ".join([*option.opts, *option.secondary_opts]), about


def promised(commit: str | None = None) -> dict[str, dict[str, Any]]:
    """What was promised last, or at a commit."""
    if commit is None:
        text = PROMISED.read_text(encoding="utf-8")
    else:
        command = ["git", "show", f"{commit}:./{PROMISED.name}"]
        done = subprocess.run(
            command, cwd=PROMISED.parent, check=False, capture_output=True, encoding="utf-8"
        )
        if done.returncode:
            sys.exit(f"--since {commit}: nothing was promised there: {done.stderr.strip()}")
        text = done.stdout
    content: dict[str, dict[str, Any]] = json.loads(text)
    return content


def written(content: dict[str, dict[str, Any]]) -> str:
    """As JSON, a parameter or an option a line, so that a difference can be read."""
    lines = json.dumps(content, indent=1, ensure_ascii=False)
    return (
        re.sub(r"(?<=: )\{\s+\"required\"[^{}]*\}", lambda m: " ".join(m[0].split()), lines) + "\n"
    )


def main() -> None:
    """Print what has changed, or promise it."""
    parser = ArgumentParser(description="What others rely on, and what has changed of it.")
    parser.add_argument("--write", action="store_true", help="promise what there is now")
    parser.add_argument("--since", metavar="COMMIT", help="compare with what was promised there")
    given = parser.parse_args()
    now = interface()
    if given.write:
        PROMISED.write_text(written(now), encoding="utf-8")
    elif found_changes := changes(promised(given.since), now):
        sys.exit(explained(found_changes))


if __name__ == "__main__":
    main()

"""The help of every verb as pages, made from the program itself."""

import re
from collections.abc import Iterator

import click

from emorank.cli import emorank

OPTION = re.compile(r"(?<![\w`-])(--?[a-z][\w-]*)(?![\w=])")

PAGE = re.compile(r"docs/(\w+)\.md")


def verb_pages() -> Iterator[tuple[str, str]]:
    """The name and the text of each page: one for all verbs, one for each."""
    top = click.Context(emorank, info_name="emorank", **emorank.context_settings)
    lines = ["# Every verb", "", *prose(emorank.help or ""), ""]
    lines += ["The options and examples of these pages are what `emorank VERB --help` prints.", ""]
    lines += ["| verb | what it does |", "|---|---|"]
    names = []
    for name, verb in verbs_of(emorank, top):
        lines.append(f"| [`{name}`](verb_{name}.md) | {cell(verb.get_short_help_str(200))} |")
        names.append(f"verb_{name}")
        yield f"verb_{name}.md", "\n".join(page(verb, top, name)) + "\n"
    lines += ["", "```{toctree}", ":hidden:", "", *names, "```", ""]
    yield "verbs.md", "\n".join(lines)


def verbs_of(group: click.Group, context: click.Context) -> Iterator[tuple[str, click.Command]]:
    """The verbs of a group in its own order, each imported now."""
    for name in group.list_commands(context):
        verb = group.get_command(context, name)
        if verb is not None:
            yield name, verb


def page(verb: click.Command, above: click.Context, name: str, level: int = 1) -> Iterator[str]:
    """The lines about one verb, and below them those of its own verbs."""
    context = click.Context(verb, info_name=name, parent=above)
    yield f"{'#' * level} {context.command_path}"
    yield ""
    yield from ["```", verb.get_usage(context).removeprefix("Usage: "), "```", ""]
    yield from prose(verb.help or "")
    records = [record for option in verb.params if (record := option.get_help_record(context))]
    records = [(words, meaning) for words, meaning in records if meaning]
    if records:
        yield from [f"{'#' * (level + 1)} Options of {context.command_path}", ""]
        for words, meaning in records:
            yield from [f"`{words}`", f": {text(meaning)}", ""]
    if isinstance(verb, click.Group):
        for below, command in verbs_of(verb, context):
            yield from page(command, context, below, level + 1)


def prose(words: str) -> Iterator[str]:
    """The paragraphs of a help text; those that click prints as they stand are examples."""
    for paragraph in map(str.strip, re.split(r"\n[ ]*\n|(?=\x08)", words)):
        if not paragraph.strip("\b"):
            continue
        if paragraph.startswith("\b"):
            title, *lines = paragraph.removeprefix("\b").strip().split("\n")
            yield from [text(title), "", "```", *(line.strip() for line in lines), "```", ""]
        else:
            yield from [text(" ".join(paragraph.split())), ""]


def text(words: str) -> str:
    """Words of a help text as Markdown: what is between backticks stays, options are code."""
    parts = words.split("`")
    parts[::2] = [
        OPTION.sub(r"`\1`", re.sub(r"([*_<\[\]|])", r"\\\1", part)) for part in parts[::2]
    ]
    return PAGE.sub(r"[\1](\1.md)", "`".join(parts))


def cell(words: str) -> str:
    """The same in a cell of a table."""
    return text(words).replace("\n", " ")

"""All messages of the rater's pages, as they stand in templates and modules."""

import ast
from importlib.resources import files

from jinja2 import Environment
from jinja2.ext import extract_from_ast

from emorank.answers.answers_table import RANKS
from emorank.answers.scales import FOUR
from emorank.room.creation import PAIR_QUESTION, QUESTION
from emorank.web.rating.app import SENTENCES
from emorank.web.rating.course import AGE, GENDER, GENDERS
from emorank.web.rating.language import NOUNS
from emorank.web.rating.script_words import WORDS

CALLS = {"_", "language"}  # a Language is called so, with the English


def messages() -> dict[str, str | None]:
    """Each message with its plural, in the order in which a rater meets them."""
    package = files("emorank.web.rating")
    found: dict[str, str | None] = {}
    for template in sorted(package.joinpath("templates").iterdir(), key=lambda file: file.name):
        tree = Environment().parse(template.read_text(encoding="utf-8"))  # noqa: S701 - parsed only
        for _, name, text in extract_from_ast(tree, ("_", "_n")):
            words = [text] if isinstance(text, str) else [one for one in text or () if one]
            if words:
                found[words[0]] = words[1] if name == "_n" else None
    for module in sorted(package.iterdir(), key=lambda file: file.name):
        if module.name.endswith(".py"):
            found |= dict.fromkeys(_in_calls(ast.parse(module.read_text(encoding="utf-8"))))
    levels = dict.fromkeys((*RANKS, *FOUR))
    rest = (QUESTION, PAIR_QUESTION, AGE, GENDER, *GENDERS.values(), *NOUNS.values(), *levels)
    return found | dict.fromkeys((*rest, *WORDS.values(), *SENTENCES))


def _in_calls(tree: ast.AST) -> list[str]:
    return [
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in CALLS
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]

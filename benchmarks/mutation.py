"""Mutants of a source file: the file with one change to a guard, a threshold or a flag.

A comparison or a number moved, `and` for `or`, a `not`, a `raise`, a call without a result or a
tidying method (`strip`, `fillna`) gone, an `if` that never holds, a flag turned. Left alone:
annotations, decorators, docstrings and all other strings, what an error says, `__all__`,
`if TYPE_CHECKING`, and `zip(strict=True)`, an assertion in itself.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

OPERATORS = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq, ast.In: ast.NotIn, ast.NotIn: ast.In, ast.Is: ast.IsNot, ast.IsNot: ast.Is,
    ast.And: ast.Or, ast.Or: ast.And,
}  # fmt: skip
TIDYING = {
    "strip", "lstrip", "rstrip", "removeprefix", "removesuffix", "lower", "upper", "casefold",
    "dropna", "fillna", "drop_duplicates", "sort_values", "sort_index", "reset_index", "clip",
    "resolve", "expanduser",
}  # fmt: skip
OPPOSITES = {
    "startswith": "endswith", "endswith": "startswith", "lower": "upper", "upper": "lower",
    "partition": "rpartition", "rpartition": "partition",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change: which bytes of a file become which."""

    path: Path
    line: int
    start: int
    end: int
    before: str
    after: str

    def __str__(self) -> str:
        text = self.path.read_text(encoding="utf-8").splitlines()[self.line - 1].strip()
        where = "" if self.before.startswith(text) else f"    in: {text}"
        return f"{self.path}:{self.line}: {self.before} -> {self.after}{where}"

    def source(self) -> bytes:
        """The whole file with the change."""
        old = self.path.read_bytes()
        return old[: self.start] + self.after.encode() + old[self.end :]


def mutants(path: Path) -> Iterator[Mutant]:
    """All mutants of a file, in its order."""
    source = path.read_bytes()
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    for node, after in _visit(ast.parse(source)):
        start = starts[node.lineno - 1] + node.col_offset
        end = starts[node.end_lineno - 1] + node.end_col_offset
        before = " ".join(ast.unparse(node).split())
        yield Mutant(path, node.lineno, start, end, before, after)


def _visit(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    if _left_alone(node):
        return
    yield from _changes(node)
    called = getattr(getattr(node, "func", None), "id", "")
    for field, value in ast.iter_fields(node):
        if field in {"annotation", "returns", "decorator_list"} or (called, field) == (
            "zip", "keywords",
        ):  # fmt: skip
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST):
                yield from _visit(child)


def _left_alone(node: ast.AST) -> bool:
    match node:
        case ast.JoinedStr() | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case ast.Call(func=ast.Name(id=name) | ast.Attribute(attr=name)):
            return name.endswith(("Error", "Warning"))
    return False


def _changes(node: ast.AST) -> Iterator[tuple[ast.AST, str]]:
    """What one node may become; the node is often a part of it."""
    match node:
        case ast.Compare(left=left, ops=ops, comparators=others):
            for place, operator in enumerate(ops):
                changed = [*ops[:place], OPERATORS[type(operator)](), *ops[place + 1 :]]
                yield node, f"({ast.unparse(ast.Compare(left, changed, others))})"
        case ast.BoolOp(op=operator, values=values):
            yield node, f"({ast.unparse(ast.BoolOp(OPERATORS[type(operator)](), values))})"
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield node, f"({ast.unparse(operand)})"
        case ast.Constant(value=bool(value)):
            yield node, str(not value)
        case ast.Constant(value=int(value) | float(value)):
            moved = 1 - value if value in {0, 1} else value + 1 if value % 1 == 0 else value * 6
            yield node, str(moved)
        case ast.Raise() | ast.Expr(value=ast.Call()):
            yield node, "pass"
        case ast.If(body=[ast.Raise()]):
            pass  # the same as without the raise
        case ast.If(test=test) | ast.IfExp(test=test):
            yield test, "False"
        case ast.Call(func=ast.Attribute(value=value, attr=name) as method):
            if name in TIDYING:
                yield node, f"({ast.unparse(value)})"
            if name in OPPOSITES:
                yield method, f"({ast.unparse(value)}).{OPPOSITES[name]}"

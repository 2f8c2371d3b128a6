"""What a forward calls, as torch.fx wrote it down."""

from dataclasses import dataclass
from typing import Any

from torch import fx

from emorank.errors import RelevanceError
from emorank.relevance.forwards.sizes import is_size


@dataclass(frozen=True)
class Call:
    """A function or method that a forward calls.

    Attributes:
        name: that torch.fx gives it.
        target: the function, or the name of the method.
        args: what it is given: outputs of other steps (`fx.Node`), tensors that are the same for
            every image, and plain values.
        kwargs: likewise.
    """

    name: str
    target: Any
    args: tuple[Any, ...]
    kwargs: dict[str, Any]

    @property
    def tensors(self) -> tuple[fx.Node, ...]:
        """The outputs of other steps that go in, `x + x` two of them; sizes asked for are none."""
        first = self.args[0] if self.args else self.kwargs.get("tensors")
        parts = first if isinstance(first, tuple | list) else ()
        given = (*parts, *self.args, *self.kwargs.values())
        return tuple(arg for arg in given if isinstance(arg, fx.Node) and not is_size(arg))

    def given(self, names: tuple[str, ...], **defaults: Any) -> dict[str, Any]:
        """Arguments behind the tensor by their names, wherever they were written."""
        named = {key: value for key, value in self.kwargs.items() if key != "input"}
        found = defaults | dict(zip(names, self.args[1:], strict=False)) | named
        if any(map(has_size, found.values())):
            raise self.refused(
                "with a size of the images among its settings; write it as a number, or pool all "
                "with F.adaptive_avg_pool2d(x, 1)"
            )
        return found

    def dims(self, keyword: str) -> tuple[int, ...]:
        """Dimensions that are given one by one, as a tuple, or by a keyword."""
        given = self.args[1:] or (self.kwargs.get(keyword, ()),)
        found = given[0] if len(given) == 1 and isinstance(given[0], tuple | list) else given
        if not all(isinstance(dim, int) for dim in found):
            raise self.refused("; expected its dimensions as numbers")
        return tuple(found)

    def refused(self, why: str) -> RelevanceError:
        """The error that says why there is no rule."""
        return RelevanceError(f"no rule for '{self.name}'{'' if why[0] == ';' else ' '}{why}")


def has_size(value: Any) -> bool:
    """Whether a size of some tensor is part of a value."""
    if isinstance(value, tuple | list):
        return any(map(has_size, value))
    return isinstance(value, fx.Node)

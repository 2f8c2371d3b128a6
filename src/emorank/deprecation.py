"""Former ways to call emorank: they still work, and say what to write instead and until when."""

import warnings
from collections.abc import Callable
from functools import wraps
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
R = TypeVar("R")


def notice(former: str, instead: str, goes: str) -> str:
    """What a `DeprecationWarning` says: the former way, the new one, the version without the old.

    It is also the text for `typing_extensions.deprecated`, which marks a whole function, and for
    `deprecated=` of an option of the command line.
    """
    return f"{former} is deprecated and goes in emorank {goes}; use {instead}"


def warn_of(former: str, instead: str, goes: str) -> None:
    """Warn with `notice` at the line that called the function that calls this one."""
    warnings.warn(notice(former, instead, goes), DeprecationWarning, stacklevel=3)


def renamed_keyword(
    former: str, name: str, *, goes: str
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: the parameter `name` may still be given as `former`.

    The former name is not part of the signature, so that type checkers and help show the new one.

    Raises:
        TypeError: (the decorated function) it is given under both names.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        @wraps(function)
        def renamed(*args: P.args, **kwargs: P.kwargs) -> R:
            if former in kwargs:
                if name in kwargs:
                    raise TypeError(
                        f"{function.__name__}() got '{name}' and its former name '{former}'"
                    )
                warn_of(f"{function.__name__}({former}=…)", f"{name}=…", goes)
                kwargs[name] = kwargs.pop(former)
            return function(*args, **kwargs)

        return renamed

    return decorate

"""What the shell completes where a name is expected; docs/command_line.md says how to switch it on.

The names are written here once more, because a shell does not wait for the seconds of PyTorch that
their own places need. A test compares them.
"""

from collections.abc import Callable, Iterable

import click
from click.shell_completion import CompletionItem

RANKS = ("contrast", "paper", "evidence", "calibrated", "ordinal", "probability", "logit")
PRESETS = (
    "epsilon",
    "epsilon-plus",
    "epsilon-plus-flat",
    "epsilon-gamma-box",
    "epsilon-alpha2-beta1",
    "epsilon-alpha2-beta1-flat",
    "lecture",
)
EMOTIONS = ("anger", "contempt", "disgust", "fear", "happy", "sadness", "surprise", "neutral")
DATASETS = (
    *("affectnet", "fer2013", "rafdb", "ckplus", "kdef", "jaffe"),
    *("manifest", "folder", "sample"),
)
DEVICES = ("auto", "cpu", "cuda")

Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def one_of(names: Iterable[str]) -> Complete:
    """Complete to one of some names."""
    known = tuple(names)

    def complete(
        context: click.Context, option: click.Parameter, word: str
    ) -> list[CompletionItem]:
        return [CompletionItem(name) for name in known if name.startswith(word)]

    return complete


def files(context: click.Context, option: click.Parameter, word: str) -> list[CompletionItem]:
    """Complete to a file or folder, where other words may stand too."""
    return [CompletionItem(word, type="file")]


def plans(context: click.Context, option: click.Parameter, word: str) -> list[CompletionItem]:
    """Complete to a shipped plan, or to a file."""
    from emorank.study.shipped_plans import shipped_plans

    return one_of(shipped_plans())(context, option, word) + files(context, option, word)

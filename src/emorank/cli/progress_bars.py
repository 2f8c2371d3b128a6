"""Progress of a study on the terminal: a bar with the time left, a line for each stage done.

A file or a pipe gets a line now and then instead of the bar.
"""

import time
from types import TracebackType

from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.progress import Progress as Bars

from emorank.printable import printable
from emorank.progress import Progress

EVERY = 30.0
"""Seconds between two lines in a file or a pipe."""


class ProgressBars:
    """Show how far a run is. A terminal gets bars, a log file lines."""

    def __init__(self) -> None:
        self.console = Console(stderr=True, highlight=False)
        self.bars = Bars(
            TextColumn("{task.description:9}"),
            BarColumn(30),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=self.console,
            transient=True,
            disable=not self.console.is_terminal,
        )
        self.tasks: dict[str, TaskID] = {}

    def __enter__(self) -> "ProgressBars":
        self.bars.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.bars.stop()

    def start(self, stage: str) -> Progress:
        """Draw a bar for a stage; the bar starts again where the stage begins other work."""
        task = self.bars.add_task(stage, total=None, note="")
        self.tasks[stage] = task
        last = {"total": 0, "done": 0}
        begun = said = since = time.monotonic()
        before = 0

        def progress(done: int, total: int, note: str = "") -> None:
            nonlocal said, since, before
            now = time.monotonic()
            if total != last["total"] or done < last["done"]:
                self.bars.reset(task, total=total)
                since, before = now, done
            last.update(total=total, done=done)
            self.bars.update(task, completed=done, total=total, note=note)
            if not self.console.is_terminal and now - said >= EVERY:
                said = now
                left = (total - done) * (now - since) / max(done - before, 1)
                known = f", {_rough(left)} left" if done > before else ""
                line = f"{stage}: {done:,} of {total:,}, {now - begun:,.0f} s{known} {note}"
                self.console.print(escape(printable(line.rstrip())), soft_wrap=True)

        return progress

    def end(self, stage: str, outcome: str, again: bool) -> None:
        """Replace the bar by a line."""
        if stage in self.tasks:
            self.bars.remove_task(self.tasks.pop(stage))
        mark = "[green]✓[/]" if again else "[dim]✓ (done before)[/]"
        self.console.print(f"{mark} {stage}: {escape(printable(outcome))}", soft_wrap=True)


def _rough(seconds: float) -> str:
    """A time as nobody knows it better."""
    for size, unit in ((86_400, "days"), (3_600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"about {seconds / size:.0f} {unit}"
    return f"about {seconds:.0f} s"

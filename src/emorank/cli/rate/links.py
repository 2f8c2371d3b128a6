"""Print invite links; they are shown only once, because they are not stored."""

from collections.abc import Collection
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from emorank.room.project import Project


def print_links(project: "Project", names: Collection[str] | None = None) -> None:
    """Make and print links: of the named raters, or of all and the owner."""
    from emorank.room.invites import invite
    from emorank.room.overview import progress

    base = project.about().base_url
    people: list[tuple[str, str | None]] = [
        (row.name, row.id) for row in progress(project) if names is None or row.name in names
    ]
    if names is None:
        people.append(("owner", None))
    click.echo("\nInvite links. Each works once, for 30 days, and is shown only now:\n")
    width = max(len(name) for name, _ in people)
    for name, rater in people:
        click.echo(f"  {name:{width}}  {base}/invite/{invite(project, rater)}")

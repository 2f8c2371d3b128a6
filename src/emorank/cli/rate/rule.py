"""`emorank rate rule`: the declared rule that says which raters are left out."""

from pathlib import Path

import click

from emorank.cli.rate.project import open_room, project_argument


@click.command("rule", short_help="Print or declare when raters are left out.")
@project_argument
@click.argument("rule", required=False)
@click.option("--reason", default="", help="Why; needed when there are answers already.")
@click.option("--none", "withdraw", is_flag=True, help="Leave nobody out from now on.")
def command(project: Path, rule: str | None, reason: str, withdraw: bool) -> None:
    """Print the exclusion rules of a project, or declare RULE.

    RULE has criteria with commas between: fast (share of answers too fast to look), run
    (longest run of one answer, as a share of all), checks (share of attention checks failed),
    repeats (share of faces shown twice whose answers agree). Meeting one is enough, or say how
    many: "2 of: …". Every declaration stays in the list, with the number of answers then.

    \b
    Examples:
      emorank rate rule ratings
      emorank rate rule ratings "fast>0.1, run>=0.5" --reason "was forgotten at the start"
      emorank rate rule ratings --none --reason "a bad idea"
    """
    if rule is not None and withdraw:
        raise click.UsageError("RULE or --none, not both")
    opened = open_room(project)
    from emorank.cli.terminal import print_line, print_table
    from emorank.evaluation.raters.careless import parse_rule
    from emorank.report.words import moment
    from emorank.room.rules import declare, rules

    if rule is not None or withdraw:
        declare(opened, parse_rule(rule).text if rule is not None else "", reason)
    rows = [
        (one.rule or "none", moment(one.at), one.answers, one.reason or None)
        for one in rules(opened)
    ]
    if not rows:
        print_line("no exclusion rule is declared: nobody is left out")
        return
    print_table(("rule, the last one holds", "declared", "answers then", "reason"), rows)

"""`emorank run`: the whole study, from images to the report."""

from typing import Any

import click

from emorank.cli.options import plan_options, votes_option
from emorank.cli.studies import begin_study, run_stages


@click.command("run", short_help="Do a whole study: from a folder of images to the report.")
@plan_options
@votes_option
def command(**options: Any) -> None:
    """Do a whole study: prepare, train, test, explain, rank, validate, report.

    PLAN is a TOML file such as those in studies/. Without one every choice has its default, and the
    program recognises the data set from the folder. A run that was stopped goes on with the same
    command. After a change of the plan, the stages that depend on the change are done again.

    With --network nothing is trained: the network of another study, and its ranks, are tested on
    all of the images. emorank audit, groups and faithfulness then work on the new study.

    \b
    Examples:
      emorank run studies/sample.toml --out demo
      emorank run studies/kdef.toml --data ~/KDEF_and_AKDEF --out kdef
      emorank run --data my_faces --out mine --set train.epochs=30
      emorank run --data my_faces --network demo --votes votes.csv --out demo_on_mine
    """
    study = begin_study(**options)
    run_stages(study, first="", last="report")
    from emorank.study.described import headline

    for line in headline(study):
        click.echo(line)
    click.echo(f"report: {study.path('report') / 'index.html'}")

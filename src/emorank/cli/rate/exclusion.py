"""Which raters `emorank rate summary` leaves out, and what it prints of them."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from emorank.room.settings import is_project

if TYPE_CHECKING:
    import pandas as pd

    from emorank.answers.scales import Scale
    from emorank.evaluation.raters.careless import Marks, Rule


@dataclass(frozen=True)
class Exclusion:
    """A rule, where it comes from, and the measures of every rater."""

    rule: "Rule | None"
    told: str
    declared: list[dict[str, Any]]
    marks: "tuple[Marks, ...]"

    @property
    def any_out(self) -> bool:
        """Whether the rule leaves somebody out."""
        return any(one.excluded for one in self.marks)

    def stored(self, without: Any) -> dict[str, Any]:
        """For JSON; `without` is the summary without those left out, None if nobody is."""
        from emorank.results.stored import plain

        return {
            "rule": None if self.rule is None else self.rule.text,
            "origin": self.told,
            "declarations": self.declared,
            "raters": [plain(one) for one in self.marks],
            "without": None if without is None else plain(without),
        }


def exclusion_of(
    file: Path, scale: "Scale", answers: "pd.DataFrame", asked: str | None
) -> Exclusion:
    """The rule that is `asked` for, or else the one that the project declares; and its verdicts."""
    from emorank.evaluation.raters.careless import careless, parse_rule
    from emorank.report.words import moment

    told, text, declared = "given on the command line", asked, list[dict[str, Any]]()
    checks: dict[str, tuple[int, int]] = {}
    if is_project(file):
        from emorank.room.project import open_project
        from emorank.room.rules import rules

        project = open_project(file)
        declared = [vars(one) for one in rules(project)]
        if declared and (asked is None or parse_rule(asked).text == declared[-1]["rule"]):
            last = declared[-1]
            text = last["rule"] or None
            told = f"declared {moment(last['at'])}, "
            told += f"with {last['answers']} answers" if last["answers"] else "before any answer"
        elif asked is not None:
            told += ", not declared in the project"
        checks = failed_checks(project)
    rule = parse_rule(text) if text else None
    return Exclusion(rule, told, declared, careless(scale, answers, checks, rule))


def failed_checks(project: Any) -> dict[str, tuple[int, int]]:
    """Of each rater by name, (failed, answered) attention checks."""
    from emorank.room.raters import rater_ids
    from emorank.room.trials import checks_of

    with project.database.reading() as connection:
        names = {rater: name for name, rater in rater_ids(connection).items()}
    return {names[rater]: (one.failed, one.answered) for rater, one in checks_of(project).items()}


def print_exclusion(found: Exclusion, whole: Any, without: Any) -> None:
    """Print whom the rule leaves out, and the results with and without."""
    from emorank.cli.terminal import print_line, print_table
    from emorank.report.exclusion import marks_table, sentence, with_and_without

    if found.rule is None:
        return
    print_line(sentence(found.rule, found.marks, found.told))
    for table in (
        marks_table(found.marks),
        *([with_and_without(whole, without)] if without else []),
    ):
        rows = table.astype("object").itertuples(index=False, name=None)
        print_table(tuple(table.columns), [list(row) for row in rows])


def section(found: Exclusion, whole: Any, without: Any) -> Any:
    """The part of a page on raters left out; None without a rule."""
    from emorank.report.exclusion import exclusion_section, sentence, with_and_without

    if found.rule is None:
        return None
    beside = None if without is None else with_and_without(whole, without)
    return exclusion_section(sentence(found.rule, found.marks, found.told), found.marks, beside)

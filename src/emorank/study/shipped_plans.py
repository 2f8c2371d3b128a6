"""The plans that come with the program: each is known by its name, in every folder."""

from importlib.resources import files
from pathlib import Path

from emorank.errors import PlanError
from emorank.study.plan_errors import suggestion

FOLDER = Path(str(files("emorank.study"))) / "plans"


def shipped_plans() -> list[str]:
    """Name the shipped plans: `sample`, `kdef` …, and then the paper's, `paper/kdef` and so on."""
    found = [path.relative_to(FOLDER).with_suffix("") for path in FOLDER.rglob("*.toml")]
    return [path.as_posix() for path in sorted(found, key=lambda path: (len(path.parts), path))]


def plan_file(plan: Path | str) -> Path:
    """Find the file of a plan: the file `plan` where there is one, or the shipped plan so called.

    A folder of that name is no plan, so that `emorank run kdef --out kdef` can be said twice.

    Raises:
        PlanError: neither a file nor a shipped plan.
    """
    path, names = Path(plan), shipped_plans()
    if path.as_posix() in names and not path.is_file():
        return FOLDER / f"{path}.toml"
    if not path.exists():
        raise PlanError(
            f"{plan}: no such plan{suggestion(str(plan), names)}; expected a TOML file, or the "
            f"name of a shipped plan: {', '.join(names)}"
        )
    return path

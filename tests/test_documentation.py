"""The documentation says what is so: links, examples, commands, plan keys, columns, names."""

import importlib
import inspect
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import msgspec
import pandas as pd
import pytest
import tomli_w
import torch
from tests.conftest import QUICK, draw, write_votes
from tests.small_onnx import ferplus

import emorank
from emorank.cli import emorank as command_line
from emorank.datasets import ADAPTERS, NAMES
from emorank.networks.vgg import alexnet
from emorank.relevance import PRESETS
from emorank.room.protocol import read_protocol
from emorank.study.plan import Plan, override, parse_setting, read_plan
from emorank.study.run import STAGES

ROOT = Path(__file__).parent.parent
PAGES = (
    *(ROOT / f"{name}.md" for name in ("README", "CONTRIBUTING", "RELEASING", "SECURITY")),
    *sorted((ROOT / "docs").glob("*.md")),
)
IDS = [str(page.relative_to(ROOT)) for page in PAGES]

LINK = re.compile(r"!?\[[^\]]*\]\((?P<target>[^)\s]+)\)")
FENCE = re.compile(r"^(?P<indent> *)```(?P<language>\S*)\s*$")
MARK = re.compile(r"<!-- run(?:: (?P<needs>plan|study))? -->")
COMMAND = re.compile(r"(?:\$ )?(?:[A-Z_]+=\S+ )*emorank(?: |$)")
SHELL = {"", "sh", "bash", "console"}


@dataclass(frozen=True)
class Block:
    """A fenced block, and the mark before it that says whether it is run."""

    page: Path
    line: int
    language: str
    text: str
    mark: str | None = None

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"

    @property
    def needs(self) -> str | None:
        """What a marked block needs besides images: "plan", "study" or "nothing"."""
        found = MARK.fullmatch(self.mark or "")
        return (found["needs"] or "nothing") if found else None


def blocks(page: Path) -> Iterator[Block]:
    """Every fenced block of a page."""
    inside: list[str] | None = None
    start, language, indent, before = 0, "", "", ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), start=1):
        fence = FENCE.match(line)
        if inside is None and fence:
            inside, start, language, indent = [], number, fence["language"], fence["indent"]
        elif inside is not None and line.strip() == "```":
            yield Block(page, start, language, "\n".join(inside), before)
            inside, before = None, ""
        elif inside is not None:
            inside.append(line.removeprefix(indent))
        elif line.strip():
            before = line.strip()
    assert inside is None, f"{page}: the block of line {start} is not closed"


def prose(page: Path) -> str:
    """A page without its fenced blocks."""
    return re.sub(
        r"^ *```.*?^ *```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )


BLOCKS = [block for page in PAGES for block in blocks(page)]
PYTHON = [block for block in BLOCKS if block.language == "python"]
TABLES = {
    name: [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in (ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8").splitlines()
        if line.startswith("|")
    ]
    for name in ("study", "datasets", "api", "explain")
}


# --- Links ------------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """The headings of a page as GitHub names them in links."""
    found = set()
    for line in prose(page).splitlines():
        if line.startswith("#"):
            words = re.sub(r"[`*]", "", line.lstrip("#").strip().lower())
            found.add(re.sub(r"[^\w\- ]", "", words).replace(" ", "-"))
    return found


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_links_and_images_resolve(page):
    """Every relative link leads to a file, and its anchor to a heading there."""
    missing = []
    for match in LINK.finditer(prose(page)):
        target = match["target"]
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        file = (page.parent / name) if name else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            missing.append(target)
    assert not missing


# --- Python -----------------------------------------------------------------------------------


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_python_compiles(block):
    """Every Python block is Python, whether it is run or not."""
    compile(block.text, str(block), "exec")


@pytest.fixture
def desk(tmp_path, monkeypatch, drawn):
    """A present folder as the examples suppose it: images, votes, a checkpoint, a quick plan."""
    shutil.copytree(drawn, tmp_path / "my_faces")
    (tmp_path / "photographs").mkdir()
    for person in (1, 2):
        draw("happy", person).save(tmp_path / "photographs" / f"{person}.jpg")
    draw("happy", 3, side=160).save(tmp_path / "holiday.jpg")
    torch.save(alexnet(3, 12, 8).state_dict(), tmp_path / "checkpoint.pth")
    ferplus(tmp_path / "ferplus.onnx")
    write_votes(tmp_path / "votes.csv")
    with (tmp_path / "folder").open("wb") as file:  # comes before the shipped plan of that name
        tomli_w.dump(msgspec.to_builtins(override(Plan(), QUICK)), file)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_examples_are_marked():
    """The main job, new images and each part of the API have an example that is run."""
    needs = [block.needs for block in PYTHON if block.page.name == "api.md"]
    assert {"plan", "study", "nothing"} <= set(needs)
    assert None not in needs


@pytest.mark.parametrize("block", [b for b in PYTHON if b.needs == "nothing"], ids=str)
def test_marked_examples_run(block, desk):
    """A block marked `<!-- run -->` runs as it stands."""
    run(block)


@pytest.mark.weights
@pytest.mark.parametrize("block", [b for b in PYTHON if b.needs == "plan"], ids=str)
def test_examples_that_make_a_study_run(block, desk):
    """A block marked `<!-- run: plan -->` runs with a quick plan and leaves a report."""
    run(block)
    assert (desk / "mine" / "report" / "index.html").is_file()


@pytest.mark.weights
@pytest.mark.parametrize("block", [b for b in PYTHON if b.needs == "study"], ids=str)
def test_examples_with_a_study_run(block, desk, finished):
    """A block marked `<!-- run: study -->` runs beside a finished study `mine`."""
    shutil.copytree(finished, desk / "mine")
    run(block)


def run(block: Block) -> None:
    """Run a block as a program of its own; its lines are numbered as on the page."""
    code = compile("\n" * block.line + block.text, str(block.page), "exec")
    exec(code, {"__name__": "__main__"})  # noqa: S102 - the examples of the repository itself


# --- Commands ---------------------------------------------------------------------------------


def commands(block: Block) -> Iterator[list[str]]:
    """The words of every `emorank …` line of a shell block."""
    for line in block.text.replace("\\\n", " ").splitlines():
        found = COMMAND.match(line)
        if found:
            yield shlex.split(line[found.end() :], comments=True)


COMMANDS = [
    pytest.param(words, id=f"{block}-{' '.join(words)}")
    for block in BLOCKS
    if block.language in SHELL
    for words in commands(block)
]


def resolve(words: list[str]) -> tuple[click.Command, list[str]]:
    """The verb that a command line calls, and what is left for it."""
    command: click.Command = command_line
    while isinstance(command, click.Group) and words and not words[0].startswith("-"):
        found = command.get_command(click.Context(command), words[0])
        assert found is not None, f"no such verb: {words[0]}"
        command, words = found, words[1:]
    return command, words


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_parse(words, tmp_path, monkeypatch):
    """Every command of a shell block has a verb, options and settings that exist; none is run."""
    command, rest = resolve(words)
    monkeypatch.chdir(tmp_path)
    try:
        # Under the program, as when it is called: a command remembers its first help option.
        program = click.Context(command_line, **command_line.context_settings)
        context = command.make_context(command.name, list(rest), parent=program)
    except click.exceptions.Exit:  # --help and --version answer while they are parsed
        return
    except click.UsageError as error:
        pytest.fail(error.format_message())
    plan = context.params.get("plan")
    settings = dict(map(parse_setting, context.params.get("settings", ())))
    override(read_plan(plan) if plan else Plan(), settings)


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_commands_in_sentences_exist(page):
    """`emorank …` within a sentence names a verb and options that exist."""
    for text in re.findall(r"`(emorank [^`]*)`", prose(page)):
        words = [word for word in text.split()[1:] if word != "…"]
        command, rest = resolve([word for word in words if not word.isupper()])
        known = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= known | {"--help"}, text


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_make_targets_exist(page):
    """Every `make …` that a page names is in the Makefile."""
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    text = prose(page) + "\n".join(block.text for block in blocks(page) if block.language in SHELL)
    named = re.findall(r"(?:^|`)make ([a-z]+)", text, flags=re.MULTILINE)
    assert set(named) <= targets


# --- The plan ---------------------------------------------------------------------------------


def keys(
    kind: type[msgspec.Struct], prefix: str = ""
) -> Iterator[tuple[str, msgspec.inspect.Type]]:
    """Every key of a plan with its type, tables within tables."""
    for field in msgspec.structs.fields(kind):
        name = f"{prefix}{field.name}"
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from keys(field.type, f"{name}.")
        else:
            yield name, msgspec.inspect.type_info(field.type)


KEYS = dict(keys(Plan))
DOCUMENTED = {
    row[0].strip("`"): row
    for row in TABLES["study"]
    if len(row) == 5 and row[0].startswith("`") and (row[0].strip("`") in KEYS or "." in row[0])
}


def default(name: str) -> object:
    """The value of a key in a plan that says nothing."""
    value = msgspec.to_builtins(Plan())
    for part in name.split("."):
        value = value[part]
    return value


def test_the_plan_has_keys():
    """The walk over the plan finds its tables, the recipe of the training among them."""
    assert {"title", "data.dataset", "train.learning_rate", "report.examples"} <= set(KEYS)


@pytest.mark.parametrize("name", KEYS)
def test_every_key_is_documented(name):
    """Each key of a plan has a row with its default and its range or choices."""
    assert name in DOCUMENTED, f"docs/study.md has no row for {name}"
    _, values, written, meaning, _ = DOCUMENTED[name]
    assert tomllib.loads(f"value = {written.strip('`')}")["value"] == default(name)
    assert meaning
    kind = KEYS[name]
    if isinstance(kind, msgspec.inspect.LiteralType):
        assert set(re.findall(r"`([^`]*)`", values)) == set(kind.values)
    bounds = [getattr(kind, bound, None) for bound in ("ge", "gt", "le", "lt")]
    plain = re.sub(r"`[^`]*`", "", values)
    numbers = {float(number) for number in re.findall(r"\d+(?:\.\d+)?", plain)}
    assert numbers == {float(bound) for bound in bounds if bound is not None}


def test_no_key_is_documented_that_is_not_there():
    """A key that was renamed or dropped does not linger."""
    assert set(DOCUMENTED) == set(KEYS)


def test_presets_are_documented():
    """The row of `explain.preset` names every preset."""
    assert set(re.findall(r"`([^`]*)`", DOCUMENTED["explain.preset"][1])) == set(PRESETS)


def test_presets_are_pictured():
    """docs/explain.md says of every preset what it shows."""
    rows = {row[0].strip("`") for row in TABLES["explain"] if len(row) == 5}
    assert rows - {"preset", "---"} == set(PRESETS)


def test_toml_blocks_are_plans_and_protocols(tmp_path):
    """Every TOML block of the documentation is a valid plan, or protocol of a rating study."""
    for text in ("information.md", "information_de.md"):
        (tmp_path / text).write_text("What the study is about.", encoding="utf-8")
    found = [block for block in BLOCKS if block.language == "toml"]
    protocols = [block for block in found if block.page.stem == "rating_protocol"]
    assert len(found) > len(protocols) > 0
    for block in found:
        if block in protocols:
            (tmp_path / "protocol.toml").write_text(block.text, encoding="utf-8")
            read_protocol(tmp_path / "protocol.toml")
        else:
            msgspec.convert(tomllib.loads(block.text), Plan)


def test_stages_are_documented():
    """The table of stages names each with the tables of the plan that it depends on, in order."""
    names = [stage.name for stage in STAGES]
    rows = [row for row in TABLES["study"] if row[0].strip("`") in names and len(row) == 4]
    assert [row[0].strip("`") for row in rows] == names
    for stage, row in zip(STAGES, rows, strict=True):
        assert set(re.findall(r"`(\w+)`", row[2])) == set(stage.settings)
        written = {name.rstrip("/") for name in re.findall(r"`([^`]+)`", row[3])}
        files = {*stage.lasting, *stage.also(Plan())}
        assert {name.partition("/")[0] for name in written} == {
            Path(name).parts[0] for name in files
        }


# --- The study folder -------------------------------------------------------------------------


def columns(title: str) -> set[str]:
    """The columns that the table under a heading of docs/study.md names, series filled in."""
    text = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    section = text.split(f"### {title}\n", 1)[1].split("\n#", 1)[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| `")]
    named = {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}
    if "n_1" in named:
        named |= {f"n_{j}" for j in range(1, 11)}
    if "p_anger" in named:
        named |= {f"p_{emotion}" for emotion in emorank.Emotion}
    return named


@pytest.mark.weights
def test_every_column_of_a_study_is_documented(finished):
    """Each Parquet file of a study has a section, and each of its columns a row."""
    for file in sorted(finished.glob("*.parquet")):
        table = pd.read_parquet(file)
        assert set(table.columns) <= columns(file.name), file.name


@pytest.mark.weights
def test_every_file_of_a_study_is_documented(finished):
    """Nothing lies in a study folder that docs/study.md does not name."""
    page = (ROOT / "docs" / "study.md").read_text(encoding="utf-8")
    listed = page.split("## The folder", 1)[1].split("```")[1]
    names = {line.split()[0].partition("/")[0] for line in listed.strip().splitlines()}
    assert {path.name for path in finished.iterdir()} <= names


@pytest.mark.weights
def test_every_section_of_the_metrics_is_documented(finished):
    """Each section of `metrics.json` has a row."""
    metrics = msgspec.json.decode((finished / "metrics.json").read_bytes())
    rows = {row[0].strip("`") for row in TABLES["study"]}
    assert set(metrics) - {"checksum"} <= rows


# --- Names ------------------------------------------------------------------------------------


def test_every_public_name_is_documented():
    """docs/api.md has a row for each public name, and says where it is defined."""
    rows = {row[0].strip("`"): row for row in TABLES["api"] if len(row) == 3}
    assert set(emorank.__all__) == set(rows) - {"name", "---"}
    for name in emorank.__all__:
        assert dotted(rows[name][2].strip("`")) is getattr(emorank, name)


def test_names_one_level_below_exist():
    """What docs/api.md says of the modules is there."""
    rows = [row[0].strip("`") for row in TABLES["api"] if len(row) == 2]
    below = [name for name in rows if name.startswith("emorank.")]
    assert len(below) > 5
    for name in below:
        assert callable(dotted(name))


def dotted(name: str) -> object:
    """The object of a full name."""
    module, _, attribute = name.rpartition(".")
    return getattr(importlib.import_module(module), attribute)


def test_every_data_set_is_documented():
    """docs/datasets.md has a row for each name, and for each option of its adapter."""
    first = {row[0].strip("`") for row in TABLES["datasets"]}
    assert set(NAMES) <= first
    for adapter in ADAPTERS.values():
        options = set(inspect.signature(adapter.load).parameters) - {"root"}
        assert options <= first, adapter.__name__


def test_the_stops_of_the_walks_exist():
    """Each file of docs/architecture.md defines the functions that its stop names."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    walks = text[text.index("## Walks") :].split("\n## ")[0].split("\n**")[1:]
    assert walks
    for walk in walks:
        stops = re.findall(r"^\d\. `([\w/.]+)`: (.*)$", walk, re.MULTILINE)
        assert 3 <= len(stops) <= 8, walk
        assert len(stops) == len(re.findall(r"^\d+\.", walk, re.MULTILINE)), walk
        for file, words in stops:
            source = (ROOT / "src" / "emorank" / file).read_text(encoding="utf-8")
            names = re.findall(r"`(\w+)`", words)
            assert names, (file, words)
            for name in names:
                assert re.search(rf"\b(def|class|function) {name}\b", source), (file, name)

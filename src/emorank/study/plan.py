"""The plan of a study (`study.toml`): every choice that its results depend on."""

import tomllib
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import tomli_w
from msgspec import Meta, Struct
from torch import Tensor

from emorank.answers.declared import declared
from emorank.errors import PlanError, RelevanceError, VotesError
from emorank.networks import vgg16
from emorank.networks.backbones import BACKBONES, PAPERS, on_backbone
from emorank.networks.normalisation import IMAGENET, Normalisation, normalisation
from emorank.networks.training import Recipe
from emorank.networks.vgg import Chain
from emorank.networks.weights import IMAGENET as WEIGHTS
from emorank.networks.weights import StartingWeights
from emorank.printable import printable
from emorank.progress import Progress, silent
from emorank.relevance import HEATMAP, Preset, override_preset, prepare
from emorank.relevance.presets import KINDS
from emorank.study.plan_errors import sentence, suggestion
from emorank.study.shipped_plans import plan_file

Share = Annotated[float, Meta(gt=0, lt=1)]
# Tables whose keys are not ours and may have dots in them; they hold no further tables.
_FREE = ("data.options", "explain.rules", "answers.words")


class DataPlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which images, and how they are framed."""

    dataset: str = "auto"  # a name of emorank.datasets, or recognised from the folder
    path: str = ""  # absolute once resolved; empty for the shipped sample
    options: dict[str, str | int | bool] = {}  # the adapter's own, such as angle = "S" for KDEF
    emotions: list[str] = []  # only these classes; empty for all
    crop: Literal["auto", "none", "face"] = "auto"  # auto: as the data set's card says
    size: Annotated[int, Meta(ge=32, le=1024)] = 224
    width: Annotated[float, Meta(ge=1, le=2)] = 1.0  # of the frame of a face, in usual crops
    strict: bool = False  # the first unusable image is fatal instead of a row of the exclusions


class SplitPlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who is trained on and who is tested on (the paper, section III-D)."""

    by: Literal["person", "random"] = "person"
    test: Share = 0.2
    validation: Share = 0.2  # of what is left without the test part
    seed: Annotated[int, Meta(ge=0)] = 0


class ModelPlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which convolutions to start from, and where to compute."""

    weights: str = "imagenet"  # or a file with torchvision's VGG-16 keys
    device: str = "cpu"


class InputPlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How the network of `model.weights` reads images; see `networks.normalisation`."""

    mean: list[float] = []  # one number or one for each channel, red first; empty: ImageNet's
    std: list[float] = []  # likewise
    bgr: bool = False  # it was trained on images whose first channel is blue


class ExplainPlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How relevance is propagated.

    The default is the rule of Bach et al. 2015, whom the paper follows: its relevance is signed,
    and zero lands inside the scale as in Tables 3 and 4. The presets with z+ have hardly any
    negative relevance; under them the paper's rule calls nearly every face Minimal.
    """

    preset: str = "epsilon"
    rules: dict[str, Annotated[str, Meta(pattern=r"\S")]] = {}  # of layers, before the preset's
    bias: Literal["absorbed", "distributed"] = "absorbed"
    max_pooling: Literal["winner", "even", "proportional"] = "winner"
    products: Literal["signal", "even"] = "signal"
    batch: Annotated[int, Meta(ge=1, le=1024)] = 4


class RankPlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Which arithmetic decides between the three groups of intervals."""

    rule: Literal["count", "mean", "sum"] = "count"


class ValidatePlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Whose votes the ranks are compared with."""

    votes: str = ""  # a file image, rater, rank; empty: ranks are not validated
    ties: Literal["median", "disputed"] = "median"
    resamples: Annotated[int, Meta(ge=100, le=100_000)] = 1000  # of persons, for the intervals


class AnswersPlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the file of votes does not say of itself; see `answers.declared`."""

    control: str = ""  # of Label Studio, the control that holds the answers; empty: the only one
    words: dict[str, str] = {}  # the answer that a word of the file stands for
    cut: list[float] = []  # the lowest numbers that count as Minimal, Average, Strong


class ReportPlan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the report shows."""

    examples: Annotated[int, Meta(ge=0, le=10)] = 1  # faces per emotion and rank
    heatmap: str = HEATMAP  # the preset of heatmaps that people look at


class Plan(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A whole study."""

    title: str = "A study of expressed emotion and expression intensity"
    network: str = ""  # a study whose network is tested on all of these faces; nothing is trained
    data: DataPlan = DataPlan()
    split: SplitPlan = SplitPlan()
    model: ModelPlan = ModelPlan()
    input: InputPlan = InputPlan()
    train: Recipe = Recipe()
    explain: ExplainPlan = ExplainPlan()
    rank: RankPlan = RankPlan()
    validate: ValidatePlan = ValidatePlan()
    answers: AnswersPlan = AnswersPlan()
    report: ReportPlan = ReportPlan()


def read_plan(path: Path | str) -> Plan:
    """Read a plan, a TOML file or the name of a shipped one; a key not given has its default.

    Raises:
        PlanError: no such plan, no TOML, an unknown key, a wrong type or an impossible value.
    """
    return _convert(_read_toml(plan_file(path)), str(path))


def override(plan: Plan, changes: dict[str, Any], *, origin: str = "--set") -> Plan:
    """A plan with some values replaced, given as {"train.epochs": 30}.

    Raises:
        PlanError: an unknown key, a wrong type or an impossible value.
    """
    tree = msgspec.to_builtins(plan)
    for dotted, value in changes.items():
        *tables, key = _keys(dotted)
        place = tree
        for table in tables:
            place = place.get(table) if isinstance(place, dict) else None
        if not isinstance(place, dict):
            near = suggestion(tables[0], Plan.__struct_fields__)
            see = f"{near} See" if near else "; see"
            raise PlanError(f"{origin} {dotted}: no such table in a plan{see} docs/study.md")
        place[key] = value
    return _convert(tree, origin)


def parse_setting(text: str) -> tuple[str, Any]:
    """Read "train.epochs=30" as a TOML assignment; a bare word counts as a string.

    Raises:
        PlanError: there is no key or no value.
    """
    key, equals, value = text.partition("=")
    if not (key.strip() and equals and value.strip()):
        raise PlanError(f"--set {text}: expected KEY=VALUE, for instance train.epochs=30")
    try:
        return key.strip(), tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def preset_of(explain: ExplainPlan) -> Preset:
    """The preset of a plan with the plan's own rules in it.

    Raises:
        RelevanceError: no such preset or rule.
    """
    return override_preset(
        explain.preset,
        explain.rules,
        bias=explain.bias,
        max_pooling=explain.max_pooling,
        products=explain.products,
    )


def starting_weights(plan: Plan) -> StartingWeights:
    """The convolutions that training starts from, and how they read images.

    Raises:
        PlanError: impossible numbers.
    """
    given = normalisation(plan.input.mean or None, plan.input.std or None)
    return StartingWeights(plan.model.weights, given, plan.input.bgr)


def normalisation_of(plan: Plan) -> Normalisation:
    """How the network of a plan reads images.

    Raises:
        PlanError: impossible numbers.
    """
    about = BACKBONES[plan.train.backbone]
    return about.normalisation if about.layers else starting_weights(plan).normalisation


def convolutions_of(plan: Plan, progress: Progress = silent) -> dict[str, Tensor]:
    """The weights that training starts from; a ready backbone brings its own.

    Raises:
        PlanError: impossible numbers.
        WeightsError: they cannot be had.
    """
    if BACKBONES[plan.train.backbone].layers:
        return {}
    return starting_weights(plan).load(progress)


def dump_plan(plan: Plan) -> str:
    """The plan as TOML, every choice written out.

    Raises:
        PlanError: a path in it is not UTF-8, which TOML cannot hold.
    """
    text = tomli_w.dumps(msgspec.to_builtins(plan))
    if text != text.encode("utf-8", "ignore").decode("utf-8"):
        line = next(line for line in text.splitlines() if line != printable(line))
        raise PlanError(f"{printable(line)}: this name is not UTF-8; rename the file or folder")
    return text


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise PlanError(f"{path}: cannot be read ({error.strerror})") from error
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise PlanError(f"{path}: cannot be read: line {line} is not UTF-8") from error
    except tomllib.TOMLDecodeError as error:
        raise PlanError(
            f"{path}: not TOML: {error}; a line is KEY = VALUE, and texts have quotation marks"
        ) from error


def _convert(tree: dict[str, Any], origin: str) -> Plan:
    try:
        plan = msgspec.convert(tree, Plan)
    except msgspec.ValidationError as error:
        words = sentence(error, tree, Plan)
        end = "" if words.endswith("?") else "."
        raise PlanError(
            f"{origin}: {words}{end} Every key is described in docs/study.md"
        ) from error
    try:
        declared(plan.answers.control, plan.answers.words, plan.answers.cut)
    except VotesError as error:
        raise PlanError(f"{origin}: answers: {error}") from error
    _check_input(plan, origin)
    try:
        preset = preset_of(plan.explain)
        override_preset(plan.report.heatmap)
        if plan.explain.rules:  # tried now and not after hours of training
            low, high = IMAGENET.bounds()
            prepare(_layers(plan.train), preset, low=low, high=high)
    except RelevanceError as error:
        raise PlanError(
            f"{origin}: explain: {error}; rules may also be given to {', '.join(KINDS)}, and all "
            "keys are described in docs/study.md"
        ) from error
    return plan


def _layers(recipe: Recipe) -> Chain:
    """The layers of the network that a plan trains, by their names."""
    if recipe.backbone == PAPERS:
        return vgg16.skeleton()
    return on_backbone(recipe.backbone, 2, 0 if recipe.logistic else 1)


def _check_input(plan: Plan, origin: str) -> None:
    """Refuse numbers that are impossible, or that contradict the weights."""
    try:
        starting_weights(plan)
    except PlanError as error:
        raise PlanError(f"{origin}: input: {error}") from error
    if plan.input != InputPlan() and plan.model.weights == WEIGHTS:
        raise PlanError(
            f"{origin}: input: the ImageNet weights have their own mean, deviation and order of "
            "channels; give a file in model.weights, or leave input out"
        )


def _keys(dotted: str) -> list[str]:
    """The keys that lead to a value; a last key with dots needs no quotes."""
    for table in _FREE:
        rest = dotted.removeprefix(f"{table}.")
        if rest != dotted:
            return [*table.split("."), rest.strip("\"'")]
    return dotted.split(".")

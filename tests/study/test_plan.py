"""The plan of a study: what it says is kept, what it cannot say is refused with the reason."""

import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.errors import PlanError
from emorank.relevance import PRESETS
from emorank.relevance.rules import Epsilon, Flat, Gamma, Zero, ZPlus
from emorank.study.plan import (
    Plan,
    dump_plan,
    override,
    parse_setting,
    preset_of,
    read_plan,
)
from emorank.study.shipped_plans import shipped_plans

TABLES = [name for name in Plan.__struct_fields__ if name not in ("title", "network")]


def written(tmp_path, text):
    path = tmp_path / "plan.toml"
    path.write_text(text)
    return path


def test_what_a_plan_does_not_say_has_the_default(tmp_path):
    """An empty plan is the default plan; one value changes that value."""
    assert read_plan(written(tmp_path, "")) == Plan()
    found = read_plan(written(tmp_path, '[train]\nepochs = 7\nunfreeze = "block5"\n'))
    assert (found.train.epochs, found.train.unfreeze) == (7, "block5")
    assert found.data == Plan().data


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[train]\nepoch = 3", r"\[train\] has no key 'epoch'; did you mean 'epochs'\?"),
        ("[tran]\nepochs = 3", "a plan has no table 'tran'; did you mean 'train'"),
        (
            '[train]\nepochs = "many"',
            r'train\.epochs is "many"; expected a whole number that is at least 1 and at most',
        ),
        ("[train]\nepochs = 0", r"train\.epochs is 0; expected a whole number that is at least 1"),
        (
            "[split]\ntest = 1.0",
            r"split\.test is 1.0; expected a number that is more than 0 and less than 1",
        ),
        (
            '[train]\nunfreeze = "all"',
            r'train\.unfreeze is "all"; expected one of "block4", "block5", "none"',
        ),
        ("[data]\nstrict = 1", r"data\.strict is 1; expected true or false"),
        ("train = 3", r"train is 3; expected a table of settings"),
        ('[explain]\npreset = "rainbow"', "'rainbow' is no preset; expected one of epsilon"),
        (
            '[explain]\nbias = "gone"',
            r'explain\.bias is "gone"; expected one of "absorbed", "distributed"',
        ),
        (
            '[explain]\nmax_pooling = "all"',
            r'explain\.max_pooling is "all"; expected one of "even"',
        ),
        ('[explain]\nproducts = "gate"', r'explain\.products is "gate"; expected one of "even"'),
        ('[explain.rules]\ndense = "nul"', "'nul' is no rule; expected one of zero, epsilon"),
        (
            '[explain.rules]\ndense = " "',
            r'explain\.rules\.dense is " "; expected a text in quotation marks that is not blank',
        ),
        (
            "[explain.rules]\ndense = 2",
            r"explain\.rules\.dense is 2; expected a text in quotation marks",
        ),
        ('[explain.rules]\ndense = "gamma x"', "rule 'gamma x': .*gamma=0.25"),
        ('[explain.rules]\ndense = "alpha-beta 2 2"', "expected alpha − beta = 1"),
        ('[explain.rules]\n"features.1" = "flat"', r"'features\.1', which fits no layer.*features"),
        (
            '[train]\nbackbone = "expression"\n[explain.rules]\n"features.28" = "flat"',
            r"'features\.28', which fits no layer.*features\.3\.conv3\.pointwise, classifier\.0",
        ),
        ('[explain.rules]\ndens = "flat"', "'dens', which fits no layer.*first_convolution"),
        ('[explain.rules]\n"1:b" = "flat"', "'1:b' is no slice of layers"),
        ('[explain.rules]\ndense = "z-box"', "convolution that sees the pixels"),
        ("[train\n", r"not TOML: .*\(at line 1, column 7\)"),
        ("epochs = 3", r"a plan has no key 'epochs'; it belongs to \[train\]"),
        ("[train]\nxyz = 3", r"\[train\] has no key 'xyz'; it has epochs, batch"),
        ('[split]\nby = "persons"', r"split\.by is .persons.; .*did you mean 'person'\?"),
        ('[data]\nemotions = ["fear", 3]', r"data\.emotions\[1\] is 3; expected a text"),
        ("[data.options]\nangle = [1]", r"data\.options\.angle is a list; expected a text"),
        ("[split]\ntest = nan", r"split\.test is NaN; expected a number"),
        ("[data.option]\nangle = 1", r"\[data\] has no table 'option'; did you mean 'options'"),
    ],
)
def test_a_wrong_plan_is_refused(tmp_path, text, says):
    """File, key and reason are in the message."""
    with pytest.raises(PlanError, match=rf"plan\.toml: .*{says}"):
        read_plan(written(tmp_path, text))


def test_an_absent_or_unreadable_plan_is_named(tmp_path):
    """No file, a folder, and bytes that are no text."""
    with pytest.raises(PlanError, match=r"none\.toml: no such plan.*shipped plan: affectnet, "):
        read_plan(tmp_path / "none.toml")
    with pytest.raises(PlanError, match="cannot be read"):
        read_plan(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match=r"bytes\.toml: cannot be read"):
        read_plan(tmp_path / "bytes.toml")


def test_rules_of_the_plans_own(tmp_path):
    """They go before the preset, the first that fits a layer counts, and their order is kept."""
    text = """
        [explain]
        preset = "epsilon-plus"
        bias = "distributed"
        max_pooling = "even"
        products = "even"
        [explain.rules]
        "features.0" = "flat"
        "0:2" = "gamma 0.1"
        "features.2?" = "epsilon relative=0.25"
        dense = "zero"
    """
    plan = read_plan(written(tmp_path, text))
    chosen = preset_of(plan.explain)
    assert list(chosen.layers) == ["features.0", "0:2", "features.2?"]
    assert chosen.rule_for("features.0", 0, 13) == (Flat(), "features.0")
    assert chosen.rule_for("features.2", 1, 13) == (Gamma(0.1), "0:2")
    assert chosen.rule_for("features.5", 2, 13) == (ZPlus(), "convolution")
    assert chosen.rule_for("features.21", 9, 13) == (Epsilon(relative=0.25), "features.2?")
    assert chosen.rule_for("classifier.0", None, 13) == (Zero(), "dense")
    assert (chosen.bias, chosen.max_pooling, chosen.products) == ("distributed", "even", "even")
    assert preset_of(Plan().explain) == PRESETS["epsilon"]
    path = written(tmp_path, dump_plan(plan))
    assert list(read_plan(path).explain.rules) == list(plan.explain.rules)


@pytest.mark.parametrize(
    "text",
    [
        "explain.rules.features.0=flat",
        'explain.rules."features.0"=flat',
        "explain.rules.'features.0' = 'flat'",
        'explain.rules={"features.0" = "flat"}',
    ],
)
def test_rules_are_set_with_their_dots(text):
    """A key of the table may have dots in it; quotes are not needed, nor in the way."""
    plan = override(Plan(), dict([parse_setting(text)]))
    assert plan.explain.rules == {"features.0": "flat"}
    more = dict(
        [parse_setting("explain.rules.1:7=gamma 0.1"), parse_setting("explain.bias=distributed")]
    )
    assert override(plan, more).explain.rules == {"features.0": "flat", "1:7": "gamma 0.1"}
    assert override(plan, dict([parse_setting("explain.rules={}")])) == Plan()


def test_rules_that_an_earlier_key_hides_are_refused():
    """One that is added behind a pattern that fits the same layer would do nothing."""
    plan = override(Plan(), {"explain.rules.features.*": "gamma"})
    with pytest.raises(PlanError, match=r"'features\.0', which fits .*an earlier key fits"):
        override(plan, {"explain.rules.features.0": "flat"})


@pytest.mark.parametrize(
    ("key", "least", "most"),
    [
        ("data.size", 32, 1024),
        ("split.seed", 0, None),
        ("explain.batch", 1, 1024),
        ("validate.resamples", 100, 100_000),
        ("report.examples", 0, 10),
    ],
)
def test_numbers_have_bounds(key, least, most):
    """The bounds themselves are allowed, the next number is not."""
    for value, beyond in ((least, least - 1), (most, most and most + 1)):
        if value is not None:
            override(Plan(), {key: value})
            with pytest.raises(PlanError, match=key.replace(".", r"\.")):
                override(Plan(), {key: beyond})


@pytest.mark.parametrize("key", ["split.test", "split.validation"])
def test_a_share_is_neither_nothing_nor_all(key):
    """Every part of a split has faces."""
    for value in (0.01, 0.99):
        override(Plan(), {key: value})
    for value in (0.0, 1.0):
        with pytest.raises(PlanError, match=key.replace(".", r"\.")):
            override(Plan(), {key: value})


def test_a_plan_and_its_tables_cannot_be_changed():
    """What a study has done for a plan it has done for this plan."""
    plan = Plan()
    with pytest.raises(AttributeError):
        plan.title = "Another"
    for table in (getattr(plan, name) for name in TABLES):
        key = table.__struct_fields__[0]
        with pytest.raises(AttributeError):
            setattr(table, key, getattr(table, key))


def test_values_of_a_plan_have_their_names():
    """Nothing is told by its place: places change when a key is added."""
    plan = Plan()
    for table in (plan, *(getattr(plan, name) for name in TABLES if name != "train")):
        value = getattr(table, table.__struct_fields__[0])
        with pytest.raises(TypeError):
            type(table)(value)


@pytest.mark.parametrize("table", TABLES)
def test_every_table_refuses_a_key_that_it_does_not_have(table):
    """A misspelt setting would otherwise change nothing."""
    with pytest.raises(PlanError, match=rf"\[{table}\] has no key 'nonsense'"):
        override(Plan(), {f"{table}.nonsense": 1})


def test_the_defaults_are_those_that_the_documentation_names():
    """Another default is another study: it belongs into docs/study.md and the change log."""
    plan = msgspec.to_builtins(Plan())
    del plan["train"]  # belongs to the network: tests/networks
    assert plan == {
        "title": "A study of expressed emotion and expression intensity",
        "network": "",
        "data": {
            "dataset": "auto", "path": "", "options": {}, "emotions": [], "crop": "auto",
            "size": 224, "width": 1.0, "strict": False,
        },
        "split": {"by": "person", "test": 0.2, "validation": 0.2, "seed": 0},
        "model": {"weights": "imagenet", "device": "cpu"},
        "input": {"mean": [], "std": [], "bgr": False},
        "explain": {
            "preset": "epsilon", "rules": {}, "bias": "absorbed", "max_pooling": "winner",
            "products": "signal", "batch": 4,
        },
        "rank": {"rule": "count"},
        "validate": {"votes": "", "ties": "median", "resamples": 1000},
        "answers": {"control": "", "words": {}, "cut": []},
        "report": {"examples": 1, "heatmap": "epsilon-gamma-box"},
    }  # fmt: skip


@pytest.mark.parametrize("name", shipped_plans())
def test_the_shipped_plans_are_valid(name, tmp_path, monkeypatch):
    """Each is read by its name in any folder, though a folder is called so; a file comes first."""
    monkeypatch.chdir(tmp_path)
    plan = read_plan(name)
    assert plan.data.dataset == name.removeprefix("paper/")
    Path(name).mkdir(parents=True)
    assert read_plan(name) == plan
    Path(name).rmdir()
    Path(name).write_text('title = "mine"')
    assert read_plan(Path(name)) == override(Plan(), {"title": "mine"})


def test_the_plans_are_listed_where_they_are_asked_for(cli):
    """In the help, and in the error for another name, which knows what was meant."""
    assert shipped_plans()[0] == "affectnet"
    words = re.findall(r"[\w/]+", cli("run", "--help").out)
    assert set(shipped_plans()) <= set(words)
    with pytest.raises(
        PlanError, match=r"smaple: no such plan; did you mean 'sample'\?.*paper/kdef"
    ):
        read_plan("smaple")


def test_override_changes_copies():
    """Dotted keys reach into tables and into the data set's own options; the plan given stays."""
    plan = Plan()
    found = override(plan, {"train.epochs": 3, "data.options.angle": "HL", "title": "Mine"})
    assert (found.train.epochs, found.data.options, found.title) == (3, {"angle": "HL"}, "Mine")
    assert plan == Plan()
    assert override(found, {}) == found


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"train.epoch": 3}, r"--set: \[train\] has no key 'epoch'; did you mean 'epochs'"),
        ({"nonsense.epochs": 3}, r"--set nonsense\.epochs: no such table in a plan; see"),
        ({"trian.epochs": 3}, r"a plan; did you mean 'train'.*\? See docs"),
        ({"title.words.more": 3}, "no such table"),
        ({"train.epochs": "three"}, "expected a whole number"),
        ({"train": 3}, "expected a table"),
    ],
)
def test_override_refuses_what_a_plan_cannot_hold(changes, says):
    """The same checks as for a file, told of the option."""
    with pytest.raises(PlanError, match=says):
        override(Plan(), changes)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("train.epochs=30", ("train.epochs", 30)),
        ("train.learning_rate = 1e-3", ("train.learning_rate", 1e-3)),
        ("train.unfreeze=block5", ("train.unfreeze", "block5")),
        (" title = of mine ", ("title", "of mine")),
        ("data.strict=true", ("data.strict", True)),
        ('data.emotions=["happy", "fear"]', ("data.emotions", ["happy", "fear"])),
        ("data.options.person='^(?P<person>a=b)'", ("data.options.person", "^(?P<person>a=b)")),
        ("validate.votes=/a b/v.csv", ("validate.votes", "/a b/v.csv")),
    ],
)
def test_settings_are_toml_or_plain_words(text, expected):
    """Numbers, truth values and lists as in TOML; what is none of them is a text."""
    assert parse_setting(text) == expected


@pytest.mark.parametrize(
    "text", ["train.epochs", "=3", " =3", "train.epochs=", "train.epochs= ", " = "]
)
def test_a_setting_without_key_or_value_is_refused(text):
    """The message shows what one looks like."""
    with pytest.raises(PlanError, match=r"expected KEY=VALUE, for instance train\.epochs=30"):
        parse_setting(text)


@given(
    title=st.text(st.characters(codec="utf-8"), max_size=30),
    path=st.text(st.characters(codec="utf-8"), max_size=30),
    rate=st.floats(1e-9, 1),
    options=st.dictionaries(
        st.text(st.characters(codec="utf-8"), min_size=1, max_size=5),
        st.integers(-9, 9) | st.booleans() | st.text(st.characters(codec="utf-8"), max_size=9),
    ),
)
def test_a_plan_comes_back_from_its_file(tmp_path_factory, title, path, rate, options):
    """Writing out every choice and reading it again gives an equal plan, whatever the words."""
    changes = {"title": title, "data.path": path, "train.learning_rate": rate}
    plan = override(Plan(), changes | {"data.options": options})
    file = tmp_path_factory.mktemp("plan") / "study.toml"
    file.write_bytes(dump_plan(plan).encode())
    assert read_plan(file) == plan


def test_what_is_said_of_votes_is_checked_at_once():
    """Words without an answer and cuts that do not ascend; a word may have dots in it."""
    plan = override(Plan(), {"answers.words.v.low": "Minimal", "answers.cut": [1, 2, 3]})
    assert plan.answers.words == {"v.low": "Minimal"}
    for changes in ({"answers.words": {"Low": "Huge"}}, {"answers.cut": [3, 2, 1]}):
        with pytest.raises(PlanError, match="answers: "):
            override(Plan(), changes)


def test_a_path_that_is_not_utf_8_is_refused():
    """TOML cannot hold it; the sentence shows the byte and says what to do."""
    plan = msgspec.structs.replace(
        Plan(), data=msgspec.structs.replace(Plan().data, path="a\udcff")
    )
    with pytest.raises(PlanError, match=r'path = "a\\xff": this name is not UTF-8; rename'):
        dump_plan(plan)

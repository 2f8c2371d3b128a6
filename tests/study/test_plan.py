"""The plan of a study: what it says is kept, what it cannot say is refused with the reason."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emorank.errors import PlanError
from emorank.study.plan import Plan, dump_plan, override, parse_setting, read_plan

PLANS = sorted((Path(__file__).parents[2] / "studies").glob("*.toml"))


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
        ("[train]\nepoch = 3", "unknown field `epoch`.*train"),
        ("[tran]\nepochs = 3", "unknown field `tran`"),
        ('[train]\nepochs = "many"', r"Expected `int`, got `str`.*train\.epochs"),
        ("[train]\nepochs = 0", r">= 1.*train\.epochs"),
        ("[split]\ntest = 1.0", r"< 1.*split\.test"),
        ('[train]\nunfreeze = "all"', r"Invalid enum value 'all'.*unfreeze"),
        ("[data]\nstrict = 1", r"Expected `bool`.*data\.strict"),
        ("train = 3", r"Expected `object`.*train"),
        ("[train\n", "not TOML"),
    ],
)
def test_a_wrong_plan_is_refused(tmp_path, text, says):
    """File, key and reason are in the message."""
    with pytest.raises(PlanError, match=rf"plan\.toml: .*{says}"):
        read_plan(written(tmp_path, text))


def test_an_absent_or_unreadable_plan_is_named(tmp_path):
    """No file, a folder, and bytes that are no text."""
    with pytest.raises(PlanError, match=r"none\.toml: no such plan.*studies/"):
        read_plan(tmp_path / "none.toml")
    with pytest.raises(PlanError, match="cannot be read"):
        read_plan(tmp_path)
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match=r"bytes\.toml: cannot be read"):
        read_plan(tmp_path / "bytes.toml")


@pytest.mark.parametrize("path", PLANS, ids=lambda path: path.stem)
def test_the_shipped_plans_are_valid(path):
    """Every file in studies/ reads."""
    read_plan(path)


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
        ({"train.epoch": 3}, "--set: .*unknown field `epoch`"),
        ({"nonsense.epochs": 3}, r"--set nonsense\.epochs: no such table"),
        ({"title.words.more": 3}, "no such table"),
        ({"train.epochs": "three"}, "Expected `int`"),
        ({"train": 3}, "Expected `object`"),
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
        ("data.strict=true", ("data.strict", True)),
        ('data.emotions=["happy", "fear"]', ("data.emotions", ["happy", "fear"])),
        ("data.options.person='^(?P<person>a=b)'", ("data.options.person", "^(?P<person>a=b)")),
        ("validate.votes=/a b/v.csv", ("validate.votes", "/a b/v.csv")),
    ],
)
def test_settings_are_toml_or_plain_words(text, expected):
    """Numbers, truth values and lists as in TOML; what is none of them is a text."""
    assert parse_setting(text) == expected


@pytest.mark.parametrize("text", ["train.epochs", "=3", "train.epochs=", " = "])
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

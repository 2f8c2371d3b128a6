"""What others rely on changes only on purpose, and the difference says what it breaks."""

import copy

import pytest
from tests.interface_changes import Kind, changes, explained
from tests.public_interface import PROMISED, interface, promised, written

import emorank


@pytest.fixture(scope="module")
def now():
    """The interface as the code has it."""
    return interface()


def test_the_interface_is_the_promised_one(now):
    """No name, parameter, field, verb or option differs from `public_interface.json`."""
    found = changes(promised(), now)
    assert not found, explained(found)
    assert written(now) == written(promised()), "python -m tests.public_interface --write"


def test_it_is_compared_with_any_commit(now):
    """A release asks what has changed since the last one."""
    if not (PROMISED.parent.parent / ".git").exists():
        pytest.skip("the files of a release, without their history")
    assert promised("HEAD").keys() == now.keys()
    with pytest.raises(SystemExit, match="since nonsense: nothing was promised there"):
        promised("nonsense")


def test_it_holds_what_people_use(now):
    """Every public name, what their results hold, and the verbs with their options."""
    assert {f"emorank.{name}" for name in emorank.__all__} < now["names"].keys()
    assert "study: Study | Path | str | None = None" in now["names"]["emorank.read"]["parameters"]
    assert now["names"]["emorank.Rank"]["words"]["STRONG"] == "3"
    assert now["records"]["RankedFace"]["properties"]["sentence"] == "str"
    assert now["commands"]["emorank rate new"]["--scale"]["choices"][0] == "three"
    assert now["commands"]["emorank rank"]["IMAGES"]["several"]


NAMES = {
    "f": {"parameters": ["a: int", "b: str = 'x'", "*", "c: A | B = None"], "returns": "A | None"},
    "Made": {
        "bases": ["Base"],
        "fields": ["x: int"],
        "methods": {"go": {"parameters": [], "returns": ""}},
    },
    "Word": {"words": {"ONE": "1"}},
    "TABLE": {"keys": ["one"]},
    "DEFAULT": {"value": "'one'"},
}
RECORDS = {"Got": {"fields": ["x: int | None", "y: int"]}, "Ties": {"type": "Literal['a', 'b']"}}
FLAG = {"required": False, "type": "flag", "several": False}
COMMANDS = {
    "emorank go": {
        "FROM": {"required": True, "type": "path", "several": False},
        "TO": {"required": True, "type": "path", "several": False},
        "--gray, --grey": FLAG,
        "--ties": {"required": False, "choices": ["a", "b"], "several": False, "default": "a"},
    }
}
BEFORE = {"names": NAMES, "records": RECORDS, "commands": COMMANDS}
F = ["names", "f", "parameters"]
GO = ["commands", "emorank go"]


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (
            [*F, 0],
            "z: int",
            [
                "breaks: f: has no parameter 'a' any longer",
                "breaks: f: has the new required parameter 'z'",
            ],
        ),
        (
            F,
            ["b: str = 'x'", "a: int", "*", "c: A | B = None"],
            [
                "breaks: f: 'a' has moved from place 0 to 1",
                "breaks: f: 'b' has moved from place 1 to 0",
            ],
        ),
        (
            F,
            ["a: int", "*", "b: str = 'x'", "c: A | B = None"],
            ["breaks: f: 'b' can no longer be given by its place"],
        ),
        (
            F,
            ["a: int", "b: str = 'x'", "c: A | B = None"],
            ["adds: f: 'c' may be given by its place"],
        ),
        ([*F, 1], "b: str", ["breaks: f: 'b' has to be given now"]),
        ([*F, 0], "a: int = 1", ["adds: f: 'a' need not be given any longer"]),
        (
            [*F, 1],
            "b: str = 'y'",
            ["changes what happens by default: f: 'b' was 'x' by default, is 'y'"],
        ),
        ([*F, 3], "c: A = None", ["breaks: f: 'c' took A | B, takes A"]),
        (
            [*F, 3],
            "c: A | B | C[D | E] = None",
            ["adds: f: 'c' took A | B, takes A | B | C[D | E]"],
        ),
        (F, [*NAMES["f"]["parameters"], "d: int = 0"], ["adds: f: has the new parameter 'd'"]),
        (
            F,
            [*NAMES["f"]["parameters"], "**more: int"],
            ["adds: f: has the new parameter '**more'"],
        ),
        (["names", "f", "returns"], "A", []),
        (["names", "f", "returns"], "A | B", ["breaks: f: returned A | None, returns A | B"]),
        (
            ["names", "f"],
            {"fields": []},
            ["breaks: f: was a function and is none, or the other way round"],
        ),
        (["names", "new"], {"keys": []}, ["adds: new: is new"]),
        (["names", "Made", "bases"], [], ["breaks: Made: is no Base any longer"]),
        (
            ["names", "Made", "fields"],
            ["x: int", "y: int"],
            ["breaks: Made: has the new required parameter 'y'"],
        ),
        (["names", "Made", "methods"], {}, ["breaks: Made.go: is not there any longer"]),
        (["names", "Word", "words", "ONE"], "2", ["breaks: Word.ONE: was 1, is 2"]),
        (["names", "TABLE", "keys"], ["one", "two"], ["adds: TABLE.two: is new"]),
        (
            ["names", "DEFAULT", "value"],
            "'two'",
            ["changes what happens by default: DEFAULT: was 'one', is 'two'"],
        ),
        (["records", "Got", "fields"], ["y: int", "x: int", "z: int"], ["adds: Got.z: is new"]),
        (
            ["records", "Got", "fields"],
            ["x: int | None"],
            ["breaks: Got.y: is not there any longer"],
        ),
        (
            ["records", "Got", "fields", 1],
            "y: int | None",
            ["breaks: Got.y: was int, is int | None"],
        ),
        (
            ["records", "Ties", "type"],
            "Literal['a', 'b', 'c']",
            ["adds: Ties: was Literal['a', 'b'], is Literal['a', 'b', 'c']"],
        ),
        (
            ["records", "Ties", "type"],
            "Literal['a', 'c']",
            ["breaks: Ties: was Literal['a', 'b'], is Literal['a', 'c']"],
        ),
        ([*GO, "--much"], FLAG, ["adds: emorank go: has the new --much"]),
        (
            [*GO, "--much"],
            FLAG | {"required": True},
            ["breaks: emorank go: has the new --much, required"],
        ),
        (
            [*GO, "--ties", "choices"],
            ["a", "c"],
            [
                "breaks: emorank go --ties: does not take 'b' any longer",
                "adds: emorank go --ties: takes 'c' too",
            ],
        ),
        (
            [*GO, "--ties", "default"],
            "b",
            ["changes what happens by default: emorank go --ties: was a by default, is b"],
        ),
        ([*GO, "--ties", "required"], True, ["breaks: emorank go --ties: is required now"]),
        ([*GO, "--ties", "several"], True, ["adds: emorank go --ties: is several now"]),
        ([*GO, "FROM", "type"], "text", ["breaks: emorank go FROM: took path, takes text"]),
        (
            GO,
            {
                word: COMMANDS["emorank go"][word]
                for word in ("TO", "FROM", "--gray, --grey", "--ties")
            },
            ["breaks: emorank go: took FROM, TO, takes TO, FROM"],
        ),
        (
            GO,
            {"--grey": FLAG}
            | {word: COMMANDS["emorank go"][word] for word in ("FROM", "TO", "--ties")},
            ["breaks: emorank go: has no --gray any longer"],
        ),
        (["commands"], {}, ["breaks: emorank go: is not there any longer"]),
    ],
)
def test_a_difference_says_what_it_breaks(path, value, expected):
    """One change at a time, in a small interface; those that break come first."""
    after = copy.deepcopy(BEFORE)
    place = after
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    found = changes(BEFORE, after)
    assert explained(found).split("\n")[1 : len(found) + 1] == expected
    assert changes(BEFORE, copy.deepcopy(BEFORE)) == []


def test_what_is_new_breaks_where_it_was():
    """Going back is a change too, and the worst comes first."""
    after = copy.deepcopy(BEFORE)
    after["names"] |= {"g": {"parameters": [], "returns": ""}}
    assert [change.kind for change in changes(BEFORE, after)] == [Kind.ADDS]
    assert [change.kind for change in changes(after, BEFORE)] == [Kind.BREAKS]

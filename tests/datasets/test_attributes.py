"""A stranger's table of persons: matched, or refused with what was expected and what came."""

import pandas as pd
import pytest

from emorank.datasets.attributes import (
    attribute_columns,
    banded_groups,
    parse_bands,
    read_attributes,
)
from emorank.errors import DatasetError, PlanError


@pytest.fixture
def faces():
    return pd.DataFrame(
        {
            "image": ["happy/001.jpg", "neutral/001.jpg", "happy/002.jpg"],
            "person": pd.array(["001", "001", "002"], dtype="string"),
        }
    )


@pytest.fixture
def write(tmp_path):
    def written(text):
        path = tmp_path / "persons.csv"
        path.write_text(text, encoding="utf-8")
        return path

    return written


def test_names_are_compared_as_people_mean_them(write):
    """However letters are composed, folders are written and numbers saved."""
    faces = pd.DataFrame({"image": ["happy/Zoe\u0308.jpg"], "person": ["Fran\u00e7ois"]})
    for name in ("happy\\Zo\u00eb.jpg", "./happy/Zoe\u0308.jpg", "Zo\u00eb", "Franc\u0327ois"):
        found = read_attributes(write(f"who;age\n{name};31,5\n"), faces)
        assert found["age"].tolist() == ["31.5"]
    faces["person"] = "7"
    assert read_attributes(write("who,age\n7.0,31\n"), faces)["age"].tolist() == ["31"]
    with pytest.raises(DatasetError, match="'7' is in several rows of the column 'who'"):
        read_attributes(write("who,age\n7.0,31\n7,32\n"), faces, "who")


def test_words_for_one_group_are_one_group():
    """In capitals or not; as the first person has it."""
    words = pd.Series(["Female", "male", "female ", "MALE", None], dtype="string")
    groups, order = banded_groups(words, "gender")
    assert groups.tolist() == ["Female", "male", "Female", "male", pd.NA]
    assert order is None


@pytest.mark.parametrize(
    ("column", "ids"),
    [
        ("face_id", ("001", "002")),
        ("image", ("happy/001.jpg", "happy/002.jpg")),
        ("file", ("001.jpg", "002.jpg")),
        ("whoever", ("002", "001")),
    ],
)
def test_rows_find_their_faces(faces, write, column, ids):
    """By person, image or file name, whatever the column is called; zeros in front are kept."""
    text = f"{column},sex\n" + "".join(f"{i},{'f' if '1' in i else 'm'}\n" for i in ids)
    found = read_attributes(write(text), faces)
    assert found.loc["happy/001.jpg", "sex"] == "f"
    assert found.loc["happy/002.jpg", "sex"] == "m"
    assert ("neutral/001.jpg" in found.index) == (column != "image")


def test_unknown_is_missing(faces, write):
    """NA, unknown and empty cells are no group of their own."""
    found = read_attributes(write("person,sex,race\n001,NA,Unknown\n002,,white\n"), faces)
    assert found["sex"].isna().all()
    assert found["race"].tolist()[2] == "white"
    assert found["race"].isna().tolist() == [True, True, False]


@pytest.mark.parametrize(
    ("text", "id_column", "message"),
    [
        ("person,sex\nx1,f\nx2,m\n", "", "Expected one of .person: 001, 002"),
        ("person,sex\nx1,f\nx2,m\n", "", "came .person: x1, x2"),
        ("person,sex\n001,f\n", "face", "has no column 'face'; it has person, sex"),
        ("person,sex\n001,f\n001,m\n", "person", "'001' is in several rows"),
        ("person,sex\n001,f\n001,f\n", "", "in every column .person, sex. values are repeated"),
        ("person, person\n001,f\n", "", "a column is there twice: person, person"),
        ("\x00\x01", "", "person|read|row"),
    ],
)
def test_what_does_not_fit_is_said(faces, write, text, id_column, message):
    """What was expected, what came, what to do."""
    with pytest.raises(DatasetError, match=message):
        read_attributes(write(text), faces, id_column)


def test_columns_are_found_by_name_or_synonym():
    """Exactly, by a part of the name, or as `name=column`; doubt and absence are errors."""
    known = pd.DataFrame(columns=["face_age", "face_gender", "face_eth", "Village"], dtype="string")
    assert attribute_columns(known, ["gender", "ethnicity", "age"], "x") == {
        "gender": "face_gender",
        "ethnicity": "face_eth",
        "age": "face_age",
    }
    assert attribute_columns(known, [], "x") == attribute_columns(
        known, ["gender", "age", "ethnicity"], "x"
    )
    assert attribute_columns(known, ["village", "home=Village"], "x") == {
        "village": "Village",
        "home": "Village",
    }
    with pytest.raises(PlanError, match=r"no column is 'skin'.*--by skin=COLUMN"):
        attribute_columns(known, ["skin"], "x")
    with pytest.raises(PlanError, match="has no column 'tone'"):
        attribute_columns(known, ["skin=tone"], "x")
    two = pd.DataFrame(columns=["sex", "gender_code"], dtype="string")
    with pytest.raises(PlanError, match="2 columns could be 'gender'"):
        attribute_columns(two, ["gender"], "x")
    with pytest.raises(PlanError, match=r"has no gender, age, ethnicity, skin.*--groups FILE"):
        attribute_columns(
            pd.DataFrame(columns=["emotion"], dtype="string"), [], "the data set folder"
        )


def test_ages_become_bands():
    """Lower ends belong to the band that they begin; unknown stays unknown."""
    ages = pd.Series(["17", "18", "24", "24.9", "65", None], dtype="string")
    groups, order = banded_groups(ages, "age")
    assert groups.tolist()[:5] == ["under 18", "18–24", "18–24", "18–24", "65 and over"]
    assert groups.isna().tolist() == [False] * 5 + [True]
    assert order == ["under 18", "18–24", "25–34", "35–49", "50–64", "65 and over"]
    own, order = banded_groups(ages, "age", (20.0, 20.5))
    assert order == ["under 20", "20 to below 20.5", "20.5 and over"]
    assert own.iloc[1] == "under 20"


def test_words_stay_words():
    """Groups in words are taken as they are; a few numbers are groups in their order."""
    words = pd.Series(["young", "old", None], dtype="string")
    assert banded_groups(words, "age")[0].equals(words)
    assert banded_groups(pd.Series(["10", "2"], dtype="string"), "skin")[1] == ["2", "10"]
    many = pd.Series([str(i / 7) for i in range(40)], dtype="string")
    with pytest.raises(PlanError, match="say where bands begin"):
        banded_groups(many, "skin")
    with pytest.raises(PlanError, match="40 different values"):
        banded_groups(many + "x", "skin")
    with pytest.raises(PlanError, match="'young' is not a number"):
        banded_groups(words, "age", (1.0,))


@pytest.mark.parametrize("text", ["age", "age=", "age=b", "=18", "age=30,20", "age=20,20"])
def test_bands_have_to_ascend(text):
    """A name and ascending numbers, or an error with an example."""
    with pytest.raises(PlanError, match="such as age=18,25,35,50"):
        parse_bands(text)
    assert parse_bands(" age = 18, 25") == ("age", (18.0, 25.0))


@pytest.mark.parametrize("word", ["x{}", "{}"])
def test_a_column_has_twelve_groups_at_most(word):
    """Words, or numbers without bands; ages get bands by themselves."""
    values = pd.Series([word.format(number) for number in range(13)], dtype="string")
    assert banded_groups(values[:12], "skin")[0].nunique() == 12
    with pytest.raises(PlanError, match="13 different"):
        banded_groups(values, "skin")


def test_a_band_of_one_number_is_not_written_as_a_range():
    """A range needs two ends."""
    ages = pd.Series(["18", "19"], dtype="string")
    order = banded_groups(ages, "age", (18.0, 19.0, 21.0))[1]
    assert order == ["under 18", "18 to below 19", "19–20", "21 and over"]


def test_spaces_and_case_of_an_attribute_do_not_matter():
    """Neither in its name nor in its column."""
    known = pd.DataFrame(columns=["face_sex", "Tone"], dtype="string")
    assert attribute_columns(known, [" Gender "], "x") == {"Gender": "face_sex"}
    assert attribute_columns(known, [" skin = Tone "], "x") == {"skin": "Tone"}


def test_empty_cells_are_no_person_that_is_there_twice(faces, write):
    """The message names the one that is."""
    with pytest.raises(DatasetError, match="'001' is in several rows"):
        read_attributes(write("person,sex\n,f\n,m\n001,f\n001,m\n"), faces, "person")
    with pytest.raises(DatasetError, match="cannot tell rows apart: it is empty"):
        read_attributes(write("person,sex\n,f\n,m\n"), faces, "person")


def test_a_synonym_is_found_for_an_attribute_in_capitals():
    """And a column of the name itself wins over one with the name in it."""
    assert attribute_columns(
        pd.DataFrame(columns=["face_race"], dtype="string"), ["ETHNICITY"], "x"
    )
    known = pd.DataFrame(columns=["AGE", "face_age"], dtype="string")
    assert attribute_columns(known, ["age"], "x") == {"age": "AGE"}


def test_images_of_unknown_persons_match_no_empty_cell(write):
    """They are not in the result."""
    faces = pd.DataFrame({"image": ["a.jpg", "b.jpg"], "person": pd.array(["p", None], "string")})
    result = read_attributes(write("person,sex\np,f\n,m\nq,m\n"), faces, "person")
    assert result.index.tolist() == ["a.jpg"]


def test_bands_need_a_name_of_more_than_spaces():
    """As " =18" has none."""
    with pytest.raises(PlanError, match="such as age=18"):
        parse_bands(" =18")

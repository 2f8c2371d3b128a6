"""Tables of images: what people write, and what must not pass."""

import pandas as pd
import pytest

from emorank.datasets import manifest
from emorank.errors import DatasetError


@pytest.fixture
def root(tmp_path, picture):
    for name in ("a.png", "sub/b.png", "c.png"):
        picture(tmp_path / "data" / name)
    picture(tmp_path / "secret.png")
    return tmp_path / "data"


def written(root, text, name="manifest.csv"):
    (root / name).write_text(text, encoding="utf-8")
    return root / name


def test_csv_with_all_columns(root):
    """Names in any case, synonyms, zeros before numbers, empty cells, foreign columns."""
    file = written(
        root,
        "\ufeffImage,Emotion,person, sequence,frame,intensity,note\n"
        "a.png,Happiness,007,s1,3,0.25,x\nsub\\b.png,,NA,,,,\nc.png,sad,,,,1,\n",
    )
    assert manifest.recognise(root)
    assert manifest.recognise(file)
    for place in (root, file):
        table = manifest.load(place).table
        assert table["image"].tolist() == ["a.png", "c.png", "sub/b.png"]
        assert table["emotion"].tolist() == ["happy", "sadness", pd.NA]
        assert table["person"].tolist() == ["007", pd.NA, "NA"]
        assert table["frame"].tolist() == [3, pd.NA, pd.NA]
        assert table["intensity"].tolist() == [0.25, 1.0, pd.NA]
        assert table["sequence"].iloc[0] == "s1"


def test_rows_shorter_than_the_header(root):
    """What they lack is unknown; empty cells beyond the header are no content."""
    file = written(root, "image,emotion,person\na.png\nc.png,fear,7,,\n")
    table = manifest.load(file).table
    assert table["emotion"].tolist() == [pd.NA, "fear"]
    assert table["person"].tolist() == [pd.NA, "7"]


def test_header_cells_that_repeat_or_are_empty_are_numbered(root):
    """The first column of a name counts, as with pandas."""
    file = written(root, "image,emotion,note,note,,\na.png,fear,x,y,,z\n")
    table = manifest.read_table(file)
    assert list(table) == ["image", "emotion", "note", "note.1", "Unnamed: 4", "Unnamed: 5"]
    assert table.loc[0, "note.1"] == "y"


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_what_spreadsheets_and_pandas_save(root, picture, separator, encoding):
    """The dialect of votes: separators, decimal commas, Windows paths, 1.0, NA for a number."""
    picture(root / "sub" / "Zoe\u0308.png")  # as macOS stores it
    rows = [
        ("image", "emotion", "person", "intensity"),
        (".\\a.png", "Joy", "1.0", "0,5"),
        ("sub/Zo\u00eb.png", "Joy", "Zo\u00eb", "NA"),
        ("./c.png", "sad", "Zoe\u0308", ""),
    ]
    cell = '"{}"' if separator == "," else "{}"
    lines = [separator.join(cell.format(one) for one in row) for row in rows]
    text = "\r\n".join(lines).replace("0,5", "0.5" if separator == "," else "0,5")
    file = root / "faces.tsv"
    file.write_bytes(text.encode(encoding))
    assert manifest.recognise(file)
    data = manifest.load(file)
    table = data.table
    assert table["image"].tolist() == ["a.png", "c.png", "sub/Zoe\u0308.png"]
    assert table["person"].tolist() == ["1", "Zo\u00eb", "Zo\u00eb"]  # one person, not two
    assert table["intensity"].tolist() == [0.5, pd.NA, pd.NA]
    assert data.problems == ()
    assert data.read("sub/Zoe\u0308.png").shape == (20, 20, 3)


def test_two_spellings_of_one_image_are_listed_twice(root):
    """Whatever the separator of folders."""
    written(root, "image,emotion\nsub/b.png,fear\n.\\sub\\b.png,fear\n")
    with pytest.raises(DatasetError, match="listed more than once"):
        manifest.load(root)


def test_groups_of_persons(root):
    """Gender, age, ethnicity and skin are kept as words where the table has them."""
    file = written(root, "image,emotion,person,Gender,AGE,hair\na.png,happy,1,female,31,red\n")
    table = manifest.load(file).table
    assert table.loc[0, ["gender", "age"]].tolist() == ["female", "31"]
    assert not {"hair", "skin", "ethnicity"} & set(table.columns)


def test_parquet(root):
    """The same as Parquet, with numbers as persons."""
    frame = pd.DataFrame(
        {"image": ["a.png", "c.png"], "emotion": ["fear", "joy"], "person": [1, 2]}
    )
    frame.to_parquet(root / "list.parquet")
    data = manifest.load(root / "list.parquet", cropped=True)
    assert data.table["emotion"].tolist() == ["fear", "happy"]
    assert data.table["person"].tolist() == ["1", "2"]
    assert data.card.cropped
    assert data.read("a.png").shape == (20, 20, 3)


def test_numbered_persons_with_gaps(root):
    """Persons 1 and unknown are a column of floats in Parquet, and still person 1."""
    frame = pd.DataFrame({"image": ["a.png", "c.png"], "emotion": "fear", "person": [1, None]})
    frame.to_parquet(root / "list.parquet")
    assert manifest.load(root / "list.parquet").table["person"].tolist() == ["1", pd.NA]


def test_missing_files_become_problems(root):
    """One row each; if nothing is left that is an error."""
    written(root, "image,emotion\na.png,fear\ngone.png,fear\n")
    data = manifest.load(root)
    assert data.table["image"].tolist() == ["a.png"]
    assert [problem.file for problem in data.problems] == ["gone.png"]
    written(root, "image,emotion\ngone.png,fear\n")
    with pytest.raises(DatasetError, match="found none that can be used"):
        manifest.load(root)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image,label\na.png,fear\n", "lacks the column emotion; found image, label"),
        ("a.png,fear\n", "lacks the column image and emotion"),
        ("", "is empty; expected CSV"),
        (
            "image,emotion\na.png,bored\nc.png,bored\n",
            "2 rows name an unknown emotion (bored)",
        ),
        ("image,emotion\na.png,fear\n./a.png,fear\n", "listed more than once"),
        ("image,emotion\n,fear\n", "1 rows have no image"),
        ("image,emotion,frame\na.png,fear,1.5\n", "column frame must hold whole numbers"),
        ("image,emotion,frame\na.png,fear,x\n", "column frame must hold whole numbers"),
        ("image,emotion,frame\na.png,fear,inf\n", "column frame must hold whole numbers"),
        ("image,emotion,intensity\na.png,fear,strong\n", "column intensity must hold numbers"),
        ("image,emotion,intensity\na.png,fear,3\n", "outside [0, 1]"),
        ("image,emotion,Image\na.png,fear,c.png\n", "a column is there twice"),
        ("image,emotion\n../secret.png,fear\n", "leaves the data folder"),
        ("image,emotion\n/etc/passwd,fear\n", "leaves the data folder"),
        ("image,emotion\nC:\\x.png,fear\n", "leaves the data folder"),
        ("image,emotion\na.png,fear,1,2,3\nc.png,fear\n", "line 2 has more cells"),
        ("image,emotion\na.png,fear\nc.png,fear,3\n", "line 3 has more cells"),
    ],
)
def test_bad_tables_are_refused(root, text, words):
    """Each with the file's name and what is wrong."""
    file = written(root, text)
    with pytest.raises(DatasetError) as caught:
        manifest.load(root)
    assert words in str(caught.value)
    assert str(file.parent) in str(caught.value)


def test_a_link_out_of_the_folder_is_refused(root):
    """A manifest cannot fetch what its folder does not hold."""
    (root / "out.png").symlink_to(root.parent / "secret.png")
    written(root, "image,emotion\nout.png,fear\n")
    with pytest.raises(DatasetError, match="is a link that leaves"):
        manifest.load(root)


def test_files_that_are_no_tables_are_refused(root):
    """Binary content, and a folder without a table."""
    (root / "manifest.parquet").write_bytes(b"PAR1 but not really")
    with pytest.raises(DatasetError, match="expected CSV in UTF-8 with a header"):
        manifest.load(root)
    with pytest.raises(DatasetError, match=r"expected manifest\.csv"):
        manifest.load(root / "sub")


def test_endings_and_defaults(root):
    """An ending in capitals is one too; images are photographs unless told otherwise."""
    frame = pd.DataFrame({"image": ["a.png"], "emotion": "fear"})
    frame.to_parquet(root / "list.PARQUET")
    assert manifest.recognise(root / "list.PARQUET")
    assert not manifest.load(root / "list.PARQUET").card.cropped
    assert not manifest.recognise(root / "a.png")
    assert not manifest.recognise(root / "sub")

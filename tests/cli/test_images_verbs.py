"""`emorank rank` and `emorank explain` on images that the study has not seen, and the stages."""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from safetensors import safe_open

from emorank import delimited, images, picture_formats
from emorank.networks import checkpoint
from emorank.networks.normalisation import to_batch
from emorank.relevance import override_preset, relevance
from emorank.study.folder import open_study
from emorank.study.framed_faces import Framed
from emorank.study.relevance_maps import stores

pytestmark = pytest.mark.weights

COLUMNS = [
    "image", "face", "predicted", "p_anger", "p_happy", "p_surprise", "logit",
    "expressed", "expressed_p", "expressed_logit", "rank", "abstained", "score",
    *(f"n_{j}" for j in range(1, 11)), "value_1", "value_2", "value_3", "zero",
]  # fmt: skip


def test_a_table_on_the_terminal(cli, drawn, finished):
    """A line per image: its name, the emotion, the rank."""
    done = cli("rank", drawn / "happy/p0.png", drawn / "anger/p1.png", "--study", finished)
    assert done.code == 0, done.err
    lines = [line for line in done.out.splitlines() if ".png" in line]
    assert [line.split()[0] for line in lines] == ["p0.png", "p1.png"]
    assert "happy" in lines[0]
    assert any(rank in lines[0] for rank in ("Minimal", "Average", "Strong"))


def test_a_name_with_brackets_is_printed_as_it_is(cli, drawn, finished, tmp_path):
    """A file name that looks like markup is no markup."""
    shutil.copy(drawn / "happy/p0.png", tmp_path / "p[bold]0.png")
    done = cli("rank", tmp_path, "--study", finished)
    assert done.code == 0, done.err
    assert "p[bold]0.png" in done.out


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_table_as_a_file(cli, drawn, finished, tmp_path, suffix):
    """A folder of images: emotion, probabilities, rank, counts, where zero lies."""
    out = tmp_path / "deep" / f"ranks{suffix}"
    done = cli("rank", drawn / "happy", "--study", finished, "--rank", "paper", "--out", out)
    assert done.out == f"8 faces: {out}\n"
    table = pd.read_csv(out) if suffix == ".csv" else pd.read_parquet(out)
    assert table.columns.to_list() == COLUMNS
    assert table["image"].to_list() == [str(drawn / f"happy/p{i}.png") for i in range(8)]
    assert (table["predicted"] == "happy").mean() > 0.8
    assert [path.name for path in out.parent.iterdir()] == [out.name]


def test_both_formats_hold_the_same(cli, drawn, finished, tmp_path):
    """CSV and Parquet differ in nothing but the format."""
    for suffix in (".csv", ".parquet"):
        cli("rank", drawn / "anger", "--study", finished, "--out", tmp_path / f"r{suffix}")
    pd.testing.assert_frame_equal(
        pd.read_csv(tmp_path / "r.csv"), pd.read_parquet(tmp_path / "r.parquet"), check_dtype=False
    )


def test_images_that_cannot_be_used_are_named(cli, drawn, finished, tmp_path):
    """One of two: the other is ranked. The only one: exit status 1. Strict: the first ends it."""
    (tmp_path / "broken.png").write_bytes(b"\x89PNG")
    done = cli("rank", tmp_path / "broken.png", drawn / "happy/p0.png", "--study", finished)
    assert done.code == 0
    assert "left out: " in done.err
    assert "broken.png" in done.err
    assert "p0.png" in done.out
    alone = cli("rank", tmp_path / "broken.png", "--study", finished)
    assert "broken.png" in alone.failure
    assert alone.err.count("broken.png") == 1
    (tmp_path / "second.png").write_bytes(b"")
    both = cli("rank", tmp_path, "--study", finished)
    assert "none of the 2 images can be used" in both.failure
    assert both.err.count("broken.png") == both.err.count("second.png") == 1
    (tmp_path / "second.png").unlink()
    images = [drawn / "happy/p0.png", tmp_path / "broken.png"]
    assert "broken.png" in cli("rank", *images, "--strict", "--study", finished).failure


def test_a_folder_is_walked_as_a_data_set_is(cli, drawn, finished, tmp_path):
    """Content decides; the rest is named; names may hold any bytes, and are escaped."""
    photographs = tmp_path / "photographs"
    photographs.mkdir()
    face = Image.open(drawn / "happy/p0.png")
    for name, kind in (("a.jfif", "JPEG"), ("b.gif", "GIF"), ("c", "AVIF"), ("d\u202e.png", "PNG"),
                       (os.fsdecode(b"\xff.png"), "PNG"), (".hidden.png", "PNG")):  # fmt: skip
        face.save(photographs / name, kind)
    (photographs / "link.png").symlink_to(drawn / "happy/p1.png")
    (photographs / "e.jp2").write_bytes(b"\0\0\0\x0cjP  \r\n")
    for name in ("1.txt", "2.txt"):
        (photographs / name).write_text("words")
    out = tmp_path / "ranks.csv"
    done = cli("rank", photographs, "--study", finished, "--out", out)
    assert done.code == 0, done.err
    names = [Path(image).name for image in pd.read_csv(out)["image"]]
    assert names == ["a.jfif", "b.gif", "c", "d\\u202e.png", "\\udcff.png"]
    lines = [line.partition("photographs/")[2] for line in done.err.splitlines()]
    assert [line for line in lines if line] == [
        "link.png: is a link to a folder or out of the data folder; copy its content",
        "(2 files): each is a text file: 1.txt, 2.txt",
        "e.jp2: " + picture_formats.explain(b"\0\0\0\x0cjP  \r\n"),
    ]
    table = cli("rank", photographs, "--study", finished)
    assert "\\xff.png" in table.out
    figures = cli("explain", photographs, "--study", finished, "--out", tmp_path / "figures")
    assert figures.code == 0, figures.err
    assert len(list((tmp_path / "figures").glob("*_relevance.png"))) == 5


def test_a_failed_table_leaves_none(cli, drawn, finished, tmp_path):
    """Strict, with the error after some faces were written: no file, whole or half."""
    for name in "abcdefgh":
        Image.open(drawn / "happy/p0.png").save(tmp_path / f"{name}.png")
    (tmp_path / "z.png").write_bytes(b"no image")
    out = tmp_path / "out" / "ranks.csv"
    assert "z.png" in cli("rank", tmp_path, "--strict", "--study", finished, "--out", out).failure
    assert not out.exists()
    assert not out.parent.exists() or list(out.parent.iterdir()) == []


def test_a_table_that_is_there_is_not_replaced_without_a_word(cli, drawn, finished, tmp_path):
    """The error says what to do; --overwrite does it."""
    out = tmp_path / "ranks.csv"
    out.write_text("mine")
    command = ("rank", drawn / "happy/p0.png", "--study", finished, "--out", out)
    assert f"{out} is there already; give another name, or --overwrite" in cli(*command).failure
    assert out.read_text() == "mine"
    assert cli(*command, "--overwrite").code == 0
    assert pd.read_csv(out)["predicted"].notna().all()


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_a_stopped_table_goes_on_where_it_was(cli, drawn, finished, tmp_path, monkeypatch, suffix):
    """Images that are done are not read again, and the table is as if nothing had happened."""
    whole, out = tmp_path / f"whole{suffix}", tmp_path / f"ranks{suffix}"
    command = ("rank", drawn / "happy", drawn / "anger", "--study", finished, "--out")
    assert cli(*command, whole).code == 0
    read, opened = images.read, list[str]()

    def stopping(path):
        opened.append(path.name)
        if len(opened) == 12:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(images, "read", stopping)
    monkeypatch.setattr("emorank.reading.reader.Reader.batch", 4)
    assert cli(*command, out).code == 130
    assert not out.exists()
    other = cli(*command, out, "--rank", "paper", "--nearest")
    assert "is the unfinished result of a command with other options" in other.failure
    first = len(opened)
    assert cli(*command, out).code == 0
    assert len(opened) - first == 16 - 8
    assert sorted(tmp_path.iterdir()) == sorted([whole, out])
    read_table = pd.read_csv if suffix == ".csv" else pd.read_parquet
    columns = ["image", "face", "predicted", "logit", "rank"]
    # Other batches round otherwise.
    pd.testing.assert_frame_equal(read_table(out)[columns], read_table(whole)[columns], rtol=1e-3)


def test_without_a_file_nothing_is_kept_and_that_is_said(cli, drawn, finished, monkeypatch):
    """A stopped command promises only what it does."""

    def stop(path):
        raise KeyboardInterrupt

    monkeypatch.setattr(images, "read", stop)
    done = cli("rank", drawn / "happy", "--study", finished)
    assert done.code == 130
    assert "nothing was kept (with --out FILE it would be)" in done.err


def test_names_are_written_so_that_nothing_runs_them(cli, drawn, finished, tmp_path):
    """A formula, a control character and a byte that is no UTF-8 come back as they were."""
    folder = tmp_path / "faces"
    folder.mkdir()
    names = ["a\x1b[31m.png", "b\udce9.png", "c\n.png", "=d.png"]
    for name in names:
        shutil.copy(drawn / "happy/p0.png", folder / name)
    monkey = tmp_path / "ranks.csv"
    done = cli("rank", *(folder / name for name in names), "--study", finished, "--out", monkey)
    assert done.code == 0, done.err
    assert b"\x1b" not in monkey.read_bytes()
    rows = [row for _, row in delimited.rows(monkey, ValueError)]
    assert [row[0] for row in rows[1:]] == [str(folder / name) for name in names]
    parquet = tmp_path / "ranks.parquet"
    assert cli("rank", folder / names[1], "--study", finished, "--out", parquet).code == 0
    assert pd.read_parquet(parquet)["image"][0].endswith("b\\xe9.png")


def test_a_folder_without_images_is_an_error(cli, finished, tmp_path):
    """Nothing to rank is told, not an empty table."""
    (tmp_path / "notes.txt").touch()
    assert "no image files in this folder" in cli("rank", tmp_path, "--study", finished).failure


def test_no_face_found_is_said(cli, drawn, finished):
    """Photographs are searched for faces on demand; a drawing of a few strokes may have none."""
    plain = drawn.parent / "plain.png"
    Image.new("RGB", (64, 64), "gray").save(plain)
    done = cli("rank", plain, "--crop", "face", "--study", finished)
    assert "no face was found" in done.failure


def test_settings_for_new_images_leave_the_study_alone(cli, drawn, finished):
    """`--set` on new images is for this call."""
    before = (finished / "study.toml").read_bytes()
    done = cli("rank", drawn / "happy/p0.png", "--study", finished, "--set", "rank.rule=mean")
    assert done.code == 0
    assert (finished / "study.toml").read_bytes() == before


def test_an_emotion_is_ranked_in_every_face(cli, finished, drawn, tmp_path):
    """Whatever is named; on the terminal both, in the table the column `expressed`."""
    done = cli("rank", drawn / "anger", "--study", finished, "--emotion", "joy")
    assert done.code == 0
    assert done.out.splitlines()[1].split()[2:4] == ["named", "ranked"]
    assert all("happy" in line for line in done.out.splitlines() if "p0.png" in line)
    out = tmp_path / "happy.csv"
    cli("rank", drawn / "anger", "--study", finished, "--emotion", "happy", "--out", out)
    assert set(pd.read_csv(out)["expressed"]) == {"happy"}


def test_an_emotion_to_rank_needs_images_and_a_network_that_knows_it(cli, finished, drawn):
    """Else a sentence."""
    done = cli("rank", "--study", finished, "--emotion", "happy")
    assert "and --emotion go with IMAGES" in done.err
    image = drawn / "anger/p0.png"
    unknown = cli("rank", image, "--study", finished, "--emotion", "fear")
    assert "the model knows that of" in unknown.failure
    assert "names no emotion" in cli("rank", image, "--study", finished, "--emotion", "x").failure
    both = cli("rank", image, "--study", finished, "--emotion", "happy", "--compounds")
    assert "without --emotion" in both.err


def test_ranking_the_test_part_is_a_stage(cli, own_study):
    """Without images the stage runs again and the plan remembers the setting."""
    done = cli("rank", "--study", own_study.folder, "--set", "rank.rule=sum")
    assert done.code == 0, done.err
    assert "✓ rank: " in done.err
    assert open_study(own_study.folder).plan.rank.rule == "sum"
    assert "'rank' is not done" not in cli("validate", "--study", own_study.folder).err


def test_explain_draws_a_figure_for_each_face(cli, drawn, finished, tmp_path):
    """One PNG per image, named after it, and its path on stdout."""
    out = tmp_path / "heatmaps"
    done = cli("explain", drawn / "happy/p0.png", drawn / "happy/p1.png",
               "--study", finished, "--out", out, "--preset", "epsilon-gamma-box")  # fmt: skip
    assert done.code == 0, done.err
    figures = [out / f"p{i}_1_relevance.png" for i in (0, 1)]
    assert done.out.split() == [str(figure) for figure in figures]
    assert sorted(out.iterdir()) == figures
    with Image.open(figures[0]) as image:
        image.load()
        assert image.format == "PNG"
        assert min(image.size) > 200


def test_explain_writes_the_relevance_of_any_number_of_images(cli, drawn, finished, tmp_path):
    """By any rank of a study, out of a table of paths; figures and one file need other options."""
    given = tmp_path / "faces.csv"
    given.write_text(f"image\n{drawn / 'happy/p0.png'}\n{drawn / 'happy/p1.png'}\n")
    common = ("explain", given, "--study", finished)
    for rank in ("contrast", "paper"):
        out = tmp_path / rank
        done = cli(*common, "--rank", rank, "--save", out, "--rule", "dense=epsilon 0.5", "--half")
        assert done.code == 0, done.err
        assert done.out.splitlines()[-1] == f"their relevance: {out / 'maps'}"
        with safe_open(out / "maps" / "000000.safetensors", "numpy") as file:
            assert file.get_tensor("relevance").shape == (2, 3, 64, 64)
            assert file.get_tensor("relevance").dtype == np.float16
    assert "result of a command with other options" in cli(*common, "--save", out).failure
    wrong = {
        ("--save", "maps.npz"): "a folder's name goes with every network",
        ("--half",): "go with --save DIR",
        ("--workers", "2"): "go with --save DIR",
        ("--save", "maps", "--out", "figures"): "draws no figures into --out",
        (): "tables, tar files, addresses and - go with --save DIR",
    }
    for options, words in wrong.items():
        done = cli(*common, *options)
        assert done.code == 2
        assert words in " ".join(done.err.split())


def test_a_study_explains_by_rules_of_its_own(cli, own_study):
    """They are kept in its plan, the maps are the engine's by these rules, and ranks follow."""
    options = ("--rule", "features.0=flat", "--rule", "1:7=gamma 0.25", "--bias", "distributed",
               "--max-pooling", "even", "--products", "even",
               "--preset", "epsilon-plus")  # fmt: skip
    done = cli("explain", "--study", own_study.folder, *options)
    assert done.code == 0, done.err
    assert (
        "preset epsilon-plus, features.0 by flat, 1:7 by gamma 0.25, bias distributed, "
        "max pooling even, products even" in done.err
    )
    study = open_study(own_study.folder)
    assert study.plan.explain.products == "even"
    assert study.plan.explain.rules == {"features.0": "flat", "1:7": "gamma 0.25"}
    mine = override_preset("epsilon-plus", study.plan.explain.rules,
                   bias="distributed", max_pooling="even")  # fmt: skip
    maps, _ = stores(study)
    table = study.table("predictions").merge(study.table("faces"), on="image").iloc[:1]
    model = checkpoint.load(study.path("model.safetensors"))
    alone = relevance(model.net, to_batch([Framed(study, table)(0)]), preset=mine).pixels[0].numpy()
    index = list(maps.keys()).index(table["digest"][0])
    size = np.abs(alone).max()
    np.testing.assert_allclose(maps.read()[index], alone, atol=1e-3 * size)
    assert "is not done" in cli("validate", "--study", own_study.folder).failure
    assert cli("rank", "--study", own_study.folder).code == 0


def test_new_images_by_other_rules_leave_the_study_alone(cli, drawn, finished, tmp_path):
    """The plan of the study stays; the rules are for this call."""
    before = (finished / "study.toml").read_bytes()
    done = cli("explain", drawn / "happy/p0.png", "--study", finished, "--out", tmp_path,
               "--rule", "dense=zero", "--set", "explain.rules.features.0=flat")  # fmt: skip
    assert done.code == 0, done.err
    assert (finished / "study.toml").read_bytes() == before
    wrong = cli("explain", drawn / "happy/p0.png", "--study", finished, "--rule", "features.1=flat")
    assert "'features.1', which fits no layer" in wrong.failure


def test_figures_that_are_there_are_not_replaced_and_stopped_ones_go_on(
    cli, drawn, finished, tmp_path, monkeypatch
):
    """Nothing is computed before the refusal; what was drawn is not drawn again."""
    command = ("explain", drawn / "happy", "--study", finished, "--out", tmp_path)
    read, opened = images.read, list[str]()

    def stopping(path):
        opened.append(path.name)
        if len(opened) == 7:
            raise KeyboardInterrupt
        return read(path)

    monkeypatch.setattr(images, "read", stopping)
    assert cli(*command).code == 130
    drawn_before = {path.name: path.stat().st_mtime_ns for path in tmp_path.glob("*.png")}
    assert len(drawn_before) == 4
    assert cli(*command, "--nearest").failure.count("explain.partial is the unfinished result")
    assert cli(*command).code == 0
    assert len(list(tmp_path.iterdir())) == 8
    again = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    assert sum(again[name] == when for name, when in drawn_before.items()) == 3
    opened.clear()
    assert "p0_1_relevance.png is there already" in cli(*command).failure
    assert not opened
    assert cli(*command[:1], drawn / "happy/p0.png", *command[2:], "--overwrite").code == 0


def test_figures_of_images_of_one_name_do_not_replace_each_other(cli, drawn, finished, tmp_path):
    """happy/p0.png and anger/p0.png are two images and have two figures."""
    images = [drawn / "happy/p0.png", drawn / "anger/p0.png"]
    done = cli("explain", *images, "--study", finished, "--out", tmp_path / "heatmaps")
    assert done.code == 0, done.err
    assert len(set(done.out.split())) == 2
    assert len(list((tmp_path / "heatmaps").iterdir())) == 2


def test_the_stages_by_name_make_what_run_makes(cli, drawn, votes, finished, tmp_path, settings):
    """prepare, train, test, explain, rank, validate, report, one after another."""
    folder = tmp_path / "study"
    done = cli("prepare", "--data", drawn, "--out", folder, *settings({"report.examples": 0}))
    assert done.code == 0, done.err
    for verb in ("train", "test", "explain", "rank", "validate", "report"):
        done = cli(verb, "--study", folder, *(["--votes", votes] if verb == "validate" else []))
        assert done.code == 0, done.err
        assert f"✓ {verb}: " in done.err
    assert done.out.strip() == str(folder / "report/index.html")
    study, expected = open_study(folder), open_study(finished)
    for name in ("split", "predictions", "ranks", "votes"):
        pd.testing.assert_frame_equal(study.table(name), expected.table(name))
    assert study.metrics() == expected.metrics()


def test_a_finished_run_says_so_and_ends_with_the_report(cli, own_study, tmp_path):
    """The same command again: every stage was done before, three lines and the report's path."""
    plan = tmp_path / "plan.toml"
    plan.write_bytes(own_study.path("study.toml").read_bytes())
    done = cli("run", plan, "--out", own_study.folder)
    assert done.code == 0, done.err
    assert done.err.count("(done before)") == 7
    lines = done.out.splitlines()
    assert len(lines) == 4
    assert lines[0].startswith("Expressed emotion: accuracy")
    assert lines[-1].endswith(str(own_study.folder / "report/index.html"))


def test_a_study_in_a_folder_with_brackets(cli, drawn, finished, tmp_path):
    """A folder's name that looks like markup neither vanishes nor breaks the output."""
    folder = tmp_path / "a[" / "b]c"  # "[/b]" is how rich ends bold
    shutil.copytree(finished, folder)
    done = cli("report", "--study", folder, "--set", "report.examples=0")
    assert done.code == 0, done.err
    assert "a[/b]c/report/index.html" in done.err

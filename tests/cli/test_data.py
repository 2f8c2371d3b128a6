"""`emorank data inspect`."""


def test_it_tells_what_a_folder_holds(cli, drawn):
    """Name of the data set, a line per emotion, persons, framing."""
    done = cli("data", "inspect", drawn)
    assert done.code == 0, done.err
    assert "A folder of images per emotion" in done.out
    rows = {line.split()[0]: line.split()[1:] for line in done.out.splitlines() if line.split()}
    assert rows["Anger"][0] == rows["Happy"][0] == rows["Surprise"][0] == "8"
    assert rows["images"] == ["24"]
    assert rows["persons"][0] == "8,"
    assert "80×80" in done.out


def test_options_reach_the_data_set(cli, own_drawn):
    """A name pattern of the user's own decides who is who."""
    for path in own_drawn.glob("*/*.png"):
        path.rename(path.with_name(f"x{path.stem[1:]}_{path.parent.name}.png"))
    assert "not known" in cli("data", "inspect", own_drawn).out
    pattern = r"person='^(?P<person>x\d)_'"
    done = cli("data", "inspect", own_drawn, "--option", pattern)
    assert "8, with 3 to 3 images each" in done.out
    assert "no option age" in cli("data", "inspect", own_drawn, "--option", "age=3").failure


def test_a_folder_that_is_none_is_an_error(cli, tmp_path):
    """One line, exit status 1."""
    assert "no such folder" in cli("data", "inspect", tmp_path / "absent").failure
    assert "an empty folder" in cli("data", "inspect", tmp_path).failure


def test_names_with_brackets_are_printed_as_they_are(cli, own_drawn):
    """A file name that looks like markup is no markup."""
    (own_drawn / "x[bold]").mkdir()
    (own_drawn / "happy/p0.png").rename(own_drawn / "x[bold]/p0.png")
    done = cli("data", "inspect", own_drawn)
    assert done.code == 0, done.err
    assert "x[bold]: 1 images in no folder named after an emotion" in done.out

"""Keys: shown once, kept as hashes, gone when they are revoked."""

import json
import os
import threading

import pytest
from tests.rooms import free_port

from emorank.errors import AccessError
from emorank.web.service.keys import PREFIX, Keys, keys_file


@pytest.fixture
def keys(tmp_path):
    return Keys(tmp_path / "deep" / "keys.json")


def test_a_key_opens_until_it_is_revoked(keys):
    """Also for who has the file open already; another key goes on."""
    running = Keys(keys.path)
    assert running.all() == ()
    name, secret = keys.new()
    _, other = keys.new("lab")
    assert (name, running.find(secret).name, running.find(other).name) == ("key1", "key1", "lab")
    for wrong in ("", PREFIX, secret[:-1], secret + "x", secret.upper(), "é\xff"):
        assert running.find(wrong) is None
    keys.revoke("key1")
    assert running.find(secret) is None
    assert running.find(other) is not None
    assert keys.new()[0] == "key1"


def test_the_file_holds_no_key_and_is_its_owners(keys):
    """Mode 0600 in a folder of mode 0700, whatever the umask says."""
    before = os.umask(0)
    try:
        _, secret = keys.new("lab")
    finally:
        os.umask(before)
    assert secret.removeprefix(PREFIX) not in keys.path.read_text()
    assert keys.path.stat().st_mode & 0o777 == 0o600
    assert keys.path.parent.stat().st_mode & 0o777 == 0o700
    assert {path.name for path in keys.path.parent.iterdir()} == {"keys.json", "keys.lock"}


def test_keys_that_are_made_at_once_are_all_kept(keys):
    """Each waits for the other."""
    makers = [threading.Thread(target=Keys(keys.path).new) for _ in range(8)]
    for maker in makers:
        maker.start()
    for maker in makers:
        maker.join()
    assert {key.name for key in keys.all()} == {f"key{number}" for number in range(1, 9)}


@pytest.mark.parametrize("name", ["", "  ", "x" * 65, "a\nb", "lab"])
def test_names_that_are_none(keys, name):
    """Empty, too long, unprintable, or taken."""
    keys.new("lab")
    with pytest.raises(AccessError):
        keys.new(name)
    assert len(keys.all()) == 1


@pytest.mark.parametrize("content", ["", "[]", '{"keys": [{"name": 1}]}', '{"keys": 5}', "\0"])
def test_a_damaged_file_is_told(keys, content):
    """What to do; nothing is thrown away."""
    keys.path.parent.mkdir()
    keys.path.write_text(content)
    for use in (keys.all, keys.new, lambda: keys.revoke("a"), lambda: keys.find("a")):
        with pytest.raises(AccessError, match=r"keys.json: damaged .* serve key new"):
            use()
    assert keys.path.read_text() == content


def test_the_verbs(cli, tmp_path, monkeypatch):
    """New prints the key alone, list the names, revoke ends it."""
    monkeypatch.setenv("EMORANK_DATA", str(tmp_path))
    assert keys_file() == tmp_path / "keys.json"
    assert "There is no key yet" in cli("serve", "key", "list").out
    made = cli("serve", "key", "new", "--name", "lab")
    secret = made.out.strip()
    assert Keys().find(secret).name == "lab"
    assert "not shown again" in made.err
    assert secret not in made.err
    listed = cli("serve", "key", "list").out
    assert "lab" in listed
    assert secret not in listed
    assert json.loads(keys_file().read_text())["keys"][0]["made"][:16] in listed
    assert cli("serve", "key", "new", "--name", "lab").code == 1
    assert cli("serve", "key", "revoke", "lab").out == "revoked: lab\n"
    gone = cli("serve", "key", "revoke", "lab")
    assert (gone.code, "there is no key 'lab'" in gone.err) == (1, True)


def test_a_server_for_others_starts_with_a_key_only(cli, tmp_path, monkeypatch):
    """It says how to make one, and what else it needs to be told."""
    monkeypatch.setenv("EMORANK_DATA", str(tmp_path))
    for options in (("--base-url", "https://faces.example.org"), ("--host", "127.0.0.2")):
        refused = cli("serve", "--no-browser", "--port", free_port(), *options)
        assert refused.code == 1
        assert "needs a key" in refused.err
        assert "emorank serve key new" in refused.err
    everywhere = cli("serve", "--no-browser", "--port", free_port(), "--host", "::")
    assert "say with --base-url what they call this server" in everywhere.err

"""The server as a process of its own: its links, and what it says."""

import re

import httpx2

from emorank.cli.rate.serve import _warn


def test_links_that_were_printed_before_the_server_started(cli, drawn, tmp_path, serve):
    """At another port than printed it names them and says what to do; the owner's still works."""
    printed = cli("rate", "new", drawn, "--names", "ada,ben", "--out", tmp_path / "ratings").out
    server = serve(tmp_path / "ratings")
    said = server.said()
    assert "the open links of ada, ben, the owner begin with http://127.0.0.1:8321" in said
    assert f"the server is now at {server.base}. Replace the beginning" in said
    owners = re.search(r"owner +http://127\.0\.0\.1:8321(/invite/\S+)", printed)[1]
    own = re.search(rf"owner's page, once, within a day: {server.base}(/invite/\S+)", said)[1]
    for path in (own, owners):
        claimed = httpx2.post(server.base + path, headers={"Origin": server.base})
        assert (claimed.status_code, claimed.headers["location"]) == (303, "/owner")
    invited = cli("rate", "invite", tmp_path / "ratings", "owner", "ben").out
    assert invited.count(f"{server.base}/invite/") == 2
    assert cli("rate", "invite", tmp_path / "ratings", "cleo").failure


def test_links_that_lead_to_another_port_are_told(capsys):
    """And many people are not all named."""
    _warn("http://lab:8321", 9000, True, {})
    said = capsys.readouterr().err
    assert "links begin with http://lab:8321, but the server listens at port 9000" in said
    _warn("http://lab", 80, False, {"http://a": [f"r{number}" for number in range(1, 9)]})
    said = capsys.readouterr().err
    assert "the open links of r1, r2, r3, r4, r5 and 3 more begin with http://a;" in said
    _warn("http://lab", 80, False, {})
    assert capsys.readouterr().err == ""

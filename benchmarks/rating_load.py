"""Twenty-five raters at once on one SQLite file.

Each rater is a connection of its own that sends one answer at a time and waits for the
acknowledgement, as the page does. First at ten times the pace of people (1.5 seconds a picture, so
one answer in 0.15 s), then as fast as the server acknowledges. Afterwards the database is read:
every acknowledged answer has to be there once. The limit is that of people: 17 votes a second.
"""

import http.client
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import numpy as np

from benchmarks.timing import table
from emorank.room.creation import Setup, create_project
from emorank.room.invites import invite
from emorank.room.overview import answers, log, progress

RATERS, IMAGES = 25, 3000
PACES = {"ten times human pace": (0.15, 20.0), "as fast as possible": (0.0, 20.0)}


@dataclass
class Rater:
    """One connection, what it measured, and what was acknowledged."""

    base: str
    link: str
    seconds: list[float] = field(default_factory=list)
    acknowledged: int = 0
    errors: int = 0

    def enter(self) -> None:
        self.connection = http.client.HTTPConnection(urlsplit(self.base).netloc, timeout=30)
        self.headers = {"Origin": self.base, "Content-Type": "application/json"}
        self.connection.request("POST", self.link, headers=self.headers)
        answer = self.connection.getresponse()
        answer.read()
        self.headers["Cookie"] = answer.headers["Set-Cookie"].partition(";")[0]
        self.showings: list[str] = []
        while len(self.showings) < IMAGES:
            where = f"/rate/showings?start={len(self.showings)}&count=200"
            self.connection.request("GET", where, headers=self.headers)
            found = json.loads(self.connection.getresponse().read())
            self.showings += [row["id"] for row in found["showings"]]

    def rate(self, pause: float, until: float) -> None:
        start = time.perf_counter()
        for number, showing in enumerate(self.showings[self.acknowledged :]):
            if time.perf_counter() >= until:
                return
            time.sleep(max(0.0, start + number * pause - time.perf_counter()))
            vote = {
                "id": f"load-{showing}", "showing": showing, "answer": "Average",
                "reaction_ms": 700, "hidden_ms": 0, "change": False,
            }  # fmt: skip
            sent = time.perf_counter()
            self.connection.request(
                "POST", "/rate/votes", json.dumps({"votes": [vote]}), self.headers
            )
            answer = self.connection.getresponse()
            stored = answer.status == 200 and json.loads(answer.read())["outcomes"] == ["stored"]
            self.seconds.append(time.perf_counter() - sent)
            self.acknowledged += stored
            self.errors += not stored


def main() -> str:
    with tempfile.TemporaryDirectory() as folder:
        names = [f"r{number}" for number in range(RATERS)]
        grey = np.full((64, 64, 3), 120, np.uint8)
        shown = [(f"happy/{number}.png", "happy") for number in range(IMAGES)]
        project = create_project(
            Path(folder) / "room", shown, lambda _: grey, names, Setup(repeats=0)
        )
        port, base = 8497, "http://127.0.0.1:8497"
        server = subprocess.Popen(
            [sys.executable, "-m", "emorank", "rate", "serve", str(project.folder),
             "--no-browser", "--port", str(port)], stdout=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            time.sleep(5)
            raters = [
                Rater(base, f"/invite/{invite(project, row.id)}") for row in progress(project)
            ]
            for rater in raters:
                rater.enter()
            rows = [_measure(name, raters, server.pid) for name in PACES]
        finally:
            server.terminate()
            server.wait()
        acknowledged, events = sum(rater.acknowledged for rater in raters), log(project)
        there, given = len(answers(project)), int((events["kind"] == "vote").sum())
        project.database.close()
    header = ["pace", "votes", "errors", "votes a second", "median, ms", "p95, ms", "server, MiB"]
    lost = f"Acknowledged {acknowledged}, in the database {there}, in the event log {given}."
    if not acknowledged == there == given:
        raise SystemExit(f"votes were lost or doubled: {lost}")
    return table(header, rows) + "\n\n" + lost


def _measure(name: str, raters: list[Rater], pid: int) -> list[object]:
    pause, duration = PACES[name]
    before = sum(rater.acknowledged for rater in raters)
    for rater in raters:
        rater.seconds.clear()
    start = time.perf_counter()
    threads = [
        threading.Thread(target=rater.rate, args=(pause, start + duration)) for rater in raters
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - start
    times = [1000 * seconds for rater in raters for seconds in rater.seconds]
    votes = sum(rater.acknowledged for rater in raters) - before
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    memory = int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) / 1024
    p95 = statistics.quantiles(times, n=20)[-1]
    errors = sum(rater.errors for rater in raters)
    latencies = [f"{statistics.median(times):.1f}", f"{p95:.1f}"]
    return [name, votes, errors, f"{votes / took:.0f}", *latencies, f"{memory:.0f}"]


if __name__ == "__main__":
    print(main())

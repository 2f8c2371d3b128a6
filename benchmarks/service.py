"""How many faces a second does `emorank serve` answer programs, and does anything stop it?

Clients are threads of another process on the same machine, each with a connection of its own; each
sends a face of the sample as JPEG to `POST /v1/faces`, and the next when it has the answer. Who is
turned away (429) waits as Retry-After says. Speed: 1, 8 and 64 of them, each in turn with the same
network called in one process by one thread; the ratio is the median of the rounds. Overload: 256
that never wait. Kills: kill -9 of a decoder each second. Memory: eight clients for some minutes, in
tenths of the way.
"""

import argparse
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch

from benchmarks.many_faces import SAMPLE, say
from benchmarks.timing import machine, table

CLIENTS, ROUNDS, SECONDS, MINUTES = (1, 8, 64), 3, 10.0, 10.0
FLOOD, KILLS, FLAT = 256, 10, 0.05
PORT = 18_322
HEADERS = {"Content-Type": "image/jpeg"}


@dataclass
class Seen:
    """What some clients saw: seconds of each answer, how many of each status, what broke off."""

    seconds: list[float] = field(default_factory=list)
    statuses: Counter[int] = field(default_factory=Counter)
    broken: int = 0

    def row(self, took: float) -> list[object]:
        """Answers a second, their median, 95th and 99th percentile in milliseconds, the others."""
        if not self.seconds:
            return ["0", "–", "–", "–", self.statuses[429], self.broken]
        cuts = np.percentile(np.array(self.seconds) * 1000, (50, 95, 99))
        others = sum(self.statuses.values()) - self.statuses[200] - self.statuses[429]
        return [
            f"{len(self.seconds) / took:.1f}", *(f"{cut:.0f}" for cut in cuts),
            self.statuses[429], others + self.broken,
        ]  # fmt: skip


def faces() -> list[bytes]:
    """The sample's faces as files."""
    return [path.read_bytes() for path in SAMPLE]


def clients(count: int, seconds: float, patient: bool = True) -> Seen:
    """Ask at once for so many seconds; a process of its own calls it."""
    files, seen, turn = faces(), Seen(), threading.Lock()
    until = time.perf_counter() + seconds

    def ask(number: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
        while time.perf_counter() < until:
            number += 1
            begun = time.perf_counter()
            try:
                connection.request("POST", "/v1/faces", files[number % len(files)], HEADERS)
                answer = connection.getresponse()
                answer.read()
            except (OSError, http.client.HTTPException):
                connection.close()
                with turn:
                    seen.broken += 1
                continue
            with turn:
                seen.statuses[answer.status] += 1
                if answer.status == 200:
                    seen.seconds.append(time.perf_counter() - begun)
            if answer.status == 429 and patient:
                time.sleep(min(int(answer.headers["Retry-After"]), max(0.0, until - begun)))

    threads = [threading.Thread(target=ask, args=(31 * number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return seen


def alone(seconds: float) -> float:
    """Faces a second of the same reader on the same files, in this process, in one thread."""
    from emorank.study.readers import reader_of

    torch.set_num_threads(1)
    reader, files = reader_of(None), faces()
    list(reader.read(files[0]))
    begun, count = time.perf_counter(), 0
    while time.perf_counter() - begun < seconds:
        list(reader.read(files[count % len(files)]))
        count += 1
    return count / (time.perf_counter() - begun)


@contextmanager
def serving() -> Iterator[subprocess.Popen[bytes]]:
    """The server as users start it, ready."""
    with TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "emorank", "serve", "--no-browser", "--port", str(PORT)],
            stdout=log, stderr=log,
        )  # fmt: skip
        try:
            while get("/healthz")[0] != 200:
                if process.poll() is not None:
                    log.seek(0)
                    raise RuntimeError(log.read().decode())
                time.sleep(0.2)
            yield process
        finally:
            process.terminate()
            process.wait(30)


def get(path: str) -> tuple[int, str]:
    """Status and text of an answer; 0 where there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", PORT, timeout=60)
    with suppress(OSError, http.client.HTTPException):
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    return 0, ""


def memory() -> float:
    """Megabytes of the server and its decoders, as it says itself."""
    text = get("/metrics")[1]
    names = ("process_resident_memory_bytes", "emorank_decoder_resident_memory_bytes")
    found = [re.search(rf"(?m)^{name} (\S+)", text) for name in names]
    return sum(float(one[1]) for one in found if one) / 1e6


def decoders(server: int) -> list[int]:
    """The processes that decode, whichever thread of the server started them."""
    parts = [path.read_text() for path in Path(f"/proc/{server}/task").glob("*/children")]
    return [
        child for child in map(int, " ".join(parts).split())
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]  # fmt: skip


def main(seconds: float = SECONDS, minutes: float = MINUTES) -> str:
    """All of it; 0 minutes leave the memory out."""
    context = get_context("spawn")
    said = []
    with (
        serving() as server,
        ProcessPoolExecutor(1, context) as pool,
        ProcessPoolExecutor(1, context) as limit,
    ):
        said.append(_speed(pool, limit, seconds))
        say(f"{FLOOD} clients that never wait")
        health: list[float] = []
        flood = pool.submit(clients, FLOOD, seconds / 2, patient=False)
        while not flood.done():
            begun = time.perf_counter()
            well = get("/healthz")[0] == 200
            health.append(time.perf_counter() - begun if well else np.inf)
            time.sleep(0.2)
        seen = flood.result()
        alive = server.poll() is None and get("/healthz")[0] == 200
        lost = sum(seen.statuses.values()) - seen.statuses[200] - seen.statuses[429] + seen.broken
        said.append(
            f"**Overload.** {FLOOD} clients that never wait: {seen.statuses[200]:,} answers, "
            f"{seen.statuses[429]:,} turned away with 429, {lost} lost; `/healthz` meanwhile "
            f"within {max(health):.1f} s; the server {'lives' if alive else 'IS DEAD'}."
        )
        say("kill -9 of decoders")
        asking = pool.submit(clients, 8, KILLS + 2.0)
        for _ in range(KILLS):
            time.sleep(1)
            with suppress(ProcessLookupError):
                os.kill(decoders(server.pid)[0], signal.SIGKILL)
        seen = asking.result()
        lost = sum(seen.statuses.values()) - seen.statuses[200] - seen.statuses[429] + seen.broken
        said.append(
            f"**Kills.** {KILLS} times kill -9 of a decoder under eight clients: "
            f"{seen.statuses[200]:,} answers, {lost} lost "
            f"({'at most one each' if lost <= KILLS else 'MORE THAN ONE EACH'})."
        )
        if minutes:
            said.append(_memory(pool, minutes))
    return "\n\n".join(said)


def _speed(pool: ProcessPoolExecutor, limit: ProcessPoolExecutor, seconds: float) -> str:
    limit.submit(alone, 1.0).result()  # what is loaded at the first use
    pool.submit(clients, 2, 5.0).result()
    seen = {count: Seen() for count in CLIENTS}
    ratios: dict[int, list[float]] = {count: [] for count in CLIENTS}
    rates = []
    for number in range(ROUNDS):
        for count in CLIENTS:
            say(f"round {number + 1} of {ROUNDS}: one thread alone, then {count} clients")
            rates.append(limit.submit(alone, seconds).result())
            now = pool.submit(clients, count, seconds).result()
            ratios[count].append(len(now.seconds) / seconds / rates[-1])
            seen[count].seconds += now.seconds
            seen[count].statuses += now.statuses
            seen[count].broken += now.broken
    head = ["clients", "answers a second", "p50 ms", "p95 ms", "p99 ms", "429", "lost"]
    head.append("times one thread alone")
    rows = [
        [count, *seen[count].row(ROUNDS * seconds), f"{np.median(ratios[count]):.2f}"]
        for count in CLIENTS
    ]
    return (
        f"**Speed.** One thread in one process without a server: {np.median(rates):.1f} faces a "
        f"second.\n\n{table(head, rows)}"
    )


def _memory(pool: ProcessPoolExecutor, minutes: float) -> str:
    megabytes = []
    answers = 0
    for tenth in range(10):
        seen = pool.submit(clients, 8, 6 * minutes).result()
        answers += seen.statuses[200]
        megabytes.append(memory())
        say(f"{tenth + 1} of 10: {megabytes[-1]:.0f} MB")
    growth = max(megabytes[2:]) / megabytes[1] - 1
    return (
        f"**Memory.** Eight clients for {minutes:g} minutes, {answers:,} answers: "
        f"{', '.join(f'{one:.0f}' for one in megabytes)} MB after each tenth, server and decoders; "
        f"from the second on {growth:+.1%} ({'flat' if growth <= FLAT else 'NOT FLAT'})."
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each step")
    parser.add_argument("--minutes", type=float, default=MINUTES, help="of the memory; 0: none")
    options = parser.parse_args()
    print(machine())
    print(main(**vars(options)))

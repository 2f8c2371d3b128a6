"""Shards on a real Ray with several nodes on this machine: killed, poisoned, and misled."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path
from threading import Timer

import pandas as pd
import pytest
from filelock import FileLock
from poison import Deadly, poisoned

from emorank.errors import EmorankError, MissingExtraError, PlanError, StudyError
from emorank.scale import rank_many as rank_many_module
from emorank.scale import ray_tasks
from emorank.scale.asked_ranks import ask_ranks
from emorank.scale.part import read_ends
from emorank.scale.rank_many import rank_many
from emorank.scale.ray_tasks import Cluster, run_on_ray
from emorank.scale.run_folder import Run, RunFolder
from emorank.scale.task import load
from emorank.scale.to_do import ToDo
from emorank.scale.work_list import write_list
from emorank.scale.worker import Bounds

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


@pytest.fixture(scope="module")
def cluster():
    """A head without cores, and a node with one."""
    if not os.environ.get("EMORANK_REQUIRE_ALL"):
        pytest.importorskip("ray")
    from ray.cluster_utils import Cluster as LocalCluster

    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("RAY_USAGE_STATS_ENABLED", "0")
        here = [str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
        environment.setenv("PYTHONPATH", os.pathsep.join(filter(None, here)))
        local = LocalCluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
        local.add_node(**NODE)
        yield local
        local.shutdown()


def _kept(out):
    """Images that are done: lines of journals, and shards with a part."""
    folder = RunFolder(out.with_name(f"{out.name}.partial"))
    lines = (path.read_bytes().count(b"\n") - 1 for path in folder.path.glob("unfinished/*.jsonl"))
    return sum(lines) + sum(len(read_ends(path)) for path in folder.path.glob("finished/*.parquet"))


def _wait_for(happened, run, seconds=90):
    begun = time.monotonic()
    while not happened():
        assert run.poll() is None, "ended too early:\n" + run.communicate()[0]
        assert time.monotonic() - begun < seconds
        time.sleep(0.02)


@pytest.mark.slow
def test_a_node_and_the_driver_are_killed_and_the_table_is_the_same(cluster, some, tmp_path):
    """As that of a run in one process that nobody disturbed, row for row, to the last bit."""
    folder, out = some(40), tmp_path / "ranks.parquet"
    command = [sys.executable, "-m", "emorank", "rank", folder, "--out", out]
    command += ["--ray", cluster.address]

    def begin():
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )

    (node,) = cluster.worker_nodes
    first = begin()
    _wait_for(lambda: _kept(out) > 2, first)
    first.send_signal(signal.SIGKILL)
    first.wait()
    before = _kept(out)
    assert 2 < before < 40
    cluster.add_node(**NODE)
    again = begin()
    _wait_for(lambda: _kept(out) > before, again)
    cluster.remove_node(node, allow_graceful=False)
    words, _ = again.communicate(timeout=120)
    assert again.returncode == 0, words
    rank_many(folder, tmp_path / "whole.parquet", workers=0)
    pd.testing.assert_frame_equal(
        pd.read_parquet(out), pd.read_parquet(tmp_path / "whole.parquet"), check_exact=True
    )
    assert not out.with_name("ranks.excluded.parquet").exists()


@pytest.mark.slow
def test_pictures_that_kill_are_excluded_as_on_one_machine(cluster, some, tmp_path, monkeypatch):
    """With the same reasons; steps are reported while a shard is under way."""
    folder = some(18)
    good = sorted(folder.iterdir())
    shutil.copy(good[0], folder / "a_segfault.jpg")
    shutil.copy(good[0], folder / "z_hang.jpg")
    steps = []
    monkeypatch.setattr(
        rank_many_module, "ask_ranks", lambda *a, **b: replace(ask_ranks(*a, **b), picture=poisoned)
    )
    outcome = rank_many(
        folder, tmp_path / "parts", ray=cluster.address, time_limit=8.0,
        progress=lambda done, of, words: steps.append((done, of)),
    )  # fmt: skip
    reasons = pd.read_parquet(outcome.excluded).set_index("image")["reason"]
    assert reasons.to_dict() == {
        str(folder / "a_segfault.jpg"): "crashed the process that read it (SIGSEGV)",
        str(folder / "z_hang.jpg"): "took more than 8 s",
    }
    assert pd.read_parquet(outcome.ranks)["image"].to_list() == [str(path) for path in good]
    assert steps[-1] == (20, 20)
    assert any(0 < done < 20 for done, _ in steps)


@pytest.mark.slow
def test_nodes_that_cannot_do_the_work_are_named(cluster, some, tmp_path, monkeypatch):
    """Once: no folder, no images, other versions, too few cores; processes that die in vain."""
    import ray

    def run(folder, run, memory=2 * 10**9, **changed):
        run_on_ray(
            load(ask_ranks()), folder, run, iter([0]), print,
            cluster=Cluster(cluster.address, **changed), memory=memory, time_limit=60,
        )  # fmt: skip

    ray.init(address=cluster.address, log_to_driver=False)
    try:
        with pytest.raises(EmorankError, match=r"node .* does not see the run in .*elsewhere"):
            run(RunFolder(tmp_path / "elsewhere"), Run("key", "", 1, 1))
        pictures = some(2)
        folder = RunFolder(tmp_path / "parts")
        listed = write_list(folder, "key", "", [pictures])
        with pytest.raises(EmorankError, match="no node of the cluster has 9 cores"):
            run(folder, listed, cores=9)
        with monkeypatch.context() as patch:
            other = ray_tasks._versions() | {"torch": "1.0"}
            patch.setattr(ray_tasks, "_versions", lambda: other)
            with pytest.raises(EmorankError, match=r"node .* has torch .* given with 1\.0"):
                run(folder, listed)
        with monkeypatch.context() as patch:
            patch.setattr(ray_tasks, "IN_VAIN", 2)
            with pytest.raises(EmorankError, match="shard 0 was lost 2 times in a row"):
                run(folder, listed, memory=Deadly())
        first = min(pictures.iterdir())
        first.unlink()
        with monkeypatch.context() as patch:
            patch.setattr(ray_tasks, "state", lambda item: [1, 1])  # as if this machine saw it
            with pytest.raises(EmorankError, match=f"node .* does not see {first}"):
                run(folder, listed)
        lock = FileLock(folder.unfinished(0, ".lock"), thread_local=False)
        lock.acquire()  # as a node that is gone may hold it for a while
        with pytest.raises(StudyError, match="another process works on shard 0"):
            run(folder, listed, lock=0.2, locked=2)
        release = Timer(3, lock.release)
        release.start()
        run(folder, listed, lock=0.5)  # gone for all: excluded, and the other one is ranked
        release.join()
        assert folder.finished(0).exists()
        assert len(pd.read_parquet(folder.ranks(0))) == 1
        assert ray.is_initialized()  # the program's own connection stays
    finally:
        ray.shutdown()


@pytest.mark.slow
def test_no_core_waits_for_a_task_and_no_run_for_ever_for_a_node(cluster, some, tmp_path):
    """Two tasks more than cores wait in Ray; a cluster without a node is given time to grow."""
    import ray

    folder, to_do = RunFolder(tmp_path / "parts"), ToDo(iter(range(9)))
    listed = write_list(folder, "key", "", [some(2)])
    ray.init(address=cluster.address, log_to_driver=False)
    (node,) = cluster.worker_nodes
    try:
        job = ray_tasks._Job(folder, listed, Bounds(1, 0), 60, str(tmp_path), {}, [])
        driver = ray_tasks._Driver(ray, job, to_do, print, Cluster(cluster.address))
        cores = [node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"]]
        driver._fill()
        assert len(driver.flying) == sum(cores) + 2
        driver.stop()
        cluster.remove_node(node)
        begun, few = time.monotonic(), Cluster(cluster.address, to_grow=1.5)
        options = {"memory": 2 * 10**9, "time_limit": 60}
        with pytest.raises(EmorankError, match="no node of the cluster has 1 cores"):
            run_on_ray(load(ask_ranks()), folder, listed, iter([0]), print, cluster=few, **options)
        assert time.monotonic() - begun > 1.5
        patient = Cluster(cluster.address, to_grow=60)
        run = partial(run_on_ray, load(ask_ranks()), folder, listed, iter([0]), print)
        with ThreadPoolExecutor(1) as pool:
            waits = pool.submit(run, cluster=patient, **options)
            cluster.add_node(**NODE)  # by the main thread: it listens to signals
            waits.result()
        assert len(pd.read_parquet(folder.ranks(0))) == 2
    finally:
        ray.shutdown()


def test_what_is_no_cluster_is_refused_soon(some, tmp_path, monkeypatch):
    """No port, nobody there, Ray not installed; and what does not go together."""
    folder, out = some(1), tmp_path / "parts"
    with pytest.raises(PlanError, match="not with shard"):
        rank_many(folder, out, ray="auto", shard=(1, 2))
    with pytest.raises(PlanError, match="not with shard"):
        rank_many(folder, out, ray="auto", workers=0)
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "ray", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'emorank\[ray\]'"):
            rank_many(folder, out, ray="auto")
    pytest.importorskip("ray")
    for address in ("head", "ray://head:10001"):
        with pytest.raises(EmorankError, match="expected auto or HOST:PORT"):
            rank_many(folder, out, ray=address)
    monkeypatch.setattr(ray_tasks, "_TO_CONNECT", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        for port in (1, silent.getsockname()[1]):  # nobody, and one that never speaks
            with pytest.raises(EmorankError, match="no cluster of Ray can be used"):
                rank_many(folder, out, ray=f"127.0.0.1:{port}")

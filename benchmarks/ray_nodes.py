"""One local node of Ray with one core against two, on the same faces; a part of `throughput`."""

from pathlib import Path

import pandas as pd

from benchmarks.many_faces import altered, finish, looks, say, started
from benchmarks.timing import table
from emorank.scale.work_list import shard_size

NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20, "include_dashboard": False}


def two_nodes(folder: Path, count: int) -> str:
    """Faces a second with one node and with two, starts left out and included."""
    try:
        from ray.cluster_utils import Cluster
    except ImportError:
        return "Ray is not installed here (pip install 'emorank[ray]'), so nothing was measured."
    altered(folder / "faces", count)
    cluster = Cluster(initialize_head=True, head_node_args=NODE | {"num_cpus": 0})
    rows: list[list[object]] = []
    rates, tables = [], []
    try:
        for nodes in (1, 2):
            cluster.add_node(**NODE)
            say(f"Ray: {count:,} faces, {nodes} node{'s' * (nodes > 1)}")
            out = folder / f"ranks{nodes}"
            process = started(folder / "faces", out, nodes, "--ray", cluster.address)
            seen = list(looks(process, out / "finished", 0.2))
            finish(process, out)
            rates.append(_rate(seen, count))
            tables.append(pd.read_parquet(out / "ranks"))
            rows.append([nodes, f"{rates[-1]:.1f}", f"{seen[-1].seconds:.0f}"])
            say(f"{rates[-1]:.1f} a second")
    finally:
        cluster.shutdown()
    pd.testing.assert_frame_equal(*tables, check_exact=True)
    header = ["nodes of one core", "faces a second once shards end", "whole run, s"]
    return (
        f"{count:,} faces.\n\n{table(header, rows)}\n\nTwice as many nodes: "
        f"{rates[1] / rates[0]:.2f} times as fast, and the same table to the last bit."
    )


def _rate(seen: list, count: int) -> float:
    """Faces a second from the first end of a shard to the last that was seen."""
    some = [look for look in seen if look.shards]
    first, last = some[0], next(look for look in some if look.shards == some[-1].shards)
    done = (last.shards - first.shards) * shard_size(count)
    return done / max(last.seconds - first.seconds, 1e-9)

"""Run every benchmark, or those named: python -m benchmarks head_training."""

import importlib
import sys

from benchmarks.timing import machine

ALL = (
    "films",
    "finding_faces",
    "head_training",
    "hostile_images",
    "live",
    "one_face",
    "rank_precision",
    "ranking_memory",
    "relevance_cost",
    "relevance_networks",
    "relevance_layers",
    "relevance_precision",
    "relevance_gpu",
    "ready_training",
    "rating_load",
    "service",
    "thousand_faces",
    "throughput",
)

if __name__ == "__main__":
    chosen = sys.argv[1:] or ALL
    unknown = set(chosen) - set(ALL)
    if unknown:
        sys.exit(f"no benchmark {', '.join(unknown)}; there are: {', '.join(ALL)}")
    print(machine())
    for name in chosen:
        module = importlib.import_module(f"benchmarks.{name}")
        print(f"\n## {module.__doc__.splitlines()[0]}\n")
        print(module.main(), flush=True)

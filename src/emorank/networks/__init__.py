"""The network of the paper: VGG-16, its weights, its frozen features, its training."""

import os

# Tensors of many megabytes in pages of 2 MiB instead of 4 KiB: gradients and activations are
# allocated anew in every step, and touching their pages cost a third of a training step. torch asks
# once, at its first allocation; on systems without such pages nothing changes.
os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")

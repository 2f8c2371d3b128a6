"""How the system's allocator treats the memory of activations: it is used again, not given back."""

import torch

# Just below the most that glibc takes as a hint (32 MiB).
_HINT = 2**25 - 2**16


def keep_memory() -> None:
    """Let glibc keep the memory of tensors up to 32 MiB that are freed, for the next of them.

    At first it maps new memory for every tensor of more than 128 KiB and gives back what is free at
    the end of the heap; each page that comes back then costs a fault, together about a tenth of
    an explanation. A great block that is freed is its sign that such blocks come and go; from then
    on it keeps up to 64 MiB (mallopt(3), M_MMAP_THRESHOLD). The block is never touched, so it takes
    no memory. Other allocators do not mind.
    """
    torch.empty(_HINT, dtype=torch.uint8)

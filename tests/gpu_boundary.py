"""A GPU where there is none: a record of what torch is asked to copy there."""

import torch
from torch.overrides import TorchFunctionMode


class Boundary(TorchFunctionMode):
    """Writes down what would go to a GPU, and leaves it where it is.

    Attributes:
        copies: of each its type, its shape, whether it was pinned before, and whether the process
            waits for it.
    """

    def __init__(self):
        super().__init__()
        self.pinned, self.copies = set(), []

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        if function is torch.Tensor.pin_memory:
            self.pinned.add(args[0].data_ptr())
            return args[0]
        device = args[1] if len(args) > 1 else kwargs.get("device")
        named = function is torch.Tensor.to and isinstance(device, torch.device | str)
        if named and torch.device(device).type == "cuda":
            pinned = args[0].data_ptr() in self.pinned
            waits = not kwargs.get("non_blocking", False)
            self.copies.append((args[0].dtype, tuple(args[0].shape), pinned, waits))
            return args[0]
        return function(*args, **kwargs)

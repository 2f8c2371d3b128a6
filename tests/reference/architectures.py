"""The architectures in a size that fits into a test."""

import torch
from torch import nn

from emorank.networks.architectures import build
from emorank.networks.vgg import alexnet, vgg


def narrow(name: str, classes: int = 3) -> nn.Module:
    """The architecture with dense layers that fit into a test, in evaluation mode."""
    torch.manual_seed(0)
    if name == "alexnet":
        return alexnet(classes, 12, 8).eval()
    if name.startswith("vgg"):
        return vgg(int(name[3:5]), name.endswith("_bn"), classes, 12, 8).eval()
    return build(name, classes).eval()

"""A vision transformer in the functions of LXT 2.1 (Clear BSD), by the authors of AttnLRP.

Each function of the net is written with LXT's for it, without stabilisers; torch's autograd then
carries relevance.
"""

import lxt.explicit.functional as lxt
import torch
import torch.nn.functional as F
from lxt.explicit import rules
from torch import Tensor


def linear(layer: torch.nn.Linear, x: Tensor) -> Tensor:
    return lxt.linear_epsilon(x, layer.weight, layer.bias, 0.0)


def norm(layer: torch.nn.LayerNorm, x: Tensor) -> Tensor:
    return lxt.layer_norm_grad_fn.apply(x, layer.weight, layer.bias, layer.eps, 0.0)


def add(a: Tensor, b: Tensor) -> Tensor:
    return lxt.add2(a, b, False, 0.0)


def by_lxt(
    net: torch.nn.Module, images: Tensor, heads: int, *, constant: bool
) -> tuple[Tensor, Tensor]:
    """Logits and relevance of class 1 by AttnLRP; `constant`: CP-LRP inside the attention.

    The net has `patches`, `tokens`, `positions`, `blocks` (of `norm1`, `attn.qkv`, `attn.proj`,
    `gamma`, `norm2`, `mlp`), `norm` and `heads`, as timm's.
    """
    scale = (net.patches.out_channels / heads) ** -0.5
    images = images.clone().requires_grad_()
    patches = F.unfold(images, 4, stride=4).transpose(1, 2)
    weight = net.patches.weight.flatten(1)
    x = lxt.linear_epsilon(patches, weight, net.patches.bias, 0.0)
    x = torch.cat((net.tokens.expand(len(x), -1, -1), x), 1)
    x = add(x, net.positions.expand_as(x))
    for block in net.blocks:
        y = norm(block.norm1, x)
        q, k, v = linear(block.attn.qkv, y).chunk(3, -1)
        q, k, v = (t.unflatten(-1, (heads, -1)).transpose(1, 2) for t in (q, k, v))
        if constant:  # the weights of the attention, as of a layer for each image and head
            weights = (q * scale @ k.mT).softmax(-1).detach()
            values = [
                lxt.linear_epsilon(one.mT, weight, None, 0.0).mT
                for one, weight in zip(v.flatten(0, 1), weights.flatten(0, 1), strict=True)
            ]
            y = torch.stack(values).view_as(v)
        else:
            scaled = rules.identity(lambda t: t * scale, q)
            weights = lxt.softmax(lxt.matmul(scaled, k.mT, False, 0.0), -1)
            y = lxt.matmul(weights, v, False, 0.0)
        y = linear(block.attn.proj, y.transpose(1, 2).flatten(2))
        x = add(x, rules.identity(lambda t, g=block.gamma: t * g, y))
        y = rules.identity(F.gelu, linear(block.mlp[0], norm(block.norm2, x)))
        x = add(x, linear(block.mlp[3], y))
    logits = linear(net.heads[0], norm(net.norm, x)[:, 0])
    begin = torch.zeros_like(logits)
    begin[:, 1] = logits.detach()[:, 1]
    return logits.detach(), torch.autograd.grad(logits, images, begin)[0]

"""Attention in the steps that it is made of, which have rules of their own."""

import math
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from emorank.errors import RelevanceError


def scaled_dot_product(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attn_mask: Tensor | None = None,
    dropout_p: float = 0.0,
    is_causal: bool = False,
    scale: float | None = None,
    enable_gqa: bool = False,
) -> Tensor:
    """`F.scaled_dot_product_attention`."""
    if dropout_p or enable_gqa:
        what = "dropout_p > 0, which drops at random" if dropout_p else "enable_gqa=True"
        raise RelevanceError(f"no rule for F.scaled_dot_product_attention with {what}")
    factor = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    weights = query * factor @ key.transpose(-2, -1)
    if is_causal:
        attn_mask = torch.ones(weights.shape[-2:], dtype=torch.bool, device=query.device).tril()
    if attn_mask is not None and attn_mask.dtype == torch.bool:
        weights = weights.masked_fill(~attn_mask, -torch.inf)
    elif attn_mask is not None:
        weights = weights + attn_mask
    return weights.softmax(-1) @ value


def multi_head(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    embed_dim_to_check: int,
    num_heads: int,
    in_proj_weight: Tensor | None,
    in_proj_bias: Tensor | None,
    bias_k: Tensor | None,
    bias_v: Tensor | None,
    add_zero_attn: bool,
    dropout_p: float,
    out_proj_weight: Tensor,
    out_proj_bias: Tensor | None,
    training: bool = True,
    key_padding_mask: Tensor | None = None,
    need_weights: bool = True,
    attn_mask: Tensor | None = None,
    use_separate_proj_weight: bool = False,
    q_proj_weight: Tensor | None = None,
    k_proj_weight: Tensor | None = None,
    v_proj_weight: Tensor | None = None,
    static_k: Tensor | None = None,
    static_v: Tensor | None = None,
    average_attn_weights: bool = True,
    is_causal: bool = False,
) -> tuple[Tensor, Tensor | None]:
    """`F.multi_head_attention_forward`, tokens first, the images second."""
    others = (bias_k, bias_v, key_padding_mask, static_k, static_v)
    if any(other is not None for other in others) or add_zero_attn or (training and dropout_p):
        raise RelevanceError(
            "no rule for multi-head attention with bias_k, bias_v, key_padding_mask, static_k, "
            "static_v, add_zero_attn or dropout; leave them away"
        )
    projected: Any
    if in_proj_weight is not None and query is key is value:
        projected = F.linear(query, in_proj_weight, in_proj_bias).chunk(3, -1)
    else:
        weights: Any = (q_proj_weight, k_proj_weight, v_proj_weight)
        if not use_separate_proj_weight and in_proj_weight is not None:
            weights = in_proj_weight.chunk(3)
        biases = (None,) * 3 if in_proj_bias is None else in_proj_bias.chunk(3)
        signals = zip((query, key, value), weights, biases, strict=True)
        projected = [F.linear(signal, w, b) for signal, w, b in signals if w is not None]
    heads = [
        one.reshape(one.shape[0], one.shape[1], num_heads, -1).permute(1, 2, 0, 3)
        for one in projected
    ]
    given = scaled_dot_product(heads[0], heads[1], heads[2], attn_mask)
    joined = given.permute(2, 0, 1, 3).reshape(query.shape[0], query.shape[1], -1)
    return F.linear(joined, out_proj_weight, out_proj_bias), None


IN_PARTS: dict[Any, Callable[..., Any]] = {
    F.scaled_dot_product_attention: scaled_dot_product,
    F.multi_head_attention_forward: multi_head,
}
"""Functions that are read as several steps."""

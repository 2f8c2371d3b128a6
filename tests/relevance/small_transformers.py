"""Small float64 transformers, each written as a family writes it, for images of 3×8×8."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

WIDTH, HEADS, CLASSES = 8, 2, 3


class Mlp(nn.Sequential):
    def __init__(self, act: type = nn.GELU) -> None:
        super().__init__(nn.Linear(WIDTH, 12), act(), nn.Dropout(0.1), nn.Linear(12, WIDTH))


class Fused(nn.Module):
    """As timm: one layer for q, k and v, which are unbound, and F.scaled_dot_product_attention."""

    def __init__(self) -> None:
        super().__init__()
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        b, n, c = x.shape
        qkv = self.qkv(x).reshape(b, n, 3, HEADS, c // HEADS).permute(2, 0, 3, 1, 4)
        q, k, v = qkv.unbind(0)
        x = F.scaled_dot_product_attention(q, k, v, dropout_p=0.1 if self.training else 0.0)
        return self.proj(x.transpose(1, 2).reshape(b, n, c))


class Written(nn.Module):
    """As transformers: a layer for each, softmax written out."""

    def __init__(self) -> None:
        super().__init__()
        self.query, self.key, self.value, self.dense = (nn.Linear(WIDTH, WIDTH) for _ in range(4))

    def forward(self, x: Tensor) -> Tensor:
        shape = (*x.shape[:-1], -1, WIDTH // HEADS)
        q, k, v = (f(x).view(shape).transpose(1, 2) for f in (self.query, self.key, self.value))
        weights = torch.matmul(q, k.transpose(2, 3)) / math.sqrt(q.size(-1))
        weights = F.dropout(F.softmax(weights, -1), 0.1, self.training)
        x = torch.matmul(weights, v).transpose(1, 2).contiguous()
        return self.dense(x.reshape(*x.shape[:2], -1).contiguous())


class OfTorch(nn.Module):
    """As torchvision: nn.MultiheadAttention."""

    def __init__(self, batch_first: bool = True) -> None:
        super().__init__()
        self.batch_first = batch_first
        self.attention = nn.MultiheadAttention(WIDTH, HEADS, 0.1, batch_first=batch_first)

    def forward(self, x: Tensor) -> Tensor:
        if self.batch_first:
            return self.attention(x, x, x, need_weights=False)[0]
        x = x.transpose(0, 1)
        return self.attention(x, x, x)[0].transpose(0, 1)


class Block(nn.Module):
    def __init__(self, attention: nn.Module) -> None:
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(WIDTH), nn.LayerNorm(WIDTH)
        self.attn, self.mlp = attention, Mlp()
        self.gamma = nn.Parameter(torch.ones(WIDTH))

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.gamma * self.attn(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class Vit(nn.Module):
    """Patches, a class token, position embeddings, two blocks; two heads if distilled."""

    def __init__(self, attention=Fused, distilled: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 4, 4)
        self.tokens = nn.Parameter(torch.randn(1, 1 + distilled, WIDTH))
        self.positions = nn.Parameter(torch.randn(1, 5 + distilled, WIDTH))
        self.blocks = nn.Sequential(*(Block(attention()) for _ in range(2)))
        self.norm = nn.LayerNorm(WIDTH)
        self.heads = nn.ModuleList(nn.Linear(WIDTH, CLASSES) for _ in range(1 + distilled))

    def forward(self, x: Tensor) -> Tensor:
        n, _, h, w = x.shape
        torch._assert(h == 8, "Wrong image height!")
        if w % 4:
            x = F.pad(x, (0, 4 - w % 4))
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.tokens.expand(n, -1, -1), x), dim=1) + self.positions
        x = self.norm(self.blocks(x))
        logits = [head(x[:, k]) for k, head in enumerate(self.heads)]
        return logits[0] if len(logits) == 1 else (logits[0] + logits[1]) / 2


class Windows(nn.Module):
    """As Swin: windows of 2×2 that are rolled, a mask, relative position bias."""

    def __init__(self, shift: int, cosine: bool = False) -> None:
        super().__init__()
        self.shift, self.cosine = shift, cosine
        self.norm = nn.LayerNorm(WIDTH)
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)
        self.table = nn.Parameter(torch.randn(9, HEADS))
        spot = torch.stack(torch.meshgrid(torch.arange(2), torch.arange(2), indexing="ij"))
        apart = (spot.flatten(1)[:, :, None] - spot.flatten(1)[:, None]) + 1
        self.register_buffer("index", apart[0] * 3 + apart[1])

    def forward(self, x: Tensor) -> Tensor:
        y, (b, h, w, c) = self.norm(x), x.shape
        if self.shift:
            y = torch.roll(y, shifts=(-self.shift, -self.shift), dims=(1, 2))
        y = y.view(b, h // 2, 2, w // 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(-1, 4, c)
        qkv = self.qkv(y).reshape(len(y), 4, 3, HEADS, c // HEADS).permute(2, 0, 3, 1, 4)
        q, k, v = qkv[0], qkv[1], qkv[2]
        if self.cosine:
            q, k = F.normalize(q, dim=-1), F.normalize(k, dim=-1)
        weights = (q * 0.7) @ k.transpose(-2, -1)
        weights = weights + self.table[self.index.flatten()].view(4, 4, -1).permute(2, 0, 1)[None]
        if self.shift:
            weights = weights.view(b, -1, HEADS, 4, 4) + self.mask(h, w)[None, :, None]
            weights = weights.view(-1, HEADS, 4, 4)
        y = self.proj((weights.softmax(-1) @ v).transpose(1, 2).reshape(-1, 4, c))
        y = y.view(b, h // 2, w // 2, 2, 2, c).permute(0, 1, 3, 2, 4, 5).reshape(b, h, w, c)
        return x + (torch.roll(y, (self.shift, self.shift), (1, 2)) if self.shift else y)

    def mask(self, h: int, w: int) -> Tensor:
        parts = self.table.new_zeros((h, w))
        parts[-2:] += 1
        parts[:, -2:] += 2
        parts[-1] += 4
        parts = parts.view(h // 2, 2, w // 2, 2).permute(0, 2, 1, 3).reshape(-1, 4)
        apart = parts[:, None] - parts[:, :, None]
        return apart.masked_fill(apart != 0, -torch.inf)


class Swin(nn.Module):
    def __init__(self, cosine: bool = False) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 2, 2)
        self.blocks = nn.Sequential(Windows(0, cosine), Windows(1, cosine))
        self.norm, self.head = nn.LayerNorm(WIDTH), nn.Linear(WIDTH, CLASSES)

    def forward(self, x: Tensor) -> Tensor:
        x = self.blocks(self.patches(x).permute(0, 2, 3, 1))
        return self.head(self.norm(x).permute(0, 3, 1, 2).mean((2, 3)))


class Levit(nn.Module):
    """As LeViT: batch norm over images and tokens at once, hard swish, a bias of attention."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 4, 4)
        self.linear, self.bn = nn.Linear(WIDTH, 3 * WIDTH, bias=False), nn.BatchNorm1d(3 * WIDTH)
        self.biases = nn.Parameter(torch.randn(HEADS, 4))
        self.register_buffer("places", torch.randint(0, 4, (4, 4)))
        self.head = nn.Sequential(nn.BatchNorm1d(WIDTH), nn.Linear(WIDTH, CLASSES))

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        b, n, _ = x.shape
        y = self.linear(x)
        y = self.bn(y.flatten(0, 1)).reshape_as(y)
        q, k, v = y.view(b, n, HEADS, -1).split([4, 4, 4], dim=3)
        q, k, v = q.permute(0, 2, 1, 3), k.permute(0, 2, 3, 1), v.permute(0, 2, 1, 3)
        weights = (q @ k * 0.5 + self.biases[:, self.places]).softmax(dim=-1)
        x = F.hardswish((weights @ v).transpose(1, 2).reshape(b, n, -1)) + x
        return self.head(x.mean(1))


class Channels(nn.Module):
    """As XCiT and MaxViT: attention between channels, by einsum, of patches in a grid."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, 2, 2)
        self.qkv, self.head = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, CLASSES)
        self.bias = nn.Parameter(torch.randn(4, 4))

    def forward(self, x: Tensor) -> Tensor:
        x = self.patches(x)
        b = x.shape[0]
        x = x.reshape(b, WIDTH, 2, 2, 2, 2).permute(0, 2, 4, 3, 5, 1).reshape(b, 4, 4, WIDTH)
        q, k, v = torch.chunk(self.qkv(x), 3, dim=-1)
        weights = F.softmax(torch.einsum("b g i d, b g j d -> b g i j", q, k) + self.bias, dim=-1)
        x = torch.einsum("BGIJ,BGJD->BGID", weights, v)
        q = torch.einsum("bgid,ij->bgjd", F.normalize(x, dim=-2), self.bias)
        return self.head((x + q).flatten(1, 2).mean(1))


TRANSFORMERS = {
    "timm's": Vit,
    "written out": lambda: Vit(Written),
    "torch's": lambda: Vit(OfTorch),
    "torch's, tokens first": lambda: Vit(lambda: OfTorch(batch_first=False)),
    "distilled": lambda: Vit(distilled=True),
    "windows": Swin,
    "windows, cosine": lambda: Swin(cosine=True),
    "batch norm of tokens": Levit,
    "einsum": Channels,
}


def transformer(name: str, *, biases: bool = True) -> nn.Module:
    """One of them with random weights that are nowhere near zero; without biases on request."""
    torch.manual_seed(len(name))
    net = TRANSFORMERS[name]().double().eval()
    with torch.no_grad():
        for weight in net.parameters():
            weight.copy_(torch.randn_like(weight) * (0.6 if weight.ndim > 1 else 1))
        for module in net.modules():
            if isinstance(module, nn.BatchNorm1d):
                module.running_mean.normal_()
                module.running_var.uniform_(0.5, 2)
            if not biases and getattr(module, "bias", None) is not None:
                module.bias.zero_()
    return net


def pictures(count: int = 2) -> Tensor:
    return torch.randn(
        count, 3, 8, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(5)
    )

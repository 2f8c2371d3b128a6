"""Which networks of torchvision, timm and transformers are read, and why others are not, as a page.

`python -m benchmarks.supported_networks`. The packages must be installed; emorank needs none:
`pip install --no-deps torchvision timm transformers tokenizers regex huggingface_hub pyyaml
safetensors`, so that torch stays as it is. Each network has random weights and one image of noise;
it counts as read if its own logits come out and all relevance is accounted for, by epsilon-plus.
Where no branch of a product is the gate, products are shared evenly, and the page says so.
"""

import argparse
import importlib
import sys
import types
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

import torch
from torch import nn

from emorank.errors import RelevanceError
from emorank.relevance import DEFAULT, override_preset, prepare

PAGE = Path(__file__).parents[1] / "docs" / "supported_networks.md"
LOST = 1e-4  # of the greatest sum, in float32

NETWORKS = {
    "torchvision": """
alexnet vgg11_bn resnet18 resnext50_32x4d wide_resnet50_2 densenet121 squeezenet1_1 googlenet
inception_v3 mobilenet_v2 mobilenet_v3_small mobilenet_v3_large mnasnet0_5 shufflenet_v2_x0_5
efficientnet_b0 efficientnet_v2_s regnet_x_400mf regnet_y_400mf convnext_tiny vit_b_16 swin_t
swin_v2_t maxvit_t vit_l_32 swin_s
""",
    "timm": """
resnet10t resnet26d legacy_seresnet18 seresnet50 ecaresnet26t skresnet18 resnest14d
res2net50_26w_4s dla34 densenet121 ese_vovnet19b_dw dpn48b hrnet_w18_small inception_v3
inception_v4 inception_resnet_v2 legacy_xception xception41 nasnetalarge pnasnet5large
mobilenetv2_050 mobilenetv3_small_050 mobilenetv4_conv_small mnasnet_small efficientnet_b0
tf_efficientnet_b0 tf_efficientnetv2_b0 efficientnet_lite0 ghostnet_050 ghostnetv2_100 fbnetc_100
spnasnet_100 hardcorenas_a lcnet_050 tinynet_e mixnet_s rexnet_100 regnetx_002 regnety_002
repvgg_a0 cspresnet50 cspdarknet53 darknet53 selecsls42 convnext_atto convnextv2_atto nfnet_l0
eca_nfnet_l0 nf_regnet_b0 convmixer_768_32 mixer_s32_224 resmlp_12_224 gmlp_s16_224 poolformer_s12
fastvit_t8 mobileone_s0 mobilevit_xxs edgenext_xx_small hgnet_tiny starnet_s1 repghostnet_050
tresnet_m inception_next_atto rdnet_tiny focalnet_tiny_srf deit_tiny_patch16_224
vit_tiny_patch16_224 swin_tiny_patch4_window7_224 levit_128s coat_tiny visformer_tiny crossvit_9_240
beit_base_patch16_224 deit_tiny_distilled_patch16_224 deit3_small_patch16_224
eva02_tiny_patch14_224 flexivit_small vit_relpos_small_patch16_224 cait_xxs24_224
xcit_nano_12_p16_224 pit_ti_224 pit_ti_distilled_224 tnt_s_legacy_patch16_224 twins_svt_small
twins_pcpvt_small pvt_v2_b0 swinv2_tiny_window8_256 swinv2_cr_tiny_224 maxvit_rmlp_pico_rw_256
maxvit_tiny_tf_224 coatnet_pico_rw_224 coat_lite_tiny convit_tiny mobilevitv2_050
efficientformer_l1 efficientformerv2_s0 efficientvit_b0 efficientvit_m0 nextvit_small
tiny_vit_5m_224 davit_tiny gcvit_xxtiny mvitv2_tiny nest_tiny_jx hiera_tiny_224 fastvit_sa12
volo_d1_224 sequencer2d_s caformer_s18 vitamin_small_224 repvit_m0_9 shvit_s1 swiftformer_xs
mambaout_femto botnet26t_256 lambda_resnet26t
""",
    "transformers": """
ViT DeiT Beit Swin Swinv2 Dinov2 Siglip Segformer Levit Cvt Pvt PoolFormer ViTMSN ConvNextV2 ResNet
""",
}


@dataclass(frozen=True)
class Found:
    """What came of one network.

    Attributes:
        library: that it is from.
        name: there.
        refused: the reason; empty if it was read.
        evenly: it is read if products are shared evenly.
    """

    library: str
    name: str
    refused: str
    evenly: bool = False

    def __str__(self) -> str:
        """As it stands in the table."""
        if not self.refused:
            return 'read with `products="even"`' if self.evenly else "read"
        reason = (
            self.refused.split("For images of one size: ")[-1]
            .split("; ")[0]
            .replace("|", "\\|")
            .replace("\n", " ")
        )
        return f"refused: {reason}"


def main() -> None:
    """Try them all; print each, and write the page."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="only these; the page is not written then")
    names = parser.parse_args().names
    found = []
    for library, name, make, side in _networks():
        if not names or name in names:
            refused = tried(make, side)
            evenly = "products" in refused
            refused = tried(make, side, evenly=True) if evenly else refused
            found.append(Found(library, name, refused, evenly))
            print(f"{library} {name}: {found[-1]}", flush=True)
    if not names:
        PAGE.write_text(page(found), encoding="utf-8")


def torchvision_alone() -> types.ModuleType:
    """Import torchvision and its models, whatever torch it was built for.

    Raises:
        ImportError: it is not installed.
    """
    # Its operators for boxes have to fit torch to the build; no network here has one.
    sys.modules.setdefault("torchvision._meta_registrations", types.ModuleType("none"))
    importlib.import_module("torchvision.models")
    return sys.modules["torchvision"]


def _networks() -> Iterator[tuple[str, str, Callable[[], nn.Module], int]]:
    """Library, name, how to make it, and the side of its images, small where any is taken."""
    torchvision = torchvision_alone()
    import timm
    import transformers

    of_torchvision = f"torchvision {torchvision.__version__.split('+')[0]}"
    for name in NETWORKS["torchvision"].split():
        options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        make = partial(getattr(torchvision.models, name), weights=None, **options)
        side = 224 if name.startswith(("vit", "swin", "maxvit")) else 96
        yield of_torchvision, name, make, side
    for name in NETWORKS["timm"].split():
        made_for = timm.get_pretrained_cfg(name, allow_unregistered=True)
        side = 128 if "ception" in name or name.startswith(("nasnet", "pnasnet")) else 64
        if made_for is not None and made_for.fixed_input_size:
            side = made_for.input_size[-1]
        yield f"timm {timm.__version__}", name, partial(timm.create_model, name), side
    for name in NETWORKS["transformers"].split():
        settings = getattr(transformers, f"{name}Config")()
        kind = getattr(transformers, f"{name}ForImageClassification")
        size = getattr(settings, "image_size", 224)
        side = size if isinstance(size, int) else 224
        of_transformers = f"transformers {transformers.__version__}"
        yield of_transformers, f"{name}ForImageClassification", partial(kind, settings), side


def tried(make: Callable[[], nn.Module], side: int, *, evenly: bool = False) -> str:
    """Why a network is refused; empty if it is explained."""
    preset = override_preset(DEFAULT, products="even" if evenly else None)
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        net = make().eval()
        for weight in net.parameters():  # a head of zeros would say nothing
            if weight.ndim > 1 and not weight.any():
                nn.init.normal_(weight, std=0.02)
        try:
            explain = prepare(net, preset, size=(side, side))
            record = explain(torch.randn(1, 3, side, side))
        except RelevanceError as error:
            return str(error)
    scale = float(record.sums.abs().max())
    lost = float(record.lost.abs().max())
    return "" if lost <= LOST * scale else f"loses {lost / scale:.1e} of its relevance"


def page(found: list[Found]) -> str:
    """The page, from what came of all."""
    read = [one for one in found if not one.refused]
    lines = [
        "# Networks that are read",
        "",
        f"Written by `python -m benchmarks.supported_networks` on {date.today()} with torch "
        f"{torch.__version__.split('+')[0]}: {len(read)} of {len(found)} networks are read, with",
        "random weights. *Read* means that their own logits come out and all relevance is",
        "accounted for, by *epsilon-plus*. It does not say how faithful the maps are.",
        "",
        "| library | network | |",
        "|---|---|---|",
    ]
    lines += [f"| {one.library} | `{one.name}` | {one} |" for one in found]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    main()

"""export.py NET.pt OUT.safetensors [GOLDEN.safetensors]: the weights as fp16, and for the tests a small picture with its selection,
the planes and what PyTorch makes of them with these fp16 weights."""
import sys

import torch
from safetensors.torch import save_file

import network

state = {k: v.half() for k, v in torch.load(sys.argv[1]).items()}
save_file({k: v.contiguous() for k, v in state.items()}, sys.argv[2])
if len(sys.argv) > 3:
    net = network.ReliefNet()
    net.load({k: v.float() for k, v in state.items()})
    net.eval()
    g = torch.Generator().manual_seed(5)
    h, w = 61, 86
    yy, xx = torch.meshgrid(torch.arange(h).float(), torch.arange(w).float(), indexing="ij")
    source = (0.55 + 0.1 * torch.sin(xx / 9) + 0.05 * torch.rand(3, h, w, generator=g)).clamp(0, 1)
    line = (yy - 30 - 6 * torch.sin(xx / 13)).abs()
    source = source * (1 - 0.7 * torch.exp(-((line / 1.7) ** 2)) * ((xx > 12) & (xx < 74)))
    mask = ((line < 7) & (xx > 9) & (xx < 77)).float()
    planes = network.inputs(source[None], mask[None, None])
    with torch.no_grad():
        out = net(planes)
    to_rows = lambda t: t[0].permute(1, 2, 0).contiguous()
    save_file(dict(source=to_rows(source[None]), mask=mask, planes=to_rows(planes), out=to_rows(out)), sys.argv[3])

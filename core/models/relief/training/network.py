"""The relief network: a photograph and its selection -> the layers of the geometry. And how layers are put on a target.

  out = (1 - own) * target * exp(shade) + own * source + light

  shade  log of the factor on the target's light
  light  what is added to all channels
  own    share of pixels that show the reference's own matter

All in display values (R'G'B' in [0, 1]). The layers do not depend on the target, so they are computed once for each reference.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from render import gaussian

WIDTHS = (32, 56, 96, 128)
INPUTS = 11  # source 3, mask 1, tone of the bare material 3, source - tone 3, log(luma / luma of the tone) 1
OUTPUTS = 3  # shade, light, own material (before the sigmoid)
GROW = 4     # pixels round the selection that do not count as bare material: shadows reach out


def bare_tone(source, bare):
    """The tone of the bare material everywhere, by push and pull over a pyramid. source (b, 3, h, w), bare (b, 1, h, w) in [0, 1].
    Only levels of an eighth of the size and coarser speak, so that no texture comes through."""
    sums, weights = [source * bare], [bare]
    while min(sums[-1].shape[-2:]) > 4:
        sums.append(F.avg_pool2d(sums[-1], 2, ceil_mode=True))
        weights.append(F.avg_pool2d(weights[-1], 2, ceil_mode=True))
    out = (sums[-1].sum((2, 3), keepdim=True) / weights[-1].sum((2, 3), keepdim=True).clamp_min(1e-3)).expand_as(sums[-1])
    for x, w in zip(sums[::-1], weights[::-1]):
        out = F.interpolate(out, size=x.shape[-2:], mode="bilinear", align_corners=False)
        if x.shape[-1] <= source.shape[-1] / 8:
            share = w / (w + 0.15)
            out = out * (1 - share) + x / w.clamp_min(1e-3) * share
    return out


class Block(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, 1, 1)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, 1, 1)
        self.skip = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        self.gain = nn.Parameter(torch.full((1,), 0.5))

    def forward(self, x):
        return self.skip(x) + self.gain * self.conv2(F.relu(self.conv1(F.relu(x))))


class ReliefNet(nn.Module):
    """U-Net at half the resolution, with two convolutions at the full one. (b, 11, h, w) -> (b, 3, h, w)."""

    def __init__(self, c=WIDTHS):
        super().__init__()
        self.conv_in = nn.Conv2d(4 * INPUTS, c[0], 3, 1, 1)
        self.down = nn.ModuleList([Block(c[max(0, i - 1)], c[i]) for i in range(len(c))])
        self.middle = nn.Sequential(Block(c[-1], c[-1]), Block(c[-1], c[-1]))
        self.up = nn.ModuleList([Block(c[i + 1] + c[i], c[i]) for i in range(len(c) - 1)])
        self.to_full = nn.Conv2d(c[0], 48, 3, 1, 1)
        self.full = nn.Conv2d(12 + INPUTS, 16, 3, 1, 1)
        self.conv_out = nn.Conv2d(16, OUTPUTS, 3, 1, 1)

    def forward(self, x):
        h, w = x.shape[-2:]
        full = F.pad(x, (0, -w % 16, 0, -h % 16), mode="replicate")
        x, skips = self.conv_in(F.pixel_unshuffle(full, 2)), []
        for i, block in enumerate(self.down):
            x = block(F.avg_pool2d(x, 2) if i else x)
            skips.append(x)
        x = self.middle(x + F.adaptive_avg_pool2d(x, 1))
        for i in reversed(range(len(self.up))):
            x = self.up[i](torch.cat([F.interpolate(x, scale_factor=2, mode="nearest"), skips[i]], 1))
        x = F.pixel_shuffle(self.to_full(F.relu(x)), 2)
        return self.conv_out(F.relu(self.full(torch.cat([x, full], 1))))[..., :h, :w]

    def load_reference(self, state):
        """Takes the weights of the first study, whose keys were shorter."""
        names = {"stem": "conv_in", "d": "down", "m": "middle", "u": "up", "up": "to_full", "f": "full", "out": "conv_out"}
        parts = {"a": "conv1", "b": "conv2", "r": "skip", "g": "gain"}
        new = {}
        for key, value in state.items():
            words = key.split(".")
            words = [names[words[0]]] + [parts.get(w, w) if words[0] in ("d", "m", "u") else w for w in words[1:]]
            new[".".join(words)] = value
        self.load(new)

    def load(self, state):
        """Takes weights of a network that also predicted two planes of refraction."""
        self.load_state_dict({k: v[:OUTPUTS] if k.startswith("conv_out.") else v for k, v in state.items()})


def luma(x):
    return x.mean(1, keepdim=True)


def inputs(source, mask):
    """source (b, 3, h, w), mask (b, 1, h, w), 0 or 1."""
    tone = bare_tone(source, 1 - F.max_pool2d(mask, 2 * GROW + 1, 1, GROW))
    ratio = torch.log((luma(source) + 0.03) / (luma(tone) + 0.03))
    return torch.cat([source - 0.5, mask, tone - 0.5, source - tone, ratio], 1)


def layers(net, source, mask):
    """-> shade, light, own (b, 1, h, w); 0 beyond a soft border round the selection."""
    soft = gaussian(F.max_pool2d(mask, 5, 1, 2), 1.5)
    out = net(inputs(source, mask)).float()
    return out[:, :1].clamp(-5, 2) * soft, out[:, 1:2] * soft, torch.sigmoid(out[:, 2:3] - 4) * soft


def compose(target, source, shade, light, own):
    return target * shade.exp() * (1 - own) + source * own + light

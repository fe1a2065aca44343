#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""How long the executable reference (tests/golden/prototype.py: the method on diffusers) takes for a transfer of ten steps with two
iterations, to hold against the command line's own --report. Needs torch, diffusers, safetensors and OpenCV.

    tests/benchmark/prototype_time.py core/models/surface tests/bench/cases/00-crack [fp32|bf16]

The same transfer by the command line, every stream computed as the reference does, and as it ships:

    geometry-transfer --target C/target.png --source C/source.png --mask C/mask.png --output out.png --report json --preset paper \\
        --steps 10 --iterations 2 --output-reads geometry+target [--reuse-keys true]
"""
import json
import os
import sys
import time

import cv2
import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, UNet2DConditionModel

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../golden"))
import prototype

model, case = sys.argv[1:3]
dtype = torch.bfloat16 if sys.argv[3:] == ["bf16"] else torch.float32
torch.set_grad_enabled(False)


def picture(name, flag=1):
    return cv2.resize(cv2.imread(f"{case}/{name}.png", flag), (256, 256), interpolation=cv2.INTER_AREA)


def tensor(name):
    pixels = np.ascontiguousarray(picture(name)[..., ::-1])
    return (torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255).to(dtype)


begin = time.perf_counter()
unet = UNet2DConditionModel.from_pretrained(model + "/unet").to(dtype).eval()
vae = AutoencoderKL.from_pretrained(model + "/vae").to(dtype).eval()
schedule = DDIMScheduler.from_pretrained(model + "/scheduler")
loaded = time.perf_counter()
mask = (torch.from_numpy((picture("mask", 0) > 127).astype(np.float32))[None, None]).to(dtype)
pipe = prototype.Pipe(unet, vae, schedule.alphas_cumprod, "v_prediction")
pipe.run(tensor("source"), tensor("target"), mask, steps=10, iters=2, strength=1.0, ta=True, gp=("geo", "tar"))
done = time.perf_counter()
print(json.dumps({"dtype": str(dtype), "threads": torch.get_num_threads(), "load": loaded - begin, "transfer": done - loaded,
                  "seconds": done - begin}))

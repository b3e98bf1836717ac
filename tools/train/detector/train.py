"""Trains the detector on prepared pictures, or goes on with it: python3 train.py --help"""
import argparse
import copy
import math
import os
import signal
import threading
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from compose import EDGE
from loss import loss_of, places
from model import SCALE, Detector
from pool import Pool

WARM_UP = 300
"""Steps until the full rate."""


def main() -> None:
    options = arguments()
    cv2.setNumThreads(1)
    torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    random = np.random.default_rng(options.seed)
    detector = Detector().to(memory_format=torch.channels_last)
    average = copy.deepcopy(detector)
    optimiser = torch.optim.AdamW(groups(detector), lr=options.rate)
    step = 0
    if options.checkpoint.exists():
        kept = torch.load(options.checkpoint)
        detector.load_state_dict(kept["detector"])
        average.load_state_dict(kept["average"])
        optimiser.load_state_dict(kept["optimiser"])
        random.bit_generator.state = kept["random"]
        step = kept["step"]
    pool = Pool(options.pool)
    corners, strides = places(EDGE)
    said, sums, saved = time.time(), {}, time.time()
    ending = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: ending.set())
    detector.train()
    while step < options.steps and not ending.is_set():
        for group in optimiser.param_groups:
            group["lr"] = rate_at(step, options)
        pictures, target = pool.batch(random, options.batch)
        with torch.autocast("cpu", torch.bfloat16):
            maps = detector((pictures / SCALE).contiguous(memory_format=torch.channels_last))
        parts = loss_of(maps, target, corners, strides)
        optimiser.zero_grad()
        sum(parts.values()).backward()
        torch.nn.utils.clip_grad_norm_(detector.parameters(), 10)
        optimiser.step()
        step += 1
        follow(average, detector, min(0.998, step / (step + 100)))
        for name, part in parts.items():
            sums[name] = sums.get(name, 0) + part.item()
        if step % 100 == 0:
            shown = ", ".join(f"{name} {total / 100:.3f}" for name, total in sums.items())
            print(f"step {step}: {shown}; {100 * options.batch / (time.time() - said):.0f} pictures a second of {len(pool.entries)}", flush=True)
            said, sums = time.time(), {}
            pool.refresh()
        if time.time() - saved > 120 or step == options.steps or ending.is_set():
            save(options.checkpoint, detector, average, optimiser, random, step)
            saved = time.time()


def groups(detector: torch.nn.Module) -> list[dict]:
    """Weights decay; biases, normalisation and the few weights of depthwise convolutions do not."""
    decaying = [weight for weight in detector.parameters() if weight.dim() == 4 and weight.shape[1] > 1]
    others = [weight for weight in detector.parameters() if not (weight.dim() == 4 and weight.shape[1] > 1)]
    return [{"params": decaying, "weight_decay": 0.01}, {"params": others, "weight_decay": 0}]


def rate_at(step: int, options: argparse.Namespace) -> float:
    """Rises for WARM_UP steps, then falls along a cosine to a hundredth."""
    if step < WARM_UP:
        return options.rate * (step + 1) / WARM_UP
    done = (step - WARM_UP) / max(1, options.steps - WARM_UP)
    return options.rate * (0.01 + 0.99 * (1 + math.cos(math.pi * min(1, done))) / 2)


@torch.no_grad()
def follow(average: torch.nn.Module, detector: torch.nn.Module, share: float) -> None:
    """Moves the average of the weights of many steps, which is better than those of any one."""
    for slow, fast in zip(average.state_dict().values(), detector.state_dict().values()):
        if slow.dtype.is_floating_point:
            slow.lerp_(fast, 1 - share)


def save(path: Path, detector, average, optimiser, random: np.random.Generator, step: int) -> None:
    kept = {
        "detector": detector.state_dict(),
        "average": average.state_dict(),
        "optimiser": optimiser.state_dict(),
        "random": random.bit_generator.state,
        "step": step,
    }
    torch.save(kept, path.with_suffix(".partial"))
    os.replace(path.with_suffix(".partial"), path)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pool", type=Path, nargs="+", required=True, help="folders of prepare.py")
    parser.add_argument("--checkpoint", type=Path, required=True, help="gone on with where it exists; saved every two minutes")
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--rate", type=float, default=0.003)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()

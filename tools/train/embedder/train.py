"""Trains the embedder.

    python3 train.py FACES STORE RUN [--steps 9800] [--drawn DRAWN --drawn-held-out OTHERS] [--seed 1] [--threads 1]

RUN/checkpoint.pt holds all there is to go on with after an interruption (SIGTERM saves it at once): the same command
does it. RUN/log.jsonl gets a
line per validation.
"""

import argparse
import json
import math
import os
import signal
import time
from pathlib import Path

import cv2
import numpy as np
import torch

from data import Drawn, Photographs, Store, batch
from faces import DrawnFaces, Faces
from loss import MarginSoftmax, distillation
from model import DIMENSIONS, Embedder
from validate import Exam

# Weight of telling drawn people apart beside the teacher's answers.
DRAWN = 0.02
WARM_UP = 300
AVERAGING = 0.998
VALIDATE_EVERY = 250
SAVE_SECONDS = 120


def main():
    options = parse()
    torch.set_num_threads(options.threads)
    cv2.setNumThreads(1)
    torch.manual_seed(options.seed)
    faces = Faces(options.faces)
    store, photographs = Store(options.store), Photographs(faces)
    drawn = Drawn(DrawnFaces(options.drawn)) if options.drawn else None
    run = Run(options, drawn.faces.count if drawn else 0)
    exam = Exam(faces, DrawnFaces(options.drawn_held_out) if options.drawn_held_out else None)
    stopped = []
    signal.signal(signal.SIGTERM, lambda *_: stopped.append(True))
    started, losses, cosines, saved = time.time(), [], [], time.time()
    while run.step < options.steps and not stopped:
        loss, cosine = run.learn(*batch(run.random, store, photographs, drawn, options.sizes, run.strength()))
        losses.append(loss)
        cosines.append(cosine)
        if run.step % VALIDATE_EVERY == 0:
            store.look()
            report = {
                "step": run.step,
                "seconds": round(time.time() - started),
                "shards": len(store.shards),
                "loss": round(np.mean(losses), 4),
                "cosine": round(np.mean(cosines), 4),
            } | exam.report(run.average)
            line = json.dumps(report)
            print(line, flush=True)
            with (options.run / "log.jsonl").open("a") as log:
                log.write(line + "\n")
            losses, cosines = [], []
        if time.time() - saved > SAVE_SECONDS:
            run.save()
            saved = time.time()
    run.save()


def parse():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("faces", help="folder that tools/train/faces.ts and teach.ts wrote")
    arguments.add_argument("store", help="folder of mix.py's shards, answered by teach.ts")
    arguments.add_argument("run", type=Path, help="folder of this training")
    arguments.add_argument("--drawn", nargs="+", help="folders of drawn people's faces")
    arguments.add_argument("--drawn-held-out", nargs="+", help="folders of other drawn people's faces, to validate on")
    arguments.add_argument("--steps", type=int, default=9800)
    arguments.add_argument("--rate", type=float, default=2e-3)
    arguments.add_argument("--sizes", type=int, nargs=3, default=[68, 18, 10], help="mixtures, photographs, drawn faces a batch")
    arguments.add_argument("--seed", type=int, default=1)
    arguments.add_argument("--threads", type=int, default=1)
    options = arguments.parse_args()
    options.run.mkdir(parents=True, exist_ok=True)
    return options


class Run:
    """Everything that changes while the network learns."""

    def __init__(self, options, drawn_people):
        self.options = options
        self.model = Embedder().to(memory_format=torch.channels_last)
        self.average = Embedder().to(memory_format=torch.channels_last)
        self.average.load_state_dict(self.model.state_dict())
        self.people = MarginSoftmax(drawn_people, DIMENSIONS) if drawn_people else None
        self.random = np.random.default_rng(options.seed)
        self.step = 0
        groups = [{"params": self.model.parameters(), "weight_decay": 0.02}]
        if self.people:
            groups.append({"params": self.people.parameters(), "weight_decay": 0.0})
        self.optimizer = torch.optim.AdamW(groups, lr=options.rate)
        self.path = options.run / "checkpoint.pt"
        if self.path.exists():
            self.load()

    def learn(self, inputs, taught, people):
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = self.rate()
        with torch.autocast("cpu", dtype=torch.bfloat16):
            embeddings = self.model(inputs)
        embeddings = embeddings.float()
        loss, cosine = distillation(embeddings[: len(taught)], taught)
        if self.people:
            loss = loss + DRAWN * self.people(embeddings[len(taught) :], people)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.model.parameters(), 1.0)
        self.optimizer.step()
        self.step += 1
        self.follow()
        return loss.item(), cosine.item()

    def strength(self):
        """Of augmentation: towards the end pictures become like those that the network will see."""
        progress = self.step / self.options.steps
        return min(1.0, max(0.4, 1 - (progress - 0.5) * 1.2))

    def rate(self):
        progress = min(1.0, self.step / self.options.steps)
        return self.options.rate * min(1.0, (self.step + 1) / WARM_UP) * (0.01 + 0.99 * (1 + math.cos(math.pi * progress)) / 2)

    @torch.no_grad()
    def follow(self):
        """The network that is exported is a running mean of the one that learns."""
        kept = min(AVERAGING, self.step / (self.step + 20))
        own = self.model.state_dict()
        for name, value in self.average.state_dict().items():
            if value.is_floating_point():
                value.lerp_(own[name], 1 - kept)
            else:
                value.copy_(own[name])

    def state(self):
        return {"model": self.model, "average": self.average, "optimizer": self.optimizer} | ({"people": self.people} if self.people else {})

    def save(self):
        part = self.path.with_suffix(".part")
        states = {name: part.state_dict() for name, part in self.state().items()}
        torch.save(states | {"step": self.step, "random": self.random.bit_generator.state, "torch": torch.get_rng_state()}, part)
        os.replace(part, self.path)

    def load(self):
        saved = torch.load(self.path)
        for name, part in self.state().items():
            part.load_state_dict(saved[name])
        self.step = saved["step"]
        self.random.bit_generator.state = saved["random"]
        torch.set_rng_state(saved["torch"])


if __name__ == "__main__":
    main()

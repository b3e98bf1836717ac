"""What the student is graded by."""

import torch
from torch import nn
from torch.nn import functional

RELATIONS = 10.0


def distillation(embeddings, taught):
    """The angle to the teacher's embedding, and how likeness within the batch differs from what the teacher sees."""
    embeddings = functional.normalize(embeddings)
    cosine = (embeddings * taught).sum(1)
    relations = embeddings @ embeddings.T - taught @ taught.T
    return (1 - cosine).mean() + RELATIONS * relations.square().mean(), cosine.mean().detach()


class MarginSoftmax(nn.Module):
    """CosFace (Wang et al. 2018): each person's direction, won only with a margin."""

    def __init__(self, people, dimensions, scale=24.0, margin=0.25):
        super().__init__()
        self.directions = nn.Parameter(torch.randn(people, dimensions) * 0.1)
        self.scale, self.margin = scale, margin

    def forward(self, embeddings, people):
        cosines = functional.normalize(embeddings) @ functional.normalize(self.directions).T
        own = functional.one_hot(people, cosines.shape[1]) * self.margin
        return functional.cross_entropy(self.scale * (cosines - own), people)

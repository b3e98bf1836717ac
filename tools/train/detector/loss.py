"""How far the network's word is from what every cell should say."""
import torch
from torch.nn import functional as F

from model import STRIDES

BOX_SHARE, POINTS_SHARE = 2.0, 4.0


def places(edge: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Corner [cells, 2] and stride [cells, 1] of every cell of a square picture, finest grid first."""
    corners, strides = [], []
    for stride in STRIDES:
        steps = torch.arange(edge // stride) * float(stride)
        y, x = torch.meshgrid(steps, steps, indexing="ij")
        corners.append(torch.stack([x, y], -1).reshape(-1, 2))
        strides.append(torch.full((len(steps) ** 2, 1), float(stride)))
    return torch.cat(corners), torch.cat(strides)


def loss_of(maps: list[torch.Tensor], target: dict[str, torch.Tensor], corners, strides) -> dict[str, torch.Tensor]:
    """target: score and weight [batch, cells]; of the cells that show a face, their index into batch x cells, box, points
    and the weights of these."""
    said = torch.cat([level.float().permute(0, 2, 3, 1).flatten(1, 2) for level in maps], 1)
    faces = target["score"].sum().clamp(min=1)
    logit = said[:, :, 0]
    away = (logit.sigmoid() - target["score"]).abs() ** 2
    score = F.binary_cross_entropy_with_logits(logit, target["score"], reduction="none")
    score = (score * away * target["weight"]).sum() / faces

    index = target["index"]
    cell = index % len(corners)
    said, corner, stride = said.flatten(0, 1)[index], corners[cell], strides[cell]
    middle = corner + said[:, 1:3] * stride
    half = said[:, 3:5].clamp(-6, 6).exp() * stride / 2
    box = torch.cat([middle - half, middle + half], 1)
    boxes = (generalised_distance(box, target["box"]) * target["box_weight"]).sum() / faces

    points = corner.repeat(1, 5) + said[:, 5:] * stride
    size = (target["box"][:, 2:] - target["box"][:, :2]).clamp(min=4).prod(1, keepdim=True).sqrt()
    off = F.smooth_l1_loss(points / size, target["points"] / size, reduction="none", beta=0.05).mean(1)
    landmarks = (off * target["points_weight"]).sum() / faces
    return {"score": score, "box": BOX_SHARE * boxes, "points": POINTS_SHARE * landmarks}


def generalised_distance(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    """1 - GIoU (Rezatofighi et al. 2019)."""
    def area(near: torch.Tensor, far: torch.Tensor) -> torch.Tensor:
        return (far - near).clamp(min=0).prod(1)

    both = area(torch.maximum(a[:, :2], b[:, :2]), torch.minimum(a[:, 2:], b[:, 2:]))
    around = area(torch.minimum(a[:, :2], b[:, :2]), torch.maximum(a[:, 2:], b[:, 2:]))
    either = area(a[:, :2], a[:, 2:]) + area(b[:, :2], b[:, 2:]) - both
    return 1 - both / either.clamp(min=1e-6) + (around - either) / around.clamp(min=1e-6)

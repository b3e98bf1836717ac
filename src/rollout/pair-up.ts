import type { Box } from '../protocol/messages.ts'

/** Two boxes with at least this overlap (IoU) are one face: what object detection has used since PASCAL VOC. */
export const sameFaceIou = 0.5

export interface Pair {
  /** Positions in the two lists. */
  i: number
  j: number
  iou: number
}

/** The boxes of two lists that are the same face, greedily: each box once, the largest overlap first. */
export function pairUp(a: readonly Box[], b: readonly Box[]): Pair[] {
  const pairs = a.flatMap((box, i) => b.map((other, j) => ({ i, j, iou: iouOf(box, other) })))
  const [left, right] = [new Set(a.keys()), new Set(b.keys())]
  return pairs
    .filter(({ iou }) => iou >= sameFaceIou)
    .sort((one, other) => other.iou - one.iou)
    .filter(({ i, j }) => left.has(i) && right.has(j) && left.delete(i) && right.delete(j))
}

function iouOf([x, y, width, height]: Box, [u, v, w, h]: Box): number {
  const shared =
    Math.max(0, Math.min(x + width, u + w) - Math.max(x, u)) * Math.max(0, Math.min(y + height, v + h) - Math.max(y, v))
  return shared / (width * height + w * h - shared)
}

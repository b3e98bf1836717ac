import type { Detection, Point } from './detection.ts'

/** EXIF orientations that are quarter turns: to be shown turned to the right by 90°, 180° and 270°. */
export const quarterTurns = [6, 3, 8] as const
export type QuarterTurn = (typeof quarterTurns)[number]

/**
 * A detection on a photo that was turned, as it lies on the photo before the turn.
 * @param turn how it was turned: upright(photo, turn)
 * @param width of the photo before the turn
 */
export function turnBack({ box, score, keypoints }: Detection, turn: QuarterTurn, width: number, height: number) {
  const back = ([x, y]: Point): Point => {
    if (turn === 6) return [y, height - x]
    return turn === 3 ? [width - x, height - y] : [width - y, x]
  }
  const [x, y] = back([box[0], box[1]])
  const [u, v] = back([box[0] + box[2], box[1] + box[3]])
  const turned: Detection = {
    box: [Math.min(x, u), Math.min(y, v), Math.abs(x - u), Math.abs(y - v)],
    score,
    keypoints: keypoints?.map(back) ?? null,
  }
  return turned
}

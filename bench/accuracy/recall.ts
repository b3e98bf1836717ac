import { type Box, iou } from '../../test/helpers/ground-truth.ts'

export interface ScoredBox {
  box: Box
  score: number
}

/** What a detector said of one photo: each of its boxes, and whether it is a face that no better one has shown. */
export interface JudgedPhoto {
  faces: number
  boxes: { score: number; hit: boolean }[]
}

/** Best scores first, each box takes the face it overlaps most. */
export function judge(faces: Box[], boxes: ScoredBox[], minimumIou: number): JudgedPhoto {
  const left = new Set(faces)
  const judged = boxes
    .toSorted((a, b) => b.score - a.score)
    .map(({ box, score }) => {
      const best = [...left].reduce<Box | undefined>(
        (nearest, face) => (iou(face, box) > (nearest ? iou(nearest, box) : 0) ? face : nearest),
        undefined,
      )
      const hit = best !== undefined && iou(best, box) >= minimumIou
      if (hit) left.delete(best)
      return { score, hit }
    })
  return { faces: faces.length, boxes: judged }
}

/** Share of the faces that boxes of at least a score show, and other boxes a photo. */
export function atScore(
  photos: JudgedPhoto[],
  score: number,
): { hits: number; recall: number; falsePositives: number } {
  const boxes = photos.flatMap((photo) => photo.boxes).filter((box) => box.score >= score)
  const hits = boxes.filter(({ hit }) => hit).length
  return { hits, recall: hits / facesOf(photos), falsePositives: (boxes.length - hits) / photos.length }
}

/** Faces shown when the threshold is so low that a photo has this many other boxes on average. */
export function hitsAtFalsePositives(photos: JudgedPhoto[], falsePositives: number): number {
  let left = falsePositives * photos.length
  let hits = 0
  for (const { hit } of photos.flatMap(({ boxes }) => boxes).sort((a, b) => b.score - a.score)) {
    if (hit) hits++
    else if (--left < 0) break
  }
  return hits
}

export function facesOf(photos: JudgedPhoto[]): number {
  return photos.reduce((sum, { faces }) => sum + faces, 0)
}

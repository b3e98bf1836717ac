import type { Detector } from '../families/family.ts'
import { type Detection, suppress } from '../vision/detection.ts'
import { type QuarterTurn, quarterTurns, turnBack } from '../vision/turn.ts'
import type { Photo, Region } from './photo.ts'

/** Sizes of faces are pixels of a detector's input whose long edge has this many; docs/decisions/0023 has the reasons. */
const inputEdge = 640

/** A small face with a score between these two is in doubt: there may be one, and others beside it. */
const doubtful = 0.3
const sure = 0.6
const smallFace = 48

/** So many faces smaller than this make a crowd, which goes on where they are too small to be seen at all. */
const crowdFaces = 5
const crowdFace = 24

/** The largest face that a nearer look is asked about. */
const largestNear = 128

/** Long edge of the input for a look from afar. */
const farEdge = 256
/** A face that fills so much was not what the detector was trained on. */
const largeFace = 400
/** The smallest face that a look from afar is asked about. */
const smallestFar = 200

export interface Thresholds {
  scoreThreshold: number
  nmsThreshold: number
}

export interface FindOptions extends Thresholds {
  /** Looks at the photo turned as well where it shows no good face as it is. */
  tryRotations?: boolean | undefined
}

/** A photo without a face as good as this may be one that lies on its side: those that stand have 0.89 at least. */
const uprightScore = 0.9
/** The least that a turned photo has to offer: what is seen in clouds and leaves has less. */
const turnedScore = 0.8
/** Long edge of the input for a look at a turned photo. */
const turnedEdge = 320

/**
 * Faces of a photo by falling score, in its pixels. Looks once; where the detector takes any size it looks again from
 * afar when a face may fill the photo, and from near where small faces are in doubt.
 */
export async function findFaces(photo: Photo, detector: Detector, options: FindOptions): Promise<Detection[]> {
  const found = await findUpright(photo, detector, options)
  const good = found.some(({ score }) => score >= uprightScore)
  const turn = options.tryRotations && !good ? await bestTurn(photo, detector, options) : undefined
  if (turn === undefined) return found
  const turned = await findUpright(photo.turned(turn), detector, options)
  return turned.map((face) => turnBack(face, turn, photo.width, photo.height))
}

/** The quarter turn that shows more, and better, faces than the photo as it is. */
async function bestTurn(
  photo: Photo,
  detector: Detector,
  { nmsThreshold }: Thresholds,
): Promise<QuarterTurn | undefined> {
  const scoresOf = async (seen: Photo) => {
    const options = { scoreThreshold: sure, nmsThreshold, inputEdge: turnedEdge }
    return (await look(seen, seen.whole, detector, options)).map(({ score }) => score)
  }
  const sum = (scores: number[]) => scores.reduce((total, score) => total + score, 0)
  let most = sum(await scoresOf(photo))
  let best: QuarterTurn | undefined
  for (const turn of quarterTurns) {
    const scores = await scoresOf(photo.turned(turn))
    if (Math.max(...scores) < turnedScore || sum(scores) <= most) continue
    most = sum(scores)
    best = turn
  }
  return best
}

async function findUpright(photo: Photo, detector: Detector, thresholds: Thresholds): Promise<Detection[]> {
  const { scoreThreshold, nmsThreshold } = thresholds
  if (!detector.anySize) return look(photo, photo.whole, detector, { scoreThreshold, nmsThreshold })
  const search: Search = { photo, detector, nmsThreshold }
  const lowest = Math.min(doubtful, scoreThreshold)
  const first = await look(photo, photo.whole, detector, { scoreThreshold: lowest, nmsThreshold })
  const far = await lookFromAfar(search, first)
  const near = await lookFromNear(search, photo.whole, first, isCrowd(search, first))
  const found = [...first, ...far, ...near]
  const kept = found.length === first.length ? first : suppress(found, nmsThreshold)
  return kept.filter(({ score }) => score >= scoreThreshold)
}

interface Search {
  photo: Photo
  detector: Detector
  nmsThreshold: number
}

async function look(
  photo: Photo,
  region: Region,
  detector: Detector,
  options: Thresholds & { inputEdge?: number },
): Promise<Detection[]> {
  const { raster, toPhoto } = await photo.excerpt(region)
  return (await detector.detect(raster, options)).map(toPhoto)
}

/** Large faces, where the first look found one or none of any size. */
async function lookFromAfar({ photo, detector, nmsThreshold }: Search, first: Detection[]): Promise<Detection[]> {
  const size = sizeIn(photo.whole)
  const fromAfar = first.every(({ score }) => score < sure) || first.some((face) => size(face) > largeFace)
  if (!fromAfar) return []
  const options = { scoreThreshold: doubtful, nmsThreshold, inputEdge: farEdge }
  return (await look(photo, photo.whole, detector, options)).filter((face) => size(face) > smallestFar)
}

/**
 * Small faces, in those quarters of the region where some are in doubt, and in quarters of those as long as the photo
 * has more pixels than were seen. Of a crowd every part is looked at.
 */
async function lookFromNear(search: Search, region: Region, found: Detection[], crowd: boolean): Promise<Detection[]> {
  const size = sizeIn(region)
  const doubts = found.filter((face) => face.score >= doubtful && face.score < sure && size(face) < smallFace)
  const more: Detection[] = []
  for (const quarter of quarters(region)) {
    if (!crowd && !doubts.some((face) => quarter.owns(face))) continue
    const near = await lookAtQuarter(search, quarter.region)
    more.push(...near)
    if (hasMorePixels(quarter.region)) more.push(...(await lookFromNear(search, quarter.region, near, crowd)))
  }
  return more
}

/** Whether quarters of the region show more without being enlarged. */
function hasMorePixels(region: Region): boolean {
  return longEdge(region) >= 2 * inputEdge
}

function isCrowd({ photo }: Search, first: Detection[]): boolean {
  const size = sizeIn(photo.whole)
  return hasMorePixels(photo.whole) && first.filter((face) => size(face) < crowdFace).length >= crowdFaces
}

async function lookAtQuarter({ photo, detector, nmsThreshold }: Search, region: Region): Promise<Detection[]> {
  const size = sizeIn(region)
  const seen = await look(photo, region, detector, { scoreThreshold: doubtful, nmsThreshold })
  return seen.filter((face) => size(face) < largestNear && !isCut(face, region, photo))
}

interface Quarter {
  region: Region
  /** Each face of the whole belongs to one quarter. */
  owns(face: Detection): boolean
}

/** Quarters that overlap by a small face, so that each of these is whole in the one that owns it. */
function quarters({ left, top, width, height }: Region): Quarter[] {
  const margin = (smallFace / 2) * (Math.max(width, height) / inputEdge)
  const [middleX, middleY] = [left + width / 2, top + height / 2]
  return [false, true].flatMap((lower) =>
    [false, true].map((further) => {
      const [x, right] = further ? [Math.max(left, middleX - margin), left + width] : [left, middleX + margin]
      const [y, bottom] = lower ? [Math.max(top, middleY - margin), top + height] : [top, middleY + margin]
      return {
        region: {
          left: x,
          top: y,
          width: Math.min(right, left + width) - x,
          height: Math.min(bottom, top + height) - y,
        },
        owns: ({ box }: Detection) =>
          box[0] + box[2] / 2 >= middleX === further && box[1] + box[3] / 2 >= middleY === lower,
      }
    }),
  )
}

/** Whether a face reaches an edge of the region that is none of the photo: there is more of it beyond. */
function isCut({ box }: Detection, { left, top, width, height }: Region, photo: Photo): boolean {
  const [right, bottom] = [left + width, top + height]
  return (
    (left > 0 && box[0] <= left) ||
    (top > 0 && box[1] <= top) ||
    (right < photo.width && box[0] + box[2] >= right) ||
    (bottom < photo.height && box[1] + box[3] >= bottom)
  )
}

/** How large a face is when the region fills the input. */
function sizeIn(region: Region): (face: Detection) => number {
  const scale = inputEdge / longEdge(region)
  return ({ box }) => Math.sqrt(box[2] * box[3]) * scale
}

function longEdge({ width, height }: Region): number {
  return Math.max(width, height)
}

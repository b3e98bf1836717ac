// How many annotated faces are found, what else is, and what it costs.
import { readFileSync } from 'node:fs'
import { facesPipeline, runFaces } from '../../test/helpers/faces.ts'
import { countFound } from '../../test/helpers/ground-truth.ts'
import { shared } from '../../test/helpers/shared.ts'
import { type AnnotatedPhoto, dlibPhotos, facemaskPhotos, widerPhotos } from './annotated-photos.ts'
import { share } from './confidence.ts'
import type { Row } from './row.ts'

export const needs = ['dlib-faces', 'facemask-voc', 'wider-sample', 'ultraface-groups', 'azure-faces']

const detector = 'yunet-s-dynamic'
const minimumIou = 0.4

export async function measureDetection(): Promise<Row[]> {
  const facemask = facemaskPhotos()
  const plain = await search(facemask, 'yunet-2023mar', 0.5)
  return [
    { ...row('dlib-faces', await search(dlibPhotos(), detector, 0.5)), floor: '43 of 43', reference: '43 of 43' },
    { ...row('facemask-voc', await search(facemask, detector)), floor: '≥ 83 % at ≤ 0.98', reference: shown(plain) },
    { ...row('wider-sample', await search(widerPhotos(), detector)), floor: '' },
    ...(await referenceCounts()),
  ]
}

interface Found {
  faces: number
  found: number
  /** Per photo. */
  falsePositives: number
  /** Of detection, per photo. */
  detectMs: number
}

/** @param scoreThreshold default: the model's */
async function search(photos: AnnotatedPhoto[], name: string, scoreThreshold?: number): Promise<Found> {
  const pipeline = facesPipeline(name, scoreThreshold === undefined ? {} : { scoreThreshold })
  const total = { faces: 0, found: 0, boxes: 0, detectMs: 0 }
  for (const { file, faces } of photos) {
    const { answer } = await runFaces(readFileSync(file), pipeline)
    const boxes = answer.faces.map(({ box }) => box)
    total.faces += faces.length
    total.found += countFound(faces, boxes, minimumIou)
    total.boxes += boxes.length
    total.detectMs += answer.timings.detectMs ?? 0
  }
  const { faces, found, boxes, detectMs } = total
  return { faces, found, falsePositives: (boxes - found) / photos.length, detectMs: detectMs / photos.length }
}

function row(set: string, result: Found): Omit<Row, 'floor'> {
  return {
    name: `${set}: recall at IoU ${minimumIou} and false positives a photo`,
    value: shown(result),
    detail: `${result.found} of ${result.faces}, ${result.detectMs.toFixed(1)} ms of detection a photo`,
  }
}

function shown({ found, faces, falsePositives }: Found): string {
  return `${share(found, faces)} at ${falsePositives.toFixed(2)}`
}

const counted: [file: string[], faces: number][] = [
  [['ultraface-groups', '3.jpg'], 5],
  [['ultraface-groups', '12.jpg'], 5],
  [['ultraface-groups', '15.jpg'], 16],
  [['azure-faces', 'identification1.jpg'], 4],
]

async function referenceCounts(): Promise<Row[]> {
  const counts = []
  for (const [file] of counted) {
    const { answer } = await runFaces(readFileSync(shared('photos', ...file)), facesPipeline(detector))
    counts.push(answer.faces.length)
  }
  return [
    {
      name: `faces on ${counted.map(([file]) => file.join('/')).join(', ')}`,
      value: counts.join(', '),
      floor: counted.map(([, faces]) => faces).join(', '),
      reference: counted.map(([, faces]) => faces).join(', '),
    },
  ]
}

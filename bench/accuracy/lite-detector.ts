// The detector that comes with cpn beside the catalogue's, and beside one that only knows the colour of skin.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { drawGroup } from '../../src/drawing/scene.ts'
import { facesPipeline, model, runFaces } from '../../test/helpers/faces.ts'
import { type AnnotatedPhoto, dlibPhotos, facemaskHeldOut, facemaskLearned } from './annotated-photos.ts'
import { colourBlobs } from './colour-blobs.ts'
import { resampled, share } from './confidence.ts'
import { atScore, facesOf, hitsAtFalsePositives, type JudgedPhoto, judge, type ScoredBox } from './recall.ts'
import type { Row } from './row.ts'

export const needs = ['dlib-faces', 'facemask-voc']

const lite = 'lite-detector'
const catalogued = 'yunet-s-dynamic'
const minimumIou = 0.4
/** Far below any threshold in use, so that recall at any number of false positives can be told. */
const lowestScore = 0.1

/** People of these numbers, and this seed, are in no picture that a model was trained on. */
const drawn = { scenes: 60, firstPerson: 9_000_000, people: 200, peopleOnOne: 5, seed: 977 }

export async function measureLiteDetector(): Promise<Row[]> {
  const scenes = await drawScenes()
  try {
    const sets = [
      { name: 'dlib-faces', floor: '≥ 38 of 43', photos: dlibPhotos() },
      { name: 'drawn people', floor: '≥ 97 %', photos: scenes.photos },
    ]
    const rows: Row[] = []
    for (const { name, floor, photos } of sets) rows.push(await recallRow(name, floor, photos))
    return [...rows, ...(await facemaskRows()), await thresholdRow()]
  } finally {
    scenes.remove()
  }
}

type Detect = (file: string) => Promise<ScoredBox[]>

function detectorOf(name: string): Detect {
  const pipeline = facesPipeline(name, { scoreThreshold: lowestScore })
  return async (file) => (await runFaces(readFileSync(file), pipeline)).answer.faces
}

const detectors = { lite: detectorOf(lite), catalogued: detectorOf(catalogued), blobs: colourBlobs }

async function judged(photos: AnnotatedPhoto[], detect: Detect): Promise<JudgedPhoto[]> {
  const all: JudgedPhoto[] = []
  for (const { file, faces } of photos) all.push(judge(faces, await detect(file), minimumIou))
  return all
}

/** At the models' own thresholds; blobs have none, and are all counted. */
async function recallRow(name: string, floor: string, photos: AnnotatedPhoto[]): Promise<Row> {
  const told = async (detect: Detect, score: number) => {
    const all = await judged(photos, detect)
    const { hits, falsePositives } = atScore(all, score)
    return `${share(hits, facesOf(all))} at ${falsePositives.toFixed(2)}`
  }
  return {
    name: `lite detector, ${name}: recall at IoU ${minimumIou} and false positives a photo`,
    value: await told(detectors.lite, thresholdOf(lite)),
    floor,
    reference: `${catalogued} ${await told(detectors.catalogued, thresholdOf(catalogued))}`,
    detail: `${photos.length} pictures; colour blobs ${await told(detectors.blobs, 0)}`,
  }
}

/** At as many false positives a photo as the catalogue's model has at its own threshold. */
async function facemaskRows(): Promise<Row[]> {
  const photos = facemaskHeldOut()
  const pairs = [await judged(photos, detectors.catalogued)]
  for (const detect of [detectors.lite, detectors.blobs]) pairs.push(await judged(photos, detect))
  const [reference, own, blobs] = pairs as [JudgedPhoto[], JudgedPhoto[], JudgedPhoto[]]
  const { hits, falsePositives } = atScore(reference, thresholdOf(catalogued))
  const faces = facesOf(reference)
  const equal = (all: JudgedPhoto[]) => share(hitsAtFalsePositives(all, falsePositives), faces)
  const rest = `of ${photos.length} photos not trained on`
  const atOwn = atScore(own, thresholdOf(lite))
  return [
    {
      name: `lite detector, facemask-voc: recall at IoU ${minimumIou} beside ${catalogued} at equal false positives`,
      value: ratio(reference, own),
      floor: '≥ 0.80 ×',
      detail: `${equal(own)} ${rest} at ${falsePositives.toFixed(2)} a photo; at its own threshold ${share(atOwn.hits, faces)} at ${atOwn.falsePositives.toFixed(2)}`,
      reference: `${share(hits, faces)}; colour blobs ${equal(blobs)}`,
    },
  ]
}

/** How the manifest's threshold was chosen: by photos that the model has learned from, and by no other. */
async function thresholdRow(): Promise<Row> {
  const photos = facemaskLearned()
  const { falsePositives } = atScore(await judged(photos, detectors.catalogued), thresholdOf(catalogued))
  const own = await judged(photos, detectors.lite)
  const fits = (score: number) => atScore(own, score).falsePositives <= falsePositives
  const scores = Array.from({ length: 90 }, (_, i) => (i + 10) / 100)
  return {
    name: `lite detector: threshold that gives no more false positives than ${catalogued} on photos it has learned from`,
    value: scores.find(fits)?.toFixed(2) ?? 'none',
    floor: '',
    reference: `${thresholdOf(lite)} in the manifest`,
    detail: `${falsePositives.toFixed(2)} on each of ${photos.length} photos`,
  }
}

function ratio(reference: JudgedPhoto[], own: JudgedPhoto[]): string {
  const pairs = reference.map((photo, i) => ({ reference: photo, own: own[i]! }))
  const times = (value: number) => `${value.toFixed(3)} ×`
  return resampled(pairs, times, (drawnPairs) => {
    const theirs = atScore(
      drawnPairs.map((pair) => pair.reference),
      thresholdOf(catalogued),
    )
    const ours = hitsAtFalsePositives(
      drawnPairs.map((pair) => pair.own),
      theirs.falsePositives,
    )
    return ours / theirs.hits
  })
}

function thresholdOf(name: string): number {
  return model(name).thresholds.score!
}

async function drawScenes(): Promise<{ photos: AnnotatedPhoto[]; remove: () => void }> {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-drawn-'))
  const photos: AnnotatedPhoto[] = []
  for (let index = 0; index < drawn.scenes; index++) {
    const people = Array.from(
      { length: drawn.peopleOnOne },
      (_, place) => drawn.firstPerson + ((index * drawn.peopleOnOne + place) % drawn.people),
    )
    const { jpeg, faces } = await drawGroup(people, drawn.seed + index)
    const file = join(folder, `${index}.jpg`)
    writeFileSync(file, jpeg)
    photos.push({ file, faces: faces.map(({ box }) => box) })
  }
  return { photos, remove: () => rmSync(folder, { recursive: true }) }
}

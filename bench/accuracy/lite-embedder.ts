// The embedder that comes with cpn beside MobileFaceNet, and beside mean colours, which must do badly.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { arcface } from '../../src/agent/families/arcface.ts'
import type { Embedder } from '../../src/agent/families/family.ts'
import { openSession } from '../../src/agent/inference.ts'
import { cropEdge } from '../../src/agent/vision/align.ts'
import type { Raster } from '../../src/agent/vision/raster.ts'
import { Matcher } from '../../src/matching/match.ts'
import { liteEmbedder } from '../../src/models/catalogue/lite-embedder.ts'
import { mobilefacenet112 } from '../../src/models/catalogue/mobilefacenet-112.ts'
import type { ModelManifest } from '../../src/protocol/model.ts'
import { joined, seededRandom } from '../../test/helpers/embeddings.ts'
import { repositoryRoot, shared } from '../../test/helpers/shared.ts'
import { openDetector } from '../../tools/train/aligned-faces.ts'
import { meanShare, share } from './confidence.ts'
import {
  colourHalves,
  drawnHalves,
  type FacePair,
  type Halves,
  lfwHalves,
  lfwPeople,
  type Person,
} from './face-pairs.ts'
import type { Row } from './row.ts'
import { shuffled } from './shuffled.ts'
import { bestThreshold, type Judged, judgedRightly } from './verification.ts'

const splits = 20
const enrolled = 70

export const needs = ['lfw-a', 'lfw-a-train', 'lfw-color-10x10']

export async function measureLiteEmbedder(): Promise<Row[]> {
  const embedders: [string, Embedder][] = [
    ['lite-embedder', await open(join(repositoryRoot, 'assets', 'models', 'lite-embedder.onnx'), liteEmbedder)],
    ['mobilefacenet-112', await open(shared('models', 'mobilefacenet-foamliu-112.onnx'), mobilefacenet112)],
    ['mean colours', meanColours],
  ]
  const detector = await openDetector(shared('models', 'yunet-s-dynamic.onnx'))
  const sets: [string, Halves, string][] = [
    ['lfw-a', await lfwHalves(detector), '≥ 93 %'],
    ['drawn people', await drawnHalves(detector), '≥ 97 %'],
    ['lfw-color-10x10', await colourHalves(detector), ''],
  ]
  const rows: Row[] = []
  for (const [set, halves, floor] of sets) {
    for (const [name, embedder] of embedders) {
      const { value, detail } = await verify(halves, embedder)
      rows.push({
        name: `${set}: same person or not, ${name}`,
        value,
        floor: name === 'lite-embedder' ? floor : '',
        detail,
      })
    }
  }
  const people = await lfwPeople(detector)
  for (const [name, embedder] of embedders.slice(0, 2)) rows.push(...(await naming(name, embedder, people)))
  return rows
}

/** As `cpn predict` names people: how many of those enrolled get their names, and how many others get one. */
async function naming(name: string, embedder: Embedder, people: Person[]): Promise<Row[]> {
  const vectors = new Map<Raster, Float32Array>()
  for (const crop of people.flatMap(({ crops }) => crops)) if (crop) vectors.set(crop, await embedder.embed(crop))
  const all = people.map(({ name, crops }) => ({
    name,
    faces: crops.flatMap((crop) => (crop ? [vectors.get(crop)!] : [])),
  }))
  const { identification, margin } = (name === liteEmbedder.name ? liteEmbedder : mobilefacenet112).thresholds
  const options = { threshold: identification!, margin: margin! }
  const [right, wrong]: [number[][], number[][]] = [[], []]
  for (let split = 0; split < splits; split++) {
    const drawn = shuffled(all, seededRandom(split))
    const known = drawn.filter(({ faces }) => faces.length > 1).slice(0, enrolled)
    const matcher = new Matcher({
      model: name,
      people: known.map((person) => ({ name: person.name, count: person.faces.length - 1 })),
      vectors: joined(known.flatMap(({ faces }) => faces.slice(1))),
    })
    const personOn = (face: Float32Array) => matcher.match([face], options)[0]!.person
    const strangers = drawn.filter((person) => !known.includes(person)).flatMap(({ faces }) => faces.slice(0, 1))
    right.push(known.map((person) => (personOn(person.faces[0]!) === person.name ? 1 : 0)))
    wrong.push(strangers.map((face) => (personOn(face) === null ? 0 : 1)))
  }
  const detail = `${splits} seeded splits, all but one of their photos, mostly one; threshold ${identification}, margin ${margin}`
  return [
    { name: `lfw-a: ${enrolled} people enrolled, right name, ${name}`, value: meanShare(right), floor: '', detail },
    {
      name: `lfw-a: ${enrolled} people enrolled, strangers named, ${name}`,
      value: meanShare(wrong),
      floor: '',
      detail,
    },
  ]
}

async function open(file: string, manifest: ModelManifest): Promise<Embedder> {
  return arcface.create(await openSession(readFileSync(file), 1), manifest)
}

/** The colours of a face's sixteen squares, less that of the whole. */
const meanColours: Embedder = {
  async embed({ data }) {
    const sums = new Float32Array(4 * 4 * 3)
    const square = cropEdge / 4
    for (let i = 0; i < data.length; i++) {
      const pixel = Math.floor(i / 3)
      const [column, row] = [Math.floor((pixel % cropEdge) / square), Math.floor(pixel / cropEdge / square)]
      sums[(row * 4 + column) * 3 + (i % 3)]! += data[i]!
    }
    const mean = sums.reduce((sum, value) => sum + value, 0) / sums.length
    const centred = sums.map((value) => value - mean)
    const length = Math.hypot(...centred) || 1
    return centred.map((value) => value / length)
  },
}

/** How many pairs are judged rightly, each half by the threshold that suits the other. */
async function verify(halves: Halves, embedder: Embedder): Promise<Pick<Row, 'value' | 'detail'>> {
  const vectors = new Map<Raster, Float32Array>()
  const vectorOf = async (crop: Raster) => {
    const vector = vectors.get(crop) ?? (await embedder.embed(crop))
    vectors.set(crop, vector)
    return vector
  }
  const judge = async ({ crops: [first, second], same }: FacePair): Promise<Judged> => {
    if (!first || !second) return { similarity: -1, same }
    const [a, b] = [await vectorOf(first), await vectorOf(second)]
    return { similarity: a.reduce((sum, value, i) => sum + value * b[i]!, 0), same }
  }
  const judged: [Judged[], Judged[]] = [[], []]
  for (const half of [0, 1] as const) for (const pair of halves[half]) judged[half].push(await judge(pair))
  const thresholds = [bestThreshold(judged[1]), bestThreshold(judged[0])] as const
  const outcomes = ([0, 1] as const).flatMap((half) =>
    halves[half].map(({ group }, i) => ({ group, right: judgedRightly(judged[half][i]!, thresholds[half]) ? 1 : 0 })),
  )
  return {
    value: intervalOf(outcomes),
    detail: `thresholds ${thresholds.map((value) => value.toFixed(3)).join(' and ')}, each chosen on the other half of ${outcomes.length} pairs`,
  }
}

function intervalOf(outcomes: { group: string; right: number }[]): string {
  const groups = [...Map.groupBy(outcomes, ({ group }) => group).values()]
  const hits = outcomes.filter(({ right }) => right === 1).length
  if (groups.length === outcomes.length) return share(hits, outcomes.length)
  return meanShare(groups.map((group) => group.map(({ right }) => right)))
}

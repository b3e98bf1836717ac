// Naming faces by galleries of several sizes, beside a plain loop and onnxruntime; and grouping of many faces.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import * as ort from 'onnxruntime-node'
import { Matcher } from '../../src/matching/match.ts'
import { embeddingNear, randomEmbedding, seededRandom } from '../../test/helpers/embeddings.ts'
import { encodeOnnx } from '../../test/helpers/onnx-writer.ts'
import { type Ratio, type Report, type Row, ratio } from '../report.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 9)
const gallerySizes = [1_000, 10_000, 100_000]
const faceCounts = [1, 4, 16]
const groupedFaces = Number(process.env.CPN_BENCH_FACES ?? 100_000)
const options = { threshold: 0.4, margin: 0.05 }
/** A measurement takes as many repetitions as compare so many pairs, so that short ones are not lost in the clock. */
const pairsPerMeasurement = 400_000

/** Numbers of the rows that each face is most like. */
type Side = (faces: Float32Array[]) => Promise<number[]> | number[]

export async function measure(): Promise<Report> {
  const rows: Row[] = []
  const ratios: Ratio[] = []
  for (const size of gallerySizes) {
    const { sides, facesOf, release } = await gallery(size)
    for (const count of faceCounts) {
      const faces = facesOf(count)
      const measured = await measureSides(sides, faces, size)
      const where = `${size} embeddings, ${count} ${count === 1 ? 'face' : 'faces'}`
      for (const [what, values] of measured) rows.push({ what: `${what}, ${where}`, unit: 'ms per face', values })
      const [ours, , peer] = [...measured.values()] as [number[], number[], number[]]
      ratios.push(ratio(`time of the matcher / onnxruntime, ${where}`, ours, peer))
    }
    await release()
  }
  const { rows: grouping, note } = group()
  return {
    title: `matching on one core, and grouping of ${groupedFaces} faces`,
    rows: [...rows, ...grouping],
    ratios,
    notes: [
      'The matcher names the faces of one photo jointly (floor: 3 ms per face with 100000 embeddings); the others only compare and find the most similar. All found the same people.',
      note,
    ],
  }
}

async function gallery(size: number) {
  const random = seededRandom(size)
  const vectors = new Float32Array(size * 128)
  for (let row = 0; row < size; row++) vectors.set(randomEmbedding(random), row * 128)
  const people = Array.from({ length: size }, (_, row) => ({ name: `person ${row}`, count: 1 }))
  const matcher = new Matcher({ model: '0'.repeat(64), people, vectors })
  const session = await matMul(vectors)
  const sides = new Map<string, Side>([
    ['matcher', (faces) => matcher.match(faces, options).map(({ person }) => Number(person?.split(' ')[1]))],
    ['loop in JavaScript', (faces) => faces.map((face) => mostSimilar(loop(face, vectors)))],
    ['onnxruntime MatMul', (faces) => multiply(session, faces, size)],
  ])
  const facesOf = (count: number) =>
    Array.from({ length: count }, (_, i) => {
      const row = Math.floor(((i + 0.5) * size) / count)
      return embeddingNear(vectors.subarray(row * 128, (row + 1) * 128), 0.7, random)
    })
  return { sides, facesOf, release: () => session.release() }
}

/** Milliseconds per face of each round, by side. */
async function measureSides(sides: Map<string, Side>, faces: Float32Array[], size: number) {
  const repetitions = Math.max(1, Math.round(pairsPerMeasurement / (size * faces.length)))
  const measured = new Map<string, number[]>([...sides.keys()].map((what) => [what, []]))
  // The first round is for the compilers.
  for (let round = -1; round < rounds; round++) {
    const answers = new Set<string>()
    for (const [what, side] of sides) {
      const started = performance.now()
      for (let i = 1; i < repetitions; i++) await side(faces)
      const people = await side(faces)
      const ms = (performance.now() - started) / repetitions / faces.length
      if (round >= 0) measured.get(what)!.push(ms)
      answers.add(people.join())
    }
    if (answers.size > 1) throw new Error(`the sides do not agree: ${[...answers].join(' | ')}`)
  }
  return measured
}

function loop(face: Float32Array, vectors: Float32Array): Float32Array {
  const products = new Float32Array(vectors.length / 128)
  for (let row = 0; row < products.length; row++) {
    let sum = 0
    for (let i = 0; i < 128; i++) sum += face[i]! * vectors[row * 128 + i]!
    products[row] = sum
  }
  return products
}

function mostSimilar(products: Float32Array): number {
  let best = 0
  for (let row = 1; row < products.length; row++) if (products[row]! > products[best]!) best = row
  return best
}

/** A model that multiplies faces with the gallery, on one thread. */
async function matMul(vectors: Float32Array): Promise<ort.InferenceSession> {
  const size = vectors.length / 128
  const transposed = new Float32Array(vectors.length)
  for (let row = 0; row < size; row++) {
    for (let i = 0; i < 128; i++) transposed[i * size + row] = vectors[row * 128 + i]!
  }
  const bytes = encodeOnnx({
    nodes: [{ op: 'MatMul', inputs: ['faces', 'gallery'], outputs: ['products'] }],
    initializers: [{ name: 'gallery', dims: [128, size], data: transposed }],
    inputs: [{ name: 'faces', dims: ['count', 128] }],
    outputs: [{ name: 'products', dims: ['count', size] }],
  })
  return ort.InferenceSession.create(bytes, { intraOpNumThreads: 1, interOpNumThreads: 1 })
}

async function multiply(session: ort.InferenceSession, faces: Float32Array[], size: number): Promise<number[]> {
  const input = new Float32Array(faces.length * 128)
  for (const [i, face] of faces.entries()) input.set(face, i * 128)
  const { products } = await session.run({ faces: new ort.Tensor('float32', input, [faces.length, 128]) })
  const data = products!.data as Float32Array
  return faces.map((_, i) => mostSimilar(data.subarray(i * size, (i + 1) * size)))
}

function group(): { rows: Row[]; note: string } {
  const program = join(import.meta.dirname, '..', 'group-faces.ts')
  const printed = execFileSync(process.execPath, [program, String(groupedFaces)], { encoding: 'utf8' })
  const { seconds, cpuSeconds, peakMiB, people, found } = JSON.parse(printed) as Record<string, number>
  return {
    rows: [
      { what: `grouping ${groupedFaces} faces (floor ≤ 120)`, unit: 's', values: [seconds!] },
      { what: 'its processor time', unit: 's', values: [cpuSeconds!] },
      { what: 'its peak of memory (floor ≤ 2048)', unit: 'MiB', values: [peakMiB!] },
    ],
    note: `Grouping: synthetic faces of ${people} people, one with 3000 photos; ${found} groups, those left alone counted as one.`,
  }
}

import { readFileSync } from 'node:fs'
import type { Face } from '../../src/protocol/messages.ts'
import { facesPipeline, runFaces } from './faces.ts'
import { shared } from './shared.ts'

/** Two photos and whether they show the same person. */
export interface Pair {
  files: [string, string]
  same: boolean
}

/** The pairs of lfw-a/pairs.txt, first those of one person and then the others, fold by fold. */
export function lfwPairs(): Pair[] {
  const lines = readFileSync(shared('photos', 'lfw-a', 'pairs.txt'), 'utf8')
    .trim()
    .split('\n')
    .slice(1)
  return lines.map((line) => {
    const [name, first, second, third] = line.split('\t') as [string, string, string, string | undefined]
    if (third === undefined) return { files: [photo(name, first), photo(name, second)], same: true }
    return { files: [photo(name, first), photo(second, third)], same: false }
  })
}

function photo(name: string, number: string): string {
  return shared('photos', 'lfw-a', name, `${name}_${number.padStart(4, '0')}.jpg`)
}

export interface Verification {
  pairs: number
  /** Share of pairs that the threshold judges rightly. */
  accuracy: number
  samePersonMean: number
  differentPersonMean: number
}

/** Compares pairs by the cosine of the faces closest to the photos' middles, found by YuNet. */
export async function verify(pairs: Pair[], embedder: string, threshold: number): Promise<Verification> {
  const values = await similarities(pairs, embedder)
  const same = values.filter((_, i) => pairs[i]!.same)
  const different = values.filter((_, i) => !pairs[i]!.same)
  const right =
    same.filter((value) => value >= threshold).length + different.filter((value) => value < threshold).length
  return {
    pairs: pairs.length,
    accuracy: right / pairs.length,
    samePersonMean: mean(same),
    differentPersonMean: mean(different),
  }
}

/** The cosine of each pair. */
export async function similarities(pairs: Pair[], embedder: string): Promise<number[]> {
  const known = new Map<string, Float32Array>()
  const embeddingOf = async (file: string) => {
    const embedding = known.get(file) ?? (await embed(file, embedder))
    known.set(file, embedding)
    return embedding
  }
  const values: number[] = []
  for (const { files } of pairs) {
    const [first, second] = [await embeddingOf(files[0]), await embeddingOf(files[1])]
    values.push(first.reduce((sum, value, i) => sum + value * second[i]!, 0))
  }
  return values
}

/** Embedding of the face closest to the middle of a photo, empty where there is none. */
export async function embed(file: string, embedder: string): Promise<Float32Array> {
  const { answer, parts } = await runFaces(readFileSync(file), facesPipeline('yunet-s-dynamic', { embedder }))
  const vectors = new Float32Array(parts[0]!.slice().buffer)
  const middle = ({ box }: Face) =>
    Math.hypot(box[0] + box[2] / 2 - answer.width / 2, box[1] + box[3] / 2 - answer.height / 2)
  const nearest = answer.faces.reduce((best, face, i) => (middle(face) < middle(answer.faces[best]!) ? i : best), 0)
  return vectors.slice(nearest * 128, (nearest + 1) * 128)
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}

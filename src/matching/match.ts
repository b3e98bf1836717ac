import { assign, type Candidate } from './assign.ts'
import { closeCalls } from './close-calls.ts'
import { DotProducts, dotProduct, embeddingLength } from './dot-products.ts'
import type { Gallery } from './gallery.ts'

export interface MatchOptions {
  /** Lowest similarity that names a face. */
  threshold: number
  /** What a name has to be ahead of every other way to give the names of a photo. */
  margin: number
}

/** Who a face is. */
export interface Match {
  /** Null for strangers and close calls. */
  person: string | null
  /** To that person, four decimals. */
  similarity: number | null
  /** Close calls: whom the face may be, most similar first. */
  candidates?: { person: string; similarity: number }[]
}

/** Similarities count in steps of this, so that what is reported is what was compared. */
const step = 1e-4
/** As many candidates as somebody wants to choose from. */
const maxCandidates = 5

/** A person's rows: `count` photos and then, of several, their mean. */
interface Rows {
  name: string
  first: number
  count: number
}

/**
 * Names faces by a gallery, with the same results on every platform.
 *
 * How similar a face is to a person of several photos is the mean of two numbers: its similarity to the most similar
 * photo, and to the photos' mean direction. The first alone names more strangers with every photo, the second alone
 * forgets the one photo with a beard.
 */
export class Matcher {
  readonly #people: Rows[]
  readonly #products: DotProducts
  /** Number of the person that a row belongs to. */
  readonly #personOf: Uint32Array

  /** Copies what it needs: `gallery` is not kept. */
  constructor(gallery: Gallery) {
    let rows = 0
    this.#people = gallery.people.map(({ name, count }) => {
      const first = rows
      rows += count === 1 ? 1 : count + 1
      return { name, first, count }
    })
    this.#products = new DotProducts(rows)
    this.#personOf = new Uint32Array(rows)
    let at = 0
    for (const [person, { first, count }] of this.#people.entries()) {
      const photos = Array.from({ length: count }, () => {
        at += embeddingLength
        return gallery.vectors.subarray(at - embeddingLength, at)
      })
      const vectors = count === 1 ? photos : [...photos, meanDirection(photos)]
      for (const [i, vector] of vectors.entries()) {
        this.#products.set(first + i, vector)
        this.#personOf[first + i] = person
      }
    }
  }

  /**
   * Names the faces of one photo jointly: each face has one name at most, and each name one face.
   *
   * @param embeddings of the photo's faces, of length 1
   */
  match(embeddings: readonly Float32Array[], { threshold, margin }: MatchOptions): Match[] {
    const lowest = Math.round(threshold / step)
    const width = Math.round(margin / step)
    const candidates = this.#findCandidates(embeddings, lowest - width)
    const persons = assign(candidates, lowest)
    const calls = closeCalls(candidates, persons, lowest, width)
    return persons.map((person, face): Match => {
      const call = calls[face]!
      if (call.length > 0) {
        const list = call.slice(0, maxCandidates)
        return { person: null, similarity: null, candidates: list.map((candidate) => this.#describe(candidate)) }
      }
      const named = candidates[face]!.find((candidate) => candidate.person === person)
      return named ? this.#describe(named) : { person: null, similarity: null }
    })
  }

  #describe({ person, score }: Candidate): { person: string; similarity: number } {
    return { person: this.#people[person]!.name, similarity: score / Math.round(1 / step) }
  }

  /** Everybody whose similarity, in steps, is `lowest` or more, the most similar first, equals in the gallery's order. */
  #findCandidates(embeddings: readonly Float32Array[], lowest: number): Candidate[][] {
    // One of the two numbers that a similarity is the mean of is not below it; rounding takes less than a step.
    const found = embeddings.map(() => new Set<number>())
    this.#products.above(embeddings, (lowest - 1) * step, (face, row) => {
      found[face]!.add(this.#personOf[row]!)
    })
    return found.map((people, face) =>
      [...people]
        .map((person) => ({ person, score: this.#scoreOf(embeddings[face]!, this.#people[person]!) }))
        .filter(({ score }) => score >= lowest)
        .sort((a, b) => b.score - a.score || a.person - b.person),
    )
  }

  #scoreOf(face: Float32Array, { first, count }: Rows): number {
    let best = -1
    for (let row = first; row < first + count; row++) best = Math.max(best, this.#similarity(face, row))
    const mean = count === 1 ? best : this.#similarity(face, first + count)
    return Math.round((best + mean) / 2 / step)
  }

  #similarity(face: Float32Array, row: number): number {
    return dotProduct(face, this.#products.get(row))
  }
}

/** The mean of embeddings, of length 1. Math.hypot is not the same everywhere, a root is. */
function meanDirection(vectors: readonly Float32Array[]): Float32Array {
  const sum = new Float64Array(embeddingLength)
  for (const vector of vectors) for (let i = 0; i < embeddingLength; i++) sum[i]! += vector[i]!
  const length = Math.sqrt(sum.reduce((squares, value) => squares + value * value, 0)) || 1
  return Float32Array.from(sum, (value) => value / length)
}

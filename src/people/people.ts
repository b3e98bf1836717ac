import type { Gallery } from '../matching/gallery.ts'

/** A photo by which somebody is known. The photo itself stays where it is. */
export interface EnrolledPhoto {
  /** Name of the file it was enrolled from, or the group of a run. */
  source: string
  /** sha256 of the photo. */
  sha256: string
  /** Position of the face among those of the photo. */
  face: number
  /** ISO 8601, UTC. */
  added: string
  /** Shorter edge of the face's box in pixels of the photo. */
  facePixels: number
  /** 0..1 */
  sharpness: number
  /** Of the detector, 0..1. */
  score: number
  /** Of length 1. */
  embedding: Float32Array
}

export interface Person {
  name: string
  photos: EnrolledPhoto[]
}

/** Everybody who is enrolled. */
export interface People {
  /** Counts the changes. */
  version: number
  /** The model that made the embeddings; undefined while nobody is enrolled. */
  model: { name: string; version: string; sha256: string } | undefined
  /** By name. */
  people: Person[]
}

export const noPeople: People = { version: 0, model: undefined, people: [] }

/** What faces are matched with; undefined when nobody is enrolled. */
export function galleryOf({ model, people }: People): Gallery | undefined {
  const known = people.filter(({ photos }) => photos.length > 0)
  if (!model || known.length === 0) return undefined
  const vectors = known.flatMap(({ photos }) => photos.map(({ embedding }) => embedding))
  const all = new Float32Array(vectors.length * vectors[0]!.length)
  for (const [i, vector] of vectors.entries()) all.set(vector, i * vector.length)
  return {
    model: model.sha256,
    people: known.map(({ name, photos }) => ({ name, count: photos.length })),
    vectors: all,
  }
}

import { dotProduct } from '../matching/dot-products.ts'
import type { Face } from '../protocol/messages.ts'
import type { EnrolledPhoto, Person } from './people.ts'

/** What a photo shows, as a node has seen it. */
export interface SeenPhoto {
  /** For people: the file's name. */
  source: string
  sha256: string
  faces: (Face & { embedding: Float32Array })[]
}

export interface EnrolmentLimits {
  /** Cosine from which two faces may be of one person. */
  likeness: number
}

/** A face of fewer pixels, or a softer one, names others wrongly. */
const leastPixels = 40
const leastSharpness = 0.012
/** A second face that is so much smaller is somebody in the background. */
const background = 0.35

/** Whether a face is large and sharp enough to say who it is. */
export const isClear = (face: Face): boolean => pixels(face) >= leastPixels && (face.sharpness ?? 0) >= leastSharpness

export type Judgement = { photo: EnrolledPhoto } | { refused: string; forcible: boolean }

/**
 * Whether a photo shows one person well enough, and nobody else.
 * @param own who is enrolled by that name already, with the photos taken before this one
 * @param force takes the largest face whatever speaks against it
 */
export function judgePhoto(
  seen: SeenPhoto,
  own: Person | undefined,
  others: readonly Person[],
  limits: EnrolmentLimits,
  force: boolean,
): Judgement {
  const [index, second] = seen.faces
    .keys()
    .toArray()
    .sort((a, b) => pixels(seen.faces[b]!) - pixels(seen.faces[a]!))
  if (index === undefined) return { refused: 'no face was found', forcible: false }
  const face = seen.faces[index]!
  const rival = second === undefined ? 0 : pixels(seen.faces[second]!) / pixels(face)
  const fault = rival > background ? `it shows ${seen.faces.length} faces` : undefined
  return judgeFace(enrolled(seen, index), own, others, limits, force, fault)
}

/**
 * Whether a face is clear enough, and that of the person.
 * @param fault what speaks against it already
 */
export function judgeFace(
  photo: EnrolledPhoto,
  own: Person | undefined,
  others: readonly Person[],
  { likeness }: EnrolmentLimits,
  force: boolean,
  fault?: string,
): Judgement {
  if (own?.photos.some(({ sha256, face }) => sha256 === photo.sha256 && face === photo.face)) {
    return { refused: 'it is enrolled already', forcible: false }
  }
  if (force) return { photo }
  const found =
    fault ??
    (photo.facePixels < leastPixels ? `the face is small: ${photo.facePixels} of ${leastPixels} pixels` : undefined) ??
    (photo.sharpness < leastSharpness
      ? `the face is blurred (sharpness ${photo.sharpness} of ${leastSharpness})`
      : undefined) ??
    faultOfLikeness(photo.embedding, own, others, likeness)
  return found === undefined ? { photo } : { refused: found, forcible: true }
}

function faultOfLikeness(
  embedding: Float32Array,
  own: Person | undefined,
  others: readonly Person[],
  likeness: number,
): string | undefined {
  const mine = own ? likenessTo(own, embedding) : undefined
  const nearest = others
    .map((person) => ({ name: person.name, similarity: likenessTo(person, embedding) }))
    .reduce<{ name: string; similarity: number } | undefined>(
      (best, next) => (best && best.similarity >= next.similarity ? best : next),
      undefined,
    )
  if (nearest && nearest.similarity >= likeness && nearest.similarity > (mine ?? -1)) {
    return `it looks like ${nearest.name} (${nearest.similarity.toFixed(2)})`
  }
  if (mine !== undefined && mine < likeness)
    return `it does not look like the others of ${own!.name} (${mine.toFixed(2)})`
  return undefined
}

/** Cosine to the most similar photo of a person. */
export function likenessTo({ photos }: Person, embedding: Float32Array): number {
  return Math.max(-1, ...photos.map((photo) => dotProduct(photo.embedding, embedding)))
}

const pixels = ({ box: [, , width, height] }: Face) => Math.min(width, height)

/** A photo as it is kept for somebody who is on it. */
export function enrolled({ source, sha256, faces }: SeenPhoto, index: number): EnrolledPhoto {
  const face = faces[index]!
  return {
    source,
    sha256,
    face: index,
    added: new Date().toISOString(),
    facePixels: Math.round(pixels(face)),
    sharpness: face.sharpness ?? 0,
    score: face.score,
    embedding: face.embedding,
  }
}

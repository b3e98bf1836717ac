import { sha256 } from '../../src/common/digest.ts'
import type { EnrolledPhoto, People, Person } from '../../src/people/people.ts'
import { randomEmbedding, seededRandom } from './embeddings.ts'
import { model } from './faces.ts'

const random = seededRandom(11)

/** A photo by which somebody is enrolled. */
export function enrolledPhoto(name: string, embedding = randomEmbedding(random)): EnrolledPhoto {
  return {
    source: `${name}.jpg`,
    sha256: sha256(name),
    face: 0,
    added: '2026-01-02T03:04:05.000Z',
    facePixels: 80,
    sharpness: 0.03,
    score: 0.9,
    embedding,
  }
}

export function person(name: string, ...embeddings: Float32Array[]): Person {
  const vectors = embeddings.length > 0 ? embeddings : [undefined]
  return { name, photos: vectors.map((vector, i) => enrolledPhoto(`${name}-${i}`, vector)) }
}

/** These people, as cpn's own embedder sees them. */
export function peopleOf(...people: Person[]): People {
  const { name, version, sha256 } = model('mobilefacenet-112')
  return { version: 1, model: { name, version, sha256 }, people: people.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

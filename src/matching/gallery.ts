import { createHash } from 'node:crypto'
import * as z from 'zod'
import { sha256 } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import { decodeFrame, encodeFrame } from '../protocol/framing.ts'
import { sha256Schema } from '../protocol/model.ts'
import { embeddingLength } from './dot-products.ts'
import { personNameSchema } from './person-name.ts'
import { isUnit } from './unit-length.ts'

/** Enrolled people and their faces, as one embedding model sees them. */
export interface Gallery {
  /** sha256 of the embedding model: no other model's embeddings compare with these. */
  model: string
  /** Each with the number of embeddings that are theirs, at least one. */
  people: { name: string; count: number }[]
  /** All of people[0], then people[1], …, each {@link embeddingLength} numbers and of length 1. */
  vectors: Float32Array
}

const headSchema = z.object({
  format: z.literal('cpn-gallery-1'),
  model: sha256Schema,
  people: z.array(z.object({ name: personNameSchema, count: z.number().int().positive() })),
})

const lengthBytes = 4
const digestBytes = 32

/**
 * A gallery as bytes: length of the JSON (uint32), JSON, embeddings (float32), sha256 of all that; little endian. People
 * are ordered by name, so that equal galleries are equal bytes. Throws RangeError for what is no gallery.
 */
export function encodeGallery(gallery: Gallery): Buffer {
  const { model, people, vectors } = ordered(gallery)
  const head = { format: 'cpn-gallery-1', model, people }
  const reason = headSchema.safeParse(head).error?.message ?? whatIsWrong({ model, people, vectors })
  if (reason) throw new RangeError(`this is no gallery: ${reason}`)
  const { body, jsonBytes } = encodeFrame(head, [bytesOf(vectors)])
  const length = Buffer.alloc(lengthBytes)
  length.writeUInt32LE(jsonBytes)
  const bytes = Buffer.concat([length, ...body, Buffer.alloc(digestBytes)])
  digestOf(bytes).copy(bytes, bytes.length - digestBytes)
  return bytes
}

/** Reads what {@link encodeGallery} made; throws CPN_ERR_GALLERY_DAMAGED for anything else. */
export function decodeGallery(bytes: Buffer): Gallery {
  if (bytes.length < lengthBytes + digestBytes) throw damaged('it is cut off')
  if (!digestOf(bytes).equals(bytes.subarray(-digestBytes))) throw damaged('its bytes are not those that were written')
  const gallery = parse(bytes)
  const reason = whatIsWrong(gallery)
  if (reason) throw damaged(reason)
  return gallery
}

/** The name of a gallery's content: sha256 (hex) of its bytes. */
export function galleryDigest(bytes: Uint8Array): string {
  return sha256(bytes)
}

function ordered({ model, people, vectors }: Gallery): Gallery {
  let end = 0
  const parts = people.map(({ name, count }) => {
    const start = end
    end += count * embeddingLength
    return { name, count, vectors: vectors.subarray(start, end) }
  })
  parts.sort((a, b) => (a.name < b.name ? -1 : 1))
  const sorted = new Float32Array(vectors.length)
  let at = 0
  for (const part of parts) {
    sorted.set(part.vectors, at)
    at += part.vectors.length
  }
  return { model, people: parts.map(({ name, count }) => ({ name, count })), vectors: sorted }
}

function parse(bytes: Buffer): Gallery {
  const { json, raw } = framed(bytes.subarray(lengthBytes, -digestBytes), bytes.readUInt32LE())
  const head = headSchema.safeParse(json)
  if (!head.success) throw damaged(z.prettifyError(head.error))
  if (raw.length % 4 !== 0) throw damaged('its embeddings are cut off')
  // A copy: what comes over a wire does not lie on a multiple of four.
  const vectors = new Float32Array(raw.length / 4)
  raw.copy(bytesOf(vectors))
  const { model, people } = head.data
  return { model, people, vectors }
}

function framed(body: Buffer, jsonBytes: number): { json: unknown; raw: Buffer } {
  try {
    return decodeFrame(body, jsonBytes)
  } catch (cause) {
    throw damaged('its head does not parse', cause)
  }
}

function whatIsWrong({ people, vectors }: Gallery): string | undefined {
  const unordered = people.find(({ name }, i) => i > 0 && people[i - 1]!.name >= name)
  if (unordered) return `${unordered.name} is there twice or out of order`
  const rows = people.reduce((sum, { count }) => sum + count, 0)
  if (vectors.length !== rows * embeddingLength) {
    return `${vectors.length} numbers are not ${rows} embeddings of ${embeddingLength}`
  }
  for (let row = 0; row < rows; row++) {
    const embedding = vectors.subarray(row * embeddingLength, (row + 1) * embeddingLength)
    if (!isUnit(embedding)) return `embedding ${row} is not of length 1`
  }
  return undefined
}

/** The same memory; every platform that cpn runs on is little endian. */
function bytesOf(vectors: Float32Array): Buffer {
  return Buffer.from(vectors.buffer, vectors.byteOffset, vectors.byteLength)
}

function digestOf(bytes: Buffer): Buffer {
  return createHash('sha256').update(bytes.subarray(0, -digestBytes)).digest()
}

function damaged(reason: string, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_GALLERY_DAMAGED', `the gallery cannot be used: ${reason}`, {
    cause,
    suggestions: ['Import the gallery from an export that is whole, or enrol its people again.'],
  })
}

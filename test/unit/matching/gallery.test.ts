import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { test } from 'node:test'
import { decodeGallery, encodeGallery, type Gallery, galleryDigest } from '../../../src/matching/gallery.ts'
import { joined, randomEmbedding, seededRandom } from '../../helpers/embeddings.ts'

const model = 'e0'.repeat(32)
const random = seededRandom(1)
const [anna, eva, mother] = [randomEmbedding(random), randomEmbedding(random), randomEmbedding(random)]
const gallery: Gallery = {
  model,
  people: [
    { name: 'Zoë Ångström', count: 1 },
    { name: 'أمي', count: 2 },
    { name: '小林 さくら', count: 1 },
  ],
  vectors: joined([anna, mother, eva, mother]),
}

test('a gallery comes back as it was, names in any script', () => {
  assert.deepEqual(decodeGallery(encodeGallery(gallery)), gallery)
  const nobody = { model, people: [], vectors: new Float32Array() }
  assert.deepEqual(decodeGallery(encodeGallery(nobody)), nobody)
})

test('equal galleries are equal bytes, whatever order people came in', () => {
  const people = [gallery.people[1]!, gallery.people[2]!, gallery.people[0]!]
  const other = { model, people, vectors: joined([mother, eva, mother, anna]) }
  assert.deepEqual(encodeGallery(other), encodeGallery(gallery))
  assert.equal(galleryDigest(encodeGallery(other)), galleryDigest(encodeGallery(gallery)))
  const swapped = { model, people: gallery.people, vectors: joined([anna, eva, mother, mother]) }
  assert.notEqual(galleryDigest(encodeGallery(swapped)), galleryDigest(encodeGallery(gallery)))
})

test('bytes at any place of a buffer are read', () => {
  const bytes = encodeGallery(gallery)
  assert.deepEqual(decodeGallery(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)), gallery)
})

test('any damaged byte and any missing one is noticed', () => {
  const bytes = encodeGallery(gallery)
  for (let at = 0; at < bytes.length; at += 7) {
    const damaged = Buffer.from(bytes)
    damaged[at]! ^= 0x10
    assert.throws(() => decodeGallery(damaged), { code: 'CPN_ERR_GALLERY_DAMAGED', exitCode: 6 })
  }
  for (const length of [0, 1, 35, 36, 100, bytes.length - 1]) {
    assert.throws(() => decodeGallery(bytes.subarray(0, length)), { code: 'CPN_ERR_GALLERY_DAMAGED' })
  }
})

test('bytes with the right digest and a wrong content are refused with the reason', () => {
  const head = { format: 'cpn-gallery-1', model, people: [{ name: 'Anna', count: 1 }] }
  const refused = (json: unknown, floats: Float32Array, reason: RegExp, jsonBytes?: number) => {
    assert.throws(() => decodeGallery(sealed(json, floats, jsonBytes)), {
      code: 'CPN_ERR_GALLERY_DAMAGED',
      message: reason,
    })
  }
  assert.equal(decodeGallery(sealed(head, anna)).people[0]!.name, 'Anna')
  refused({ ...head, format: 'cpn-gallery-9' }, anna, /cpn-gallery-1/)
  refused({ ...head, model: 'x' }, anna, /model/)
  refused({ ...head, people: [{ name: '../Anna', count: 1 }] }, anna, /has a \//)
  refused({ ...head, people: [{ name: 'Anna', count: 0 }] }, new Float32Array(), /count/)
  refused({ ...head, people: [head.people[0], head.people[0]] }, joined([anna, eva]), /Anna is there twice/)
  refused(head, joined([anna, eva]), /256 numbers are not 1 embeddings of 128/)
  refused(head, new Float32Array(128), /embedding 0 is not of length 1/)
  refused(head, new Float32Array(128).fill(Number.NaN), /embedding 0 is not of length 1/)
  refused(head, anna, /head/, 2 ** 31)
  refused(head, anna, /head/, 5)
})

test('what is no gallery is not written', () => {
  const twice = [gallery.people[0]!, gallery.people[0]!]
  assert.throws(() => encodeGallery({ model, people: twice, vectors: joined([anna, eva]) }), RangeError)
  assert.throws(() => encodeGallery({ model, people: gallery.people, vectors: anna }), RangeError)
  const bell = [{ name: 'Anna\u0007', count: 1 }]
  assert.throws(() => encodeGallery({ model, people: bell, vectors: anna }), RangeError)
})

/** Bytes with a digest that fits them. */
function sealed(json: unknown, floats: Float32Array, jsonBytes?: number): Buffer {
  const head = Buffer.from(JSON.stringify(json))
  const length = Buffer.alloc(4)
  length.writeUInt32LE(jsonBytes ?? head.length)
  const content = Buffer.concat([length, head, Buffer.from(floats.buffer, floats.byteOffset, floats.byteLength)])
  return Buffer.concat([content, createHash('sha256').update(content).digest()])
}

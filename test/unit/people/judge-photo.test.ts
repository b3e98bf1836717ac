import assert from 'node:assert/strict'
import { test } from 'node:test'
import { judgePhoto, type SeenPhoto } from '../../../src/people/judge-photo.ts'
import { embeddingNear, randomEmbedding, seededRandom } from '../../helpers/embeddings.ts'
import { person } from '../../helpers/people.ts'

const random = seededRandom(5)
const limits = { likeness: 0.3 }
const anna = randomEmbedding(random)
const eva = randomEmbedding(random)

type SeenFace = SeenPhoto['faces'][number]
const face = (size: number, change: Partial<SeenFace> = {}): SeenFace => ({
  box: [10, 10, size, size + 10],
  score: 0.9,
  keypoints: null,
  sharpness: 0.03,
  embedding: embeddingNear(anna, 0.8, random),
  ...change,
})
const seen = (...faces: SeenFace[]): SeenPhoto => ({ source: 'a.jpg', sha256: 'a'.repeat(64), faces })

test('a photo of one person is taken, with the face as it was seen', () => {
  const photo = seen(face(80))
  const judgement = judgePhoto(photo, person('Anna', anna), [person('Eva', eva)], limits, false)
  assert.ok('photo' in judgement)
  const { added, ...rest } = judgement.photo
  const { embedding } = photo.faces[0]!
  const wanted = { source: 'a.jpg', sha256: 'a'.repeat(64), face: 0, facePixels: 80, sharpness: 0.03, score: 0.9 }
  assert.deepEqual(rest, { ...wanted, embedding })
  assert.ok(!Number.isNaN(Date.parse(added)))
})

test('what would name people wrongly is refused with its reason, and taken when that is forced', () => {
  const own = person('Anna', anna)
  const others = [person('Eva', eva), person('Zoë', randomEmbedding(random))]
  for (const [photo, reason, known = own] of [
    [seen(face(80), face(60)), /^it shows 2 faces$/],
    [seen(face(39)), /^the face is small: 39 of 40 pixels$/],
    [seen(face(80, { sharpness: 0.011 })), /^the face is blurred \(sharpness 0.011 of 0.012\)$/],
    [seen(face(80, { embedding: embeddingNear(eva, 0.6, random) })), /^it looks like Eva \(0\.60\)$/],
    [seen(face(80, { embedding: embeddingNear(eva, 0.31, random) })), /^it looks like Eva \(0\.31\)$/, undefined],
    [seen(face(80, { embedding: randomEmbedding(seededRandom(99)) })), /^it does not look like the others of Anna/],
    // The first of several reasons.
    [seen(face(20), face(19)), /^it shows 2 faces$/],
    [seen(face(20, { sharpness: 0 })), /^the face is small/],
  ] as [SeenPhoto, RegExp, typeof own?][]) {
    const judgement = judgePhoto(photo, known, others, limits, false)
    assert.ok('refused' in judgement && judgement.forcible)
    assert.match(judgement.refused, reason)
    assert.ok('photo' in judgePhoto(photo, known, others, limits, true), String(reason))
  }
})

test('no force takes a photo without a face, or one that is enrolled already', () => {
  const none = { refused: 'no face was found', forcible: false }
  assert.deepEqual(judgePhoto(seen(), undefined, [], limits, true), none)
  const first = judgePhoto(seen(face(80)), undefined, [], limits, false)
  assert.ok('photo' in first)
  const own = { name: 'Anna', photos: [first.photo] }
  const again = { refused: 'it is enrolled already', forcible: false }
  assert.deepEqual(judgePhoto(seen(face(80)), own, [], limits, true), again)
})

test('the largest face counts, wherever it stands, and somebody in the background does not', () => {
  const large = face(100)
  const judgement = judgePhoto(seen(face(34), large, face(10)), undefined, [], limits, false)
  assert.ok('photo' in judgement)
  assert.deepEqual([judgement.photo.face, judgement.photo.embedding], [1, large.embedding])
  const forced = judgePhoto(seen(face(99), large), undefined, [], limits, true)
  assert.ok('photo' in forced && forced.photo.face === 1)
})

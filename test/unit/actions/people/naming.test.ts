import assert from 'node:assert/strict'
import { test } from 'node:test'
import { namingOf, thresholdFor } from '../../../../src/actions/people/naming.ts'
import { galleryDigest } from '../../../../src/matching/gallery.ts'
import { noPeople } from '../../../../src/people/people.ts'
import { embeddingNear, randomEmbedding, seededRandom } from '../../../helpers/embeddings.ts'
import { model } from '../../../helpers/faces.ts'
import { peopleOf, person } from '../../../helpers/people.ts'

const embedder = model('mobilefacenet-112')
const random = seededRandom(3)
const anna = randomEmbedding(random)
const people = peopleOf(person('Anna', anna), person('Eva', randomEmbedding(random)))

function told() {
  const notices: string[] = []
  return { notices, notice: (text: string) => void notices.push(text) }
}

test('who is enrolled is named, by the thresholds of the model or the one that was asked for', () => {
  const ctx = told()
  const naming = namingOf(people, embedder, undefined, ctx)!
  const { identification, margin } = embedder.thresholds
  assert.deepEqual(naming.matching, { gallery: galleryDigest(naming.gallery), threshold: identification, margin })
  const face = embeddingNear(anna, 0.7, random)
  assert.deepEqual(naming.match([face]), [{ person: 'Anna', similarity: 0.7 }])
  const strict = namingOf(people, embedder, 0.75, ctx)!
  assert.deepEqual(strict.match([face])[0]?.person, null)
  assert.notDeepEqual(strict.matching, naming.matching)
  assert.deepEqual(ctx.notices, [])
})

test('where nobody is enrolled nobody is named, and nothing is told of it', () => {
  const ctx = told()
  assert.equal(namingOf(noPeople, embedder, undefined, ctx), undefined)
  assert.equal(namingOf({ ...people, people: [{ name: 'Anna', photos: [] }] }, embedder, undefined, ctx), undefined)
  assert.deepEqual(ctx.notices, [])
})

test('people of another model name nobody, and that is told', () => {
  const ctx = told()
  const other = { ...people, model: { name: 'sface', version: '1', sha256: 'b'.repeat(64) } }
  assert.equal(namingOf(other, embedder, undefined, ctx), undefined)
  assert.deepEqual(ctx.notices, [
    'nobody gets a name: people are enrolled with sface@1, and faces are embedded with mobilefacenet-112@1\n' +
      '  → Go back to the model they were enrolled with, or remove them and enrol them again.',
  ])
})

test('the threshold is that of the model for a family, and grows with the number of people', () => {
  assert.deepEqual(
    [1, 5, 70].map((people) => thresholdFor(people, 0.4)),
    [0.4, 0.4, 0.4],
  )
  assert.deepEqual(
    [200, 700, 7000].map((people) => thresholdFor(people, 0.4)),
    [0.43, 0.465, 0.53],
  )
})

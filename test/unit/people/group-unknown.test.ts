import assert from 'node:assert/strict'
import { join } from 'node:path'
import { test } from 'node:test'
import { groupedWith, groupUnknown } from '../../../src/people/group-unknown.ts'
import { type GroupLedger, openGroupLedger } from '../../../src/runs/group-ledger.ts'
import { encodeRecord } from '../../../src/runs/job-record.ts'
import { type Ledger, openLedger, type Run } from '../../../src/runs/ledger.ts'
import { embeddingNear, randomEmbedding, seededRandom } from '../../helpers/embeddings.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const options = { threshold: 0.5 }
const face = { box: [0, 0, 80, 90] as [number, number, number, number], score: 0.9, keypoints: null, sharpness: 0.04 }

/** A run with photos of one face each; of each person the faces are alike. */
class FacesRun implements Disposable {
  readonly #folder = tempFolder()
  readonly ledger: Ledger = openLedger(join(this.#folder.path, 'ledger.db'))
  readonly groups: GroupLedger = openGroupLedger(join(this.#folder.path, 'ledger.db'))
  readonly run: Run = this.ledger.beginRun({ out: '/out', options: { paths: ['/in'] }, pipelineDigest: 'p' })
  readonly #random = seededRandom(3)
  readonly #people = new Map<string, Float32Array>()
  #photos = 0

  /** @returns the photo's digest */
  add(person: string, about: Partial<typeof face & { person: string }> = {}, embedding?: Float32Array): string {
    const middle = this.#people.getOrInsertComputed(person, () => randomEmbedding(this.#random))
    const job = `${person}-${++this.#photos}`
    const name = `${job}.jpg`
    const record = encodeRecord({
      width: 640,
      height: 480,
      faces: [{ ...face, ...about }],
      embeddings: [embedding ?? embeddingNear(middle, 0.85, this.#random)],
    })
    this.ledger.commit(this.run, [
      { kind: 'found', inputs: [{ name, source: `/in/${name}`, bytes: 1, mtimeMs: 1, ctimeMs: 1, ino: 1 }] },
      { kind: 'job', job, state: 'done', ...record },
      { kind: 'input', seq: this.#photos, state: 'done', job },
    ])
    return job
  }

  name(job: string, person: string | null, forget?: number[]): void {
    const named = { ...face, person, similarity: person === null ? null : 0.9 }
    this.ledger.commit(this.run, [{ kind: 'named', job, faces: [named], ...(forget ? { forget } : {}) }])
  }

  /** The photo was inferred again and shows somebody else. */
  replace(job: string, person: string): void {
    const embeddings = [embeddingNear(this.#people.get(person)!, 0.85, this.#random)]
    const record = encodeRecord({ width: 640, height: 480, faces: [face], embeddings })
    this.ledger.commit(this.run, [{ kind: 'job', job, state: 'done', ...record }])
  }

  /** Photos whose faces are known to be like that photo's. */
  linked(job: string): string[] {
    const links = this.groups.links(this.run.id, groupedWith(options))
    if (!links) return []
    const { counts, others, most } = links.neighbours
    const number = links.faces.findIndex((known) => known.job === job)
    return Array.from({ length: counts[number] ?? 0 }, (_, i) => links.faces[others[number * most + i]!]!.job).sort()
  }

  /** Groups by number: whose photos they have. */
  grouped(): Record<number, string> {
    groupUnknown(this.groups, this.run, options)
    const all = this.groups.groups(this.run.id)
    return Object.fromEntries(
      all.map(({ number, faces }) => [
        number,
        faces
          .map(({ job }) => job)
          .sort()
          .join(' '),
      ]),
    )
  }

  [Symbol.dispose](): void {
    this.groups[Symbol.dispose]()
    this.ledger[Symbol.dispose]()
    this.#folder[Symbol.dispose]()
  }
}

test('faces without a name are grouped; small, soft and forgotten ones, and those of photos that are gone, are not', () => {
  using photos = new FacesRun()
  for (const person of ['a', 'a', 'b', 'b', 'b', 'c']) photos.add(person)
  photos.add('a', { person: 'Ada' })
  photos.add('b', { box: [0, 0, 80, 30] })
  photos.add('b', { sharpness: 0.005 })
  photos.add('b', {}, new Float32Array(128))
  photos.add('b')
  photos.ledger.commit(photos.run, [{ kind: 'dropped', seq: 11 }])
  assert.deepEqual(photos.grouped(), { 1: 'b-3 b-4 b-5', 2: 'a-1 a-2' })
})

test('groups keep their numbers when people are named and photos come, and are due again after each', () => {
  using photos = new FacesRun()
  const jobs = ['a', 'a', 'a', 'b', 'b', 'c', 'c'].map((person) => photos.add(person))
  assert.equal(photos.groups.groupedBy(photos.run.id), null)
  assert.deepEqual(photos.grouped(), { 1: 'a-1 a-2 a-3', 2: 'b-4 b-5', 3: 'c-6 c-7' })
  assert.equal(photos.groups.groupedBy(photos.run.id), groupedWith(options))

  for (const job of jobs.slice(0, 3)) photos.name(job, 'Ada')
  assert.equal(photos.groups.groupedBy(photos.run.id), null)
  assert.deepEqual(photos.grouped(), { 2: 'b-4 b-5', 3: 'c-6 c-7' })

  for (const person of ['c', 'c', 'd', 'd']) photos.add(person)
  assert.equal(photos.groups.groupedBy(photos.run.id), null)
  // The largest group that is new gets a number that none had.
  assert.deepEqual(photos.grouped(), { 2: 'b-4 b-5', 3: 'c-6 c-7 c-8 c-9', 4: 'd-10 d-11' })
})

test('what was merged by hand is not made anew, and loses only faces that got a name', () => {
  using photos = new FacesRun()
  for (const person of ['a', 'a', 'a', 'b', 'b', 'c', 'c']) photos.add(person)
  photos.grouped()
  const [a, b, c] = photos.groups.groups(photos.run.id)
  const merged = { number: a!.number, byHand: true, faces: [...a!.faces, ...b!.faces] }
  photos.groups.setGroups(photos.run, [merged, c!], groupedWith(options))
  photos.add('a')
  photos.add('c')
  photos.name('b-4', 'Bea')
  assert.deepEqual(photos.grouped(), { 1: 'a-1 a-2 a-3 b-5', 3: 'c-6 c-7 c-9' })
})

test('who is like whom is kept without those who got a name, and found again for those who lost it', () => {
  using photos = new FacesRun()
  for (const person of ['a', 'a', 'a', 'b', 'b']) photos.add(person)
  photos.grouped()
  assert.deepEqual(photos.linked('a-1'), ['a-2', 'a-3'])

  photos.name('a-2', 'Ada')
  assert.deepEqual(photos.grouped(), { 1: 'a-1 a-3', 2: 'b-4 b-5' })
  assert.deepEqual(photos.linked('a-1'), ['a-3'])

  photos.name('a-2', null)
  photos.add('b')
  assert.deepEqual(photos.grouped(), { 1: 'a-1 a-2 a-3', 2: 'b-4 b-5 b-6' })
  assert.deepEqual(photos.linked('a-1'), ['a-2', 'a-3'])
})

test('a photo that was inferred again is compared again', () => {
  using photos = new FacesRun()
  for (const person of ['a', 'a', 'a', 'b', 'b']) photos.add(person)
  photos.grouped()
  photos.replace('a-3', 'b')
  assert.deepEqual(photos.grouped(), { 1: 'a-1 a-2', 2: 'a-3 b-4 b-5' })
})

test('nothing is kept of whom a forgotten face was like', () => {
  using photos = new FacesRun()
  for (const person of ['a', 'a', 'a']) photos.add(person)
  photos.grouped()
  photos.name('a-1', null, [0])
  assert.deepEqual(photos.linked('a-2'), [])
  assert.deepEqual(photos.grouped(), { 1: 'a-2 a-3' })
  assert.deepEqual(photos.linked('a-2'), ['a-3'])
})

test('a master whose run was resumed by another one changes no group', () => {
  using photos = new FacesRun()
  photos.add('a')
  photos.ledger.beginRun({ out: '/out', options: { paths: ['/in'] }, pipelineDigest: 'p' })
  assert.throws(() => photos.grouped(), { code: 'CPN_ERR_STALE_EPOCH' })
})

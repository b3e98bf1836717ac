import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { People, Person } from '../../../src/people/people.ts'
import { faceTraces, nowCalled, photosOf, wantedTraces, withoutWanted } from '../../../src/people/wanted-traces.ts'
import { towards } from '../../helpers/embeddings.ts'
import { peopleOf, person } from '../../helpers/people.ts'

const other = { name: 'sface', version: '1', sha256: 'b'.repeat(64) }
const anna = person('Anna', towards(1))
const eva = person('Eva', towards(0, 1))
const called = (name: string, { photos }: Person): Person => ({ name, photos })
const { sha256: model } = peopleOf(anna).model!
const face = (name?: string | null) => ({ box: [0, 0, 9, 9] as const, score: 1, keypoints: [], person: name }) as never

test('somebody is found in older galleries under all their names, for each model with its own photos', () => {
  const ofOther: People = { ...peopleOf(person('anna', towards(0, 0, 1)), eva), model: other }
  const now = peopleOf(called('Annette', anna), eva)
  const wanted = wantedTraces('ANNETTE', now, [ofOther, peopleOf(called('Ann', anna), eva)])
  assert.deepEqual([...wanted.names.values()], ['Annette', 'Ann'])
  assert.deepEqual([...wanted.others], ['eva', 'anna'])
  assert.deepEqual([photosOf(wanted, model).length, photosOf(wanted, other.sha256).length], [1, 0])
  const removed = wantedTraces('Anna', peopleOf(eva), [ofOther, peopleOf(anna)])
  assert.deepEqual([photosOf(removed, model).length, photosOf(removed, other.sha256).length], [1, 1])
})

test('photos that are somebody else by now are not theirs, and it is told who that is', () => {
  const now = peopleOf(called('Annette', anna), eva)
  const kept = [peopleOf(anna)]
  assert.deepEqual(wantedTraces('Anna', now, kept).galleries, [])
  assert.deepEqual([nowCalled('Anna', now, kept), nowCalled('Ida', now, kept)], ['Annette', undefined])
})

test('somebody is taken out of a gallery by photos and not by name, and others stay as they are', () => {
  const wanted = wantedTraces('Anna', peopleOf(anna, eva), [])
  const merged = { name: 'Ida', photos: [...eva.photos, ...anna.photos] }
  assert.deepEqual(withoutWanted(peopleOf(merged), wanted).people, [called('Ida', eva)])
  const namesake = peopleOf(called('Anna', eva))
  assert.equal(withoutWanted(namesake, wanted), namesake)
  assert.equal(withoutWanted(peopleOf(anna), wanted).model, undefined)
})

test('faces are theirs by name, or by looks where nobody else has them, and only by photos of the same model', () => {
  const ida = person('Ida', towards(0.6))
  const wanted = wantedTraces('Anna', peopleOf(anna, eva), [peopleOf(ida)])
  const traces = faceTraces(wanted, model, 0.5)
  const isTheirs = (name: string | null | undefined, embedding: Float32Array) => traces.isTheirs(face(name), embedding)
  assert.ok(isTheirs('Anna', towards(0, 0, 1)))
  assert.ok(isTheirs(null, towards(0.6)) && isTheirs('Somebody', towards(0.6)))
  assert.ok(!isTheirs(null, towards(0.4)))
  assert.ok(!isTheirs('Eva', towards(0.6)) && !isTheirs('Ida', towards(0.6)), 'others who are or were enrolled')
  const ofOther = faceTraces(wanted, other.sha256, 0.5)
  assert.ok(!ofOther.isTheirs(face(null), towards(1)) && ofOther.isTheirs(face('Anna'), towards(0, 1)))
})

test('a face keeps what says nothing of them: its own name, and others who it may be', () => {
  const traces = faceTraces(wantedTraces('Anna', peopleOf(anna, eva), []), model, 0.5)
  const candidates = (...names: string[]) => names.map((person) => ({ person, similarity: 0.4 }))
  const named = { ...(face('Eva') as object), similarity: 0.7 } as never
  assert.deepEqual(traces.without(named, towards(0.1)), named)
  assert.deepEqual(traces.without(face(null), towards(0.1)), face(null))
  const close = { ...(face(null) as object), candidates: candidates('Anna', 'Eva') } as never
  assert.ok(traces.concerns(close, towards(0.1)) && !traces.concerns(face(null), towards(0.1)))
  const left = { ...(face(null) as object), candidates: candidates('Eva') }
  assert.deepEqual(traces.without(close, towards(0.1)), left)
  assert.equal(traces.without(face('Anna'), towards(1)).person, null)
})

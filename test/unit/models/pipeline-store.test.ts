import assert from 'node:assert/strict'
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { PipelineStore } from '../../../src/models/pipeline-store.ts'
import { firstVersions, labelOf, type PipelineVersion } from '../../../src/models/pipeline-version.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const [faces1, persons1, lite1] = firstVersions()
const version = (number: string, thresholds = {}): PipelineVersion => ({ ...faces1!, version: number, thresholds })
const by = { since: '2026-11-28T00:00:00.000Z', by: 'me@here', without: {} }

function storeIn(folder: string): PipelineStore {
  return new PipelineStore(join(folder, 'pipelines'))
}

test('a fleet begins with version 1 of every pipeline, and nothing is written for it', async () => {
  using folder = tempFolder()
  const store = storeIn(folder.path)
  assert.deepEqual(await store.active('faces'), faces1)
  assert.deepEqual((await store.list()).map(labelOf), ['faces@1', 'persons@1', 'persons-lite@1'])
  await assert.rejects(store.rollBack('faces'), { code: 'CPN_ERR_USAGE' })
  assert.deepEqual(readdirSync(folder.path), [])
})

test('the newest version is told by number, and an unknown one by what it may have been', async () => {
  using folder = tempFolder()
  const store = storeIn(folder.path)
  for (const number of ['10', '2']) await store.define(version(number))
  assert.equal((await store.find('faces')).version, '10')
  assert.equal((await store.find('faces@2')).version, '2')
  await store.define({ ...lite1!, version: '2' })
  assert.equal((await store.find('persons-lite')).version, '2')
  await assert.rejects(store.find('face@2'), { code: 'CPN_ERR_MODEL_UNKNOWN', message: /did you mean "faces@2"/ })
})

test('what a version means never changes', async () => {
  using folder = tempFolder()
  const store = storeIn(folder.path)
  await store.define(version('2'))
  await store.define(version('2'))
  await assert.rejects(store.define(version('2', { score: 0.7 })), { code: 'CPN_ERR_MODEL_INVALID' })
  await assert.rejects(store.define({ ...persons1!, thresholds: { score: 0.7 } }), { code: 'CPN_ERR_MODEL_INVALID' })
  assert.deepEqual((await store.find('faces@2')).thresholds, {})
})

test('every rollback goes back by one push, and one pipeline does not touch another', async () => {
  using folder = tempFolder()
  const store = storeIn(folder.path)
  for (const number of ['2', '3']) {
    await store.define(version(number))
    await store.activate(version(number), { version: number, ...by })
  }
  assert.deepEqual((await store.kept()).map(labelOf), ['faces@2', 'faces@3', 'persons@1', 'persons-lite@1'])
  assert.deepEqual(await store.active('persons'), persons1)
  assert.deepEqual([(await store.rollBack('faces')).to.version, (await store.rollBack('faces')).to.version], ['2', '1'])
  await assert.rejects(store.rollBack('faces'), { code: 'CPN_ERR_USAGE' })
})

test('a version that is in use already only gets another list of nodes', async () => {
  using folder = tempFolder()
  const store = storeIn(folder.path)
  await store.define(version('2'))
  await store.activate(version('2'), { version: '2', ...by })
  await store.activate(version('2'), { version: '2', ...by, since: 'later', without: { node3: 'it differs' } })
  assert.deepEqual(await store.history('faces'), [{ version: '2', ...by, without: { node3: 'it differs' } }])
})

test('damaged files are told by name and not taken for an empty fleet', async () => {
  using folder = tempFolder()
  const store = storeIn(folder.path)
  const dir = join(folder.path, 'pipelines')
  mkdirSync(dir)
  for (const text of ['{"faces":[{"version"', '[]', '{"faces":[{"version":2}]}', '{"cats":[]}']) {
    writeFileSync(join(dir, 'active.json'), text)
    await assert.rejects(store.active('faces'), { code: 'CPN_ERR_STATE_DIR', message: /active\.json .*damaged/ })
  }
  writeFileSync(join(dir, 'active.json'), '{}')
  writeFileSync(join(dir, 'faces@2.json'), JSON.stringify({ ...faces1, version: '3' }))
  await assert.rejects(store.list(), { code: 'CPN_ERR_STATE_DIR', message: /faces@2\.json .*another version/ })
})

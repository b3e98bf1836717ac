import assert from 'node:assert/strict'
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'node:test'
import { CpnError } from '../../../src/common/errors.ts'
import { resolveModel } from '../../../src/models/resolve.ts'
import type { ModelManifest } from '../../../src/protocol/model.ts'
import { storeFolder } from '../../helpers/model-files.ts'
import { encodeOnnx } from '../../helpers/onnx-writer.ts'
import { tinyObjectDetector } from '../../helpers/tiny-labelled-models.ts'
import { tinyDetector, tinyManifest } from '../../helpers/tiny-model.ts'

const details = { name: 'mine', family: 'yunet', licence: 'MIT' } as const

async function written(folder: string, bytes: Uint8Array, name = 'file.onnx'): Promise<string> {
  await writeFile(join(folder, name), bytes)
  return join(folder, name)
}

test('a store without a folder is empty', async () => {
  await using place = await storeFolder()
  assert.deepEqual(await place.store.list(), [])
  assert.deepEqual(await place.store.verify(), [])
})

test('a model that is added is listed, found by name and version, and verified', async () => {
  await using place = await storeFolder()
  const file = await written(place.folder, tinyDetector())
  const { manifest, path } = await place.store.add(file, { ...details, thresholds: { score: 0.7 } })
  assert.equal(path, join(place.store.dir, manifest.sha256))
  assert.deepEqual(manifest.thresholds, { score: 0.7, nms: 0.3 })
  assert.deepEqual(manifest.preprocess, { channels: 'BGR', mean: [0, 0, 0], std: [1, 1, 1] })
  assert.deepEqual(await place.store.list(), [{ manifest, path }])
  assert.deepEqual(await place.store.find('mine@1'), { manifest, path })
  assert.equal(await place.store.find('mine@2'), undefined)
  assert.deepEqual(await place.store.verify(), [{ file: manifest.sha256, model: 'mine@1', state: 'ok', detail: '' }])
  assert.deepEqual((await readdir(place.store.dir)).sort(), [manifest.sha256, `${manifest.sha256}.json`])
})

test('a model that tells classes apart has a label for each, and labels are lines of text', async () => {
  await using place = await storeFolder()
  const file = await written(place.folder, tinyObjectDetector())
  const about = { name: 'things', family: 'yolox', licence: 'MIT' } as const
  const refused = async (labels: string[] | undefined, code: string, message: RegExp) => {
    await assert.rejects(place.store.add(file, { ...about, ...(labels ? { labels } : {}) }), { code, message })
  }
  await refused(undefined, 'CPN_ERR_MODEL_INVALID', /nothing says what its 2 classes are called/)
  await refused(['one'], 'CPN_ERR_MODEL_INVALID', /2 classes, and there are 1 labels/)
  await refused(['one', 'a\u001b[31mtwo'], 'CPN_ERR_USAGE', /control characters/)
  await refused(['one', 'a\u202etwo'], 'CPN_ERR_USAGE', /control characters/)
  const { manifest } = await place.store.add(file, { ...about, labels: ['one', 'zwei'] })
  assert.deepEqual([manifest.task, manifest.labels], ['detect-objects', ['one', 'zwei']])
  assert.deepEqual((await place.store.list())[0]?.manifest.labels, ['one', 'zwei'])
})

test('the newest version is meant by a bare name', async () => {
  await using place = await storeFolder()
  for (const version of ['9', '10']) {
    // Trailing fields unknown to anybody make other bytes of the same model
    const bytes = Buffer.concat([tinyDetector(), Buffer.from([0x1a, 1, version.length])])
    await place.store.add(await written(place.folder, bytes), { ...details, version })
  }
  assert.equal((await place.store.find('mine'))?.manifest.version, '10')
})

test('refused files leave nothing behind', async () => {
  await using place = await storeFolder()
  const weight = { name: 'w', dims: [1], data: new Float32Array(1), external: '../secret' }
  const external = encodeOnnx({ nodes: [], initializers: [weight], inputs: [], outputs: [{ name: 'o', dims: [1] }] })
  const other = encodeOnnx({
    nodes: [],
    initializers: [],
    inputs: [{ name: 'i', dims: [1] }],
    outputs: [{ name: 'o', dims: [1] }],
  })
  const cases: [Uint8Array, RegExp][] = [
    [external, /other files/],
    [other, /does not fit the family yunet/],
    [Buffer.from('<html>'), /no ONNX model/],
  ]
  for (const [bytes, message] of cases) {
    const added = place.store.add(await written(place.folder, bytes), details)
    await assert.rejects(added, { code: 'CPN_ERR_MODEL_INVALID', message })
  }
  assert.deepEqual(await readdir(place.store.dir), [])
})

test('a digest that is not listed is refused', async () => {
  await using place = await storeFolder()
  const file = await written(place.folder, tinyDetector())
  await assert.rejects(place.store.add(file), { code: 'CPN_ERR_MODEL_DIGEST' })
  const manifest: ModelManifest = { ...tinyManifest(), sha256: '0'.repeat(64) }
  await assert.rejects(place.store.add(file, { manifest }), { code: 'CPN_ERR_MODEL_DIGEST' })
})

test('a file that is none is refused with its name', async () => {
  await using place = await storeFolder()
  for (const file of [join(place.folder, 'none.onnx'), place.folder, '/dev/zero']) {
    await assert.rejects(place.store.add(file, details), (error) => {
      return error instanceof CpnError && error.code === 'CPN_ERR_MODEL_MISSING' && error.message.includes(file)
    })
  }
})

test('a name stays with its bytes and bytes with their name', async () => {
  await using place = await storeFolder()
  const file = await written(place.folder, tinyDetector())
  await place.store.add(file, details)
  await place.store.add(file, { ...details, licence: 'Apache-2.0' })
  assert.equal((await place.store.find('mine'))?.manifest.licence, 'Apache-2.0')
  await assert.rejects(place.store.add(file, { ...details, name: 'yours' }), { message: /known as mine@1/ })
  const others = await written(place.folder, Buffer.concat([tinyDetector(), Buffer.from([0x1a, 0])]))
  await assert.rejects(place.store.add(others, details), { message: /mine@1 is the name of other bytes/ })
  await assert.rejects(place.store.add(others, { ...details, name: 'yunet-2023mar' }), {
    code: 'CPN_ERR_MODEL_INVALID',
  })
})

test('names and thresholds that cannot be are refused', async () => {
  await using place = await storeFolder()
  const file = await written(place.folder, tinyDetector())
  await assert.rejects(place.store.add(file, { ...details, name: 'Not Good' }), { code: 'CPN_ERR_USAGE' })
  await assert.rejects(place.store.add(file, { ...details, thresholds: { nms: 30 } }), { code: 'CPN_ERR_USAGE' })
})

test('files without a manifest are never used, and verify says so', async () => {
  await using place = await storeFolder()
  const { manifest, path } = await place.store.add(await written(place.folder, tinyDetector()), details)
  await writeFile(join(place.store.dir, 'stray.onnx'), 'x')
  await writeFile(join(place.store.dir, `${'a'.repeat(64)}.json`), JSON.stringify(manifest))
  await writeFile(join(place.store.dir, `${'b'.repeat(64)}.part`), 'x')
  assert.equal((await place.store.list()).length, 1)
  const states = (await place.store.verify()).map(({ file, state }) => `${file.slice(0, 5)} ${state}`)
  const expected = [`${manifest.sha256.slice(0, 5)} ok`, 'aaaaa invalid', 'stray unlisted', 'bbbbb partial']
  assert.deepEqual(states.sort(), expected.sort())
  await rm(path)
  assert.deepEqual(await place.store.list(), [])
  assert.ok((await place.store.verify()).some(({ state }) => state === 'missing'))
})

test('bytes that have changed are told by verify', async () => {
  await using place = await storeFolder()
  const { path } = await place.store.add(await written(place.folder, tinyDetector()), details)
  const bytes = Buffer.from(tinyDetector())
  bytes[bytes.length - 1]! ^= 1
  await writeFile(path, bytes)
  assert.deepEqual(
    (await place.store.verify()).map(({ state }) => state),
    ['changed'],
  )
})

test('an unknown model is told with the nearest name and all there are', async () => {
  await using place = await storeFolder()
  await mkdir(place.store.dir)
  await assert.rejects(resolveModel(place.store, 'yunet-2032mar'), (error) => {
    assert.ok(error instanceof CpnError && error.code === 'CPN_ERR_MODEL_UNKNOWN')
    assert.match(error.message, /did you mean "yunet-2023mar"/)
    assert.match(error.suggestions.join(), /ultraface-320/)
    return true
  })
  assert.equal((await resolveModel(place.store, 'yunet-2023mar@1')).installed, undefined)
  await assert.rejects(resolveModel(place.store, 'yunet-2023mar@99'), { code: 'CPN_ERR_MODEL_UNKNOWN' })
})

import assert from 'node:assert/strict'
import { readFile, stat } from 'node:fs/promises'
import { test } from 'node:test'
import { sha256File } from '../../../src/common/digest.ts'
import { embeddedFile, isEmbedded } from '../../../src/models/embedded.ts'
import { inspectModel } from '../../../src/models/inspect.ts'
import { catalogue } from '../../../src/models/store.ts'
import { storeFolder } from '../../helpers/model-files.ts'

const embedded = catalogue().filter(isEmbedded)

test('a detector and an embedder come with cpn', () => {
  assert.deepEqual(
    embedded.map(({ task }) => task),
    ['detect-faces', 'embed-faces'],
  )
})

for (const manifest of embedded) {
  const { name } = manifest

  test(`the manifest of ${name} describes the file that comes with cpn`, async () => {
    const file = embeddedFile(manifest)
    const [sha256, { size }] = await Promise.all([sha256File(file), stat(file)])
    const lines = `src/models/catalogue/${name}.ts has to say:\n  sha256: '${sha256}',\n  bytes: ${size},`
    assert.deepEqual({ sha256: manifest.sha256, bytes: manifest.bytes }, { sha256, bytes: size }, lines)
    await inspectModel(file, manifest)
  })

  test(`${name} is had without a network, and is what came with cpn`, async () => {
    await using place = await storeFolder()
    const { path } = await place.store.pull(manifest, { mirror: '/nowhere' })
    assert.deepEqual(await readFile(path), await readFile(embeddedFile(manifest)))
    assert.deepEqual(await place.store.verify(), [
      { file: manifest.sha256, model: `${name}@${manifest.version}`, state: 'ok', detail: '' },
    ])
  })
}

test('a copy of cpn’s own that is damaged is not used, and the error says what helps', async () => {
  await using place = await storeFolder()
  const [detector, embedder] = embedded
  const [lost, changed] = [
    { ...detector!, name: 'lite-lost' },
    { ...detector!, name: embedder!.name },
  ]
  for (const [wanted, reason] of [
    [lost, /lite-lost\.onnx: .*does not exist.*install cpn again/],
    [changed, /lite-embedder\.onnx: .*has the sha256.*install cpn again/],
  ] as const) {
    const pulled = place.store.pull(wanted, { mirror: '' })
    await assert.rejects(pulled, { code: 'CPN_ERR_MODEL_DOWNLOAD', message: reason })
  }
  assert.deepEqual(await place.store.list(), [])
})

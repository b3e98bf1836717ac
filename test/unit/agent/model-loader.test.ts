import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { ModelLoader } from '../../../src/agent/model-loader.ts'
import { sha256 } from '../../../src/common/digest.ts'
import { labelsRef } from '../../../src/protocol/labels.ts'
import { model, modelsFolder, writeManifest } from '../../helpers/faces.ts'
import { encodeOnnx, type OnnxGraph } from '../../helpers/onnx-writer.ts'
import { tinyDetector } from '../../helpers/tiny-model.ts'

const folder = mkdtempSync(join(tmpdir(), 'cpn-test-'))
after(() => rmSync(folder, { recursive: true }))

function store(graph: OnnxGraph) {
  const bytes = encodeOnnx(graph)
  return storeBytes(bytes)
}

function storeBytes(bytes: Uint8Array) {
  const stored = { ...model('tiny-squares'), sha256: sha256(bytes) }
  writeFileSync(join(folder, stored.sha256), bytes)
  writeManifest(folder, stored)
  return stored
}

const identity: OnnxGraph = {
  nodes: [{ op: 'Identity', inputs: ['input'], outputs: ['output'] }],
  initializers: [],
  inputs: [{ name: 'input', dims: [1, 3, 64, 64] }],
  outputs: [{ name: 'output', dims: [1, 3, 64, 64] }],
}

test('a model is loaded once', async () => {
  const loader = new ModelLoader(modelsFolder(), 1)
  const [first, second] = await Promise.all([
    loader.detector(model('tiny-squares')),
    loader.detector(model('tiny-squares')),
  ])
  assert.equal(first, second)
})

test('a file that no manifest names is not loaded, whatever its name', async () => {
  const ref = { ...model('tiny-squares') }
  const place = mkdtempSync(join(folder, 'unlisted-'))
  writeFileSync(join(place, ref.sha256), tinyDetector())
  const refused = { code: 'CPN_ERR_MODEL_MISSING', message: /no manifest names it/ }
  await assert.rejects(new ModelLoader(place, 1).detector(ref), refused)
  writeManifest(place, ref)
  await new ModelLoader(place, 1).detector(ref)
})

test('a listed file with other bytes than its name says is not loaded', async () => {
  const ref = { ...model('tiny-squares') }
  const place = mkdtempSync(join(folder, 'altered-'))
  writeFileSync(join(place, ref.sha256), encodeOnnx(identity))
  writeManifest(place, ref)
  await assert.rejects(new ModelLoader(place, 1).detector(ref), { code: 'CPN_ERR_MODEL_DIGEST' })
})

test('a model that does not fit its family is refused', async () => {
  const ref = store(identity)
  await assert.rejects(new ModelLoader(folder, 1).detector(ref), {
    code: 'CPN_ERR_MODEL_INVALID',
    message: /has no output cls_8/,
  })
})

test('a model for another task is refused', async () => {
  const loader = new ModelLoader(modelsFolder(), 1)
  await assert.rejects(loader.embedder(model('tiny-squares')), { code: 'CPN_ERR_MODEL_INVALID' })
})

test('bytes that are no model are refused', async () => {
  const ref = storeBytes(Buffer.from('no model'))
  await assert.rejects(new ModelLoader(folder, 1).detector(ref), { code: 'CPN_ERR_MODEL_INVALID' })
})

test('a model with its data in another file is refused, wherever that file is', async () => {
  const weights = new Float32Array(3 * 64 * 64)
  writeFileSync(join(folder, 'weights.bin'), weights)
  for (const external of ['weights.bin', join(folder, 'weights.bin'), '../weights.bin']) {
    const ref = store({
      ...identity,
      nodes: [{ op: 'Add', inputs: ['input', 'weights'], outputs: ['output'] }],
      initializers: [{ name: 'weights', dims: [1, 3, 64, 64], data: weights, external }],
    })
    const refused = { code: 'CPN_ERR_MODEL_INVALID', message: /cannot be loaded: .*external/is }
    await assert.rejects(new ModelLoader(folder, 1).detector(ref), refused)
  }
})

test('labels are those of the manifest here, and only where the master means the same', async () => {
  const loader = new ModelLoader(modelsFolder(), 1)
  const objects = model('tiny-objects')
  const wanted = labelsRef(objects.labels!)
  assert.deepEqual(await loader.labels(objects, wanted), objects.labels)
  const others = labelsRef(['red square', 'blue circle'])
  await assert.rejects(loader.labels(objects, others), { code: 'CPN_ERR_MODEL_DIGEST' })
  await assert.rejects(loader.labels(model('tiny-squares'), wanted), { code: 'CPN_ERR_MODEL_DIGEST' })
})

test('a model does what its family does', async () => {
  const loader = new ModelLoader(modelsFolder(), 1)
  for (const wrong of [
    loader.objectDetector(model('tiny-squares')),
    loader.classifier(model('tiny-objects')),
    loader.detector(model('tiny-colours')),
  ]) {
    await assert.rejects(wrong, { code: 'CPN_ERR_MODEL_INVALID' })
  }
})

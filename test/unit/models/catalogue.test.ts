import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import { sha256File } from '../../../src/common/digest.ts'
import { isEmbedded } from '../../../src/models/embedded.ts'
import { inspectModel } from '../../../src/models/inspect.ts'
import { catalogue } from '../../../src/models/store.ts'
import { familySignatures } from '../../../src/protocol/families.ts'
import { modelManifestSchema } from '../../../src/protocol/model.ts'
import { shared, sharedMissing } from '../../helpers/shared.ts'

/** Nobody is known to publish these bytes: the file has to be brought, or comes with cpn. */
const withoutAddress = ['mobilenetv2-int8', 'lite-detector', 'lite-embedder']
/** Its bytes are not among the test data: nothing but its manifest was ever looked at. */
const neverSeen = ['sface-2021dec']

test('every manifest holds, has an https address and the task of its family', () => {
  for (const manifest of catalogue()) {
    modelManifestSchema.parse(manifest)
    assert.ok(
      manifest.urls.every((url) => url.startsWith('https://')),
      manifest.name,
    )
    assert.equal(manifest.urls.length === 0, withoutAddress.includes(manifest.name), manifest.name)
    assert.equal(manifest.task, familySignatures[manifest.family].task)
  }
})

test('names and digests are there once', () => {
  const all = catalogue()
  assert.equal(new Set(all.map(({ name, version }) => `${name}@${version}`)).size, all.length)
  assert.equal(new Set(all.map(({ sha256 }) => sha256)).size, all.length)
})

test('sizes and digests are those of the real files', { skip: sharedMissing }, async () => {
  const files: Record<string, string> = {
    'yunet-2023mar': 'yunet-2023mar.onnx',
    'yunet-s-dynamic': 'yunet-s-dynamic.onnx',
    'ultraface-320': 'ultraface-rfb-320.onnx',
    'mobilefacenet-112': 'mobilefacenet-foamliu-112.onnx',
    'yolox-nano-416': 'yolox-nano-416.onnx',
    'mobilenetv2-int8': 'mobilenetv2-int8-static.onnx',
  }
  for (const { name, sha256, bytes, ...manifest } of catalogue()) {
    if (neverSeen.includes(name) || isEmbedded({ sha256 })) continue
    const file = shared('models', files[name]!)
    assert.deepEqual([await sha256File(file), statSync(file).size], [sha256, bytes], name)
    await inspectModel(file, manifest)
  }
})

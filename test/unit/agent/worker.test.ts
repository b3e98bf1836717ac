import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { contentDigest, sha256 } from '../../../src/common/digest.ts'
import { drawnPhoto } from '../../helpers/drawn-images.ts'
import { facesPipeline, model, writeManifest } from '../../helpers/faces.ts'
import { repositoryRoot } from '../../helpers/shared.ts'
import { TestWorker } from '../../helpers/test-worker.ts'

const photo = () =>
  drawnPhoto({
    width: 800,
    height: 600,
    squares: [
      [100, 120, 60],
      [500, 300, 90],
    ],
  })

test('a worker under the permission model finds faces and sends the picture, one outcome for each job', async () => {
  await using worker = await TestWorker.start()
  for (const annotate of ['preview', 'full', 'none'] as const) {
    const outcome = await worker.predict(await photo(), facesPipeline('tiny-squares', { annotate }))
    assert.equal(outcome.type, 'done')
    assert.deepEqual([outcome.answer.width, outcome.answer.height, outcome.answer.faces.length], [800, 600, 2])
    const lengths = outcome.answer.parts.map((part) => part.bytes)
    assert.equal(lengths.length, annotate === 'none' ? 0 : 1)
    assert.equal(outcome.raw.length, lengths[0] ?? 0)
    assert.equal(`sha-256=:${outcome.digest}:`, contentDigest(outcome.body))
    assert.ok(outcome.answer.timings.detectMs! >= 0)
  }
})

test('labels are drawn without a complaint of fontconfig', async () => {
  await using worker = await TestWorker.start()
  await worker.predict(await photo(), facesPipeline('tiny-squares', { annotate: 'full' }))
  await worker.disconnect()
  assert.doesNotMatch(worker.output, /fontconfig/i)
})

test('a bad image is a typed error, and the next job is done', async () => {
  await using worker = await TestWorker.start()
  const failed = await worker.predict(Buffer.from('no image'), facesPipeline('tiny-squares'))
  assert.equal(failed.type, 'failed')
  assert.equal(failed.error.code, 'CPN_ERR_IMAGE_UNSUPPORTED')
  const done = await worker.predict(await photo(), facesPipeline('tiny-squares'))
  assert.equal(done.type, 'done')
})

test('jobs sent at once are done in turn', async () => {
  await using worker = await TestWorker.start()
  const image = await photo()
  const pipeline = facesPipeline('tiny-squares')
  const other = await drawnPhoto({ width: 320, height: 240, squares: [] })
  const outcomes = await Promise.all([worker.predict(image, pipeline), worker.predict(other, pipeline)])
  assert.deepEqual(
    outcomes.map((outcome) => outcome.type === 'done' && outcome.answer.job),
    [image, other].map(sha256),
  )
})

test('a model that is missing or was altered is named, with what to do', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-test-'))
  try {
    await using worker = await TestWorker.start(folder)
    const pipeline = facesPipeline('tiny-squares')
    const missing = await worker.predict(await photo(), pipeline)
    assert.equal(missing.type === 'failed' && missing.error.code, 'CPN_ERR_MODEL_MISSING')
    writeFileSync(join(folder, pipeline.detector.model.sha256), 'something else')
    writeManifest(folder, model('tiny-squares'))
    const altered = await worker.predict(await photo(), pipeline)
    assert.equal(altered.type === 'failed' && altered.error.code, 'CPN_ERR_MODEL_DIGEST')
    assert.ok(altered.type === 'failed' && altered.error.suggestions[0])
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('a worker ends when its agent is gone', async () => {
  await using worker = await TestWorker.start()
  assert.equal(await worker.disconnect(), 0)
})

test('a worker without its arguments says how it is started', () => {
  const script = join(repositoryRoot, 'src', 'agent', 'worker.ts')
  const { status, stderr } = spawnSync(process.execPath, [script, '--fonts-dir', '/nowhere'], { encoding: 'utf8' })
  assert.equal(status, 1)
  assert.match(stderr, /--models-dir DIR --fonts-dir DIR/)
})

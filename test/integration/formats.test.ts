import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { drawnHeic, heifEncMissing } from '../helpers/drawn-heic.ts'
import { drawnPhoto, drawnPixels } from '../helpers/drawn-images.ts'
import { addTinyDetector } from '../helpers/drawn-job.ts'
import { drawnRaw } from '../helpers/drawn-raw.ts'
import { iou } from '../helpers/ground-truth.ts'
import { project } from '../helpers/project.ts'
import { outputFiles, readPredictions, readSummary } from '../helpers/run-output.ts'

const drawn = { width: 640, height: 480, squares: [[100, 120, 80] as [number, number, number]] }

test('HEIC and raw photos go through a release and come back as JPEGs, what is not read is counted first', {
  skip: heifEncMissing,
  timeout: 180_000,
}, async () => {
  await using home = project()
  const folder = join(home.folder, 'album')
  const out = join(home.folder, 'album-predicted')
  mkdirSync(folder)
  const preview = { jpeg: await drawnPhoto(drawn), width: 640, height: 480 }
  const files = {
    'IMG_1.HEIC': await drawnHeic({ ...drawn, pixels: drawnPixels(drawn), tile: 128, turns: 3 }),
    // What somebody has converted before must not be mistaken for a copy of ours, nor be written over by one.
    'IMG_1.HEIC.jpg': await drawnPhoto({ ...drawn, background: '#203040' }),
    'DSC_1.NEF': await drawnRaw({ kind: 'nef', preview, orientation: 6 }),
    'cut.heic': (await drawnHeic({ ...drawn, pixels: drawnPixels(drawn) })).subarray(0, 900),
    'a.psd': '8BPS',
    'b.psd': '8BPS',
    'c.svg': '<svg/>',
    'notes.txt': 'x',
  }
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(folder, name), bytes)
  const detector = await addTinyDetector(home)
  const first = await home.cpn(['predict', 'album', '--pipeline', 'faces', '--detector', detector, '--yes'])
  assert.equal(first.exitCode, 7)
  assert.match(first.stderr, /3 pictures of kinds that cpn does not read: 2 \.psd, 1 \.svg/)
  const { inputs, done, failed, ignored } = readSummary(out)
  assert.deepEqual({ inputs, done, failed, ignored }, { inputs: 4, done: 3, failed: 1, ignored: 4 })

  assert.deepEqual(outputFiles(out).sort(), ['DSC_1.NEF.jpg', 'IMG_1.HEIC.jpg', 'IMG_1.HEIC.jpg.jpg'])
  for (const name of outputFiles(out)) {
    assert.deepEqual([...readFileSync(join(out, name)).subarray(0, 3)], [0xff, 0xd8, 0xff])
  }
  const predictions = new Map(readPredictions(out).map((line) => [line.path, line]))
  // (100, 120) turned by a quarter clockwise.
  for (const name of ['IMG_1.HEIC', 'DSC_1.NEF']) {
    const { width, height, faces } = predictions.get(name)!
    assert.deepEqual([width, height, faces?.length], [480, 640, 1])
    assert.ok(iou(faces![0]!.box, [480 - 120 - 80, 100, 80, 80]) > 0.8, `${name}: ${faces![0]!.box}`)
  }
  assert.match(predictions.get('cut.heic')?.error?.code ?? '', /^CPN_ERR_IMAGE_DECODE$/)

  await home.cpn(['predict', 'album', '--pipeline', 'faces', '--detector', detector])
  assert.equal(readSummary(out).skipped, 4 - 1)
  await home.ok(['unprovision', 'all', '--yes'])
})

import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { isErrorCode } from '../../src/common/error-codes.ts'
import { faultOf, originalOf } from '../../src/fleet/verify-result.ts'
import { splitParts } from '../../src/protocol/framing.ts'
import type { Pipeline } from '../../src/protocol/pipeline.ts'
import { mutate, oneOf } from '../fuzz/mutate.ts'
import { drawnHeic, heifEncMissing } from '../helpers/drawn-heic.ts'
import { drawnPhoto, drawnPixels } from '../helpers/drawn-images.ts'
import { drawnRaw, rawKinds } from '../helpers/drawn-raw.ts'
import { facesPipeline } from '../helpers/faces.ts'
import { randomOf } from '../helpers/random.ts'
import { repositoryRoot, shared, sharedMissing } from '../helpers/shared.ts'
import { type Outcome, TestWorker } from '../helpers/test-worker.ts'

/** What a worker may hold, ever, on files whose pictures are at most a few megapixels. */
const memoryCapBytes = 1024 ** 3

/** Files that have to be predicted: every one that a decoder of ours can make a picture of. */
function mustBeDone(): string[] {
  return readFileSync(join(repositoryRoot, 'test', 'fixtures', 'badimages-done.txt'), 'utf8')
    .trim()
    .split('\n')
}

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return files.map((file) => file.slice(folder.length + 1)).sort()
}

test('odd, broken and hostile files have one outcome each, from one worker', { skip: sharedMissing }, async () => {
  await using worker = await TestWorker.start()
  const pipeline = facesPipeline('yunet-2023mar', { annotate: 'full', embedder: 'mobilefacenet-112' })
  const outcomes = new Map<string, Outcome>()
  for (const file of filesBelow(shared('badimages'))) {
    outcomes.set(file, await worker.predict(readFileSync(shared('badimages', file)), pipeline))
  }
  const done = [...outcomes].filter(([, { type }]) => type === 'done').map(([file]) => file)
  assert.deepEqual(done, mustBeDone())
  for (const [file, outcome] of outcomes) {
    if (outcome.type === 'failed') assertReason(file, outcome)
    else if (outcome.type === 'done') assertTaken(file, pipeline, outcome)
  }
  assert.ok(peakMemory(worker.process.pid!) < memoryCapBytes)
  assert.equal(await worker.disconnect(), 0)
})

/** Made of good ones: there is no collection of such files. Raw photos are cut only: on one in which bytes have changed LibRaw may take its 10 s. */
test('damaged HEIC files and raw photos that break off have one outcome each, from one worker', {
  skip: heifEncMissing,
}, async () => {
  await using worker = await TestWorker.start()
  const pipeline = facesPipeline('tiny-squares', { annotate: 'full' })
  const drawn = { width: 640, height: 480, squares: [[100, 120, 80] as [number, number, number]] }
  const heic = { ...drawn, pixels: drawnPixels(drawn) }
  const preview = { jpeg: await drawnPhoto(drawn), width: 640, height: 480 }
  const good = [await drawnHeic(heic), await drawnHeic({ ...heic, tile: 128, turns: 1 })]
  const raws = await Promise.all(rawKinds.map((kind) => drawnRaw({ kind, preview, orientation: 6 })))
  const random = randomOf(1)
  const types = new Set<string>()
  for (let round = 0; round < 200; round++) {
    const raw = round % 10 === 0
    const whole = oneOf(random, raw ? raws : good)
    // What a reader goes by is at the ends of these files.
    const damaged = round % 2 === 0 ? mutate(whole, random) : damageStart(whole, random)
    const image = raw ? whole.subarray(0, Math.floor(random() * whole.length)) : damaged
    const outcome = await worker.predict(image, pipeline)
    types.add(outcome.type)
    if (outcome.type === 'failed') assertReason(`round ${round}`, outcome)
  }
  assert.deepEqual([...types].sort(), ['done', 'failed'])
  const last = await worker.predict(good[1]!, pipeline)
  assert.ok(last.type === 'done' && last.answer.faces.length === 1)
  assert.ok(peakMemory(worker.process.pid!) < memoryCapBytes)
  assert.equal(await worker.disconnect(), 0)
})

function damageStart(whole: Buffer, random: () => number): Buffer {
  return Buffer.concat([mutate(whole.subarray(0, 1500), random), whole.subarray(1500)])
}

/** A master finds nothing wrong with it. */
function assertTaken(file: string, pipeline: Pipeline, { answer, raw }: Extract<Outcome, { type: 'done' }>): void {
  const [annotated, numbers] = splitParts(
    raw,
    answer.parts.map(({ bytes }) => bytes),
  )
  const values = Array.from({ length: numbers!.length / 4 }, (_, index) => numbers!.readFloatLE(index * 4))
  const embeddings = answer.faces.map((_, index) => Float32Array.from(values.slice(index * 128, index * 128 + 128)))
  const result = { answer, annotated: annotated!, embeddings }
  assert.equal(faultOf(originalOf(readFileSync(shared('badimages', file))), pipeline, result), undefined, file)
}

function assertReason(file: string, { error }: Extract<Outcome, { type: 'failed' }>): void {
  assert.ok(isErrorCode(error.code) && error.code.startsWith('CPN_ERR_IMAGE_'), `${file}: ${error.code}`)
  assert.ok(error.message.length > 20 && !error.message.includes('\n'), `${file}: ${error.message}`)
}

function peakMemory(pid: number): number {
  if (process.platform !== 'linux') return 0
  const kilobytes = /^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
  return Number(kilobytes) * 1024
}

import assert from 'node:assert/strict'
import { existsSync, mkdirSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { Plan } from '../../src/actions/plan/plan.ts'
import type { RunReport } from '../../src/actions/predict/runs.ts'
import { Lab } from '../fault/lab/lab.ts'
import { drawnPhoto } from '../helpers/drawn-images.ts'
import { drawMany } from '../helpers/drawn-job.ts'
import { outputFiles, readSummary } from '../helpers/run-output.ts'
import { sshdMissing } from '../helpers/sshd.ts'
import { tinyManifest } from '../helpers/tiny-model.ts'

const pictures = 60
const faces = ['--pipeline', 'faces', '--detector', tinyManifest().name]

let lab: Lab
before(async () => {
  if (sshdMissing) return
  const settings = { workers: 1 }
  lab = await Lab.open({
    nodes: [
      { host: { name: 'node1' }, settings },
      { host: { name: 'node2' }, settings },
    ],
    sets: { mixed: drawMixed, many: (folder) => drawMany(folder, 40) },
  })
})
after(async () => {
  await lab?.[Symbol.asyncDispose]()
})

/** Pictures of many sizes and two formats, and what is none. */
async function drawMixed(folder: string): Promise<void> {
  mkdirSync(join(folder, 'deep'), { recursive: true })
  for (let index = 0; index < pictures; index++) {
    const format = index % 4 === 0 ? 'png' : 'jpeg'
    const name = `${index % 3 === 0 ? 'deep/' : ''}${index}.${format === 'png' ? 'png' : 'jpg'}`
    const side = 200 + 20 * index
    writeFileSync(join(folder, name), await drawnPhoto({ width: side, height: side, squares: [[40, 40, 60]], format }))
  }
  writeFileSync(join(folder, 'notes.txt'), 'no picture')
  writeFileSync(join(folder, 'layers.psd'), '8BPS')
}

const plan = (set: string, ...args: string[]) => lab.home.json<Plan>(['plan', set, ...faces, ...args])

test('a plan writes nothing but itself, and the next run of the same says how wrong it was', {
  skip: sshdMissing,
}, async () => {
  const { home } = lab
  const out = join(home.folder, 'mixed-predicted')
  const { inputs, estimate, disk, unusable } = await plan('mixed', '--sample', '16')
  assert.ok(estimate && disk)
  assert.equal(existsSync(out), false)
  assert.equal(existsSync(join(home.folder, '.cpn', 'ledger.db')), false)
  assert.equal(readdirSync(join(home.folder, '.cpn', 'plans')).length, 1)
  assert.deepEqual([inputs.images, inputs.left.images, inputs.ignored], [pictures, pictures, 2])
  assert.deepEqual(inputs.unread, { '.psd': 1 })
  assert.deepEqual([inputs.formats.png?.images, inputs.formats.jpg?.images], [15, 45])
  assert.deepEqual(unusable, [])
  assert.ok(estimate.tried > 0 && estimate.tried <= 16, `${estimate.tried}`)
  assert.deepEqual(
    estimate.nodes.map(({ name, workers, alone, together }) => [name, workers, alone > 0, together > 0]),
    [
      ['node1', 1, true, true],
      ['node2', 1, true, true],
    ],
  )
  assert.ok(Math.abs(estimate.nodes.reduce((sum, { share }) => sum + share, 0) - 1) < 1e-9)
  assert.ok(estimate.upBytes.expected > inputs.bytes && estimate.upBytes.expected < inputs.bytes + pictures * 5000)

  const run = await home.ok(['predict', 'mixed', ...faces])
  assert.match(run.stderr, /^planned .*, took .* images\/s instead of /m)
  const copies = outputFiles(out).filter((path) => /\.(jpg|png)$/.test(path))
  assert.equal(copies.length, pictures)
  const bytes = copies.reduce((sum, path) => sum + statSync(join(out, path)).size, 0)
  // Twice as far as 19 of 20 samples may be off.
  const { expected, low, high } = estimate.copyBytes
  assert.ok(Math.abs(bytes - expected) <= 2 * (high - low), JSON.stringify({ bytes, expected, low, high }))

  const { plan: settled } = await home.json<RunReport>(['runs', 'show', 'last'])
  assert.equal(settled?.images, pictures)
  assert.equal(settled?.took.images, pictures)
  assert.equal(settled?.took.seconds, readSummary(out).seconds)
  const shown = await home.ok(['runs', 'show', 'last'])
  assert.match(shown.stdout, /^ {2}planned .*, took /m)
})

test('what a run has finished is not planned again, and what is new is', { skip: sshdMissing }, async () => {
  const { home } = lab
  const done = await plan('mixed')
  assert.deepEqual([done.inputs.left.images, done.estimate], [0, undefined])
  const photo = await drawnPhoto({ width: 300, height: 300, squares: [[40, 40, 60]] })
  writeFileSync(join(home.folder, 'mixed', 'new.jpg'), photo)
  const more = await plan('mixed')
  assert.deepEqual([more.inputs.images, more.inputs.left], [pictures + 1, { images: 1, bytes: photo.length }])
  // Another pipeline begins anew.
  const { inputs } = await plan('mixed', '--annotate', 'none', '--sample', '4')
  assert.equal(inputs.left.images, pictures + 1)
})

test('Ctrl-C ends a plan, and nothing stays of it', { skip: sshdMissing }, async () => {
  const { home } = lab
  const before = readdirSync(join(home.folder, '.cpn', 'plans'))
  const planning = home.spawn(['plan', 'many', ...faces, '--annotate', 'full'])
  await planning.waitFor(/node1: as many as it takes/)
  planning.kill('SIGINT')
  assert.equal((await planning.exited).exitCode, 130, planning.describe())
  assert.deepEqual(readdirSync(join(home.folder, '.cpn', 'plans')), before)
})

test('a host that cannot be used is named, and without any the plan ends as a run does', {
  skip: sshdMissing,
}, async () => {
  const { home } = lab
  await home.ok(['stop', 'node2'])
  const { unusable, estimate } = await plan('many', '--sample', '4', '--annotate', 'none')
  assert.deepEqual(
    unusable.map(({ name }) => name),
    ['node2'],
  )
  assert.deepEqual(
    estimate!.nodes.map(({ name }) => name),
    ['node1'],
  )
  assert.equal(estimate!.copyBytes.expected, 0)
  await home.ok(['stop', 'node1'])
  const none = await home.cpn(['plan', 'many', ...faces])
  assert.equal(none.exitCode, 4, none.stderr)
  mkdirSync(join(home.folder, 'empty'))
  const empty = await home.cpn(['plan', 'empty', ...faces])
  assert.deepEqual([empty.exitCode, /CPN_ERR_INPUT_MISSING/.test(empty.stderr)], [2, true])
})

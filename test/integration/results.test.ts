import assert from 'node:assert/strict'
import { cpSync, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import type { RunReport } from '../../src/actions/predict/runs.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { type Project, project } from '../helpers/project.ts'
import { type RunSummary, readSummary } from '../helpers/run-output.ts'

const pictures = 3

let home: Project
let detector: string
/** One agent serves all tests. */
before(async () => {
  home = project()
  await drawMany(join(home.folder, 'drawn'), pictures)
  detector = await addTinyDetector(home)
})
after(async () => {
  await home.cpn(['unprovision', 'all', '--yes'])
  await home[Symbol.asyncDispose]()
})

/** A folder of its own, the outputs of which are looked at. */
function work(name: string) {
  const folder = join(home.folder, name)
  cpSync(join(home.folder, 'drawn'), folder, { recursive: true })
  const out = `${folder}-predicted`
  const predict = (...flags: string[]) =>
    home.cpn(['predict', name, '--detector', detector, '--yes', '--json', ...flags])
  const inOut = (file: string) => readFileSync(join(out, file), 'utf8')
  return { folder, out, predict, inOut, has: (file: string) => existsSync(join(out, file)) }
}

const counts = ({ done, skipped }: RunSummary) => ({ done, skipped })

test('another format, asked for by the same command later, costs no inference', async () => {
  const { out, predict, inOut, has } = work('later')
  const first = JSON.parse((await predict()).stdout) as RunSummary
  assert.deepEqual(counts(first), { done: pictures, skipped: 0 })
  assert.deepEqual(['index.html', 'predictions.csv', 'coco.json', '0000.jpg.xmp'].map(has), [true, false, false, false])
  const second = JSON.parse((await predict('--format', 'csv,coco,xmp')).stdout) as RunSummary
  assert.equal(second.run, first.run)
  assert.deepEqual(counts(second), { done: 0, skipped: pictures })
  assert.equal(inOut('predictions.csv').split('\r\n').length, pictures + 2)
  assert.equal(JSON.parse(inOut('coco.json')).annotations.length, pictures)
  assert.match(inOut('0000.jpg.xmp'), /<mwg-rs:Type>Face</)
  const shown = await home.json<RunReport>(['runs', 'show', 'last', '--input', '0000.jpg'])
  assert.equal(shown.inputs[0]!.attempts.filter(({ purpose }) => purpose === 'work').length, 1)

  // The run goes on with what it was asked for last.
  rmSync(join(out, '0000.jpg.xmp'))
  rmSync(join(out, 'coco.json'))
  await home.ok(['runs', 'resume', 'last'])
  assert.deepEqual([has('0000.jpg.xmp'), has('coco.json')], [true, true])

  // What was asked for once tells of no earlier state.
  for (const file of ['predictions.csv', '0000.jpg.xmp']) rmSync(join(out, file))
  assert.equal((await predict()).exitCode, 0)
  assert.match(inOut('predictions.csv'), /^path,sha256/)
  assert.deepEqual([has('0000.jpg.xmp'), existsSync(join(home.folder, 'later', '0000.jpg.xmp'))], [true, false])
  assert.equal(readSummary(out).unwritten, undefined)
})

test('what cannot be written is named, costs nothing else, and ends in exit code 7', async () => {
  const { folder, out, predict, has } = work('foreign')
  writeFileSync(join(folder, '0001.jpg.xmp'), 'Rating: 4')
  const { exitCode, stderr } = await predict('--format', 'xmp,csv', '--sidecars', 'originals')
  assert.equal(exitCode, 7)
  assert.match(stderr, /0001\.jpg\.xmp is left as it is: it is no XML.*\(CPN_ERR_XMP\)/)
  assert.equal(readFileSync(join(folder, '0001.jpg.xmp'), 'utf8'), 'Rating: 4')
  assert.deepEqual(
    [existsSync(join(folder, '0000.jpg.xmp')), has('predictions.csv'), has('index.html')],
    [true, true, true],
  )
  assert.equal(readSummary(out).unwritten, 1)
})

test('original JPEGs are written to on request only', async () => {
  const { folder, predict } = work('embedded')
  const file = join(folder, '0000.jpg')
  const before = readFileSync(file)
  assert.equal((await predict('--format', 'xmp')).exitCode, 0)
  assert.deepEqual(readFileSync(file), before)
  assert.equal((await predict('--write-metadata')).exitCode, 0)
  assert.match(readFileSync(file, 'latin1'), /<mwg-rs:Type>Face</)
  // They are other files now, and the same photos: after one more look nothing is left to do.
  assert.deepEqual(counts(JSON.parse((await predict('--write-metadata')).stdout)), { done: pictures, skipped: 0 })
  assert.deepEqual(counts(JSON.parse((await predict('--write-metadata')).stdout)), { done: 0, skipped: pictures })
})

test('an unknown format is refused with those there are', async () => {
  const { exitCode, stdout, stderr } = await work('unknown').predict('--format', 'csv,voc')
  assert.equal(exitCode, 2)
  assert.match(stdout + stderr, /--format has no voc.*jsonl, csv, coco, xmp/s)
})

import assert from 'node:assert/strict'
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { signalProcess } from '../helpers/processes.ts'
import { project } from '../helpers/project.ts'
import { countWritten, readPredictions, readSummary } from '../helpers/run-output.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'
import { until } from '../helpers/until.ts'

const copies = 8
const photos = () => {
  const folder = shared('photos', 'lfw-color-10x10', 'Tony_Blair')
  return readdirSync(folder)
    .sort()
    .map((file) => join(folder, file))
}

/** A project whose local node is provisioned and knows somebody by that name, with an album of them. */
async function enrolled(name: string) {
  const home = project()
  writeFileSync(home.inventory, 'version: 1\nhosts:\n  here: { transport: local, workers: 2 }\n')
  const album = join(home.folder, 'album')
  mkdirSync(album)
  for (const photo of photos().slice(5)) {
    for (let copy = 0; copy < copies; copy++) {
      // What comes behind the end of a JPEG makes it another file.
      const bytes = Buffer.concat([readFileSync(photo), Buffer.from(`${copy}`)])
      writeFileSync(join(album, `${copy}-${photo.split('/').at(-1)}`), bytes)
    }
  }
  await home.ok(['provision', '--yes'])
  await home.ok(['people', 'add', name, ...photos().slice(1, 4), '--force', '--yes'])
  return home
}

const namesIn = (out: string) =>
  new Set(readPredictions(out).map(({ faces = [] }) => faces.toSorted((a, b) => b.box[2] - a.box[2])[0]?.person))

test('an agent that is killed in the middle of a run gets the gallery again, and no image fails', {
  skip: sharedMissing,
  timeout: 45_000,
}, async () => {
  await using home = await enrolled('Tony')
  const out = join(home.folder, 'out')
  const running = home.spawn(['predict', 'album', '--out', out])
  await until(() => countWritten(out) > 3, 'some pictures are written')
  const agents = home
    .processes()
    .filter(({ command }) => /cpn-agent|agent\.mjs/.test(command) && / run( |$)/.test(command))
  assert.ok(agents.length > 0)
  for (const { pid } of agents) signalProcess(pid, 'SIGKILL')
  const written = countWritten(out)
  const { exitCode, stderr } = await running.exited
  assert.equal(exitCode, 0, stderr)
  const { inputs, done } = readSummary(out)
  assert.ok(written < inputs, 'the agent was killed when all was done')
  assert.equal(done, 5 * copies)
  assert.deepEqual(namesIn(out), new Set(['Tony']))
  await home.ok(['unprovision', 'all', '--yes'])
})

test('two runs with different galleries on one agent at once name each by its own', {
  skip: sharedMissing,
  timeout: 180_000,
}, async () => {
  await using home = await enrolled('Tony')
  // The same fleet, as on another machine of the same person, where he is called otherwise.
  const other = join(home.folder, 'other')
  mkdirSync(other)
  for (const name of ['.cpn', 'inventory.yaml']) cpSync(join(home.folder, name), join(other, name), { recursive: true })
  await home.ok(['people', 'rename', 'Tony', 'Anthony'], { cwd: other })
  const [outs, places] = [['out', 'other-out'].map((name) => join(home.folder, name)), [home.folder, other]]
  const runs = await Promise.all(
    outs.map((out, i) => home.cpn(['predict', join(home.folder, 'album'), '--out', out], { cwd: places[i]! })),
  )
  for (const { exitCode, stderr } of runs) assert.equal(exitCode, 0, stderr)
  for (const [out, name] of [
    [outs[0]!, 'Tony'],
    [outs[1]!, 'Anthony'],
  ] as const) {
    assert.equal(readSummary(out).done, 5 * copies)
    assert.deepEqual(namesIn(out), new Set([name]))
  }
  // What stands on the pictures as well: drawing anew by the same names gives the same bytes.
  const [here, there] = outs.map((out) => readFileSync(join(out, readPredictions(out)[0]!.path)))
  assert.ok(!here!.equals(there!))
  await home.ok(['people', 'rename', 'Tony', 'Anthony'])
  await home.ok(['predict', 'album', '--out', outs[0]!])
  for (const { path } of readPredictions(outs[1]!)) {
    assert.ok(readFileSync(join(outs[0]!, path)).equals(readFileSync(join(outs[1]!, path))), path)
  }
  await home.ok(['unprovision', 'all', '--yes'])
})

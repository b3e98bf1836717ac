import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { PeopleInfo } from '../../src/actions/people/people.ts'
import { goldenPictures } from '../../src/rollout/golden-pictures.ts'
import { drawMany } from '../helpers/drawn-job.ts'
import { leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { countWritten, readPredictions, readSummary } from '../helpers/run-output.ts'
import { sharedMissing } from '../helpers/shared.ts'
import { until } from '../helpers/until.ts'

const lite = ['lite-detector@1', 'lite-embedder@1']

/** Where no address of the catalogue is reached: a proxy that nobody is. */
const offline = { HTTPS_PROXY: 'http://127.0.0.1:1', CPN_MODEL_MIRROR: undefined }

/** A project on this machine with an album of drawn faces: none.jpg, one.jpg, two.jpg, three.jpg. */
async function withFaces(): Promise<Project> {
  const home = project()
  mkdirSync(join(home.folder, 'album'))
  for (const { name, read } of await goldenPictures(undefined))
    writeFileSync(join(home.folder, 'album', name), await read())
  return home
}

const modelsOf = (out: string) => new Set(readPredictions(out).flatMap(({ models = [] }) => models))

async function leave(home: Project): Promise<void> {
  await home.ok(['unprovision', 'all', '--yes'])
  await until(() => home.processes().length === 0, 'the local agent has ended')
}

test(
  'where no model can be had, those that come with cpn do the work, and that is told',
  { timeout: 240_000 },
  leakFree(async () => {
    await using home = await withFaces()
    const out = join(home.folder, 'album-predicted')
    const { stdout, stderr } = await home.ok(['predict', 'album', '--yes'], { env: offline })
    assert.match(
      stderr,
      /^persons-lite is used, because .*yunet-s-dynamic.*connection was refused.*cpn models pull persons$/m,
    )
    assert.match(stdout, /4 done · by persons-lite/)
    const { instead, run, done } = readSummary(out)
    assert.deepEqual([done, instead?.pipeline], [4, 'persons-lite'])
    const faces = readPredictions(out).map((line) => [line.path, line.faces?.length])
    assert.deepEqual(Object.fromEntries(faces), { 'none.jpg': 0, 'one.jpg': 1, 'two.jpg': 2, 'three.jpg': 3 })
    assert.deepEqual(modelsOf(out), new Set(lite))
    assert.match(readFileSync(join(out, 'index.html'), 'utf8'), /"models":\["lite-detector@1","lite-embedder@1"\]/)

    // The same again goes on with what has begun.
    await home.ok(['predict', 'album', '--yes'], { env: offline })
    assert.deepEqual([readSummary(out).run, readSummary(out).skipped], [run, 4])

    // Who asks for persons by name gets persons or an error.
    const asked = await home.cpn(['predict', 'album', '--pipeline', 'persons', '--yes', '--json'], { env: offline })
    const { code, suggestions } = JSON.parse(asked.stdout).error
    assert.deepEqual([asked.exitCode, code], [6, 'CPN_ERR_MODEL_DOWNLOAD'])
    assert.match(suggestions[0], /--pipeline persons-lite/)

    const list = await home.ok(['models', 'list'])
    assert.match(list.stdout, /^lite-embedder .* built in /m)
    await leave(home)
  }),
)

test(
  'provisioning needs no network either, and what is asked for by name is not told of',
  { timeout: 240_000 },
  leakFree(async () => {
    await using home = await withFaces()
    writeFileSync(home.inventory, 'version: 1\nhosts:\n  here: { transport: local }\n')
    const provisioned = await home.ok(['provision', '--yes'], { env: offline })
    assert.match(provisioned.stderr, /yunet-s-dynamic cannot be had; nodes get lite-detector/)
    const { stderr } = await home.ok(['predict', 'album', '--pipeline', 'persons-lite'], { env: offline })
    assert.doesNotMatch(stderr, /is used, because/)
    assert.equal(readSummary(join(home.folder, 'album-predicted')).instead, undefined)
    await leave(home)
  }),
)

test(
  'people stay with the models that know them until they are enrolled again',
  { timeout: 240_000, skip: sharedMissing },
  leakFree(async () => {
    await using home = await withFaces()
    const add = (...args: string[]) => ['people', 'add', 'Ada', 'album/one.jpg', '--force', ...args]
    const modelOfPeople = async () => (await home.json<PeopleInfo>(['people', 'list'])).model
    const enrolled = await home.ok(add('--yes'), { env: offline })
    assert.match(enrolled.stderr, /persons-lite is used, because/)
    assert.equal(await modelOfPeople(), lite[1])

    const pulled = await home.ok(['models', 'pull', 'persons', '--yes'])
    assert.match(pulled.stderr, /enrolled with lite-embedder@1.*mobilefacenet-112@1\n.*\n.*\(Ada\): cpn people add/)
    const out = join(home.folder, 'album-predicted')
    const { stderr } = await home.ok(['predict', 'album'])
    assert.match(stderr, /persons-lite is used, because people are enrolled with it/)
    assert.equal(readPredictions(out).find(({ path }) => path === 'one.jpg')?.faces?.[0]?.person, 'Ada')

    // Their numbers mean nothing to another model.
    const other = await home.ok(['predict', 'album', '--pipeline', 'persons', '--out', 'other'])
    assert.match(other.stderr, /nobody gets a name: people are enrolled with lite-embedder@1/)
    const refused = await home.cpn(add('--pipeline', 'persons'))
    assert.match(refused.stderr, /CPN_ERR_NEEDS_TERMINAL/)
    assert.equal(await modelOfPeople(), lite[1])
    await home.ok(add('--pipeline', 'persons', '--yes'))
    assert.equal(await modelOfPeople(), 'mobilefacenet-112@1')
    await home.ok(['predict', 'album'])
    assert.ok(modelsOf(out).has('mobilefacenet-112@1'))
    await leave(home)
  }),
)

test(
  'a run that persons-lite has begun is gone on with by it, although there are better models by then',
  { timeout: 240_000, skip: sharedMissing },
  leakFree(async () => {
    await using home = project()
    await drawMany(join(home.folder, 'many'), 200)
    const out = join(home.folder, 'many-predicted')
    const first = home.spawn(['predict', 'many', '--yes'], { env: offline })
    await until(() => countWritten(out) >= 5, 'five pictures are written')
    first.kill('SIGINT')
    assert.equal((await first.exited).exitCode, 130, first.describe())
    const { run } = readSummary(out)
    await home.ok(['models', 'pull', 'persons', '--yes'])
    const { stderr } = await home.ok(['predict', 'many'])
    assert.match(stderr, /persons-lite is used, because this run began with it/)
    assert.deepEqual([readSummary(out).run, readSummary(out).pending], [run, 0])
    assert.deepEqual(modelsOf(out), new Set(lite))
    await leave(home)
  }),
)

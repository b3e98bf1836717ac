import assert from 'node:assert/strict'
import { readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import type { OutdatedReport } from '../../src/actions/models/outdated-models.ts'
import { drawMany } from '../helpers/drawn-job.ts'
import { serveFiles, wholeFile } from '../helpers/file-server.ts'
import { type Project, project } from '../helpers/project.ts'
import { readPredictions } from '../helpers/run-output.ts'
import { tinyDetector, tinyDetectorVersion, tinyEmbedder, tinyManifest } from '../helpers/tiny-model.ts'
import { digests } from './push-fixture.ts'

/** A project with both versions of the detector and an embedder, on this machine alone. */
async function withModels(): Promise<Project> {
  const home = project()
  writeFileSync(home.inventory, 'version: 1\nhosts:\n  here: { transport: local }\n')
  const files = { 'first.onnx': tinyDetector(), 'second.onnx': tinyDetectorVersion('2'), 'embed.onnx': tinyEmbedder() }
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(home.folder, name), bytes)
  const add = (file: string, name: string, version: string, family: string) => {
    const details = ['--name', name, '--model-version', version, '--family', family, '--licence', 'MIT']
    return home.ok(['models', 'add', file, ...details])
  }
  await add('first.onnx', 'squares', '1', 'yunet')
  await add('second.onnx', 'squares', '2', 'yunet')
  await add('embed.onnx', 'areas', '1', 'arcface')
  return home
}

const codeOf = (stdout: string) => JSON.parse(stdout).error.code as string

test('a version is made of models that fit, under a name that is free', async () => {
  await using home = await withModels()
  const define = async (...args: string[]) => {
    const { exitCode, stdout } = await home.cpn(['models', 'define', ...args, '--json'])
    return [exitCode, exitCode === 0 ? '' : codeOf(stdout)]
  }
  assert.deepEqual(await define('persons@2', '--detector', 'squares', '--embedder', 'areas'), [0, ''])
  assert.deepEqual(await define('persons@2', '--detector', 'squares@1'), [6, 'CPN_ERR_MODEL_INVALID'])
  assert.deepEqual(await define('persons@3', '--detector', 'areas'), [6, 'CPN_ERR_MODEL_INVALID'])
  assert.deepEqual(await define('persons@3', '--detector', 'circles'), [6, 'CPN_ERR_MODEL_UNKNOWN'])
  for (const name of ['persons', 'cats@1', 'persons@../x', 'persons@']) {
    assert.deepEqual(await define(name), [2, 'CPN_ERR_USAGE'], name)
  }
  assert.deepEqual(await define('persons@3', '--score-threshold', 'high'), [2, 'CPN_ERR_USAGE'])
  const { stdout } = await home.ok(['models', 'list'])
  assert.match(stdout, /persons@1 +yes .*\npersons@2 +no +squares@2, areas@1\npersons-lite@1 +yes .*\n$/)
})

test('another embedder is told of, there and back, and embeddings come from the version in use', async () => {
  await using home = await withModels()
  await drawMany(join(home.folder, 'golden'), 2)
  await home.ok(['models', 'define', 'faces@2', '--detector', 'squares@1', '--embedder', 'areas'])
  const args = ['models', 'push', 'faces@2', '--golden', 'golden', '--yes']
  const early = await home.cpn([...args, '--json'])
  assert.deepEqual([early.exitCode, codeOf(early.stdout)], [4, 'CPN_ERR_NO_USABLE_HOST'])
  await home.ok(['provision', '--yes'])
  const { stdout, stderr } = await home.ok(args)
  assert.match(stdout, /^faces@2 is in use, before: faces@1 · 1 ready\n$/)
  assert.match(stderr, /people enrolled with the one before are not recognised[\s\S]*cpn models rollback/)
  await home.ok(['predict', '--pipeline', 'faces', 'golden', '--out', 'found', '--embeddings'])
  const [line] = readPredictions(join(home.folder, 'found'))
  assert.deepEqual(line?.models, ['squares@1', 'areas@1'])
  assert.match((await home.ok(['models', 'rollback'])).stderr, /not recognised/)
  await home.ok(['unprovision', 'all', '--yes'])
})

test('a version whose model has other bytes here is not used, and nothing is sent', async () => {
  await using home = await withModels()
  await home.ok(['models', 'define', 'faces@2', '--detector', 'squares@2'])
  const file = join(home.folder, '.cpn', 'pipelines', 'faces@2.json')
  writeFileSync(file, readFileSync(file, 'utf8').replace(digests.second, digests.first))
  const wrong = await home.cpn(['models', 'push', 'faces@2', '--json'])
  assert.deepEqual([wrong.exitCode, codeOf(wrong.stdout)], [6, 'CPN_ERR_MODEL_DIGEST'])
  assert.match((await home.ok(['models', 'list'])).stdout, /faces@1 +yes/)
})

test('a damaged list of what is in use stops a run before it begins, and doctor says so', async () => {
  await using home = await withModels()
  await drawMany(join(home.folder, 'golden'), 1)
  await home.ok(['models', 'define', 'faces@2', '--detector', 'squares@2'])
  writeFileSync(join(home.folder, '.cpn', 'pipelines', 'active.json'), '{"faces":[{"ver')
  const run = await home.cpn(['predict', '--pipeline', 'faces', 'golden', '--yes', '--json'])
  assert.deepEqual([run.exitCode, codeOf(run.stdout)], [3, 'CPN_ERR_STATE_DIR'])
  const { stdout } = await home.cpn(['doctor', '--json'])
  const { checks } = JSON.parse(stdout) as { checks: { subject: string; verdict: string }[] }
  assert.equal(checks.find(({ subject }) => subject === 'models')?.verdict, 'failed')
})

test('a push pulls what is missing here, and an address with a web page changes nothing', async () => {
  await using home = project()
  writeFileSync(home.inventory, 'version: 1\nhosts:\n  here: { transport: local }\n')
  await using server = await serveFiles({ '/squares.onnx': wholeFile(Buffer.from('<!doctype html><p>Log in')) })
  const manifest = tinyManifest([`${server.url}/squares.onnx`])
  writeFileSync(join(home.folder, 'squares.onnx'), tinyDetector())
  writeFileSync(join(home.folder, 'squares.json'), JSON.stringify(manifest))
  await home.ok(['models', 'add', 'squares.onnx', '--manifest', 'squares.json'])
  await home.ok(['models', 'define', 'faces@2', '--detector', manifest.name])
  writeFileSync(join(home.folder, '.cpn', 'models', manifest.sha256), Buffer.alloc(manifest.bytes))
  const env = { CPN_MODEL_MIRROR: '' }
  const unasked = await home.cpn(['models', 'push', 'faces@2', '--json'], { env })
  assert.deepEqual([unasked.exitCode, codeOf(unasked.stdout)], [2, 'CPN_ERR_NEEDS_TERMINAL'])
  const page = await home.cpn(['models', 'push', 'faces@2', '--yes', '--json'], { env })
  assert.deepEqual([page.exitCode, codeOf(page.stdout)], [6, 'CPN_ERR_MODEL_DOWNLOAD'])
  assert.match((await home.ok(['models', 'list'])).stdout, /faces@1 +yes/)
})

test('what is behind is told, and prune keeps what is in use and what a rollback brings back', async () => {
  await using home = await withModels()
  await drawMany(join(home.folder, 'golden'), 2)
  await home.ok(['provision', '--yes'])
  await home.ok(['models', 'define', 'faces@2', '--detector', 'squares@1'])
  await home.ok(['models', 'push', 'faces@2', '--golden', 'golden'])
  await home.ok(['models', 'define', 'faces@3', '--detector', 'squares@2'])
  const models = join(home.folder, '.cpn', 'models')
  const longAgo = new Date(Date.now() - 90 * 86_400_000)
  const age = () => {
    for (const name of [digests.first, `${digests.first}.json`]) utimesSync(join(models, name), longAgo, longAgo)
  }
  const pruned = async () => {
    age()
    const { items } = await home.json<{ items: { what: string }[] }>(['prune', '--dry-run'])
    return items.map(({ what }) => what).filter((what) => what.startsWith('model '))
  }
  const outdated = () => home.json<OutdatedReport>(['models', 'outdated'])
  assert.deepEqual((await outdated()).pipelines, [{ inUse: 'faces@2', newest: 'faces@3' }])
  assert.deepEqual(await pruned(), [], 'faces@2 is in use')

  await home.ok(['models', 'push', 'faces', '--golden', 'golden'])
  assert.deepEqual((await outdated()).nodes, [{ name: 'here', missing: [], older: ['squares@1'], error: null }])
  assert.deepEqual(await pruned(), [], 'a rollback would want faces@2')
  await home.ok(['models', 'define', 'faces@4', '--detector', 'squares@2', '--score-threshold', '0.7'])
  await home.ok(['models', 'push', 'faces', '--golden', 'golden'])
  assert.deepEqual(await pruned(), ['model squares@1'])

  const node = join(home.env.HOME!, '.cpn', 'models')
  for (const name of [digests.second, `${digests.second}.json`]) rmSync(join(node, name))
  assert.deepEqual((await outdated()).nodes[0]!.missing, ['squares@2'])
  await home.ok(['unprovision', 'all', '--yes'])
  assert.match((await home.ok(['models', 'outdated'])).stdout, /here +not asked: .*\n/)
})

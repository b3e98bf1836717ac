import assert from 'node:assert/strict'
import { readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sha256 } from '../../src/common/digest.ts'
import { type CpnResult, cpn, isolatedEnvironment } from '../helpers/cli.ts'
import { serveFiles, wholeFile } from '../helpers/file-server.ts'
import { shared, sharedMissing } from '../helpers/shared.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { tinyObjectDetector } from '../helpers/tiny-labelled-models.ts'
import { tinyDetector, tinyManifest } from '../helpers/tiny-model.ts'

type Run = (args: string[], env?: Record<string, string | undefined>) => Promise<CpnResult>

/** `cpn models …` in a folder with an inventory of its own. */
function inFolder(folder: string): Run {
  const home = join(folder, 'home')
  writeFileSync(join(folder, 'inventory.yaml'), 'version: 1\nhosts:\n  here: { transport: local }\n')
  writeFileSync(join(folder, 'tiny.onnx'), tinyDetector())
  const isolated = { ...isolatedEnvironment(home), CPN_MODEL_MIRROR: '' }
  return (args, env = {}) => cpn(['models', ...args], { cwd: folder, env: { ...isolated, ...env } })
}

const own = ['add', 'tiny.onnx', '--name', 'tiny', '--family', 'yunet', '--licence', 'Apache-2.0']

test('models list shows the catalogue and what is here', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path)
  const { stdout, exitCode } = await run(['list'])
  assert.equal(exitCode, 0)
  assert.match(
    stdout,
    /^NAME +VERSION +TASK +SIZE +INSTALLED +LICENCE\nyunet-s-dynamic +1 +detect-faces +232 KiB +no +Apache/,
  )
  assert.match(stdout, /^lite-detector .* built in +Apache/m)
  assert.equal((await run(own)).exitCode, 0)
  const { models } = JSON.parse((await run(['list', '--json'])).stdout)
  assert.deepEqual([models.length, models.at(-1).name, models.at(-1).installed], [10, 'tiny', true])
})

test('a pull without a terminal needs --yes, and says what it would get', async () => {
  using folder = tempFolder()
  const { exitCode, stdout, stderr } = await inFolder(folder.path)(['pull', 'yunet-2023mar'])
  assert.equal(exitCode, 2)
  assert.equal(stdout, '')
  assert.match(stderr, /yunet-2023mar {2}227 KiB {2}licence: MIT[\s\S]*--yes[\s\S]*CPN_ERR_NEEDS_TERMINAL/)
})

test('a pull with --yes takes from the mirror', { skip: sharedMissing }, async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path)
  const pulled = await run(['pull', 'ultraface-320', '--yes', '--json'], { CPN_MODEL_MIRROR: shared('models') })
  assert.equal(pulled.exitCode, 0, pulled.stderr)
  const [model] = JSON.parse(pulled.stdout).models
  assert.deepEqual(readdirSync(join(folder.path, '.cpn', 'models')), [model.sha256, `${model.sha256}.json`])
  assert.equal((await run(['pull', 'ultraface-320'])).exitCode, 0)
})

test('a manifest with addresses and a mirror on the web make a model of your own pullable', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path)
  const manifest = tinyManifest(['http://no-such-host.invalid/tiny.onnx'])
  writeFileSync(join(folder.path, 'tiny.json'), JSON.stringify(manifest))
  assert.equal((await run(['add', 'tiny.onnx', '--manifest', 'tiny.json'])).exitCode, 0)
  writeFileSync(join(folder.path, '.cpn', 'models', manifest.sha256), Buffer.alloc(manifest.bytes))
  await using server = await serveFiles({ '/tiny.onnx': wholeFile(tinyDetector()) })
  const { exitCode, stderr } = await run(['pull', 'tiny-squares', '--yes'], { CPN_MODEL_MIRROR: server.url })
  assert.equal(exitCode, 0, stderr)
  assert.equal((await run(['verify'])).exitCode, 0)
})

test('an unknown model ends with exit code 6 and the names there are', async () => {
  using folder = tempFolder()
  const { exitCode, stdout } = await inFolder(folder.path)(['pull', 'yunet-2032mar', '--yes', '--json'])
  assert.equal(exitCode, 6)
  const { error } = JSON.parse(stdout)
  assert.equal(error.code, 'CPN_ERR_MODEL_UNKNOWN')
  assert.match(error.message, /did you mean "yunet-2023mar"/)
})

test('a model that nobody is known to publish is to be brought, and is had from a mirror', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path)
  const { exitCode, stdout } = await run(['pull', 'mobilenetv2-int8', '--yes', '--json'])
  assert.equal(exitCode, 6)
  const { error } = JSON.parse(stdout)
  assert.equal(error.code, 'CPN_ERR_MODEL_DOWNLOAD')
  assert.match(error.message, /no public address/)
  assert.doesNotMatch(error.suggestions.join(), /HTTPS_PROXY/)
  assert.match(error.suggestions.join(), /cpn models add FILE/)
})

test('labels come from a file, one for each class', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path)
  writeFileSync(join(folder.path, 'things.onnx'), tinyObjectDetector())
  const things = ['add', 'things.onnx', '--name', 'things', '--family', 'yolox', '--licence', 'MIT']
  const without = await run(things)
  assert.equal(without.exitCode, 6)
  assert.match(
    without.stderr,
    /nothing says what its 2 classes are called[\s\S]*--labels FILE[\s\S]*CPN_ERR_MODEL_INVALID/,
  )
  assert.equal((await run([...things, '--labels', 'nowhere.txt'])).exitCode, 2)
  writeFileSync(join(folder.path, 'things.txt'), 'a cup\r\nein Löffel\n\n')
  const { model } = JSON.parse((await run([...things, '--labels', 'things.txt', '--json'])).stdout)
  assert.deepEqual(model.labels, ['a cup', 'ein Löffel'])
  assert.equal((await run(['verify'])).exitCode, 0)
})

test('details that do not fit are refused and nothing is taken in', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path)
  const misfit = await run(['add', 'tiny.onnx', '--name', 'tiny', '--family', 'arcface', '--licence', 'MIT'])
  assert.equal(misfit.exitCode, 6)
  assert.match(misfit.stderr, /does not fit the family arcface[\s\S]*CPN_ERR_MODEL_INVALID/)
  assert.equal((await run(['add', 'tiny.onnx'])).exitCode, 6)
  assert.equal((await run([...own, '--score-threshold', 'high'])).exitCode, 2)
  assert.equal((await run([...own, '--channels', 'RGB', '--mean', '1,2', '--std', '1,1,1'])).exitCode, 2)
  assert.equal((await run(['add', 'tiny.onnx', '--manifest', 'inventory.yaml'])).exitCode, 6)
  assert.deepEqual(readdirSync(join(folder.path, '.cpn', 'models')), [])
})

test('verify tells what is wrong and ends with exit code 6', async () => {
  using folder = tempFolder()
  const run = inFolder(folder.path)
  await run([...own, '--channels', 'BGR', '--mean', '0,0,0', '--std', '1,1,1'])
  const good = await run(['verify'])
  assert.equal(good.exitCode, 0)
  assert.match(good.stdout, /tiny@1 +ok/)
  writeFileSync(join(folder.path, '.cpn', 'models', 'stray.onnx'), 'x')
  writeFileSync(join(folder.path, '.cpn', 'models', sha256(tinyDetector())), 'changed')
  const bad = await run(['verify', '--json'])
  assert.equal(bad.exitCode, 6)
  assert.deepEqual(
    JSON.parse(bad.stdout).files.map(({ state }: { state: string }) => state),
    ['changed', 'unlisted'],
  )
})

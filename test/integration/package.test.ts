import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { test } from 'node:test'
import { olderNode, pinnedNode, start } from '../helpers/program.ts'
import { repositoryRoot } from '../helpers/shared.ts'
import { tempFolder } from '../helpers/temp-folder.ts'

// npm's own settings for this run would send the package to the checkout.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|INIT_CWD$|NODE_)/.test(name)))
// As for somebody who has an own Node.js and not the checkout's.
env.PATH = [dirname(olderNode ?? pinnedNode), ...withoutCheckout(process.env.PATH)].join(delimiter)

test('the package holds what it needs and nothing else', () => {
  using folder = tempFolder()
  const { files } = pack(folder.path)
  const paths = files.map(({ path }) => path)
  const needed = [
    'bin/run.js',
    'bin/runtime.js',
    'oclif.manifest.json',
    'LICENSE',
    'NOTICE',
    'CHANGELOG.md',
    'README.md',
    'docs/lite-models.md',
    'assets/models/lite-detector.onnx',
    'assets/models/lite-embedder.onnx',
  ]
  const bundles = ['dist/bundle/agent.mjs', 'dist/bundle/worker.mjs', 'dist/commands/hosts/list.js']
  assert.deepEqual(
    [...needed, ...bundles, 'inventory.example.yaml'].filter((path) => !paths.includes(path)),
    [],
  )
  assert.deepEqual(
    paths.filter((path) => /^(src|test|scripts|docs|bench)\//.test(path)),
    ['docs/lite-models.md'],
  )
})

test('the package works where it is installed', async () => {
  using folder = tempFolder()
  const { filename } = pack(folder.path)
  const project = join(folder.path, 'project')
  mkdirSync(project)
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error']
  npm(['install', ...options, join(folder.path, filename)], project)
  const run = (args: string[]) => start('npx', ['--no-install', 'cpn', ...args], { cwd: project, env }).closed
  const version = await run(['--version'])
  assert.match(version.stdout, /^cpn\/.* node-v26\./, version.stderr)
  const help = await run(['hosts', 'list', '--help'])
  assert.equal(help.code, 0, help.stderr)
  assert.match(help.stdout, /\$ cpn hosts list/)
  const direct = await start(join(project, 'node_modules', '.bin', 'cpn'), ['hosts', 'list'], { cwd: project, env })
    .closed
  assert.equal(direct.code, 3, direct.stderr)
  assert.match(direct.stderr, /CPN_ERR_INVENTORY_MISSING/)
})

// Scripts would build anew, under the feet of other tests.
function pack(folder: string): { filename: string; files: { path: string }[] } {
  const output = npm(['pack', '--json', '--ignore-scripts', `--pack-destination=${folder}`], repositoryRoot)
  const parsed = JSON.parse(output)
  return Array.isArray(parsed) ? parsed[0] : parsed.cpn
}

function npm(args: string[], cwd: string): string {
  return execFileSync('npm', args, { cwd, env, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })
}

function withoutCheckout(path = ''): string[] {
  return path.split(delimiter).filter((folder) => !folder.startsWith(repositoryRoot))
}

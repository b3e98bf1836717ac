// npm test [-- FILE|FOLDER…]: installs the programs that tests need, builds, runs the tests on the pinned runtime, says
// what was left out and fails when something is left behind.
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { collectLeaks } from './test-leaks.mjs'
import { installTestTools } from './test-tools.mjs'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const node = join(root, 'node_modules', '.bin', 'node')
const suites = ['test/unit', 'test/integration', 'test/e2e', 'test/fault', 'test/fuzz']

const targets =
  process.argv.slice(2).length > 0 ? process.argv.slice(2) : suites.filter((suite) => existsSync(join(root, suite)))
const files = targets.flatMap(testFiles).sort()
if (files.length === 0) fail(`no test files in ${targets.join(', ')}`)

installTestTools()
// Unit tests run on src alone.
if (files.some((file) => !file.startsWith('test/unit/'))) build()
process.exitCode = await run()

async function run() {
  const { id, folder } = makeRunFolder()
  const status = await runTests(id, folder)
  const { skipped, counts } = readReport(join(folder, 'report'))
  const leaks = await collectLeaks({ run: id, folder })
  printList('Left out:', groupSkipped(skipped))
  printList('Left behind (ended and removed now):', leaks)
  const { passed = 0, tests = 0 } = counts
  console.log(
    `\n${tests} tests: ${passed} passed, ${tests - passed - skipped.length} failed, ${skipped.length} left out; ${leaks.length} leaks`,
  )
  return status === 0 && leaks.length > 0 ? 1 : status
}

// A short name: sockets of agents have to fit into 107 bytes below it. Test hosts log in as other users: readable.
function makeRunFolder() {
  const id = Math.random().toString(36).slice(2, 6).padEnd(4, '0')
  const folder = join(tmpdir(), `c${id}`)
  mkdirSync(folder)
  chmodSync(folder, 0o755)
  return { id: `${process.pid}-${id}`, folder }
}

function runTests(id, folder) {
  const { CPN_INVENTORY, CPN_DEBUG, CPN_CONTENT_TYPE, CPN_MODEL_MIRROR, SSH_AUTH_SOCK, ...env } = process.env
  const args = [
    '--test',
    '--test-concurrency=3',
    `--import=${join(root, 'scripts', 'test-watchdog.mjs')}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    `--test-reporter=${join(root, 'scripts', 'skip-reporter.mjs')}`,
    `--test-reporter-destination=${join(folder, 'report')}`,
    ...files,
  ]
  const child = spawn(node, args, {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: {
      ...env,
      TMPDIR: folder,
      CPN_TEST_RUN: id,
      // Each file of tests is a process; what the first has compiled the others need not.
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      // onnxruntime would report to its maker where a test loads it without our own switch.
      ORT_DISABLE_TELEMETRY: '1',
    },
  })
  for (const name of ['SIGINT', 'SIGTERM']) process.on(name, () => child.kill(name))
  return new Promise((done) => {
    child.on('error', (error) => fail(`the pinned runtime ${node} does not start: ${error.message}`))
    child.on('exit', (code) => done(code ?? 130))
  })
}

function build() {
  const { status } = spawnSync('npm', ['run', '--silent', 'build'], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  if (status !== 0) process.exit(status ?? 1)
}

function testFiles(target) {
  const path = resolve(root, target)
  if (!existsSync(path)) fail(`there is no ${target}`)
  if (!statSync(path).isDirectory()) return [relative(root, path)]
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
}

function readReport(path) {
  const lines = existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter(Boolean)
        .map((line) => JSON.parse(line))
    : []
  return {
    skipped: lines.filter((line) => line.skipped !== undefined),
    counts: lines.findLast((line) => line.counts)?.counts ?? {},
  }
}

function groupSkipped(skipped) {
  const byReason = Map.groupBy(skipped, ({ reason }) => reason)
  return [...byReason].flatMap(([reason, tests]) => [
    `${tests.length} because: ${reason}`,
    ...tests.map(({ skipped: name }) => `  ${name}`),
  ])
}

function printList(title, lines) {
  if (lines.length > 0) console.log(['', title, ...lines.map((line) => `  ${line}`)].join('\n'))
}

function fail(message) {
  console.error(message)
  process.exit(2)
}

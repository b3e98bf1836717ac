import assert from 'node:assert/strict'
import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { cpnProgram } from '../helpers/cli.ts'
import { olderNode, olderNodeMissing, pinnedNode, start } from '../helpers/program.ts'
import { repositoryRoot } from '../helpers/shared.ts'
import { tempFolder } from '../helpers/temp-folder.ts'

const waiting = join(repositoryRoot, 'test', 'fixtures', 'waiting-cli', 'run.js')
const withOlderNode = { skip: olderNodeMissing }

test('version and help answer without an inventory', async () => {
  using folder = tempFolder()
  const run = (...args: string[]) => start(pinnedNode, [cpnProgram, ...args], { cwd: folder.path }).closed
  assert.match((await run('--version')).stdout, /^cpn\/\d+\.\d+\.\d+ /)
  for (const args of [
    ['--help'],
    ['-h'],
    ['hosts', '--help'],
    ['hosts', 'add', '--help'],
    ['predict', '--help'],
    ['predict', '-h'],
  ]) {
    const { code, stdout, stderr } = await run(...args)
    assert.equal(code, 0, stderr)
    assert.match(stdout, /USAGE/)
  }
})

test('help names commands only', async () => {
  const { stdout } = await start(pinnedNode, [cpnProgram, '--help']).closed
  assert.doesNotMatch(stdout, /\bbase/)
})

test('a word that is no command has exit code 2', async () => {
  const { code, stderr } = await start(pinnedNode, [cpnProgram, 'fly', 'away']).closed
  assert.equal(code, 2)
  assert.equal(stderr, '✖ there is no command `fly away`\n  → See `cpn --help`.\n  CPN_ERR_USAGE\n')
  assert.equal((await start(pinnedNode, [cpnProgram, 'fly', 'away', '--help']).closed).stderr, stderr)
  const json = await start(pinnedNode, [cpnProgram, 'fly', '--json']).closed
  assert.equal(JSON.parse(json.stdout).error.code, 'CPN_ERR_USAGE')
})

test('bash completes commands and flags', async () => {
  using folder = tempFolder()
  const env = { ...process.env, HOME: folder.path, XDG_CACHE_HOME: join(folder.path, 'cache') }
  assert.equal((await start(pinnedNode, [cpnProgram, 'autocomplete', 'bash'], { env }).closed).code, 0)
  const script = `source "$XDG_CACHE_HOME/cpn/autocomplete/bash_setup"
    complete_words() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _cpn_autocomplete; echo "\${COMPREPLY[*]}"; }
    complete_words cpn pre; complete_words cpn runs ''; complete_words cpn predict --an`
  const { stdout, stderr } = await start('bash', ['-c', script], { env }).closed
  assert.equal(stdout, 'predict\nlist resume show\n--annotate\n', stderr)
})

test('a reader that goes away early ends the program quietly', async () => {
  const { child, closed } = start(pinnedNode, [cpnProgram, '--help'])
  child.stdout!.destroy()
  const { code, stderr } = await closed
  assert.equal(code, 0)
  assert.equal(stderr, '')
})

test('the source runs without a build', async () => {
  const { code, stdout, stderr } = await start(pinnedNode, [join(repositoryRoot, 'bin', 'dev.js'), '--help']).closed
  assert.equal(code, 0, stderr)
  assert.match(stdout, /hosts/)
})

test('started by an older Node.js it continues in the pinned runtime', withOlderNode, async () => {
  const { child, says, closed } = start(olderNode!, [waiting, 'wait', 'drain'])
  const [, version] = await says(/waiting \d+ (v\d+)/)
  assert.ok(Number(version!.slice(1)) >= 26)
  child.kill('SIGTERM')
  const { code, stderr } = await closed
  assert.equal(code, 130)
  assert.match(stderr, /CPN_ERR_INTERRUPTED/)
})

test('the exit code of the continued program is that of the whole', withOlderNode, async () => {
  assert.equal((await start(olderNode!, [waiting, 'fail', 'partly']).closed).code, 7)
  assert.equal((await start(olderNode!, [waiting, 'fail', 'known']).closed).code, 4)
})

test('a signal that kills the continued program kills the starter too', withOlderNode, async () => {
  const { says, closed } = start(olderNode!, [waiting, 'wait', 'drain'])
  const [, pid] = await says(/waiting (\d+)/)
  process.kill(Number(pid), 'SIGKILL')
  assert.equal((await closed).signal, 'SIGKILL')
})

test('the continued program ends with a starter that is killed', withOlderNode, async () => {
  const { child, says, closed } = start(olderNode!, [waiting, 'wait', 'stuck'])
  await says(/waiting/)
  child.kill('SIGKILL')
  // Both hold the pipes: they close when both have ended.
  assert.equal((await closed).signal, 'SIGKILL')
})

test('without the pinned runtime it says what to do', withOlderNode, async () => {
  using folder = tempFolder()
  cpSync(join(repositoryRoot, 'bin'), join(folder.path, 'bin'), { recursive: true })
  writeFileSync(join(folder.path, 'package.json'), '{ "type": "module" }')
  const program = join(folder.path, 'bin', 'run.js')
  const { code, stderr } = await start(olderNode!, [program, '--version']).closed
  assert.equal(code, 2)
  assert.match(stderr, /needs Node\.js 26.*is not installed\n {2}→ .*npm install --include=optional/)
  assert.match(stderr, /CPN_ERR_RUNTIME/)
  const json = await start(olderNode!, [program, 'hosts', 'list', '--json']).closed
  assert.equal(JSON.parse(json.stdout).error.exitCode, 2)
})

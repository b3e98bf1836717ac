import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { pinnedNode, start } from '../helpers/program.ts'
import { repositoryRoot } from '../helpers/shared.ts'

const program = join(repositoryRoot, 'test', 'fixtures', 'waiting-cli', 'run.js')
const run = (args: string[], env?: NodeJS.ProcessEnv) => start(pinnedNode, [program, ...args], { env })
const scriptMissing = existsSync('/usr/bin/script') ? false : 'needs script(1)'

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  test(`${signal} ends waiting work with exit code 130`, async () => {
    const { child, says, closed } = run(['wait', 'drain'])
    await says(/waiting/)
    child.kill(signal)
    const { code, stderr } = await closed
    assert.equal(code, 130)
    assert.match(stderr, /CPN_ERR_INTERRUPTED/)
  })
}

test('a command that ends in order after a signal has exit code 130 too', async () => {
  const { child, says, closed } = run(['wait', 'finish'])
  await says(/waiting/)
  child.kill('SIGINT')
  assert.equal((await closed).code, 130)
})

test('a signal that arrives twice at once counts once, a later one ends the process', async () => {
  const { child, says, closed } = run(['wait', 'stuck'])
  await says(/waiting/)
  child.kill('SIGINT')
  child.kill('SIGTERM')
  await says(/told to end/)
  const timer = setInterval(() => child.kill('SIGINT'), 100)
  const { code } = await closed
  clearInterval(timer)
  assert.equal(code, 130)
})

test('an error says what happened, where, what to do next and its code', async () => {
  const { code, stdout, stderr } = await run(['fail', 'known']).closed
  assert.equal(code, 4)
  assert.equal(stdout, '')
  assert.equal(stderr, '✖ node1: no such name\n  → Fix the address.\n  CPN_ERR_DNS\n')
})

test('with --json the error is on stdout', async () => {
  const { code, stdout } = await run(['fail', 'known', '--json']).closed
  assert.equal(code, 4)
  assert.deepEqual(JSON.parse(stdout), {
    error: {
      code: 'CPN_ERR_DNS',
      message: 'no such name',
      host: 'node1',
      suggestions: ['Fix the address.'],
      exitCode: 4,
    },
  })
})

test('a bug has exit code 1 and shows its stack only to whoever asks', async () => {
  const { code, stderr } = await run(['fail', 'bug']).closed
  assert.equal(code, 1)
  assert.match(stderr, /^✖ undefined is not \\x1b\[31ma function\n/)
  assert.match(stderr, /CPN_ERR_BUG/)
  assert.doesNotMatch(stderr, /fail\.ts/)
  assert.match((await run(['fail', 'bug'], { CPN_DEBUG: '1' }).closed).stderr, /fail\.ts/)
})

test('a command may show its results and still say that part of the work failed', async () => {
  assert.deepEqual(await run(['fail', 'partly']).closed, {
    code: 7,
    signal: null,
    stdout: 'two of three\n',
    stderr: '',
  })
  assert.deepEqual(JSON.parse((await run(['fail', 'partly', '--json']).closed).stdout), { done: 2 })
})

test('a wrong command line has exit code 2', async () => {
  for (const args of [['fail'], ['fail', 'sometimes'], ['wait', 'drain', '--nope']]) {
    const { code, stderr } = await run(args).closed
    assert.equal(code, 2, stderr)
    assert.match(stderr, /CPN_ERR_USAGE/)
    assert.match(stderr, /See `cpn (fail|wait) --help`\./)
  }
})

test('without a terminal nothing is asked and every host has a plain line', async () => {
  const { stdout, stderr } = await run(['ask', '--json']).closed
  assert.equal(JSON.parse(stdout).error.code, 'CPN_ERR_NEEDS_TERMINAL')
  assert.match(stderr, /^Logging in\nnode1: connecting\nnode2: connecting\n✖ node1: there is no terminal/)
})

test('on a terminal the list gives way to questions, and a secret is not echoed', { skip: scriptMissing }, async () => {
  const command = `${pinnedNode} ${program} ask`
  const { child, says, closed, output } = start('script', ['-qefc', command, '/dev/null'])
  for (const [question, answer] of [
    ['Password of node1:', 'hunter22'],
    ['Password of node2:', 's3cret'],
    ['Go on\\?', 'y'],
  ]) {
    await says(new RegExp(`${question}[^\\n]*$`))
    child.stdin!.write(`${answer}\r`)
  }
  const { code, stdout } = await closed
  assert.equal(code, 0, stdout)
  assert.doesNotMatch(output.stdout, /hunter|s3cret/)
  const shown = stdout.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, '')
  for (const line of ['Logging in', 'node1 has a password', '✔ node1: 8 characters', '✔ node2: 6 characters']) {
    assert.ok(shown.includes(line), `${line} in ${shown}`)
  }
  assert.match(shown, /photo\.jpg is no image\r?\n/)
  assert.match(shown, /✔ 2 images, 1 failed/)
})

test('Ctrl-C at a question ends its line first', { skip: scriptMissing }, async () => {
  const command = `${pinnedNode} ${program} ask`
  const { child, says, closed } = start('script', ['-qefc', command, '/dev/null'])
  for (const [question, answer] of [
    ['Password of node1:', 'a\r'],
    ['Password of node2:', 'b\r'],
    ['Go on\\?', '\u0003'],
  ]) {
    await says(new RegExp(`${question}[^\\n]*$`))
    child.stdin!.write(answer!)
  }
  const { code, stdout } = await closed
  assert.equal(code, 130, stdout)
  assert.match(stdout.replaceAll(/\u001b\[[\d;?]*[A-Za-z]/g, ''), /Go on\? \[y\/N\] \r?\n✖ interrupted/)
})

import assert from 'node:assert/strict'
import { chownSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { type Project, project } from '../helpers/project.ts'
import { provisionAll, type Setting, setting } from '../helpers/provisioned.ts'
import { readSummary } from '../helpers/run-output.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'

const skip = sshdMissing
let hosts: SshdHost[] = []
let home: Project
let set: Setting

interface Line {
  time: string
  level: string
  source: string
  msg: string
  host?: string
  event?: string
  run?: string
  phase?: string
  [field: string]: unknown
}

before(async () => {
  if (skip) return
  hosts = [await startSshd({ name: 'node1', held: true }), await startSshd({ name: 'node2', held: true })]
  home = project(hosts)
  set = await setting(home)
  for (const [, { error }] of await provisionAll(set.options)) assert.ifError(error)
})

after(async () => {
  if (skip) return
  await home.cpn(['unprovision', 'all', '--yes'])
  await home[Symbol.asyncDispose]()
  for (const host of hosts) await host[Symbol.asyncDispose]()
})

async function logs(...args: string[]): Promise<Line[]> {
  const { stdout } = await home.ok(['logs', '--json', ...args])
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Line)
}

const masterLog = () => readFileSync(join(set.state.logsDir, 'cpn.ndjson'), 'utf8')

test('what was done here and what the nodes say is one log, in the order of time', { skip }, async () => {
  await home.ok(['provision', '--yes'])
  const lines = await logs('--since', '1h')
  const times = lines.map(({ time }) => Date.parse(time))
  assert.deepEqual(
    times,
    times.toSorted((a, b) => a - b),
  )
  const says = (want: Partial<Line>) =>
    lines.some((line) => Object.entries(want).every(([key, value]) => line[key] === value))
  for (const host of ['node1', 'node2']) {
    assert.ok(says({ source: 'node', host, msg: 'agent started' }))
    assert.ok(says({ source: 'master', host, event: 'phase-done', phase: 'verify' }))
    assert.ok(says({ source: 'master', host, event: 'provisioned', command: 'provision' }))
  }
  assert.ok(says({ source: 'master', event: 'command-began', command: 'provision' }))
  assert.ok(says({ source: 'master', event: 'command-ended', command: 'provision', exitCode: 0 }))
  assert.equal(statSync(join(set.state.logsDir, 'cpn.ndjson')).mode & 0o777, 0o600)
})

test('patterns, levels and counts narrow it', { skip }, async () => {
  const one = await logs('node1', '--since', '1h')
  assert.ok(one.length > 0)
  assert.deepEqual([...new Set(one.map(({ host }) => host))], ['node1'])
  assert.deepEqual((await logs('--level', 'fatal')).length, 0)
  assert.equal((await logs('-n', '3')).length, 3)
  assert.equal((await logs('--since', '2100-01-01')).length, 0)
  const { exitCode, stderr } = await home.cpn(['logs', '--since', 'yesterday'])
  assert.equal(exitCode, 2)
  assert.match(stderr, /neither a time nor a duration/)
})

test('a run is told by its id, and nothing of what is on the pictures is in any log', { skip }, async () => {
  const detector = await addTinyDetector(home)
  await drawMany(join(home.folder, 'alice-and-bob'), 20)
  writeFileSync(join(home.folder, 'alice-and-bob', 'carol.jpg'), 'no picture')
  const out = join(home.folder, 'out')
  const { exitCode } = await home.cpn(
    ['predict', '--pipeline', 'faces', 'alice-and-bob', '--detector', detector, '--out', out],
    {
      env: { CPN_LOG_LEVEL: 'debug' },
    },
  )
  assert.equal(exitCode, 7)
  const { run, done } = readSummary(out)
  const lines = await logs('--run', run)
  assert.equal(lines.filter(({ event }) => event === 'attempt-done').length, done)
  for (const event of ['run-began', 'node-joined', 'run-ended']) assert.ok(lines.some((line) => line.event === event))
  assert.ok(lines.every((line) => line.run === undefined || line.run === run))
  const failed = lines.find(({ event }) => event === 'attempt-failed' || event === 'job-failed')
  assert.match(`${failed?.code}`, /^CPN_ERR_IMAGE/)
  const written = [masterLog(), ...hosts.map((host) => readFileSync(agentLog(host), 'utf8'))].join('\n')
  assert.doesNotMatch(written, /alice|carol|keypoints|embedding|\[\d+\.\d+,/)
  const unknown = await home.cpn(['logs', '--run', 'no-such-run'])
  assert.equal(unknown.exitCode, 2)
  assert.match(unknown.stderr, /nothing of a run no-such-run/)
})

const agentLog = (host: SshdHost) => join(host.home, '.cpn/fleets', set.state.fleetId, 'log/agent.log')

test('following tells what happens on nodes and here, as it happens', { skip }, async () => {
  const follow = home.spawn(['logs', '-f', '-n', '0', '--json'])
  const again = home.spawn(['logs', 'node1', '-f', '-n', '1'])
  await again.waitFor(/node1/, 'stdout')
  await home.ok(['stop', 'node1'])
  await home.ok(['start', 'node1'])
  await follow.waitFor(/"agent ended"/, 'stdout')
  await follow.waitFor(/"command":"start".*command ended|command ended.*"command":"start"/, 'stdout')
  await again.waitFor(/node1 +agent ended/, 'stdout')
  for (const each of [follow, again]) {
    each.kill('SIGINT')
    assert.equal((await each.exited).exitCode, 130)
  }
})

test('a node with a wrong clock, and one that means harm, do none', { skip }, async () => {
  const hour = 3_600_000
  const ahead = (ms: number) => new Date(Date.now() + hour + ms).toISOString()
  const hostile = [
    JSON.stringify({ clock: ahead(0) }),
    JSON.stringify({ time: ahead(-2000), level: 'warn', msg: 'by a wrong clock' }),
    'no JSON \u001b]0;owned\u0007 \u009b31m',
    '{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"msg":"prototype"}',
    JSON.stringify({
      time: '9999-12-31T00:00:00Z',
      msg: { toString: 1 },
      level: { a: 1 },
      source: 'master',
      host: 'node1',
    }),
    JSON.stringify({ time: ahead(-1000), msg: 'a\u001b[2Jb\u202ec', '\u001b[31mkey': '\u0007value\u2028' }),
    `{"msg":${'['.repeat(20_000)}${']'.repeat(20_000)}}`,
    'x'.repeat(1_000_000),
  ]
  using _ = fakeAgent(hosts[1]!, hostile)
  const lines = await logs('--since', '1h')
  const found = lines.find(({ msg }) => msg === 'by a wrong clock')
  assert.ok(found && Math.abs(Date.parse(found.time) - Date.now()) < 60_000)
  assert.ok(lines.every(({ host, source }) => source === 'master' || host === 'node1' || host === 'node2'))
  assert.ok(lines.every(({ msg }) => typeof msg === 'string' && msg.length <= 64 * 1024))
  const liar = lines.filter(({ time }) => Date.parse(time) > Date.now() + 60_000)
  assert.deepEqual(liar, [])
  for (const json of [[], ['--json']]) {
    const { stdout } = await home.ok(['logs', 'node2', ...json])
    assert.match(stdout, /by a wrong clock/)
    assert.doesNotMatch(stdout.replaceAll('\n', ''), /[\u0000-\u001f\u007f-\u009f\u2028\u202e]/)
  }
})

test('an agent of an older release, which knows fewer flags, is read all the same', { skip }, async () => {
  const old = [
    `case $* in *--clock*) echo '{"error":{"code":"CPN_ERR_USAGE","message":"unknown","retryable":false}}' >&2; exit 2;; esac`,
  ]
  using _ = fakeAgent(hosts[1]!, ['{"time":"2026-01-01T00:00:00Z","level":40,"msg":"from an old one"}'], old)
  const lines = await logs('node2')
  assert.deepEqual(
    lines.filter(({ source }) => source === 'node').map(({ level, msg }) => `${level} ${msg}`),
    ['warn from an old one'],
  )
})

test('a node that cannot be asked is a warning, unless it was asked for', { skip }, async () => {
  hosts[0]!.stop()
  try {
    const all = await home.cpn(['logs'])
    assert.equal(all.exitCode, 0)
    assert.match(all.stderr, /node1: .*nothing listens/)
    assert.match(all.stdout, /master +command began/)
    assert.equal((await home.cpn(['logs', 'node1'])).exitCode, 4)
  } finally {
    await hosts[0]!.start()
  }
})

/** The host's agent program prints these lines instead of its log, until it is disposed of. */
function fakeAgent(host: SshdHost, lines: string[], first: string[] = []): Disposable {
  const program = join(host.home, '.cpn/fleets', set.state.fleetId, 'current/bin/cpn-agent')
  const text = join(host.home, 'hostile.txt')
  renameSync(program, `${program}.real`)
  writeFileSync(text, `${lines.join('\n')}\n`)
  writeFileSync(program, `#!/bin/sh\n${[...first, `cat ${text}`].join('\n')}\n`, { mode: 0o755 })
  for (const path of [program, text]) chownSync(path, host.uid, -1)
  return {
    [Symbol.dispose]: () => {
      renameSync(`${program}.real`, program)
      rmSync(text)
    },
  }
}

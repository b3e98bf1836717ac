import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { describe, test } from 'node:test'
import { nodePaths } from '../../src/protocol/paths.ts'
import { AgentFleet, releases } from '../helpers/agent-fleet.ts'
import { signalProcess } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'

test('start says who keeps the agent, and does nothing the second time', async () => {
  await using fleet = await AgentFleet.create()
  const first = await fleet.cli('start')
  const { supervisor, linger, pid, alreadyRunning } = first.json
  assert.deepEqual([first.exitCode, supervisor, linger, alreadyRunning], [0, 'keeper', null, false], first.stderr)
  const second = await fleet.cli('start')
  assert.deepEqual(second.json, { supervisor, linger, pid, alreadyRunning: true })
  const { json } = await fleet.ask('GET', '/cpn/v1/node')
  assert.deepEqual([json.isolation.permission, json.isolation.supervisor], [true, 'keeper'])
})

test('two starts at once give one agent', async () => {
  await using fleet = await AgentFleet.create()
  const [first, second] = await Promise.all([fleet.cli('start'), fleet.cli('start')])
  assert.deepEqual([first.exitCode, second.exitCode], [0, 0])
  await until(
    () => fleet.processes().filter(({ command }) => command.includes('agent.mjs')).length === 2,
    'one is left',
  )
  assert.equal(first.json.pid, second.json.pid)
})

test('socket and folders are open to their owner only', async () => {
  await using fleet = await AgentFleet.create()
  await fleet.cli('start')
  const mode = (path: string) => statSync(path).mode & 0o777
  assert.deepEqual([fleet.folder.runDir, fleet.folder.logDir].map(mode), [0o700, 0o700])
  assert.deepEqual([fleet.folder.socket, fleet.folder.log].map(mode), [0o600, 0o600])
})

test('a second supervisor of the same fleet is refused', async () => {
  await using fleet = await AgentFleet.create()
  await fleet.run()
  const { exitCode, stderr } = await fleet.cli('run')
  assert.equal(exitCode, 6)
  assert.equal(JSON.parse(stderr).error.code, 'CPN_ERR_AGENT_START')
  assert.equal((await fleet.ask('GET', '/v2/health/live')).status, 200)
})

test('a killed agent is started again', async () => {
  await using fleet = await AgentFleet.create()
  const { json } = await fleet.cli('start')
  const before = (await fleet.ask('GET', '/cpn/v1/node')).json
  signalProcess(Number(json.pid), 'SIGKILL')
  await until(() => fleet.supervisors().some(({ pid }) => pid !== json.pid), 'another supervisor runs')
  await fleet.ready()
  const after = (await fleet.ask('GET', '/cpn/v1/node')).json
  assert.notEqual(after.instance, before.instance)
  assert.equal(after.bootId, before.bootId)
  const { stdout } = await fleet.cli('logs')
  assert.match(stdout, /agent died and is started again/)
})

test('an agent that lost its keeper gets one again by start', async () => {
  await using fleet = await AgentFleet.create()
  await fleet.cli('start')
  const keeper = fleet.processes().find(({ command }) => command.endsWith(' keeper'))!
  signalProcess(keeper.pid, 'SIGKILL')
  const keptBy = async () => (await fleet.ask('GET', '/cpn/v1/node')).json.isolation.supervisor
  await until(() => fleet.supervisors().every(({ parent }) => parent !== keeper.pid), 'the keeper is gone')
  assert.equal(await keptBy(), 'none')
  assert.equal((await fleet.cli('start')).json.alreadyRunning, false)
  assert.equal(await keptBy(), 'keeper')
  assert.ok(fleet.processes().some(({ command, pid }) => command.endsWith(' keeper') && pid !== keeper.pid))
})

test('stopped stays stopped for whoever only needs the agent, until it is started on purpose', async () => {
  await using fleet = await AgentFleet.create()
  await fleet.cli('start')
  assert.deepEqual((await fleet.cli('stop')).json, { stopped: true })
  assert.deepEqual(fleet.processes(), [])
  assert.equal(existsSync(fleet.folder.socket), false)
  assert.deepEqual((await fleet.cli('start', '--if-not-stopped')).json, { stopped: true })
  assert.equal((await fleet.cli('run')).exitCode, 0)
  assert.equal((await fleet.cli('keeper')).exitCode, 0)
  assert.equal((await fleet.cli('status')).json.state, 'stopped')
  assert.deepEqual(fleet.processes(), [])
  assert.equal((await fleet.cli('start')).exitCode, 0)
  const { json } = await fleet.cli('status')
  assert.deepEqual([json.state, (json.card as { fleet: string }).fleet], ['running', 'test'])
})

test('start --if-not-stopped starts an agent that died', async () => {
  await using fleet = await AgentFleet.create()
  assert.equal((await fleet.cli('status')).json.state, 'dead')
  assert.equal((await fleet.cli('start', '--if-not-stopped')).exitCode, 0)
  assert.equal((await fleet.cli('status')).json.state, 'running')
})

test('what a killed agent left behind does not stop the next one', async () => {
  await using fleet = await AgentFleet.create()
  const first = await fleet.run()
  first.kill('SIGKILL')
  await first.ended
  writeFileSync(fleet.folder.pid, `${process.pid} 1\n`)
  assert.ok(existsSync(fleet.folder.socket))
  assert.equal((await fleet.cli('status')).json.state, 'dead')
  assert.equal((await fleet.cli('start')).exitCode, 0)
})

test('start after a switch brings the new release up', async () => {
  await using fleet = await AgentFleet.create()
  await fleet.cli('start')
  fleet.switchTo(releases.second)
  assert.equal((await fleet.cli('start')).json.alreadyRunning, false)
  assert.equal((await fleet.ask('GET', '/cpn/v1/node')).json.release, releases.second)
  assert.deepEqual(
    fleet.processes().filter(({ command }) => command.includes(releases.first)),
    [],
  )
})

test('start does not wait for the pause of a keeper whose agent keeps dying', async () => {
  await using fleet = await AgentFleet.create()
  const { json } = await fleet.cli('start')
  const program = join(fleet.folder.home, nodePaths.release(releases.first), 'agent', 'agent.mjs')
  writeFileSync(program, 'process.exit(1)')
  signalProcess(Number(json.pid), 'SIGKILL')
  const log = () => readFileSync(fleet.folder.log, 'utf8')
  await until(() => /"delayMs":2000/.test(log()), 'the keeper makes longer pauses')
  fleet.switchTo(releases.second)
  assert.equal((await fleet.cli('start')).exitCode, 0)
  assert.match(log(), /started now/)
  assert.equal((await fleet.ask('GET', '/cpn/v1/node')).json.release, releases.second)
})

test('start --restart takes changed settings up', async () => {
  await using fleet = await AgentFleet.create({ workers: 1 })
  await fleet.cli('start')
  fleet.configure({ workers: 2 })
  await fleet.cli('start', '--restart')
  assert.equal((await fleet.ask('GET', '/cpn/v1/node')).json.workers, 2)
})

// Side by side: all they do is wait.
describe('what never answers is waited for, but not for ever', { concurrency: true }, () => {
  test('stop ends an agent that does not answer any more', async () => {
    await using fleet = await AgentFleet.create()
    const { json } = await fleet.cli('start')
    signalProcess(Number(json.pid), 'SIGSTOP')
    assert.equal((await fleet.cli('stop', '--now')).exitCode, 0)
    assert.deepEqual(fleet.processes(), [])
  })

  test('start replaces an agent that lives and does not answer', async () => {
    await using fleet = await AgentFleet.create()
    const { json } = await fleet.cli('start')
    signalProcess(Number(json.pid), 'SIGSTOP')
    const started = await fleet.cli('start')
    assert.equal(started.exitCode, 0, started.stderr)
    assert.notEqual(started.json.pid, json.pid)
  })
})

test('start does not wait for workers that die again and again, and says why they do', async () => {
  await using fleet = await AgentFleet.create({ workers: 2 })
  const release = join(fleet.folder.home, nodePaths.release(releases.first))
  cpSync(join(import.meta.dirname, '../fixtures/worker-that-never-starts.mjs'), join(release, 'agent', 'worker.mjs'))
  const { exitCode, stderr } = await fleet.cli('start')
  const { error } = JSON.parse(stderr)
  assert.deepEqual([exitCode, error.code], [6, 'CPN_ERR_AGENT_START'])
  assert.match(error.message, /^the agent runs, but its workers ended \d+ times as they started\n/)
  assert.match(error.message, /a library is missing/)
  assert.ok(error.suggestions.join().includes(fleet.folder.log))
})

test('start does not wait for an agent that dies again and again, and says why it does', async () => {
  await using fleet = await AgentFleet.create()
  mkdirSync(join(fleet.folder.socket, 'in-the-way'), { recursive: true })
  const { exitCode, stderr } = await fleet.cli('start')
  const { error } = JSON.parse(stderr)
  assert.deepEqual([exitCode, error.code], [6, 'CPN_ERR_AGENT_START'])
  assert.match(error.message, /^the agent ended 3 times as it started\n/)
  assert.match(error.message, /agent\.sock/)
})

test('missing settings and wrong calls are named at once', async () => {
  await using fleet = await AgentFleet.create()
  rmSync(fleet.folder.config)
  assert.match((await fleet.cli('start')).stderr, /CPN_ERR_AGENT_START.*agent\.json/)
  const wrong = await fleet.cli('dance')
  assert.deepEqual([wrong.exitCode, JSON.parse(wrong.stderr).error.code], [2, 'CPN_ERR_USAGE'])
  assert.equal((await fleet.cli('stop', '--later')).exitCode, 2)
})

test('the program finds its fleet by the way it is called', async () => {
  await using fleet = await AgentFleet.create()
  // A shell knows in PWD by which way it came to its folder.
  const call = (cwd: string, program: string) => {
    const options = { cwd, env: { PWD: cwd, PATH: process.env.PATH }, encoding: 'utf8', stdio: 'pipe' } as const
    return JSON.parse(execFileSync(program, ['status'], options))
  }
  assert.equal(call('/', fleet.program).state, 'dead')
  assert.equal(call(fleet.folder.dir, 'current/bin/cpn-agent').state, 'dead')
  assert.equal(call(join(fleet.folder.current, 'bin'), './cpn-agent').state, 'dead')
  const direct = join(fleet.folder.home, nodePaths.release(releases.first), 'bin', 'cpn-agent')
  assert.throws(() => call('/', direct), { status: 2 })
})

test('logs are printed and followed', async () => {
  await using fleet = await AgentFleet.create()
  await fleet.cli('start')
  const follower = fleet.spawn('logs', '--lines', '1', '--follow')
  const lines = createInterface({ input: follower.stdout })
  const seen: string[] = []
  for await (const line of lines) {
    seen.push(JSON.parse(line).msg)
    if (seen.length === 1) await fleet.cli('stop')
    if (seen.includes('agent ended')) break
  }
  follower.kill()
  await follower.ended
  assert.equal((await fleet.cli('logs', '--lines', '2')).stdout.trim().split('\n').length, 2)
})

test('uninstall leaves the agent stopped and nothing running', async () => {
  await using fleet = await AgentFleet.create()
  await fleet.cli('start')
  assert.deepEqual((await fleet.cli('uninstall')).json, { uninstalled: true })
  assert.deepEqual(fleet.processes(), [])
})

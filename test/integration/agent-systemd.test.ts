import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { AgentFleet } from '../helpers/agent-fleet.ts'
import { fileTree } from '../helpers/file-tree.ts'
import { signalProcess } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'
import { UserSystemd, userSystemdMissing } from '../helpers/user-systemd.ts'

const options = { skip: userSystemdMissing }
const logind = join(import.meta.dirname, '../fixtures/logind')

/** A fleet of a user who has a systemd but, unless it is stood in for, no logind. */
async function fleetUnderSystemd({ withLogind = false } = {}) {
  const fleet = await AgentFleet.create()
  const home = join(fleet.folder.home, 'user')
  mkdirSync(home)
  const environment = { HOME: home, PATH: `${withLogind ? `${logind}:` : ''}${process.env.PATH}` }
  const systemd = await UserSystemd.start(environment)
  fleet.enter(systemd)
  return {
    fleet,
    home,
    systemd,
    unit: join(home, '.config/systemd/user/cpn-test.service'),
    [Symbol.asyncDispose]: async () => {
      await using _last = systemd
      await fleet[Symbol.asyncDispose]()
    },
  }
}

test('where the user has a systemd it keeps the agent and starts it again after its death', options, async () => {
  await using user = await fleetUnderSystemd()
  const { json, stderr } = await user.fleet.cli('start')
  assert.deepEqual([json?.supervisor, json?.linger, json?.alreadyRunning], ['systemd-user', null, false], stderr)
  const before = (await user.fleet.ask('GET', '/cpn/v1/node')).json
  assert.equal(before.isolation.supervisor, 'systemd-user')
  assert.equal((await user.fleet.cli('start')).json.alreadyRunning, true)
  const [first] = user.fleet.supervisors()
  signalProcess(first!.pid, 'SIGKILL')
  await until(() => user.fleet.supervisors().some(({ pid }) => pid !== first!.pid), 'another one runs')
  await user.fleet.ready()
})

test("native code below systemd's unit opens no connection either", options, async () => {
  await using user = await fleetUnderSystemd()
  await user.fleet.cli('start')
  const server = createServer((socket) => socket.end()).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const reach = `exec 3<>/dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port}`
  assert.equal(spawnSync('bash', ['-c', reach]).status, 0)
  // The agent's own unit with another program in it.
  const text = readFileSync(user.unit, 'utf8').replace(/^ExecStart=.*$/m, `ExecStart=/bin/bash -c "${reach}"`)
  writeFileSync(user.unit.replace('cpn-test', 'other'), text.replace('Restart=always', 'Type=oneshot'))
  user.systemd.systemctl('daemon-reload')
  user.systemd.systemctl('start', 'other.service')
  server.close()
  assert.match(readFileSync(user.fleet.folder.crashLog, 'utf8'), /Address family not supported/)
})

test('under systemd, too, stopped stays stopped over a reboot and started comes back', options, async () => {
  await using user = await fleetUnderSystemd()
  await user.fleet.cli('start')
  await user.systemd.reboot()
  await user.fleet.ready()
  await user.fleet.cli('stop')
  assert.deepEqual(user.fleet.processes(), [])
  await user.systemd.reboot()
  user.systemd.systemctl('start', 'cpn-test.service')
  const state = user.systemd.systemctl('show', '--property=ConditionResult', '--value', 'cpn-test.service')
  assert.equal(state.stdout.trim(), 'no')
  assert.deepEqual(user.fleet.processes(), [])
  await user.fleet.cli('start')
  assert.equal((await user.fleet.cli('status')).json.state, 'running')
})

test('start --restart and a stop without a drain work through systemd', options, async () => {
  await using user = await fleetUnderSystemd()
  await user.fleet.cli('start')
  user.fleet.configure({ workers: 2 })
  const { json } = await user.fleet.cli('start', '--restart')
  assert.deepEqual([json.supervisor, json.alreadyRunning], ['systemd-user', false])
  assert.equal((await user.fleet.ask('GET', '/cpn/v1/node')).json.workers, 2)
  await user.fleet.cli('stop', '--now')
  assert.deepEqual(user.fleet.processes(), [])
})

test('uninstall leaves nothing outside the own folder', options, async () => {
  await using user = await fleetUnderSystemd()
  const before = fileTree(user.home)
  await user.fleet.cli('start')
  assert.ok(existsSync(user.unit))
  await user.fleet.cli('uninstall')
  assert.deepEqual(fileTree(user.home), before)
  assert.equal(existsSync(join(user.fleet.folder.home, 'systemd.json')), false)
})

test('lingering is asked for when it is missing, and given back', options, async () => {
  await using user = await fleetUnderSystemd({ withLogind: true })
  assert.deepEqual((await user.fleet.cli('start')).json.linger, true)
  assert.ok(existsSync(join(user.home, 'linger')))
  await user.fleet.cli('uninstall')
  assert.equal(existsSync(join(user.home, 'linger')), false)
})

test('lingering that was there before stays', options, async () => {
  await using user = await fleetUnderSystemd({ withLogind: true })
  writeFileSync(join(user.home, 'linger'), '')
  assert.deepEqual((await user.fleet.cli('start')).json.linger, true)
  await user.fleet.cli('uninstall')
  assert.ok(existsSync(join(user.home, 'linger')))
})

test('without lingering our own keeper is used, which logouts do not end', options, async () => {
  await using user = await fleetUnderSystemd({ withLogind: true })
  writeFileSync(join(user.home, 'no-linger'), '')
  const { json } = await user.fleet.cli('start')
  assert.deepEqual([json.supervisor, json.linger], ['keeper', false])
  assert.equal(existsSync(user.unit), false)
})

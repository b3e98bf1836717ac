import assert from 'node:assert/strict'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import type { CpnResult } from '../helpers/cli.ts'
import { addTinyDetector, drawMany } from '../helpers/drawn-job.ts'
import { leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { readSummary } from '../helpers/run-output.ts'
import { type SshdHost, startHosts, startSshd, usersMissing } from '../helpers/sshd.ts'
import { busyboxMissing, faketimeMissing, mountMissing } from '../helpers/strange-host.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { plainMessages, startWire } from '../helpers/wire.ts'
import { assertTold, type StrangeFleet, strangeFleet, toldOf } from './hostile-fixture.ts'
import { megabyte, type Place, type StrangeHost, silentHosts, strangeHosts } from './hostile-hosts.ts'

const shellMissing = ['/bin/csh', '/usr/bin/fish'].some((shell) => !existsSync(shell)) && 'needs csh and fish'
const skip = usersMissing || mountMissing || busyboxMissing || faketimeMissing || shellMissing
const pictures = 5

describe('strange hosts in a fleet', { skip, timeout: 240_000 }, () => {
  test(
    'each is told of with cause, remedy and code by every command, and the others go on',
    leakFree(async () => {
      using folder = tempFolder()
      const rows = strangeHosts(folder.path)
      await using fleet = await strangeFleet(rows)
      await checks(fleet.home, rows)
      await runs(fleet.home, rows)
      await copies(fleet, rows)
      assertNothingSent(fleet)
      await predicts(fleet.home, rows)
      await fleet.assertUntouched()
    }),
  )

  test(
    'a host that says nothing, or whose commands never begin, delays no other',
    leakFree(async () => {
      await using server = await startServer(() => undefined)
      await using teller = await startServer((socket) => void socket.end(megabyte))
      const rows = silentHosts(server, teller)
      await using fleet = await strangeFleet(rows)
      const env = { CPN_TIMEOUT_SCALE: '0.2' }
      const result = await fleet.home.cpn(['run-remote', 'all', '--', 'echo', 'works'], { env })
      assert.equal(result.exitCode, 7, result.stderr)
      assert.match(result.stdout, /^good: works$/m)
      for (const { name, refuses } of rows) assertTold(toldOf(result, name), refuses!, name)
      await fleet.assertUntouched()
    }),
  )

  test(
    'a host with another key gets no credential: the client sends nothing encrypted',
    leakFree(async () => {
      await using host = await startSshd({ name: 'changed' })
      await using wire = await startWire(host)
      await using home = project([host])
      reachBy(home, host, wire)
      await home.ok(['run-remote', 'changed', '--', 'true'])
      assert.deepEqual(plainMessages(wire.sent[0]!), [20, 30, 21], 'what a login begins with')
      await host.rotateHostKey()
      const { exitCode, stderr } = await home.cpn(['run-remote', 'changed', '--', 'true'])
      assert.equal(exitCode, 4)
      assert.match(stderr, /CPN_ERR_HOST_KEY_CHANGED/)
      // 1: good-bye, 20 and 30: how keys are agreed on.
      assert.deepEqual(
        plainMessages(wire.sent[1]!).filter((number) => ![1, 20, 30].includes(number)),
        [],
      )
    }),
  )

  test(
    'twenty hosts behind one address whose server lets two log in at once all answer',
    leakFree(async () => {
      await using host = await startSshd({ config: ['MaxStartups 2:100:2'] })
      await using home = project([host])
      const names = Array.from({ length: 20 }, (_, index) => `node${index + 1}`)
      nameAgain(home, host, names)
      const { stdout } = await home.ok(['run-remote', 'all', '--', 'echo', 'works'])
      assert.deepEqual(stdout.trim().split('\n').sort(), names.map((name) => `${name}: works`).sort())
    }),
  )

  test(
    'while one cpn is at work on a host, another one is told who it is',
    leakFree(async () => {
      await using hosts = await startHosts({ name: 'node1' }, { name: 'node2' })
      await using home = project(hosts)
      await addTinyDetector(home)
      const first = home.spawn(['provision', 'node1', '--yes'])
      await first.waitFor(/node1: sending the release/)
      const second = await home.cpn(['provision', '--yes'])
      assert.equal((await first.exited).exitCode, 0, first.describe())
      assert.equal(second.exitCode, 5, second.stderr)
      assert.match(second.stderr, /^node2: ready/m)
      assertTold(
        toldOf(second, 'node1'),
        { code: 'CPN_ERR_HOST_LOCKED', cause: new RegExp(`process ${first.pid}`), remedy: /Wait until that is done/ },
        'provision node1',
      )
      await home.ok(['unprovision', 'all', '--yes'])
    }),
  )
})

async function checks(home: Project, rows: StrangeHost[]): Promise<void> {
  const result = await home.cpn(['hosts', 'check'])
  assert.equal(result.exitCode, 4, result.stderr)
  const hints = result.stdout.split('\n')
  for (const { name, refuses, unfit, hint } of rows) {
    const told = refuses ?? unfit
    if (told)
      assertTold(
        hints.filter((line) => line.startsWith(`${name}: `) && line.includes('(needed)')),
        told,
        `hosts check ${name}`,
      )
    else assert.match(result.stdout, new RegExp(`^${name} +yes `, 'm'))
    if (hint) assert.match(result.stdout, hint)
  }
}

async function runs(home: Project, rows: StrangeHost[]): Promise<void> {
  const result = await home.cpn(['run-remote', 'all', '--', 'echo', 'works'])
  assert.equal(result.exitCode, 7, result.stderr)
  assert.match(result.stdout, /^good: works$/m)
  for (const { name, refuses } of rows) {
    if (refuses) assertTold(toldOf(result, name), refuses, `run-remote ${name}`)
    else assert.match(result.stdout, new RegExp(`^${name}: works$`, 'm'))
  }
}

async function copies({ home, hosts }: StrangeFleet, rows: StrangeHost[]): Promise<void> {
  writeFileSync(join(home.folder, 'note'), 'a note')
  const result = await home.cpn(['copy', 'note', 'all,!read-only:note'])
  assert.equal(result.exitCode, 7, result.stderr)
  for (const { name, refuses, copiesBySftp } of rows.filter(({ name }) => name !== 'read-only')) {
    if (copiesBySftp) {
      assert.match(result.stderr, new RegExp(`^${name}: 1 file, 6 B .*by SFTP`, 'm'))
      rmSync(join(hosts.get(name)!.home, 'note'))
    } else if (refuses) assertTold(toldOf(result, name), refuses, `copy ${name}`)
    else assert.match(result.stderr, new RegExp(`^${name}: 1 file, 6 B`, 'm'))
  }
  const works = rows.filter(({ name, refuses }) => !refuses && name !== 'read-only').map(({ name }) => name)
  await home.ok(['run-remote', 'good', ...works, '--', 'rm', 'note'])
}

/** A key that is not the right one ends the connection before anything is asked or tried. */
function assertNothingSent({ hosts }: StrangeFleet): void {
  for (const name of ['stranger', 'changed', 'revoked']) {
    assert.doesNotMatch(hosts.get(name)!.log(), /Accepted|Failed|Postponed|userauth|authenticating user/, name)
  }
}

async function predicts(home: Project, rows: StrangeHost[]): Promise<void> {
  const detector = await addTinyDetector(home)
  await drawMany(join(home.folder, 'many'), pictures)
  // What is strange and can be a node is one in test/integration/hostile-limits.test.ts.
  const bad = rows.filter(({ refuses, unfit }) => refuses ?? unfit)
  const names = ['good', ...bad.map(({ name }) => name)]
  const provisioned = await home.cpn(['provision', ...names, '--yes'])
  assert.equal(provisioned.exitCode, 5, provisioned.stderr)
  assert.match(provisioned.stderr, /^good: ready/m)
  for (const { name, refuses, unfit } of bad)
    assertTold(toldOf(provisioned, name), (refuses ?? unfit)!, `provision ${name}`)

  const predicted = await home.cpn([
    'predict',
    '--pipeline',
    'faces',
    'many',
    '--detector',
    detector,
    '--hosts',
    names.join(','),
  ])
  assert.equal(predicted.exitCode, 0, predicted.stderr)
  assert.equal(readSummary(join(home.folder, 'many-predicted')).done, pictures)
  for (const { name, refuses } of bad) tellsOfIdle(predicted, name, refuses)
  await home.ok(['unprovision', 'good', '--yes'])
}

function tellsOfIdle(predicted: CpnResult, name: string, refuses: StrangeHost['refuses']): void {
  const unprovisioned = {
    code: 'CPN_ERR_NODE_UNPROVISIONED',
    cause: /no agent of this fleet/,
    remedy: new RegExp(`cpn provision ${name}`),
  } as const
  assertTold(toldOf(predicted, name), refuses ?? unprovisioned, `predict ${name}`)
}

/** A server of another kind. */
async function startServer(onConnection: (socket: Socket) => void): Promise<Place & AsyncDisposable> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    onConnection(socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { address, port } = server.address() as AddressInfo
  const end = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise<void>((resolve) => void server.close(() => resolve()))
  }
  return { address, port, [Symbol.asyncDispose]: end }
}

/** Lets the inventory lead to a host by another place. */
function reachBy(home: Project, host: SshdHost, { address, port }: Place): void {
  const own = `address: ${host.address}, port: ${host.port}`
  writeFileSync(home.inventory, readFileSync(home.inventory, 'utf8').replace(own, `address: ${address}, port: ${port}`))
}

/** The inventory has one host under these names only. */
function nameAgain(home: Project, host: SshdHost, names: string[]): void {
  const [, , entry] = readFileSync(home.inventory, 'utf8').split('\n')
  // Two names for one place need a folder each.
  const lines = names.map((name) => entry!.replace(`${host.name}: {`, `${name}: { remoteDir: ~/${name},`))
  writeFileSync(home.inventory, ['version: 1', 'hosts:', ...lines, ''].join('\n'))
  const known = names.map((name) => `${host.knownHostsLine(name)}\n`)
  writeFileSync(join(home.folder, '.cpn', 'known_hosts'), known.join(''), { mode: 0o600 })
}

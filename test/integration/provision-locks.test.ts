import assert from 'node:assert/strict'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  appendFileSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, join } from 'node:path'
import { text } from 'node:stream/consumers'
import { after, before, test } from 'node:test'
import { createLogger } from '../../src/common/logger.ts'
import { Lease } from '../../src/provision/lease.ts'
import { lockOwner, lockScript } from '../../src/provision/lock.ts'
import { type Project, project } from '../helpers/project.ts'
import { provisionAll, type Setting, setting } from '../helpers/provisioned.ts'
import { repositoryRoot } from '../helpers/shared.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'
import { hostOf, Master } from './transport-fixture.ts'

const skip = sshdMissing
const fixture = join(repositoryRoot, 'test', 'fixtures', 'provision-killed.ts')
let host: SshdHost
let folder: Project
let set: Setting

before(async () => {
  if (skip) return
  host = await startSshd({ name: 'node1' })
  folder = project([host])
  set = await setting(folder)
})

after(async () => {
  if (skip) return
  await folder[Symbol.asyncDispose]()
  await host[Symbol.asyncDispose]()
})

const at = (path: string) => join(host.home, '.cpn', path)
const owner = () => readFileSync(at('lock/owner'), 'utf8')
const expires = () => Number(/^expires=(\d+)$/m.exec(owner())?.[1])
const current = () => basename(readlinkSync(at(`fleets/${set.state.fleetId}/current`)))

/** A release with another worker. */
function changed(name: string) {
  const bundleDir = join(folder.folder, name)
  if (!existsSync(bundleDir)) {
    cpSync(set.options.release!.bundleDir!, bundleDir, { recursive: true })
    appendFileSync(join(bundleDir, 'worker.mjs'), `\n// ${name}\n`)
  }
  return { ...set.options.release, bundleDir }
}

/** A master that stands still since a phase began. */
async function frozenMaster(release: unknown, phase: string, leaseSeconds?: number): Promise<ChildProcess> {
  const args = [fixture, folder.inventory, JSON.stringify({ release, leaseSeconds }), phase, 'start', 'SIGSTOP']
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const isStopped = () => readFileSync(`/proc/${child.pid}/stat`, 'utf8').includes(') T ')
  await until(isStopped, `the master stands still in ${phase}`, 60_000)
  return child
}

async function thaw(master: ChildProcess): Promise<string> {
  const said = text(master.stdout!)
  master.kill('SIGCONT')
  await once(master, 'exit')
  return said
}

test('a lease is renewed while its holder works, and the holder is told when the lock was broken', {
  skip,
}, async () => {
  using master = new Master()
  await using connector = master.trust(host).connector([hostOf(host)])
  await using transport = await connector.open(hostOf(host))
  const dir = join(host.home, 'leased')
  const { token, name } = lockOwner('mine', 'fleet1')
  await transport.exec(lockScript(dir, [], { token, name }, 3))
  const file = join(dir, 'lock/owner')
  const ends = () => Number(/^expires=(\d+)$/m.exec(readFileSync(file, 'utf8'))?.[1])
  const first = ends()
  const lease = new Lease({ host: 'node1', transport, dir, token, leaseSeconds: 3, logger: createLogger() })
  await until(() => ends() > first + 1, 'the lease is longer than at first')
  assert.match(readFileSync(file, 'utf8'), /^token=mine$/m)
  assert.match(readFileSync(file, 'utf8'), /^name=\S+@\S+, process \d+, fleet fleet1, since \d{4}-/m)
  assert.equal(lease.lost.aborted, false)
  writeFileSync(
    file,
    readFileSync(file, 'utf8')
      .replace('token=mine', 'token=theirs')
      .replace(/^name=.*/m, 'name=them'),
  )
  await until(() => lease.lost.aborted, 'the loss is noticed')
  assert.match(lease.lost.reason.message, /belongs to them now/)
  await lease.release()
  assert.match(readFileSync(file, 'utf8'), /token=theirs/)
})

test('a frozen master loses its lock when the lease has run out, and does no harm when it thaws', {
  skip,
}, async () => {
  const master = await frozenMaster(set.options.release, 'configure', 2)
  try {
    assert.ok(expires() > 0)
    const refused = (await provisionAll(set.options)).get('node1')
    if (refused?.error)
      assert.match((refused.error as Error).message, new RegExp(`process ${master.pid}, fleet \\w+, since`))
    await until(() => Date.now() / 1000 > expires() + 1, 'the lease has run out')
    assert.ifError((await provisionAll({ ...set.options, release: changed('next') })).get('node1')?.error)
    const [release, config] = [current(), readFileSync(at(`fleets/${set.state.fleetId}/agent.json`), 'utf8')]
    assert.match(await thaw(master), /^CPN_ERR_HOST_LOCKED .*taken from us: nobody holds it now/)
    assert.equal(current(), release)
    assert.equal(readFileSync(at(`fleets/${set.state.fleetId}/agent.json`), 'utf8'), config)
  } finally {
    master.kill('SIGKILL')
  }
})

test('what a frozen master has not verified is taken back by the host', { skip }, async () => {
  const before = current()
  const master = await frozenMaster(changed('other'), 'verify', 2)
  assert.notEqual(current(), before)
  await until(() => current() === before && !existsSync(at('lock')), 'the release before is back', 60_000)
  assert.match(await thaw(master), /^CPN_ERR_HOST_LOCKED/)
  assert.equal(current(), before)
})

test('unlock says who has the lock, asks, and whoever had it ends', { skip }, async () => {
  const master = await frozenMaster(changed('third'), 'upload-release')
  const refused = await folder.cpn(['provision', '--failed'])
  assert.equal(refused.exitCode, 5)
  assert.match(refused.stderr, new RegExp(`process ${master.pid}, fleet ${set.state.fleetId}, since `))
  assert.match(refused.stderr, /cpn unlock node1/)
  const asked = await folder.cpn(['unlock', 'node1'])
  assert.equal(asked.exitCode, 2)
  assert.match(asked.stderr, new RegExp(`node1 is locked by .*process ${master.pid}.* It seems to be at work`))
  assert.ok(existsSync(at('lock')))
  const { hosts } = await folder.json<{ hosts: { name: string; owner: string }[] }>(['unlock', 'node1', '--yes'])
  assert.match(hosts[0]!.owner, new RegExp(`process ${master.pid}`))
  assert.equal(existsSync(at('lock')), false)
  assert.match(await thaw(master), /^CPN_ERR_HOST_LOCKED .*taken from us/)
  const audit = readFileSync(at(`fleets/${set.state.fleetId}/audit.ndjson`), 'utf8')
    .trim()
    .split('\n')
  assert.match(JSON.parse(audit.at(-1)!).owner, new RegExp(`process ${master.pid}`))
  const here = (await set.state.hostHistory('node1')).find(({ event }) => event === 'unlocked')
  assert.match(`${here?.owner}`, new RegExp(`process ${master.pid}`))
  const { stderr } = await folder.ok(['unlock', 'node1'])
  assert.match(stderr, /node1: was not locked/)
})

test('a lock whose owner would write to the terminal is shown harmless, and one without an owner goes as well', {
  skip,
}, async () => {
  makeLock()
  const name = 'eve\u001b]0;owned\u0007\u009b31m\u202e'
  const future = Math.floor(Date.now() / 1000) + 900
  writeFileSync(at('lock/owner'), `token=x\npid=0\nborn=\ntime=0\nexpires=${future}\nname=${name}\n`)
  const { stderr } = await folder.cpn(['unlock', 'node1'])
  assert.match(stderr, /locked by eve\\x1b\]0;owned\\x07\\x9b31m\\u202e\./)
  assert.doesNotMatch(stderr, /[\u0007\u001b\u009b\u202e]/)
  await folder.ok(['unlock', 'node1', '--yes'])
  assert.equal(existsSync(at('lock')), false)
  makeLock()
  await folder.ok(['unlock', 'node1', '--yes'])
  assert.equal(existsSync(at('lock')), false)
})

function makeLock(): void {
  mkdirSync(at('lock'))
  chownSync(at('lock'), host.uid, -1)
}

test('hosts are begun until more have failed than may, and --failed takes up those', { skip }, async () => {
  await using second = await startSshd({ name: 'node2' })
  await using third = await startSshd({ name: 'node3' })
  await using home = project([host, second, third])
  await setting(home)
  host.stop()
  try {
    const codes = async (...args: string[]) => {
      const { stdout, exitCode } = await home.cpn(['provision', '--yes', '--json', ...args])
      const { hosts } = JSON.parse(stdout) as { hosts: { name: string; error: { code: string } | null }[] }
      return { exitCode, codes: hosts.map(({ name, error }) => `${name} ${error?.code ?? 'ready'}`) }
    }
    const refused = 'node1 CPN_ERR_CONNECT_REFUSED'
    const notRun = ['node2 CPN_ERR_NOT_RUN', 'node3 CPN_ERR_NOT_RUN']
    assert.deepEqual(await codes('--batch', '1'), { exitCode: 5, codes: [refused, ...notRun] })
    assert.deepEqual(await codes('--batch', '1', '--max-fail', '1'), {
      exitCode: 5,
      codes: [refused, 'node2 ready', 'node3 ready'],
    })
    assert.deepEqual(await codes('--failed'), { exitCode: 5, codes: [refused] })
    await host.start()
    assert.deepEqual(await codes('--failed'), { exitCode: 0, codes: ['node1 ready'] })
    assert.deepEqual(await codes('--failed'), { exitCode: 0, codes: [] })
  } finally {
    await home.cpn(['unprovision', 'all', '--yes'])
  }
})

import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import sharp from 'sharp'
import { machineLimits, workerLimits } from '../../src/agent/limits.ts'
import { findConfinement, workerFolders } from '../../src/agent/pool/confinement.ts'
import { AgentFleet, noSystemd } from '../helpers/agent-fleet.ts'
import { attempt, photoWithOneFace } from '../helpers/agent-work.ts'
import { until } from '../helpers/until.ts'

const namespaces = spawnSync('unshare', ['--user', '--map-root-user', '--net', '--mount', 'true']).status === 0
const noNamespaces = namespaces ? false : 'needs a kernel that lets users make namespaces'

/** A folder like a node's, and something outside of it that is none of a worker's business. */
function place(t: { after(work: () => void): void }) {
  const folder = mkdtempSync(join(tmpdir(), 'cpn-test-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const [releaseDir, modelsDir] = [join(folder, 'home/releases/r'), join(folder, 'home/models')]
  for (const path of [join(releaseDir, 'node_modules'), modelsDir]) mkdirSync(path, { recursive: true })
  writeFileSync(join(releaseDir, 'program'), 'release')
  writeFileSync(join(modelsDir, 'model'), 'model')
  writeFileSync(join(folder, 'home', 'settings'), 'settings')
  writeFileSync(join(folder, 'secret'), 'secret')
  return { folder, releaseDir, modelsDir }
}

function confinementOf({ releaseDir, modelsDir }: { releaseDir: string; modelsDir: string }) {
  return findConfinement(process.execPath, workerFolders(releaseDir, modelsDir), workerLimits(machineLimits()))
}

/** What bash, which is native code and knows sockets, says behind a launcher. */
function bash(launcher: string[], script: string) {
  const [program = '', ...args] = [...launcher, '/bin/bash', '-c', script]
  return spawnSync(program, args, { encoding: 'utf8', env: {}, cwd: '/' })
}

test('native code in a worker opens no connection, which the same code does outside', {
  skip: noNamespaces,
}, async (t) => {
  const { launcher, isolation } = confinementOf(place(t))
  const server = createServer((socket) => socket.end('reached\n')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const reach = `exec 3<>/dev/tcp/127.0.0.1/${(server.address() as AddressInfo).port} && echo connected`
  assert.equal(bash([], reach).stdout, 'connected\n')
  const inside = bash(launcher, reach)
  assert.match(inside.stderr, /unreachable/i)
  assert.equal(inside.stdout, '')
  assert.equal(isolation.network, 'namespace')
})

test('native code in a worker sees its release and models and no other file of the user', {
  skip: noNamespaces,
}, (t) => {
  const { folder, releaseDir, modelsDir } = place(t)
  const { launcher, isolation } = confinementOf({ releaseDir, modelsDir })
  const paths = [
    join(releaseDir, 'program'),
    join(modelsDir, 'model'),
    join(folder, 'home', 'settings'),
    join(folder, 'secret'),
  ]
  const show = paths.map((path) => `cat '${path}' 2>/dev/null; echo`).join('\n')
  assert.deepEqual(bash([], show).stdout.split('\n').slice(0, 4), ['release', 'model', 'settings', 'secret'])
  assert.deepEqual(bash(launcher, show).stdout.split('\n').slice(0, 4), ['release', 'model', '', ''])
  assert.equal(isolation.files, true)
})

test('native code in a worker changes no file', { skip: noNamespaces }, (t) => {
  const { releaseDir, modelsDir } = place(t)
  const { launcher } = confinementOf({ releaseDir, modelsDir })
  bash(launcher, `rm -f '${modelsDir}/model'; echo changed >'${releaseDir}/program'; echo new >'${releaseDir}/new'`)
  assert.equal(readFileSync(join(modelsDir, 'model'), 'utf8'), 'model')
  assert.equal(readFileSync(join(releaseDir, 'program'), 'utf8'), 'release')
  assert.equal(spawnSync('ls', [releaseDir], { encoding: 'utf8' }).stdout, 'node_modules\nprogram\n')
})

test('a worker of an agent is confined as the card says, and its pid is its own', { skip: noNamespaces }, async () => {
  await using fleet = await AgentFleet.create()
  await fleet.run()
  const { isolation } = (await fleet.ask('GET', '/cpn/v1/node')).json
  const [{ pid } = { pid: 0 }] = fleet.workers()
  const proc = (name: string) => readFileSync(`/proc/${pid}/${name}`, 'utf8')
  assert.equal(isolation.network, 'namespace')
  for (const space of ['net', 'user', 'mnt']) {
    assert.notEqual(readlinkSync(`/proc/${pid}/ns/${space}`), readlinkSync(`/proc/self/ns/${space}`), space)
  }
  assert.match(proc('status'), /^NoNewPrivs:\t1$/m)
  assert.match(proc('status'), /^CapBnd:\t0+$/m)
  assert.equal(proc('oom_score_adj').trim(), '500')
  assertLimits(proc('limits'), isolation.limits)
  assert.match(proc('limits'), /^Max processes +128 +128/m)
  // The whole way works in there, and a signal to the pid is a signal to the worker.
  await using client = fleet.client()
  assert.equal((await client.predict(attempt(await photoWithOneFace()))).answer.faces.length, 1)
  process.kill(pid, 'SIGKILL')
  await until(() => fleet.workers().some((worker) => worker.pid !== pid), 'another worker takes the seat')
  assert.ok(!fleet.processes().some((one) => one.pid === pid))
})

test('a picture whose pixels libvips would put into a file is decoded in memory', { skip: noNamespaces }, async () => {
  await using fleet = await AgentFleet.create()
  await fleet.run()
  await using client = fleet.client()
  // Beyond 100 MB of pixels, and of a kind that has to be turned.
  const flat = sharp({ create: { width: 6400, height: 5500, channels: 3, background: '#345' } })
  const image = await flat.webp({ effort: 0 }).withMetadata({ orientation: 6 }).toBuffer()
  const { answer } = await client.predict(attempt(image))
  assert.deepEqual([answer.width, answer.height], [5500, 6400])
})

test('a host that forbids some namespaces gets what is left, and the card says so', {
  skip: noNamespaces,
}, async () => {
  for (const [forbidden, network, files] of [
    ['max_mnt_namespaces', 'namespace', false],
    ['max_net_namespaces', 'open', false],
  ] as const) {
    await using fleet = await AgentFleet.create()
    fleet.enter({ launcher: without(forbidden), environment: noSystemd })
    await fleet.run()
    const { isolation } = (await fleet.ask('GET', '/cpn/v1/node')).json
    assert.deepEqual([isolation.network, isolation.files, isolation.noNewPrivileges], [network, files, true])
    const [{ pid } = { pid: 0 }] = fleet.workers()
    assertLimits(readFileSync(`/proc/${pid}/limits`, 'utf8'), isolation.limits)
    assert.equal('processes' in isolation.limits, network === 'namespace')
    await using client = fleet.client()
    assert.equal((await client.predict(attempt(await photoWithOneFace()))).answer.faces.length, 1)
  }
})

/** Command line before a program that runs where a kind of namespace cannot be made. */
function without(kind: string): string[] {
  const forbid = `echo 0 >/proc/sys/user/${kind} && exec "$@"`
  return ['unshare', '--user', '--map-root-user', '/bin/sh', '-c', forbid, 'sh']
}

function assertLimits(proc: string, limits: Record<string, number>): void {
  const names = { coreBytes: 'core file size', fileBytes: 'file size', openFiles: 'open files', dataBytes: 'data size' }
  for (const [name, title] of Object.entries(names)) {
    const [, soft, hard] = new RegExp(`^Max ${title} +(\\d+) +(\\d+)`, 'm').exec(proc) ?? []
    const unit = name === 'dataBytes' ? 1024 : 1
    const expected = String(Math.floor(limits[name]! / unit) * unit)
    assert.deepEqual([soft, hard], [expected, expected], title)
  }
}

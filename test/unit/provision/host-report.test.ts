import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HostFacts, neededTools } from '../../../src/provision/facts.ts'
import { type CheckName, reportFacts, type Surroundings } from '../../../src/provision/host-report.ts'

const good: HostFacts = {
  system: 'Linux',
  machine: 'x86_64',
  bits: 64,
  libc: { name: 'glibc', version: '2.36' },
  cpuFlags: ['cx16', 'lahf_lm', 'popcnt', 'sse4_1', 'sse4_2', 'ssse3'],
  user: 'cpn',
  uid: 1000,
  home: '/home/cpn',
  dir: '/home/cpn/.cpn',
  near: { path: '/home/cpn', writable: true, mountOptions: ['rw'], freeBytes: 1e10 },
  tools: [...neededTools, 'sha256sum'],
  libraries: ['libstdc++.so.6', 'libatomic.so.1'],
  sudo: 'passwordless',
  lingers: true,
  ancestors: [],
  more: { cores: 2, memoryBytes: 4e9, time: 0, os: 'debian 12', services: 'systemd-user', apt: 'free', sockets: [] },
}
const around: Surroundings = {
  fleetId: 'abcdefghijkl',
  allowed: { sftp: true, forwarding: true },
  clockAheadSeconds: 0,
  clockErrorSeconds: 1,
}

test('a host that has everything gets no hint', () => {
  const { checks, hints } = reportFacts(good, around)
  assert.deepEqual(hints, [])
  assert.equal(checks.os!.found, 'debian 12')
  assert.equal(checks.cpu!.found, 'v2')
  assert.equal(checks.tunnel!.found, 'forwarding')
  assert.ok(Object.values(checks).every(({ verdict }) => verdict === 'ok'))
})

const more = good.more!
const lacks: [what: string, change: Partial<HostFacts>, check: CheckName, needed: boolean][] = [
  ['another system', { system: 'FreeBSD' }, 'os', true],
  ['a basic tool that is missing', { tools: ['sh'] }, 'os', true],
  ['another machine', { machine: 'riscv64' }, 'arch', true],
  ['32-bit programs', { machine: 'armv7l', bits: 32 }, 'arch', true],
  ['an Intel Mac', { system: 'Darwin' }, 'arch', true],
  ['musl', { libc: { name: 'musl', version: '' } }, 'libc', true],
  ['an old glibc', { libc: { name: 'glibc', version: '2.17' } }, 'libc', true],
  ['no libstdc++', { libraries: [] }, 'libc', true],
  ['an old CPU', { cpuFlags: ['cx16'] }, 'cpu', true],
  ['little memory', { more: { ...more, memoryBytes: 5e8 } }, 'memory', false],
  ['a full disk', { near: { ...good.near, freeBytes: 1e6 } }, 'disk', true],
  ['a home that is closed', { near: { ...good.near, writable: false } }, 'disk', true],
  ['a home of others', { dirOwner: { uid: 0, othersWrite: false } }, 'disk', true],
  ['a noexec home', { near: { ...good.near, mountOptions: ['noexec'] } }, 'exec', true],
  ['no sudo', { sudo: 'none' }, 'sudo', false],
  ['no service manager', { more: { ...more, services: 'none' } }, 'services', false],
  ['a locked apt', { more: { ...more, apt: 'locked' } }, 'apt', false],
]
for (const [what, change, check, needed] of lacks) {
  test(`${what} is a lack of ${check}, ${needed ? 'needed' : 'not needed'} for provisioning`, () => {
    const { checks, hints } = reportFacts({ ...good, ...change }, around)
    assert.deepEqual(
      hints.map((hint) => [hint.check, hint.needed]),
      [[check, needed]],
    )
    assert.equal(checks[check]!.verdict, 'lack')
    assert.ok(hints[0]!.suggestion !== '' && !hints[0]!.suggestion.includes('\n'))
  })
}

test('a release that is there needs no more room', () => {
  const near = { ...good.near, freeBytes: 1e6 }
  assert.deepEqual(reportFacts({ ...good, near, dirOwner: { uid: 1000, othersWrite: false } }, around).hints, [])
})

test('a clock is wrong when it differs by more than the measurement can', () => {
  const clock = (clockAheadSeconds: number, clockErrorSeconds: number) =>
    reportFacts(good, { ...around, clockAheadSeconds, clockErrorSeconds }).checks.clock
  assert.deepEqual(clock(4, 1), { verdict: 'ok', found: '+4 s' })
  assert.deepEqual(clock(-40, 1), { verdict: 'lack', found: '-40 s' })
  assert.deepEqual(clock(40, 60), { verdict: 'ok', found: '+40 s' })
  assert.deepEqual(clock(365 * 86_400, 1), { verdict: 'lack', found: '+365 d' })
})

test('what could not be found out is unknown and no lack', () => {
  const unknown = { ...good, more: { ...more, cores: 0, memoryBytes: 0 } }
  const { checks, hints } = reportFacts(unknown, { ...around, allowed: { sftp: true, forwarding: undefined } })
  for (const name of ['tunnel', 'cores', 'memory'] as const) assert.equal(checks[name]!.verdict, 'unknown')
  assert.deepEqual(hints, [])
})

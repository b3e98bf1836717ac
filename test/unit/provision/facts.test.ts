import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'
import { hostFindings, platformOf, refuse, spaceFindings } from '../../../src/provision/check-facts.ts'
import { type HostFacts, neededTools, parseFacts } from '../../../src/provision/facts.ts'
import { factsScript } from '../../../src/provision/facts-script.ts'
import { hostPlatform } from '../../../src/provision/release/platform.ts'

const root = mkdtempSync(join(tmpdir(), 'cpn-facts-'))
after(() => rmSync(root, { recursive: true, force: true }))

function factsHere(remoteDir: string, home = root, askMore = false): HostFacts {
  const env = { ...process.env, HOME: home }
  const output = execFileSync('/bin/sh', ['-c', factsScript(remoteDir, false, askMore)], { encoding: 'utf8', env })
  const facts = parseFacts(output)
  assert.ok(facts)
  return facts
}

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
  sudo: 'unasked',
  lingers: false,
  ancestors: [],
}

function platformFinding(change: Partial<HostFacts>): string {
  const found = platformOf({ ...good, ...change })
  assert.equal(typeof found, 'object')
  return typeof found === 'object' ? `${found.code} ${found.message} ${found.suggestion}` : ''
}

function messages(change: Partial<HostFacts>, fleet = 'abcdefghijkl', installs: string[] = []): string[] {
  return hostFindings({ ...good, ...change }, fleet, installs).map(({ message }) => message)
}

test('this machine is described by one script', () => {
  const facts = factsHere('~/.cpn')
  assert.equal(platformOf(facts), hostPlatform())
  assert.deepEqual([facts.uid, facts.user], [userInfo().uid, userInfo().username])
  assert.equal(facts.dir, `${facts.home}/.cpn`)
  assert.equal(facts.near.path, facts.home)
  assert.ok(facts.near.freeBytes > 0)
  assert.ok(facts.ancestors.includes(process.pid))
  assert.deepEqual(
    neededTools.filter((tool) => !facts.tools.includes(tool)),
    [],
  )
})

test('what only people want to know is asked for a check of the host', () => {
  assert.equal(factsHere('~/.cpn').more, undefined)
  const { cores, memoryBytes, time } = factsHere('~/.cpn', root, true).more!
  assert.ok(cores > 0 && memoryBytes > 0)
  assert.ok(Math.abs(time - Date.now() / 1000) < 60)
})

test('the home is followed through symbolic links, and remoteDir is made absolute', () => {
  symlinkSync('.', join(root, 'link'))
  assert.equal(factsHere('~/a b/cpn', join(root, 'link')).dir, `${factsHere('~').home}/a b/cpn`)
  assert.equal(factsHere('sub/dir').dir, `${factsHere('~').home}/sub/dir`)
  assert.equal(factsHere('/opt/cpn/').dir, '/opt/cpn')
  assert.equal(factsHere('/no/such/place').near.path, '/')
})

test('it is seen whose remoteDir is and who may write there', () => {
  const dir = join(root, 'shared')
  assert.equal(factsHere(dir).dirOwner, undefined)
  mkdirSync(dir)
  for (const [mode, othersWrite] of [
    [0o700, false],
    [0o755, false],
    [0o770, true],
    [0o1777, true],
  ] as const) {
    chmodSync(dir, mode)
    assert.deepEqual(factsHere(dir).dirOwner, { uid: userInfo().uid, othersWrite })
  }
})

test('output that is no answer of the script is no facts', () => {
  assert.equal(parseFacts('This account is currently not available.\n'), undefined)
})

test('hosts that no release runs on are refused by name', () => {
  assert.equal(platformOf(good), 'linux-x64')
  assert.equal(platformOf({ ...good, machine: 'aarch64', cpuFlags: [] }), 'linux-arm64')
  assert.equal(platformOf({ ...good, system: 'Darwin', machine: 'arm64' }), 'darwin-arm64')
  assert.match(platformFinding({ libc: { name: 'musl', version: '' } }), /CPN_ERR_PLATFORM .*musl.*not Alpine/)
  assert.match(platformFinding({ machine: 'armv7l' }), /32-bit ARM.*64-bit system/)
  assert.match(platformFinding({ machine: 'aarch64', bits: 32 }), /32-bit ARM/)
  assert.match(
    platformFinding({ cpuFlags: ['cx16', 'popcnt', 'ssse3'] }),
    /x86-64-v2, it lacks lahf_lm, sse4_1, sse4_2/,
  )
  assert.match(platformFinding({ libc: { name: 'glibc', version: '2.17' } }), /glibc 2\.17 is older than 2\.28/)
  assert.match(platformFinding({ system: 'FreeBSD' }), /FreeBSD/)
  assert.match(platformFinding({ machine: 'riscv64' }), /riscv64/)
  assert.match(platformFinding({ system: 'Darwin', machine: 'x86_64' }), /Intel/)
})

test('hosts that lack something are told what', () => {
  assert.deepEqual(messages({}), [])
  assert.match(messages({ tools: ['sh', 'cat'] })[0]!, /lacks mkdir, .*gzip, sha256sum or shasum or openssl/)
  assert.match(messages({ near: { ...good.near, mountOptions: ['rw', 'noexec'] } })[0]!, /mounted noexec/)
  assert.match(messages({ near: { ...good.near, mountOptions: ['ro'], writable: false } })[0]!, /read-only/)
  assert.match(messages({ near: { ...good.near, writable: false } })[0]!, /closed to this user/)
  assert.match(messages({ dirOwner: { uid: 1001, othersWrite: false } })[0]!, /belongs to another user/)
  assert.match(messages({ dirOwner: { uid: 1000, othersWrite: true } })[0]!, /written by others/)
  assert.match(messages({ linkOwner: 1001 })[0]!, /a link that another user has made/)
  assert.deepEqual(messages({ linkOwner: 1000 }), [])
  assert.match(messages({ dir: `/home/${'x'.repeat(80)}` })[0]!, /would have 1\d\d bytes, the system's limit is 107/)
  assert.match(messages({ libraries: [] })[0]!, /libstdc\+\+\.so\.6/)
  assert.deepEqual(messages({ libraries: [] }, 'abcdefghijkl', ['libstdc++6']), [])
  assert.deepEqual(messages({ libraries: ['libstdc++.so.6'] }), [])
})

test('a disk that is too small is refused with both sizes', () => {
  assert.deepEqual(spaceFindings(good, 1e9), [])
  const tight = spaceFindings({ ...good, near: { ...good.near, freeBytes: 5e6 } }, 3e8)
  assert.match(tight[0]!.message, /5 MB free and needs 300 MB/)
})

test('a disk without inodes is refused only where something has to be written', () => {
  const crowded = { ...good, near: { ...good.near, freeInodes: 3 } }
  assert.match(spaceFindings(crowded, 1)[0]!.message, /room for 3 more files \(inodes\)/)
  assert.deepEqual(spaceFindings(crowded, 0), [])
})

test('everything that is wrong is said at once', () => {
  const findings = hostFindings({ ...good, tools: [], libraries: [] }, 'abcdefghijkl')
  assert.throws(
    () => refuse('node1', findings),
    (error: { code: string; host: string; suggestions: string[] }) =>
      error.code === 'CPN_ERR_HOST_CHECK' && error.host === 'node1' && error.suggestions.length === 2,
  )
})

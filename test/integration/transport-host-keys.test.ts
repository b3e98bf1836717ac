import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { CpnError } from '../../src/common/errors.ts'
import { forgetHostKey, knownHostKeys, recordHostKey, scanHostKey } from '../../src/transport/host-keys.ts'
import { type SshdHost, sshdMissing, startSshd } from '../helpers/sshd.ts'
import { fails, hostOf, Master } from './transport-fixture.ts'

/** sshd logs every attempt to log in, also the empty one that asks for methods. */
const attempt = /Accepted|Failed|Postponed|userauth|authenticating user/

async function refusesWithoutAttempt(sshd: SshdHost, master: Master, check: (error: unknown) => true): Promise<void> {
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await assert.rejects(connector.open(host), check)
  await sshd.waitForLog(/Connection (closed|reset) by|Received disconnect/)
  assert.doesNotMatch(sshd.log(), attempt)
}

test('an unknown key refuses the host before any attempt to log in', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master()
  await refusesWithoutAttempt(sshd, master, (error) => {
    fails('CPN_ERR_HOST_KEY_UNKNOWN', sshd.name)(error)
    const accept = `cpn hosts add ${sshd.name} --host-key ${sshd.hostKeyFingerprint}`
    assert.ok((error as CpnError).suggestions.some((suggestion) => suggestion.includes(accept)))
    return true
  })
})

test('a changed key refuses the host and says how to accept it', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  await sshd.rotateHostKey()
  await refusesWithoutAttempt(sshd, master, (error) => {
    fails('CPN_ERR_HOST_KEY_CHANGED', sshd.name)(error)
    const accept = `cpn hosts add ${sshd.name} --host-key ${sshd.hostKeyFingerprint}`
    assert.ok((error as CpnError).suggestions.some((suggestion) => suggestion.includes(accept)))
    return true
  })
})

test('a revoked key refuses the host although it is recorded too', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  writeFileSync(master.userKnownHostsFile, `@revoked [${sshd.address}]:* ${sshd.hostKeyLine}\n`)
  await refusesWithoutAttempt(sshd, master, fails('CPN_ERR_HOST_KEY_REVOKED', sshd.name))
})

test("the user's known_hosts counts: plain, hashed, and by pattern", { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master()
  const name = `[${sshd.address}]:${sshd.port}`
  const plain = `# comment\n\n${sshd.knownHostsLine(name)}\n`
  for (const prepare of ['plain', 'hashed', 'pattern', 'without port']) {
    writeFileSync(master.userKnownHostsFile, prepare === 'pattern' ? sshd.knownHostsLine('[127.0.0.*]:*') : plain)
    if (prepare === 'hashed') execFileSync('ssh-keygen', ['-H', '-f', master.userKnownHostsFile], { stdio: 'ignore' })
    if (prepare === 'hashed') assert.match(readFileSync(master.userKnownHostsFile, 'utf8'), /^\|1\|/m)
    if (prepare === 'without port') writeFileSync(master.userKnownHostsFile, sshd.knownHostsLine(sshd.address))
    const host = hostOf(sshd)
    await using connector = master.connector([host])
    await using transport = await connector.open(host)
    assert.equal(transport.hostKey, sshd.hostKeyFingerprint, prepare)
  }
})

test('a server with several keys is asked for the one that is recorded', { skip: sshdMissing }, async () => {
  for (const types of [
    ['rsa', 'ed25519'],
    ['ecdsa', 'ed25519', 'rsa'],
  ] as const) {
    await using sshd = await startSshd({ hostKeyTypes: [...types] })
    using master = new Master().trust(sshd)
    const host = hostOf(sshd)
    await using connector = master.connector([host])
    await using transport = await connector.open(host)
    assert.equal(transport.hostKey, sshd.hostKeyFingerprint)
  }
})

test('a scan reads the key and never tries to log in', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master()
  const host = hostOf(sshd)
  const scanned = await scanHostKey(host, master.options([host]))
  assert.equal(scanned.fingerprint, sshd.hostKeyFingerprint)
  assert.equal(scanned.type, 'ssh-ed25519')
  await sshd.waitForLog(/Connection (closed|reset) by|Received disconnect/)
  assert.doesNotMatch(sshd.log(), attempt)
  await recordHostKey(master.knownHostsFile, host.name, scanned.key)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  assert.equal((await transport.exec('true')).exitCode, 0)
})

test('recorded keys are found by inventory name, and forgotten by it', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master()
  const host = hostOf(sshd)
  const { key } = await scanHostKey(host, master.options([host]))
  await Promise.all(['a', 'b', 'b'].map((name) => recordHostKey(master.knownHostsFile, name, key)))
  assert.equal(readFileSync(master.knownHostsFile, 'utf8').split('\n').length, 3)
  assert.deepEqual(
    (await knownHostKeys(master.knownHostsFile, 'b')).map(({ fingerprint }) => fingerprint),
    [sshd.hostKeyFingerprint],
  )
  assert.match(
    execFileSync('ssh-keygen', ['-F', 'b', '-f', master.knownHostsFile], { encoding: 'utf8' }),
    /ssh-ed25519/,
  )
  await forgetHostKey(master.knownHostsFile, 'b')
  assert.deepEqual(await knownHostKeys(master.knownHostsFile, 'b'), [])
  assert.equal((await knownHostKeys(master.knownHostsFile, 'a')).length, 1)
})

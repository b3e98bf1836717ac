import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type HostKeyRecord, hostKeyAlgorithms, judgeHostKey } from '../../../../src/transport/ssh/host-key-verdict.ts'
import type { KnownHostsEntry } from '../../../../src/transport/ssh/known-hosts.ts'

const mine = Buffer.from('the key')
const other = Buffer.from('another key')

function entry(hosts: string, key: Buffer, more: Partial<KnownHostsEntry> = {}): KnownHostsEntry {
  return { marker: undefined, hosts, type: 'ssh-ed25519', key, ...more }
}

function own(...entries: KnownHostsEntry[]): HostKeyRecord {
  return { file: 'own', entries, names: ['node1'], alsoKnownAs: [] }
}

function users(...entries: KnownHostsEntry[]): HostKeyRecord {
  return { file: 'users', entries, names: ['[host]:2222'], alsoKnownAs: ['host'] }
}

test("the inventory's own record decides before the user's", () => {
  assert.equal(judgeHostKey(mine, [own(entry('node1', mine)), users()]).verdict, 'known')
  const changed = judgeHostKey(mine, [own(entry('node1', other)), users(entry('[host]:2222', mine))])
  assert.deepEqual(changed, { verdict: 'changed', file: 'own', recorded: [entry('node1', other)] })
  assert.equal(judgeHostKey(mine, [own(entry('node2', other)), users(entry('[host]:2222', mine))]).verdict, 'known')
})

test('one of several recorded keys is enough', () => {
  assert.equal(judgeHostKey(mine, [own(entry('node1', other), entry('node1', mine))]).verdict, 'known')
})

test('a host nobody recorded is unknown, and a certificate authority is mentioned', () => {
  assert.deepEqual(judgeHostKey(mine, [own(), users()]), { verdict: 'unknown', hasAuthority: false })
  const authority = users(entry('*', other, { marker: '@cert-authority' }))
  assert.deepEqual(judgeHostKey(mine, [own(), authority]), { verdict: 'unknown', hasAuthority: true })
})

test('a revocation anywhere wins over every record', () => {
  const records = [own(entry('node1', mine)), users(entry('*', mine, { marker: '@revoked' }))]
  assert.deepEqual(judgeHostKey(mine, records), { verdict: 'revoked', file: 'users' })
  assert.equal(judgeHostKey(other, [own(entry('node1', other)), records[1]!]).verdict, 'known')
})

test('the address without its port makes a key known, but never changed', () => {
  assert.equal(judgeHostKey(mine, [users(entry('host', mine))]).verdict, 'known')
  assert.equal(judgeHostKey(mine, [users(entry('host', other))]).verdict, 'unknown')
})

test('a recorded key of a type that cannot be asked for is no record', () => {
  const exotic = entry('node1', other, { type: 'sk-ssh-ed25519@openssh.com' })
  assert.equal(judgeHostKey(mine, [own(exotic)]).verdict, 'unknown')
})

test('recorded types are asked for first', () => {
  assert.equal(hostKeyAlgorithms([])[0], 'ssh-ed25519')
  const rsa = own(entry('node1', other, { type: 'ssh-rsa' }))
  assert.deepEqual(hostKeyAlgorithms([rsa]).slice(0, 3), ['rsa-sha2-512', 'rsa-sha2-256', 'ssh-ed25519'])
  assert.equal(
    hostKeyAlgorithms([own(), users(entry('[host]:2222', other, { type: 'ecdsa-sha2-nistp256' }))])[0],
    'ecdsa-sha2-nistp256',
  )
})

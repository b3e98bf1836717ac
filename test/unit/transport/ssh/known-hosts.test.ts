import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import {
  entryMatches,
  fingerprint,
  knownHostsName,
  parseEntry,
  parseKnownHosts,
} from '../../../../src/transport/ssh/known-hosts.ts'

const line = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl'

function matches(hosts: string, name: string): boolean {
  return entryMatches(parseEntry(`${hosts} ${line}`)!, name)
}

test('comments, empty lines, nonsense and keys of another type than they say are left out', () => {
  const wrongType = `host ${line.replace('ssh-ed25519', 'ssh-rsa')}`
  const text = `# a comment\n\nnonsense\nhost ${line} a comment\n@revoked * ${line}\n@unknown * ${line}\n${wrongType}\n`
  assert.deepEqual(
    parseKnownHosts(text).map(({ marker, hosts, type }) => [marker, hosts, type]),
    [
      [undefined, 'host', 'ssh-ed25519'],
      ['@revoked', '*', 'ssh-ed25519'],
    ],
  )
})

test('names match as OpenSSH matches them', () => {
  assert.equal(matches('host', 'host'), true)
  assert.equal(matches('HOST', 'host'), true)
  assert.equal(matches('other,host', 'host'), true)
  assert.equal(matches('host', 'host2'), false)
  assert.equal(matches('ho?t', 'host'), true)
  assert.equal(matches('*.lab,!bad.lab', 'good.lab'), true)
  assert.equal(matches('*.lab,!bad.lab', 'bad.lab'), false)
  assert.equal(matches('!bad.lab', 'good.lab'), false)
  assert.equal(matches('[10.0.0.*]:2222', '[10.0.0.7]:2222'), true)
  assert.equal(matches('[10.0.0.7]:2222', '10.0.0.7'), false)
  assert.equal(matches('10.0.0.1', '10x0y0z1'), false)
})

test('hashed names match by their salt', () => {
  const salt = Buffer.from('0123456789abcdefghij')
  const hash = createHmac('sha1', salt).update('[host]:2222').digest('base64')
  const hashed = `|1|${salt.toString('base64')}|${hash}`
  assert.equal(matches(hashed, '[host]:2222'), true)
  assert.equal(matches(hashed, 'host'), false)
})

test('fingerprints look as ssh-keygen shows them', () => {
  const { key } = parseEntry(`host ${line}`)!
  assert.match(fingerprint(key), /^SHA256:[A-Za-z0-9+/]{43}$/)
})

test('the port is part of the name unless it is 22', () => {
  assert.equal(knownHostsName('host', 22), 'host')
  assert.equal(knownHostsName('host', 2222), '[host]:2222')
})

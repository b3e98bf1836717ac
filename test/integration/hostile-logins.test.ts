import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { quietContext } from '../helpers/provisioned.ts'
import { type SshdHost, sshdMissing, usersMissing } from '../helpers/sshd.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { assertTold, visit } from './hostile-fixture.ts'

const megabyte = `${'x'.repeat(99)}\n`.repeat(10_000)

/** Runs a program that changes the account of a host's user. */
function change(program: string, ...args: string[]): (host: SshdHost) => undefined {
  return ({ user }) => void execFileSync(program, [...args, user])
}

test('an address that no route leads to', { skip: sshdMissing }, async () => {
  // No TCP connection leads to a multicast address, whatever the network here is.
  const error = await visit({}, { prepare: (_, entry) => void Object.assign(entry, { address: '224.0.0.1' }) })
  assertTold(
    error,
    'CPN_ERR_CONNECT_UNREACHABLE',
    /cannot connect to 224\.0\.0\.1/,
    /address and port in the inventory/,
  )
})

test('a locked account', { skip: usersMissing }, async () => {
  const error = await visit({}, { prepare: change('usermod', '-p', '!') })
  assertTold(error, 'CPN_ERR_AUTH_FAILED', /refused the login of/, /account is locked or has expired: passwd -S/)
})

test('an account that has expired', { skip: usersMissing }, async () => {
  const error = await visit({}, { prepare: change('chage', '-E', '1') })
  assertTold(error, 'CPN_ERR_AUTH_FAILED', /refused the login of/, /account is locked or has expired: .*chage -l/)
})

test('a password that has expired', { skip: usersMissing }, async () => {
  const options = { password: 'secret', config: ['PubkeyAuthentication no'] }
  const error = await visit(options, { prepare: change('chage', '-d', '0'), context: quietContext('secret') })
  assertTold(error, 'CPN_ERR_AUTH_FAILED', /the password has expired/, /set a new password/)
})

/** A host that shows this before the login. */
async function visitGreeting(text: string): Promise<unknown> {
  using folder = tempFolder()
  const file = join(folder.path, 'greeting')
  writeFileSync(file, text)
  return await visit({ config: [`Banner ${file}`] })
}

test('a long greeting does not get in the way', { skip: sshdMissing }, async () => {
  assert.equal(await visitGreeting(megabyte.slice(0, 32_000)), undefined)
})

test('a greeting that is too long for one message', { skip: sshdMissing }, async () => {
  const error = await visitGreeting(megabyte.slice(0, 200_000))
  assertTold(error, 'CPN_ERR_CONNECTION_LOST', /too long, most likely the greeting/, /Shorten the text of Banner/)
})

test('a greeting of a megabyte, at which sshd itself gives up', { skip: sshdMissing }, async () => {
  const error = await visitGreeting(megabyte)
  assertTold(error, 'CPN_ERR_CONNECTION_LOST', /hung up during the login/, /sshd's log .*a Banner over 256 kB/)
})

test('a megabyte before the server says what it is', { skip: sshdMissing }, async () => {
  const server = createServer((socket) => void socket.on('error', () => undefined).end(megabyte)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { address, port } = server.address() as AddressInfo
  const error = await visit({}, { prepare: (_, entry) => void Object.assign(entry, { address, port }) })
  server.close()
  assertTold(error, 'CPN_ERR_KEX_FAILED', /no SSH-2 server/, /Check the port/)
})

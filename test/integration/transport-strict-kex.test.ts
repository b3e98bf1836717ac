import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { makeKey, publicKey } from '../helpers/host-files.ts'
import { sshdMissing, startSshd } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'
import { fails, hostOf, Master, plainHost } from './transport-fixture.ts'

const program = join(import.meta.dirname, '../fixtures/server-without-strict-kex.mjs')
const skip = sshdMissing
const chacha = 'chacha20-poly1305@openssh.com'

/** A server that lacks strict key exchange, and a master that knows its host key. */
async function oldServer(ciphers: string, macs = 'hmac-sha2-256-etm@openssh.com') {
  const master = new Master()
  const key = join(master.folder, 'host_key')
  makeKey(key)
  const server = spawn(process.execPath, [program, ciphers, macs, key], { stdio: ['pipe', 'pipe', 'inherit'] })
  let said = ''
  server.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  await until(() => /listening \d+\n/.test(said), 'the server listens')
  writeFileSync(master.knownHostsFile, `old ${publicKey(`${key}.pub`)}\n`)
  const host = plainHost({
    name: 'old',
    address: '127.0.0.1',
    port: Number(/listening (\d+)/.exec(said)![1]),
    user: 'me',
  })
  const connector = master.connector([host])
  return {
    open: () => connector.open(host),
    said: () => said,
    async [Symbol.asyncDispose]() {
      await connector[Symbol.asyncDispose]()
      server.stdin.end()
      await once(server, 'exit')
      master[Symbol.dispose]()
    },
  }
}

test('a server that lacks strict key exchange gets a cipher that needs none', { skip }, async () => {
  await using old = await oldServer(`${chacha},aes256-ctr,aes128-gcm@openssh.com`)
  await using _transport = await old.open()
  assert.match(old.said(), /cipher aes128-gcm@openssh\.com\nlogin none/)
})

test('one that has nothing but chacha20-poly1305 is refused before a login', { skip }, async () => {
  await using old = await oldServer(chacha)
  await assert.rejects(
    old.open(),
    fails('CPN_ERR_KEX_FAILED', 'old', /only chacha20-poly1305 without strict key exchange/),
  )
  await until(() => old.said().includes('closed'), 'the connection ends')
  assert.doesNotMatch(old.said(), /login/)
})

test('one that has nothing but CBC, with whatever MAC, is refused', { skip }, async () => {
  await using old = await oldServer('aes128-cbc,aes256-cbc')
  await assert.rejects(old.open(), fails('CPN_ERR_KEX_FAILED', 'old'))
  assert.doesNotMatch(old.said(), /cipher|login/)
})

test('chacha20-poly1305 is used where both sides have strict key exchange', { skip }, async () => {
  await using sshd = await startSshd({ config: [`Ciphers ${chacha}`] })
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  assert.equal((await transport.exec('echo through')).stdout, 'through\n')
})

test('on the wire the master asks for strict key exchange and offers no CBC', async (t) => {
  using master = new Master()
  let heard = ''
  const server = createServer((socket) => {
    socket.write('SSH-2.0-test\r\n')
    socket.on('error', () => {})
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1')
      if (heard.includes('none')) socket.destroy()
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.after(() => server.close())
  const { port } = server.address() as AddressInfo
  const host = plainHost({ name: 'old', address: '127.0.0.1', port, user: 'me' })
  writeFileSync(master.knownHostsFile, `old ssh-ed25519 ${'A'.repeat(68)}\n`)
  await using connector = master.connector([host])
  await assert.rejects(connector.open(host))
  assert.match(heard, /kex-strict-c-v00@openssh\.com/)
  assert.doesNotMatch(heard, /-cbc/)
  assert.match(heard, /aes128-gcm@openssh\.com,/)
})

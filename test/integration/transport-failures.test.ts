import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { after, before, test } from 'node:test'
import { sshdMissing, startSshd } from '../helpers/sshd.ts'
import { fails, hostOf, Master, plainHost } from './transport-fixture.ts'

// A quarter of the deadlines keeps the waits for silence short; each of them still has its own.
const scaleBefore = process.env.CPN_TIMEOUT_SCALE
before(() => {
  process.env.CPN_TIMEOUT_SCALE = '0.1'
})
after(() => {
  if (scaleBefore === undefined) delete process.env.CPN_TIMEOUT_SCALE
  else process.env.CPN_TIMEOUT_SCALE = scaleBefore
})

test('nothing that listens: refused', async () => {
  using master = new Master()
  const server = await listen(() => undefined)
  const { port } = server
  await server[Symbol.asyncDispose]()
  await using connector = master.connector([])
  const host = plainHost({ name: 'closed', address: '127.0.0.1', port, user: 'x' })
  await assert.rejects(connector.open(host), fails('CPN_ERR_CONNECT_REFUSED', 'closed'))
})

test('no answer to the connection request: a timeout of its own', async () => {
  using master = new Master()
  // A listener with a full backlog drops requests silently, which needs no firewall.
  await using hole = await blackHole()
  await using connector = master.connector([])
  const host = plainHost({ name: 'hole', address: '127.0.0.1', port: hole.port, user: 'x' })
  await assert.rejects(connector.open(host), fails('CPN_ERR_CONNECT_TIMEOUT', 'hole'))
})

test('no name: an error of the name lookup', async () => {
  using master = new Master()
  await using connector = master.connector([])
  const host = plainHost({ name: 'noname', address: 'no-such-host.invalid', user: 'x' })
  await assert.rejects(connector.open(host), fails('CPN_ERR_DNS', 'noname'))
})

test('a server that accepts and says nothing: a timeout of its identification', async () => {
  using master = new Master()
  await using server = await listen(() => undefined)
  await using connector = master.connector([])
  const host = plainHost({ name: 'silent', address: '127.0.0.1', port: server.port, user: 'x' })
  await assert.rejects(connector.open(host), fails('CPN_ERR_BANNER_TIMEOUT', 'silent'))
})

test('a server of another kind is quoted', async () => {
  using master = new Master()
  await using server = await listen((socket) => socket.write('220 mail.example ESMTP\r\n'))
  await using connector = master.connector([])
  const host = plainHost({ name: 'mail', address: '127.0.0.1', port: server.port, user: 'x' })
  await assert.rejects(connector.open(host), fails('CPN_ERR_BANNER_TIMEOUT', 'mail', /220 mail\.example/))
})

test('an SSH server of version 1 is refused', async () => {
  using master = new Master()
  await using server = await listen((socket) => socket.write('SSH-1.5-old\r\n'))
  await using connector = master.connector([])
  const host = plainHost({ name: 'old', address: '127.0.0.1', port: server.port, user: 'x' })
  await assert.rejects(connector.open(host), fails('CPN_ERR_KEX_FAILED', 'old'))
})

test('a server that stops after its identification: a timeout of the key exchange', async () => {
  using master = new Master()
  await using server = await listen((socket) => socket.write('SSH-2.0-stuck\r\n'))
  await using connector = master.connector([])
  const host = plainHost({ name: 'stuck', address: '127.0.0.1', port: server.port, user: 'x' })
  await assert.rejects(connector.open(host), fails('CPN_ERR_KEX_TIMEOUT', 'stuck'))
})

test('a server that hangs up at once is tried a few times, then reported', async () => {
  using master = new Master()
  let connections = 0
  await using server = await listen((socket) => {
    connections++
    socket.destroy()
  })
  await using connector = master.connector([])
  const host = plainHost({ name: 'busy', address: '127.0.0.1', port: server.port, user: 'x' })
  await assert.rejects(connector.open(host), fails('CPN_ERR_CONNECTION_LOST', 'busy', /before it said/))
  assert.ok(connections > 1 && connections < 12)
})

test('a signal ends the opening at any point', async () => {
  using master = new Master()
  await using server = await listen(() => undefined)
  await using connector = master.connector([])
  const host = plainHost({ name: 'silent', address: '127.0.0.1', port: server.port, user: 'x' })
  const controller = new AbortController()
  const opening = connector.open(host, controller.signal)
  await server.connected
  controller.abort(new Error('not wanted any more'))
  await assert.rejects(opening, /not wanted any more/)
})

test('a frozen host is noticed, and what waits for it ends', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  const running = transport.exec('echo started; sleep 60')
  running.catch(() => undefined)
  await transport.exec('true')
  sshd.pause()
  try {
    await assert.rejects(running, fails('CPN_ERR_CONNECTION_LOST', sshd.name))
    assert.equal((transport.lost.reason as { code: string }).code, 'CPN_ERR_CONNECTION_LOST')
    await assert.rejects(transport.exec('true'), fails('CPN_ERR_CONNECTION_LOST', sshd.name))
  } finally {
    sshd.resume()
  }
})

test('a quiet connection is not lost', { skip: sshdMissing }, async () => {
  await using sshd = await startSshd()
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  // Ten times the interval of the questions, at the scale of this file.
  assert.equal((await transport.exec('sleep 1')).exitCode, 0)
  assert.equal(transport.lost.aborted, false)
})

test('many hosts behind a server that drops logins all get in', { skip: sshdMissing }, async () => {
  process.env.CPN_TIMEOUT_SCALE = '1'
  await using sshd = await startSshd({ config: ['MaxStartups 2:100:3'] })
  using master = new Master()
  const hosts = Array.from({ length: 20 }, (_, index) => hostOf(sshd, { name: `node${index + 1}` }))
  const { writeFileSync } = await import('node:fs')
  writeFileSync(master.knownHostsFile, hosts.map(({ name }) => `${sshd.knownHostsLine(name)}\n`).join(''))
  await using connector = master.connector(hosts)
  const transports = await Promise.all(hosts.map((host) => connector.open(host)))
  const results = await Promise.all(transports.map((transport) => transport.exec('true')))
  assert.ok(results.every(({ exitCode }) => exitCode === 0))
  await Promise.all(transports.map((transport) => transport.close()))
  process.env.CPN_TIMEOUT_SCALE = '0.1'
})

interface TestServer extends AsyncDisposable {
  port: number
  connected: Promise<unknown>
}

async function listen(onConnection: (socket: Socket) => void): Promise<TestServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => undefined))
    onConnection(socket)
  })
  const connected = once(server, 'connection')
  connected.catch(() => undefined)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const end = async (): Promise<void> => {
    for (const socket of sockets) socket.destroy()
    await new Promise((resolve) => server.close(resolve))
  }
  return { port: (server.address() as AddressInfo).port, connected, [Symbol.asyncDispose]: end }
}

/** A port whose connection requests stay unanswered: a stopped process with a backlog that is full. */
async function blackHole(): Promise<AsyncDisposable & { port: number }> {
  const { spawn } = await import('node:child_process')
  const { connect } = await import('node:net')
  const script =
    "const s=require('node:net').createServer();s.listen({port:0,host:'127.0.0.1',backlog:1},()=>" +
    'process.send(s.address().port,()=>process.kill(process.pid,"SIGSTOP")))'
  const child = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const [port] = (await once(child, 'message')) as [number]
  // Two fill the queue; the kernel leaves every further request without an answer.
  const fillers = Array.from({ length: 4 }, () => connect(port, '127.0.0.1').on('error', () => undefined))
  await Promise.all(fillers.slice(0, 2).map((socket) => once(socket, 'connect')))
  const end = async (): Promise<void> => {
    for (const socket of fillers) socket.destroy()
    child.kill('SIGKILL')
    await once(child, 'close')
  }
  return { port, [Symbol.asyncDispose]: end }
}

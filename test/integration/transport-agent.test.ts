import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { chmodSync, chownSync } from 'node:fs'
import { createServer, request } from 'node:http'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { type buildConnector, Pool } from 'undici'
import { quote } from '../../src/transport/shell.ts'
import type { Transport } from '../../src/transport/transport.ts'
import { type SshdHost, type SshdOptions, sshdMissing, startSshd } from '../helpers/sshd.ts'
import { eventually, fails, hostOf, Master, plainHost } from './transport-fixture.ts'

const bridgeModule = fileURLToPath(new URL('../../src/agent/bridge.ts', import.meta.url))

/** What stands in for the agent: echoes bodies over HTTP on a Unix socket in the host's home. */
async function startEcho(sshd: SshdHost, name = 'agent.sock'): Promise<AsyncDisposable & { path: string }> {
  const server = createServer((incoming, answer) => incoming.pipe(answer))
  const path = join(sshd.home, name)
  server.listen(path)
  await once(server, 'listening')
  chownSync(path, sshd.uid, sshd.uid)
  chmodSync(path, 0o600)
  const end = async (): Promise<void> => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { path, [Symbol.asyncDispose]: end }
}

function bridgeCommand(socketPath: string): string {
  const program = `const { runBridge } = await import(${JSON.stringify(bridgeModule)}); await runBridge(${JSON.stringify(socketPath)}, process.stdin, process.stdout)`
  return `${quote(process.execPath)} --input-type=module -e ${quote(program)}`
}

async function withTransport(
  options: SshdOptions,
  use: (transport: Transport, sshd: SshdHost) => Promise<void>,
): Promise<void> {
  await using sshd = await startSshd(options)
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  await use(transport, sshd)
}

async function carries(transport: Transport, path: string, tunnel: Transport['tunnel']): Promise<void> {
  const command = bridgeCommand(path)
  const bodies = Array.from({ length: 8 }, (_, index) => randomBytes(index * 700_000))
  const connect: buildConnector.connector = (_, done) => {
    transport.openAgent(path, command).then(
      (socket) => done(null, socket as Socket),
      (error: Error) => done(error, null),
    )
  }
  await using pool = disposable(new Pool('http://agent', { connect, connections: 4 }))
  const echoes = await Promise.all(
    bodies.map(async (body) => {
      const { body: answer } = await pool.request({ method: 'POST', path: '/', body })
      return Buffer.from(await answer.arrayBuffer())
    }),
  )
  assert.ok(echoes.every((echo, index) => echo.equals(bodies[index]!)))
  assert.equal(transport.tunnel, tunnel)
  await carriesNodeHttp(transport, path, command)
}

/** The same with node:http over the socket. */
async function carriesNodeHttp(transport: Transport, path: string, command: string): Promise<void> {
  const socket = await transport.openAgent(path, command)
  const outgoing = request({
    method: 'POST',
    path: '/',
    host: 'agent',
    createConnection: () => socket as never,
  })
  outgoing.end('by node:http')
  const [answer] = await once(outgoing, 'response')
  assert.equal((await buffer(answer)).toString(), 'by node:http')
  outgoing.destroy()
}

test('agent connections are forwarded by sshd', { skip: sshdMissing }, async () => {
  await withTransport({}, async (transport, sshd) => {
    await using agent = await startEcho(sshd)
    await carries(transport, agent.path, 'streamlocal')
  })
})

for (const policy of ['AllowStreamLocalForwarding no', 'AllowTcpForwarding no', 'DisableForwarding yes']) {
  test(`with "${policy}" and one session, agent connections go over the bridge`, { skip: sshdMissing }, async () => {
    await withTransport({ config: [policy, 'MaxSessions 1'] }, async (transport, sshd) => {
      await using agent = await startEcho(sshd)
      await carries(transport, agent.path, 'bridge')
      // The bridge gives its session back while nobody uses it, and takes it again.
      assert.equal((await transport.exec('echo alive')).stdout, 'alive\n')
      await carries(transport, agent.path, 'bridge')
      await transport.close()
      await eventually(() => sshd.processes().length === 0, 'the end of the bridge')
    })
  })
}

test('start files that print do not disturb the bridge', { skip: sshdMissing }, async () => {
  const files = { '.bashrc': 'echo welcome; echo warning >&2' }
  await withTransport(
    { config: ['AllowStreamLocalForwarding no'], shell: '/bin/bash', files },
    async (transport, sshd) => {
      await using agent = await startEcho(sshd)
      await carries(transport, agent.path, 'bridge')
    },
  )
})

for (const config of [[], ['AllowStreamLocalForwarding no']]) {
  const how = config.length === 0 ? 'sshd forwards' : 'sshd forbids forwarding'
  test(`an agent that is away is told from a policy: ${how}`, { skip: sshdMissing }, async () => {
    await withTransport({ config }, async (transport, sshd) => {
      const missing = join(sshd.home, 'none.sock')
      const open = (path: string): Promise<unknown> => transport.openAgent(path, bridgeCommand(path))
      await assert.rejects(open(missing), fails('CPN_ERR_AGENT_UNREACHABLE', sshd.name, /no socket/))
      const long = join(sshd.home, 'x'.repeat(100))
      await assert.rejects(open(long), fails('CPN_ERR_AGENT_UNREACHABLE', sshd.name, /too long/))
      const dead = join(sshd.home, 'dead.sock')
      const python = `import socket; socket.socket(socket.AF_UNIX).bind('dead.sock')`
      assert.equal((await transport.exec(`python3 -c ${quote(python)}`)).exitCode, 0)
      await assert.rejects(open(dead), fails('CPN_ERR_AGENT_UNREACHABLE', sshd.name, /ECONNREFUSED|nothing listens/))
      await using agent = await startEcho(sshd)
      await carries(transport, agent.path, config.length === 0 ? 'streamlocal' : 'bridge')
      await assert.rejects(open(dead), fails('CPN_ERR_AGENT_UNREACHABLE', sshd.name, /ECONNREFUSED|nothing listens/))
    })
  })
}

test('a bridge that cannot start says why', { skip: sshdMissing }, async () => {
  await withTransport({ config: ['AllowStreamLocalForwarding no'] }, async (transport, sshd) => {
    await using agent = await startEcho(sshd)
    const open = transport.openAgent(agent.path, '/nowhere/node bridge')
    await assert.rejects(open, fails('CPN_ERR_FORWARDING_REFUSED', sshd.name, /\/nowhere\/node/))
  })
})

for (const config of [[], ['AllowStreamLocalForwarding no']]) {
  const how = config.length === 0 ? 'forwarded' : 'bridged'
  test(`a cut connection breaks a ${how} answer instead of ending it`, { skip: sshdMissing }, async () => {
    await withTransport({ config }, async (transport, sshd) => {
      await using agent = await startEcho(sshd)
      const socket = await transport.openAgent(agent.path, bridgeCommand(agent.path))
      socket.write('POST / HTTP/1.1\r\nhost: agent\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n')
      await once(socket, 'data')
      const broken = once(socket, 'end').then(
        () => 'ended',
        (error: Error) => error,
      )
      socket.resume()
      await sshd.restart()
      assert.ok((await broken) instanceof Error)
    })
  })
}

test('the agent on this machine is reached by its socket', async () => {
  using master = new Master()
  const host = plainHost({ name: 'here', transport: 'local' })
  await using connector = master.connector([host])
  await using transport = await connector.open(host)
  const home = master.folder
  await using agent = await startEcho({ home, uid: process.getuid!() } as SshdHost)
  await carries(transport, agent.path, 'socket')
  const open = transport.openAgent(join(home, 'none.sock'), '')
  await assert.rejects(open, fails('CPN_ERR_AGENT_UNREACHABLE', 'here', /no socket/))
})

function disposable(pool: Pool): Pool & AsyncDisposable {
  return Object.assign(pool, { [Symbol.asyncDispose]: () => pool.destroy() })
}

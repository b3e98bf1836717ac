import assert from 'node:assert/strict'
import { createServer, type RequestListener } from 'node:http'
import { connect, type Socket } from 'node:net'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { test } from 'node:test'
import { AgentClient } from '../../../src/fleet/agent-client.ts'
import { Inquest } from '../../../src/fleet/inquest.ts'
import type { NodeCard } from '../../../src/protocol/messages.ts'
import { agentUnreachable } from '../../../src/transport/agent-unreachable.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

const card: NodeCard = {
  protocol: 1,
  agentVersion: '0.1.0',
  release: 'a'.repeat(64),
  fleet: 'abcdefghjkmn',
  instance: 'one',
  bootId: 'boot',
  hostname: 'node1',
  platform: 'linux',
  arch: 'x64',
  nodeVersion: '26.10.0',
  cores: 2,
  memoryBytes: 1,
  workers: 2,
  slots: 4,
  executionProviders: [],
  models: [],
  isolation: {
    permission: true,
    supervisor: 'keeper',
    network: 'open',
    files: false,
    noNewPrivileges: false,
    limits: {},
  },
  startedAt: '2026-11-01T00:00:00Z',
}

/** An inquest into an agent of instance `one`, whose socket is taken by `agent` as long as that listens. */
async function inquestOf(agent: RequestListener, over = new AbortController().signal) {
  const folder = tempFolder()
  const socket = join(folder.path, 's')
  const server = createServer(agent)
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const open = () => {
    const { promise, resolve, reject } = Promise.withResolvers<Duplex>()
    const channel: Socket = connect(socket, () => resolve(channel))
    channel.once('error', (error) => reject(agentUnreachable('node1', error.message, error)))
    return promise
  }
  const client = new AgentClient({ host: 'node1', connect: open, connections: 4 })
  const inquest = new Inquest(client, over)
  inquest.instance = 'one'
  return {
    inquest,
    server,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      server.closeAllConnections()
      server.close()
      folder[Symbol.dispose]()
    },
  }
}

test('a question that goes down with its connection is asked again: nobody listens any more', async () => {
  let asked = 0
  await using about = await inquestOf((request) => {
    asked++
    about.server.close()
    request.socket.destroy()
  })
  assert.equal(await about.inquest.hasDied(), true)
  assert.equal(asked, 1)
})

for (const [instance, hasDied] of [
  ['one', false],
  ['two', true],
] as const) {
  test(`a question that goes down with its connection is asked again: instance ${instance} answers`, async () => {
    let asked = 0
    await using about = await inquestOf((request, response) => {
      if (asked++ === 0) request.socket.destroy()
      else response.end(JSON.stringify({ ...card, instance }))
    })
    assert.equal(await about.inquest.hasDied(), hasDied)
    assert.equal(asked, 2)
  })
}

test('a host that is lost meanwhile has died of nothing', async () => {
  const lost = new AbortController()
  await using about = await inquestOf((request) => {
    lost.abort()
    request.socket.destroy()
  }, lost.signal)
  assert.equal(await about.inquest.hasDied(), false)
})

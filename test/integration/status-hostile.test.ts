import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import type { NodeStatus } from '../../src/actions/nodes/status.ts'
import { nodePaths } from '../../src/protocol/paths.ts'
import { protocolVersion } from '../../src/protocol/version.ts'
import { type Project, project } from '../helpers/project.ts'

/** A title, a colour by a C1 character, a bell, a line to write over, and marks that turn text around. */
const harm = 'evil\u001b]0;owned\u0007\u009b31m\u007f\r\n\u202e\u2066\u200f'
const acts = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/

const heartbeat = {
  event: 'heartbeat',
  time: harm,
  state: 'ready',
  busy: 0,
  workersReady: 1,
  done: 0,
  imagesPerSecond: 0,
  load1: 0,
  freeMemoryBytes: 0,
  rssBytes: 0,
  workerRestarts: 0,
}

/** Says what an agent may say of itself, all of it harmful. */
function hostileCard(fleet: string): object {
  return {
    protocol: protocolVersion,
    agentVersion: harm,
    release: harm,
    fleet,
    instance: harm,
    bootId: harm,
    hostname: harm,
    platform: harm,
    arch: harm,
    nodeVersion: harm,
    cores: 1,
    memoryBytes: 1,
    workers: 1,
    slots: 2,
    executionProviders: [harm],
    models: [{ name: 'faces', version: harm, sha256: 'a'.repeat(64) }],
    isolation: { permission: true, network: 'namespace', limits: { [harm]: 1 }, supervisor: 'keeper' },
    startedAt: harm,
  }
}

/** In the place of this machine's agent: whoever asks for its events gets this. */
async function fakeAgent(home: Project, fleet: string, status: number, body: string): Promise<AsyncDisposable> {
  const folder = join(home.env.HOME!, '.cpn')
  const program = join(folder, nodePaths.current(fleet), 'bin', 'cpn-agent')
  const socket = join(folder, nodePaths.socket(fleet))
  for (const path of [program, socket]) mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  writeFileSync(program, '#!/bin/sh\nexit 1\n', { mode: 0o755 })
  const server = createServer((_, response) => {
    response.writeHead(status, { 'content-type': 'application/x-ndjson' }).write(`${body}\n`)
    if (status !== 200) response.end()
  })
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  return {
    async [Symbol.asyncDispose]() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

async function localProject(): Promise<{ home: Project; fleet: string }> {
  const home = project()
  writeFileSync(home.inventory, 'version: 1\nhosts:\n  here: { transport: local }\n')
  await home.cpn(['status'])
  return { home, fleet: readFileSync(join(home.folder, '.cpn', 'fleet-id'), 'utf8').trim() }
}

test('nothing that a hostile node says of itself acts on the terminal of who asks for its status', async () => {
  const { home, fleet } = await localProject()
  await using _ = home
  const register = { event: 'register', card: hostileCard(fleet), heartbeat }
  await using _agent = await fakeAgent(home, fleet, 200, JSON.stringify(register))
  await assertHarmless(home, /^here +ready/m)
})

test('nor does an error of its own making', async () => {
  const { home, fleet } = await localProject()
  await using _ = home
  const error = { code: 'CPN_ERR_AGENT_BUSY', message: harm, retryable: false, suggestions: [harm] }
  await using _agent = await fakeAgent(home, fleet, 503, JSON.stringify({ error }))
  await assertHarmless(home, /^here: evil/m)
})

/** What it says is told, with all that acts on terminals escaped; as JSON it is what the node has said. */
async function assertHarmless(home: Project, says: RegExp): Promise<void> {
  const shown = await home.ok(['status'])
  const json = await home.ok(['status', '--json'])
  for (const { stdout, stderr } of [shown, json]) {
    assert.match(stdout, /evil/)
    assert.doesNotMatch(stdout + stderr, acts)
  }
  assert.match(shown.stdout, says)
  const [node] = (JSON.parse(json.stdout) as { nodes: NodeStatus[] }).nodes
  assert.equal(node!.error?.message ?? node!.agentVersion, harm)
}

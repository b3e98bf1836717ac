import { connect, createServer, type Socket } from 'node:net'
import { join } from 'node:path'
import { contentDigest, sha256 } from '../../../src/common/digest.ts'
import { AgentClient } from '../../../src/fleet/agent-client.ts'
import { encodeFrame, headerLengthName } from '../../../src/protocol/framing.ts'
import { attempt } from '../../helpers/agent-work.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'
import { below, mutate } from '../mutate.ts'
import { type Target, verdictOf } from '../target.ts'

const image = Buffer.from('an image')

/** What an agent might answer to a master: results and events. */
export async function answersTarget(): Promise<Target> {
  const folder = tempFolder()
  const path = join(folder.path, 's')
  let answer: Buffer = Buffer.alloc(0)
  const open = new Set<Socket>()
  const server = createServer((socket) => {
    open.add(socket)
    socket.on('error', () => {}).on('close', () => open.delete(socket))
    socket.once('data', () => socket.end(answer))
  })
  await new Promise<void>((resolve) => server.listen(path, resolve))
  return {
    one: async (random) => {
      const asksEvents = below(random, 3) === 0
      answer = mutate(asksEvents ? events() : result(), random)
      await using client = new AgentClient({ host: 'node1', connect: async () => connect(path), connections: 1 })
      return await verdictOf(() => (asksEvents ? drain(client) : client.predict(attempt(image, { deadlineMs: 2000 }))))
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
      folder[Symbol.dispose]()
    },
  }
}

async function drain(client: AgentClient): Promise<void> {
  for await (const _ of client.events(AbortSignal.timeout(6000)));
}

function result(): Buffer {
  const face = { box: [1, 2, 3, 4], score: 0.9, keypoints: null }
  const parts = [
    { name: 'annotated', bytes: 5, mediaType: 'image/jpeg' },
    { name: 'embeddings', bytes: 8, shape: [1, 2] },
  ]
  const about = { job: sha256(image), attempt: 1, epoch: 1, width: 8, height: 6 }
  const { body, jsonBytes } = encodeFrame({ ...about, faces: [face], parts, timings: {} }, [
    Buffer.from('12345'),
    Buffer.from(new Float32Array([0.5, 0.25]).buffer),
  ])
  const bytes = Buffer.concat(body)
  return http(
    {
      'content-length': bytes.length,
      'content-digest': contentDigest(bytes),
      [headerLengthName]: jsonBytes,
    },
    bytes,
  )
}

function events(): Buffer {
  const beat = { event: 'heartbeat', time: '2026-01-01T00:00:00Z', state: 'ready', busy: 0, workersReady: 1, done: 1 }
  const heartbeat = { ...beat, imagesPerSecond: 1, load1: 1, freeMemoryBytes: 1, rssBytes: 1, workerRestarts: 0 }
  const lines = [heartbeat, heartbeat, { event: 'goodbye', reason: 'SIGTERM' }]
  const bytes = Buffer.from(lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
  return http({ 'content-length': bytes.length }, bytes)
}

function http(headers: Record<string, string | number>, body: Buffer): Buffer {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`)
  return Buffer.concat([Buffer.from(['HTTP/1.1 200 OK', ...lines, '', ''].join('\r\n')), body])
}

import assert from 'node:assert/strict'
import { createServer, type RequestListener, type ServerResponse } from 'node:http'
import { connect } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { contentDigest, sha256 } from '../../../src/common/digest.ts'
import { AgentClient } from '../../../src/fleet/agent-client.ts'
import { encodeFrame, headerLengthName } from '../../../src/protocol/framing.ts'
import type { Pipeline } from '../../../src/protocol/pipeline.ts'
import type { AttemptRequest } from '../../../src/scheduler/scheduler.ts'
import { drawnPhoto } from '../../helpers/drawn-images.ts'
import { tempFolder } from '../../helpers/temp-folder.ts'

/** A client of a server on a Unix socket that answers as `listener` does, also against the protocol. */
async function clientOf(listener: RequestListener): Promise<AsyncDisposable & { client: AgentClient }> {
  const folder = tempFolder()
  const socket = join(folder.path, 's')
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(socket, resolve))
  const client = new AgentClient({ host: 'node1', connect: async () => connect(socket), connections: 4 })
  return {
    client,
    async [Symbol.asyncDispose]() {
      await client[Symbol.asyncDispose]()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      folder[Symbol.dispose]()
    },
  }
}

const image = await drawnPhoto({ width: 8, height: 6, squares: [] })

function request(options: Partial<AttemptRequest> = {}): AttemptRequest {
  return {
    job: { id: sha256(image), bytes: image.length, read: async () => Buffer.from(image) },
    attempt: 1,
    epoch: 3,
    run: 'run-1',
    pipeline: { kind: 'faces', annotate: 'preview', maxPixels: 1000 } as Pipeline,
    deadlineMs: 10_000,
    signal: new AbortController().signal,
    ...options,
  }
}

function answerJson(changes: object = {}) {
  const parts = [{ name: 'annotated', bytes: image.length, mediaType: 'image/jpeg' }]
  return { job: sha256(image), attempt: 1, epoch: 3, width: 8, height: 6, faces: [], parts, timings: {}, ...changes }
}

function send(response: ServerResponse, json: object, parts = [image], headers: object = {}): void {
  const { body: pieces, jsonBytes } = encodeFrame(json, parts)
  const body = Buffer.concat(pieces)
  response.writeHead(200, {
    'content-length': body.length,
    'content-digest': contentDigest(body),
    [headerLengthName]: jsonBytes,
    ...headers,
  })
  response.end(body)
}

test('an answer is its JSON and its picture', async () => {
  await using it = await clientOf((_, response) => send(response, answerJson()))
  const { answer, annotated } = await it.client.predict(request())
  assert.equal(answer.width, 8)
  assert.ok(annotated?.equals(image))
})

const html = Buffer.from('<!DOCTYPE html><script>alert(1)</script>')
const page = [{ name: 'annotated', bytes: html.length, mediaType: 'image/jpeg' }]

const breaches: [string, RequestListener, string][] = [
  [
    'an error that does not end',
    (_, response) => {
      response.writeHead(500)
      const more = () => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536))) {}
      }
      response.on('drain', more)
      more()
    },
    'CPN_ERR_AGENT_PROTOCOL',
  ],
  [
    'a digest that does not fit',
    (_, r) => send(r, answerJson(), undefined, { 'content-digest': contentDigest(image) }),
    'CPN_ERR_DIGEST_MISMATCH',
  ],
  ['no length', (_, r) => r.writeHead(200, { 'transfer-encoding': 'chunked' }).end('{}'), 'CPN_ERR_AGENT_PROTOCOL'],
  [
    'an endless length',
    (_, r) => r.writeHead(200, { 'content-length': 1e12 }).flushHeaders(),
    'CPN_ERR_AGENT_PROTOCOL',
  ],
  ['another job', (_, r) => send(r, answerJson({ job: sha256('other') })), 'CPN_ERR_AGENT_PROTOCOL'],
  ['an older epoch', (_, r) => send(r, answerJson({ epoch: 2 })), 'CPN_ERR_AGENT_PROTOCOL'],
  ['another attempt', (_, r) => send(r, answerJson({ attempt: 2 })), 'CPN_ERR_AGENT_PROTOCOL'],
  ['parts that do not fill the body', (_, r) => send(r, answerJson(), [Buffer.from('123')]), 'CPN_ERR_AGENT_PROTOCOL'],
  ['no picture', (_, r) => send(r, answerJson({ parts: [] }), []), 'CPN_ERR_AGENT_PROTOCOL'],
  [
    'a page in the place of the picture',
    (_, r) => send(r, answerJson({ parts: page }), [html]),
    'CPN_ERR_AGENT_PROTOCOL',
  ],
  ['another schema', (_, r) => send(r, { width: 'wide' }), 'CPN_ERR_AGENT_PROTOCOL'],
  ['no JSON', (_, r) => send(r, answerJson(), undefined, { [headerLengthName]: 3 }), 'CPN_ERR_AGENT_PROTOCOL'],
  ['an error that is none', (_, r) => r.writeHead(500).end('<html>'), 'CPN_ERR_AGENT_PROTOCOL'],
  [
    'a cut in the middle',
    (_, r) => r.writeHead(200, { 'content-length': 9 }).write('1', () => r.destroy()),
    'CPN_ERR_CONNECTION_LOST',
  ],
]

for (const [what, listener, code] of breaches) {
  test(`an answer with ${what} does not count: ${code}`, async () => {
    await using it = await clientOf(listener)
    await assert.rejects(it.client.predict(request()), { code, host: 'node1' })
  })
}

test('an error of the agent arrives as it was thrown', async () => {
  const error = { code: 'CPN_ERR_IMAGE_DECODE', message: 'cut', retryable: false, suggestions: ['Look at it.'] }
  await using it = await clientOf((_, response) => response.writeHead(422).end(JSON.stringify({ error })))
  await assert.rejects(it.client.predict(request()), { ...error, host: 'node1' })
  await assert.rejects(it.client.events().next(), { ...error, host: 'node1' })
})

test('an image that takes longer than the deadline on its way is no failure as long as it moves', async () => {
  const large = Buffer.concat([image, Buffer.alloc(6 * 256 * 1024)])
  const job = { id: sha256(large), bytes: large.length, read: async () => large }
  await using it = await clientOf(async (request, response) => {
    // Whole pieces pass only when the one before has been read: the client is told by the socket that it is full.
    for await (const _ of request) await sleep(150)
    send(response, answerJson({ job: job.id }))
  })
  const { answer } = await it.client.predict(request({ job, deadlineMs: 1000 }))
  assert.equal(answer.job, job.id)
})

test('an attempt ends at its deadline, and at the signal', async () => {
  await using it = await clientOf(() => {})
  await assert.rejects(it.client.predict(request({ deadlineMs: 50 })), { code: 'CPN_ERR_JOB_TIMEOUT', retryable: true })
  const reason = new Error('stopped')
  await assert.rejects(it.client.predict(request({ signal: AbortSignal.abort(reason) })), reason)
})

test('closing the client ends what is in flight as a lost connection', async () => {
  await using it = await clientOf(() => {})
  const answer = assert.rejects(it.client.predict(request()), { code: 'CPN_ERR_CONNECTION_LOST', retryable: true })
  await it.client[Symbol.asyncDispose]()
  await answer
})

test('an event that is no event ends the stream with a breach', async () => {
  await using it = await clientOf((_, response) => response.end('{"event":"nonsense"}\n'))
  await assert.rejects(it.client.events().next(), { code: 'CPN_ERR_AGENT_PROTOCOL' })
})

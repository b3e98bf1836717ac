import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { AgentFleet } from '../../helpers/agent-fleet.ts'
import { photoWithOneFace, predictHeaders } from '../../helpers/agent-work.ts'
import { mutate, oneOf } from '../mutate.ts'
import type { Target } from '../target.ts'

const deadlineMs = 10_000
const mostBytes = 2 * 2 ** 30

/** Bytes that a master might send to an agent's socket: the verdict is the status of its answer. */
export async function requestsTarget(): Promise<Target> {
  const photo = await photoWithOneFace()
  const good = [
    requestBytes('POST', '/cpn/v1/predict', predictHeaders(photo, { deadlineMs: 5000 }), photo),
    requestBytes('GET', '/cpn/v1/node'),
    requestBytes('GET', '/v2/models/tiny-squares'),
  ]
  await using starting = new AsyncDisposableStack()
  const fleet = starting.use(await AgentFleet.create({ workers: 1 }))
  const agent = await fleet.run()
  const started = starting.move()
  return {
    atOnce: 2,
    one: async (random) => await answerTo(fleet.folder.socket, mutate(oneOf(random, good), random)),
    check: async () => {
      const { json } = await fleet.ask('GET', '/cpn/v1/heartbeat')
      assert.ok(json.rssBytes < mostBytes, `the agent and its workers have grown to ${json.rssBytes} bytes`)
      assert.equal(agent.exitCode, null)
    },
    [Symbol.asyncDispose]: () => started.disposeAsync(),
  }
}

function requestBytes(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body: Uint8Array = new Uint8Array(),
) {
  const all = { host: 'agent', connection: 'close', ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}`)
  return Buffer.concat([Buffer.from([`${method} ${path} HTTP/1.1`, ...lines, '', ''].join('\r\n')), body])
}

/** The status that a half-closed connection is answered with; 'closed' when it is hung up on. Rejects when it hangs. */
async function answerTo(socketPath: string, bytes: Buffer): Promise<string> {
  const socket = connect({ path: socketPath, allowHalfOpen: true })
  await once(socket, 'connect')
  const late = setTimeout(() => socket.destroy(new Error(`no answer within ${deadlineMs} ms`)), deadlineMs)
  try {
    socket.end(bytes)
    const answer = (await buffer(socket)).toString('latin1')
    return /^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 'closed'
  } catch (error) {
    if (['ECONNRESET', 'EPIPE'].includes((error as NodeJS.ErrnoException).code ?? '')) return 'closed'
    throw error
  } finally {
    clearTimeout(late)
    socket.destroy()
  }
}

import { json } from 'node:stream/consumers'
import { CpnError } from '../common/errors.ts'
import { request } from '../common/http.ts'
import { type Heartbeat, heartbeatSchema, type NodeCard, nodeCardSchema } from '../protocol/messages.ts'

const answerMs = 5000

/** Asks the agent behind a socket on this machine. Rejects with CPN_ERR_AGENT_UNREACHABLE when none answers. */
export async function askAgent(socketPath: string, method: 'GET' | 'POST', path: string, timeoutMs = answerMs) {
  try {
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: unknown }>()
    const signal = AbortSignal.timeout(timeoutMs)
    request({ socketPath, method, path, agent: false, signal }, (response) => {
      json(response).then((body) => resolve({ status: response.statusCode ?? 0, body }), reject)
    })
      .on('error', reject)
      .end()
    return await promise
  } catch (cause) {
    throw new CpnError('CPN_ERR_AGENT_UNREACHABLE', `no agent answers at ${socketPath}`, { cause, retryable: true })
  }
}

export interface AgentView {
  card: NodeCard
  heartbeat: Heartbeat
  ready: boolean
}

/** What the agent says of itself; undefined when none answers. */
export async function lookAtAgent(socketPath: string): Promise<AgentView | undefined> {
  try {
    const [card, heartbeat, health] = await Promise.all(
      ['/cpn/v1/node', '/cpn/v1/heartbeat', '/v2/health/ready'].map((path) => askAgent(socketPath, 'GET', path)),
    )
    return {
      card: nodeCardSchema.parse(card?.body),
      heartbeat: heartbeatSchema.parse(heartbeat?.body),
      ready: health?.status === 200,
    }
  } catch {
    return undefined
  }
}

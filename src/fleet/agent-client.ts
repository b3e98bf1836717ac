import type { Duplex } from 'node:stream'
import type { AgentEvent, NodeCard } from '../protocol/messages.ts'
import type { AttemptRequest, NodeResult } from '../scheduler/scheduler.ts'

/** The agent's HTTP interface over connections that `connect` opens (tunnel channels or a local socket). */
export interface AgentClient extends AsyncDisposable {
  /** GET /cpn/v1/node */
  card(signal?: AbortSignal): Promise<NodeCard>
  /** GET /v2/health/ready */
  ready(signal?: AbortSignal): Promise<boolean>
  /** POST /cpn/v1/predict; length, digest and schema of the answer are verified. */
  predict(request: AttemptRequest): Promise<NodeResult>
  /** GET /cpn/v1/events; ends when the agent or the connection does. */
  events(signal?: AbortSignal): AsyncIterable<AgentEvent>
  /** POST /cpn/v1/drain: no new jobs; answers when those in work are done. */
  drain(signal?: AbortSignal): Promise<void>
}

export interface AgentClientOptions {
  /** Inventory name, for errors. */
  host: string
  connect: (signal?: AbortSignal) => Promise<Duplex>
  /** Connections kept at most. */
  connections: number
}

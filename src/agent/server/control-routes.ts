import type { Heartbeat, NodeCard } from '../../protocol/messages.ts'
import type { EventStream } from './events.ts'
import { type Routes, sendJson } from './router.ts'

export interface ControlParts {
  card: () => NodeCard
  heartbeat: () => Heartbeat
  events: EventStream
  /** Takes no more jobs; resolves when the last one is out. */
  drain: () => Promise<void>
  /** Ends the agent: after draining, or at once. Does not wait for the end. */
  shutdown: (reason: string, now: boolean) => void
}

/** What a master asks of a node besides jobs. */
export function controlRoutes({ card, heartbeat, events, drain, shutdown }: ControlParts): Routes {
  return {
    'GET /cpn/v1/node': () => card(),
    'GET /cpn/v1/heartbeat': () => heartbeat(),
    'GET /cpn/v1/events': ({ response }) => events.add(response),
    'POST /cpn/v1/drain': async () => {
      await drain()
      return { drained: true }
    },
    'POST /cpn/v1/shutdown': ({ response, query }) => {
      sendJson(response, 202, { ending: true })
      shutdown('shutdown was asked for', query.get('now') === '1')
    },
  }
}

import type { Duplex } from 'node:stream'
import { request } from '../common/http.ts'
import { type AgentEvent, agentEventSchema } from '../protocol/messages.ts'

const maxLineBytes = 1 << 20

export type Registration = Extract<AgentEvent, { event: 'register' }>

/**
 * What an agent says first of itself, over a connection to its socket that is closed again. For who asks only this: the
 * agent's client, a pool with all that belongs to it, takes as long to load as asking takes. Rejects with any error.
 */
export async function askRegistration(connection: Duplex, signal: AbortSignal): Promise<Registration> {
  const { promise, resolve, reject } = Promise.withResolvers<Registration>()
  const options = { path: '/cpn/v1/events', createConnection: () => connection, signal }
  request(options, (response) => {
    let text = ''
    response.setEncoding('utf8').on('error', reject)
    response.on('end', () => reject(new Error('the agent ended the connection')))
    response.on('data', (chunk: string) => {
      text += chunk
      if (!text.includes('\n') && text.length <= maxLineBytes) return
      const parsed = parse(text)
      parsed ? resolve(parsed) : reject(new Error('the agent does not say who it is'))
    })
  })
    .on('error', reject)
    .end()
  try {
    return await promise
  } finally {
    connection.destroy()
  }
}

function parse(text: string): Registration | undefined {
  try {
    const event = agentEventSchema.parse(JSON.parse(text.slice(0, text.indexOf('\n'))))
    return event.event === 'register' ? event : undefined
  } catch {
    return undefined
  }
}

import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { json } from 'node:stream/consumers'

/** What an agent answers to GET `path` on its socket, as curl would ask it. Rejects after two seconds. */
export async function askSocket(socketPath: string, path: string): Promise<unknown> {
  const asked = request({ socketPath, path, agent: false, signal: AbortSignal.timeout(2000) })
  asked.end()
  const [response] = (await once(asked, 'response')) as [IncomingMessage]
  return await json(response)
}

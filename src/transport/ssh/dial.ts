import { lookup } from 'node:dns/promises'
import { isIP, type Socket } from 'node:net'
import { withDeadline } from '../../common/deadline.ts'
import { CpnError } from '../../common/errors.ts'
import { deadline } from './deadlines.ts'
import { dialError, type Place, timeoutError } from './errors.ts'
import { connectForReuse } from './reused-reads.ts'
import type { Target } from './target.ts'

/** A TCP connection to the target: name lookup and connection have a deadline and an error of their own each. */
export async function dial(target: Target, place: Place, signal?: AbortSignal): Promise<Socket> {
  const addresses = await resolveName(target, place, signal)
  let last: unknown
  for (const address of addresses) {
    try {
      return await connectTo(address, target, place, signal)
    } catch (error) {
      signal?.throwIfAborted()
      last = error
    }
  }
  throw last
}

/** At most four addresses, so that a name with many dead ones does not take minutes. */
async function resolveName({ hostname, family }: Target, place: Place, signal?: AbortSignal): Promise<string[]> {
  if (isIP(hostname)) return [hostname]
  const ms = deadline('dns')
  try {
    const late = (): Error => timeoutError('dns', ms, place)
    const found = await withDeadline(ms, late, () => lookup(hostname, { all: true, family }), signal)
    return found.map(({ address }) => address).slice(0, 4)
  } catch (error) {
    if (error instanceof CpnError || signal?.aborted) throw error
    throw dialError(error, place)
  }
}

function connectTo(
  address: string,
  { port, connectTimeoutMs }: Target,
  place: Place,
  signal?: AbortSignal,
): Promise<Socket> {
  const ms = connectTimeoutMs ?? deadline('tcp')
  const late = (): Error => timeoutError('tcp', ms, place)
  return withDeadline(ms, late, (ended) => openSocket(address, port, place, ended), signal)
}

function openSocket(address: string, port: number, place: Place, ended: AbortSignal): Promise<Socket> {
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  const socket = connectForReuse({ host: address, port, noDelay: true, keepAlive: true })
  const onAbort = (): void => void socket.destroy()
  ended.addEventListener('abort', onAbort, { once: true })
  socket.once('error', (error) => reject(dialError(error, place)))
  socket.once('connect', () => {
    ended.removeEventListener('abort', onAbort)
    socket.removeAllListeners('error')
    // Errors between here and the handshake show as a connection that ended.
    socket.on('error', () => undefined)
    resolve(socket)
  })
  return promise
}

import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import type { ClientChannel } from 'ssh2'
import { withDeadline } from '../../common/deadline.ts'
import { CpnError } from '../../common/errors.ts'
import { markerOf } from '../../protocol/locked-login.ts'
import { MarkerMissing, readPastMarker } from '../marker.ts'
import { posixCommand } from '../shell.ts'
import { ChannelSocket } from './channel-socket.ts'
import type { SshConnection } from './connection.ts'
import { deadline } from './deadlines.ts'
import { noShellError, timeoutError } from './errors.ts'

export interface Exit {
  exitCode: number | null
  signal: string | null
}

/** A script that runs on the host, past everything that its login shell printed first. */
export interface Session {
  /** The script's stdin (written) and stdout (read); fails when the connection is lost. */
  stdio: ChannelSocket
  stderr: Readable
  exited: Promise<Exit>
  /** Process group as the script said it; empty without `sayGroup`. */
  group: string
}

export interface SessionOptions {
  signal?: AbortSignal | undefined
  /** The script says its process group in a line after the marker on stderr. */
  sayGroup?: boolean
  /** What `build` makes goes to the program that the key is locked to; no shell sees it. */
  locked?: boolean
}

/** Runs the script that `build` makes around a marker, and waits until it has begun. */
export async function startSession(
  connection: SshConnection,
  build: (nonce: string) => string,
  { signal, sayGroup = false, locked = false }: SessionOptions = {},
): Promise<Session> {
  const nonce = randomBytes(8).toString('hex')
  const command = locked ? build(nonce) : posixCommand(build(nonce))
  const channel = await connection.openSession(command, signal)
  const stdio = new ChannelSocket(channel, connection, { allowHalfOpen: true })
  const exited = exitOf(channel, connection)
  exited.catch(() => undefined)
  const { stderr } = channel
  try {
    const [, groups] = await begun(connection, stdio, stderr, markerOf(nonce), sayGroup ? 1 : 0, signal)
    return { stdio, stderr, exited, group: groups[0] ?? '' }
  } catch (error) {
    // Its end is known to the connection already.
    stdio.on('error', () => undefined)
    stdio.destroy()
    stderr.resume()
    throw error instanceof MarkerMissing ? noShellError(error.noise, connection.place) : error
  }
}

function begun(
  connection: SshConnection,
  stdout: Readable,
  stderr: Readable,
  marker: string,
  lines: number,
  signal?: AbortSignal,
): Promise<[string[], string[]]> {
  const ms = deadline('shell')
  const late = (): Error => timeoutError('shell', ms, connection.place)
  const read = (): Promise<[string[], string[]]> =>
    bothBegun(readPastMarker(stdout, marker), readPastMarker(stderr, marker, lines))
  return withDeadline(ms, late, read, signal)
}

/** What a login shell says instead may come on either stream. */
async function bothBegun(stdout: Promise<string[]>, stderr: Promise<string[]>): Promise<[string[], string[]]> {
  const [out, err] = await Promise.allSettled([stdout, stderr])
  if (out.status === 'fulfilled' && err.status === 'fulfilled') return [out.value, err.value]
  const reasons = [out, err].flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const other = reasons.find((reason) => !(reason instanceof MarkerMissing))
  throw other ?? new MarkerMissing(reasons.map((reason) => (reason as MarkerMissing).noise).join(''))
}

function exitOf(channel: ClientChannel, connection: SshConnection): Promise<Exit> {
  const { promise, resolve, reject } = Promise.withResolvers<Exit>()
  const { lost } = connection
  const onLost = (): void => reject(lost.reason)
  lost.addEventListener('abort', onLost, { once: true })
  channel.once('close', (code?: number | null, signal?: string) => {
    lost.removeEventListener('abort', onLost)
    if (lost.aborted) return
    if (code === undefined) return reject(noExit(connection))
    resolve({ exitCode: code, signal: signal ?? null })
  })
  return promise
}

function noExit({ place }: SshConnection): CpnError {
  return new CpnError('CPN_ERR_REMOTE_COMMAND', `${place.where} did not say how the command ended`, {
    host: place.host,
    retryable: true,
  })
}

import { encodeLockedRequest } from '../../protocol/locked-login.ts'
import { withLifeline, withMarkers } from '../lifeline.ts'
import type { RemoteProcess } from '../transport.ts'
import type { SshConnection } from './connection.ts'
import { type Session, startSession } from './session.ts'

/** Starts a script without stdin: stdin is its lifeline, so one channel and no further round trip guard it. */
export async function spawnWithoutStdin(
  connection: SshConnection,
  script: string,
  signal?: AbortSignal,
): Promise<RemoteProcess> {
  const build = (nonce: string): string => withMarkers(withLifeline(script), nonce)
  return withoutStdin(await startSession(connection, build, { signal }), signal)
}

/** Asks the program that the login's key is locked to; closing the channel ends it as well. */
export async function spawnLocked(
  connection: SshConnection,
  words: string,
  signal?: AbortSignal,
): Promise<RemoteProcess> {
  const build = (nonce: string): string => encodeLockedRequest(nonce, words)
  return withoutStdin(await startSession(connection, build, { signal, locked: true }), signal)
}

function withoutStdin({ stdio, stderr, exited }: Session, signal: AbortSignal | undefined): RemoteProcess {
  // The lifeline is cut by closing the channel.
  stdio.on('error', () => undefined)
  const destroy = (): void => {
    stdio.destroy()
    stderr.resume()
  }
  signal?.addEventListener('abort', destroy, { once: true })
  const off = (): void => signal?.removeEventListener('abort', destroy)
  exited.then(off, off)
  return { stdin: stdio, stdout: stdio, stderr, exited, destroy }
}

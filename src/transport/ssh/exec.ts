import { withLifeline, withMarkers } from '../lifeline.ts'
import type { RemoteProcess } from '../transport.ts'
import type { SshConnection } from './connection.ts'
import { startSession } from './session.ts'

/** Starts a script without stdin: stdin is its lifeline, so one channel and no further round trip guard it. */
export async function spawnWithoutStdin(
  connection: SshConnection,
  script: string,
  signal?: AbortSignal,
): Promise<RemoteProcess> {
  const build = (nonce: string): string => withMarkers(withLifeline(script), nonce)
  const { stdio, stderr, exited } = await startSession(connection, build, { signal })
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

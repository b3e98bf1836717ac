import { unlessAborted } from '../../common/deadline.ts'
import { collect } from '../collect.ts'
import type { RemoteProcess, Transport } from '../transport.ts'
import { ByteReader } from './byte-reader.ts'
import { scriptFailure, transferError } from './failure.ts'

/**
 * Runs a script of any length that prints bytes and then, as the last line on stderr, their digest; `read` takes the
 * bytes and returns the digest it saw. Rejects with CPN_ERR_TRANSFER when they differ or the script fails.
 */
export async function pull(
  transport: Transport,
  what: string,
  script: string,
  read: (bytes: ByteReader) => Promise<string>,
  signal: AbortSignal,
): Promise<void> {
  const remote = await transport.spawn('exec /bin/sh -s', { signal })
  const said = collect(remote.stderr, 64 * 1024)
  said.catch(() => undefined)
  try {
    remote.stdin.end(script)
    const reader = new ByteReader(remote.stdout)
    const digest = await unlessAborted(read(reader), signal)
    await drain(reader, signal)
    await compare(transport.host, what, remote, await said, digest, signal)
  } catch (error) {
    remote.destroy()
    signal.throwIfAborted()
    transport.lost.throwIfAborted()
    throw error
  }
}

async function drain(reader: ByteReader, signal: AbortSignal): Promise<void> {
  while ((await unlessAborted(reader.read(Number.MAX_SAFE_INTEGER), signal)) !== null);
}

async function compare(
  host: string,
  what: string,
  remote: RemoteProcess,
  stderr: string,
  digest: string,
  signal: AbortSignal,
): Promise<void> {
  const exit = await unlessAborted(remote.exited, signal)
  if (exit.exitCode !== 0) throw scriptFailure(host, what, { ...exit, stderr })
  if (stderr.trim().split('\n').at(-1) === digest) return
  throw transferError(host, `${what}: it changed meanwhile, or not all of it arrived as it is there`)
}

import type { ExecResult, Transport } from '../transport.ts'

/** A command line on its way through the kernel and login shells has to be shorter. */
const maxCommandChars = 8 * 1024
const maxOutputBytes = 256 * 1024 * 1024
/** Bytes per second that a slow host can surely digest. */
const slowestDigest = 2 * 1024 * 1024

/** Runs a script of any length; `bytes` are what it has to read on the host, for its deadline. */
export function runScript(
  transport: Transport,
  script: string,
  { signal, bytes = 0 }: { signal: AbortSignal; bytes?: number },
): Promise<ExecResult> {
  const timeoutMs = 60_000 + (bytes / slowestDigest) * 1000
  const options = { signal, timeoutMs, maxOutputBytes }
  if (script.length <= maxCommandChars) return transport.exec(script, options)
  return transport.exec('exec /bin/sh -s', { ...options, stdin: Buffer.from(script) })
}

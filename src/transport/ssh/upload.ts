import { randomBytes } from 'node:crypto'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CpnError } from '../../common/errors.ts'
import { collect } from '../collect.ts'
import { withMarkers } from '../lifeline.ts'
import { counted } from '../progress.ts'
import type { ExecResult, UploadOptions } from '../transport.ts'
import { uploadFailure } from '../upload-failure.ts'
import { finishUpload, receiveUpload, type UploadTarget, uploadExit } from '../upload-script.ts'
import type { SshConnection } from './connection.ts'
import { timeoutError } from './errors.ts'
import { type Exit, startSession } from './session.ts'
import { putBySftp } from './sftp.ts'
import { Stopwatch } from './stopwatch.ts'

/**
 * Writes a file through the stdin of one command, which also checks and names it. That is faster than SFTP and one
 * round trip instead of a dozen, works without an SFTP subsystem and with start files that print. SFTP stands in where
 * start files eat stdin. See docs/decisions.
 */
export async function upload(
  connection: SshConnection,
  exec: (script: string) => Promise<ExecResult>,
  source: () => Readable,
  path: string,
  options: UploadOptions,
): Promise<void> {
  const { bytes, sha256, mode } = options
  const target = { temporary: `${path}.cpn-${randomBytes(6).toString('hex')}`, path, bytes, sha256, mode }
  const { host } = connection.place
  let result = await streamToCommand(connection, source(), target, options)
  if (result.exitCode === uploadExit.size && result.stderr.trim() === '0' && bytes > 0) {
    await putBySftp(connection, source(), target.temporary, options)
    result = await exec(finishUpload(target))
  }
  if (result.exitCode !== uploadExit.done) throw uploadFailure(host, target, result)
}

async function streamToCommand(
  connection: SshConnection,
  source: Readable,
  target: UploadTarget,
  { signal, onProgress }: UploadOptions,
): Promise<Exit & { stderr: string }> {
  const stalled = new AbortController()
  const watch = new Stopwatch((wait, ms) => stalled.abort(timeoutError(wait, ms, connection.place)))
  const ended = signal ? AbortSignal.any([signal, stalled.signal]) : stalled.signal
  const { stdio, stderr, exited } = await startSession(connection, receive(target), { signal: ended })
  const text = collect(stderr, 64 * 1024)
  text.catch(() => undefined)
  stdio.resume()
  watch.enter('stall')
  const onChunk = (sent: number): void => {
    watch.enter('stall')
    onProgress?.(sent)
  }
  try {
    // Whoever ends first: a command that gave up early says why; a source that failed ends the command.
    const sending = pipeline(counted(source, onChunk), stdio, { signal: ended }).catch(() => undefined)
    await Promise.race([sending, exited])
    ended.throwIfAborted()
    if (source.errored) throw sourceFailure(connection.place.host, target.path, source.errored)
    const exit = await withAbort(exited, ended)
    return { ...exit, stderr: await text }
  } catch (error) {
    stdio.destroy()
    throw error
  } finally {
    watch.stop()
  }
}

function receive(target: UploadTarget): (nonce: string) => string {
  return (nonce) => withMarkers(receiveUpload(target), nonce)
}

function withAbort<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = (): void => reject(signal.reason)
  signal.addEventListener('abort', onAbort, { once: true })
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', onAbort))
}

function sourceFailure(host: string, path: string, cause: Error): CpnError {
  return new CpnError('CPN_ERR_UPLOAD', `cannot read what should become ${path} on ${host}: ${cause.message}`, {
    host,
    cause,
  })
}

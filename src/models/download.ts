import { createWriteStream } from 'node:fs'
import { rm, truncate } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { sha256File } from '../common/digest.ts'
import { CpnError } from '../common/errors.ts'
import { DownloadFault, type HttpAnswer, type HttpDeadlines, httpGet } from './http.ts'
import { sizeOf } from './partial.ts'

export interface DownloadOptions {
  signal?: AbortSignal
  /** Bytes of the file that are here, out of all. */
  onProgress?: (received: number, total: number) => void
  deadlines?: Partial<HttpDeadlines & { totalMs: number }>
}

/** What the bytes have to be. */
export interface Wanted {
  sha256: string
  bytes: number
}

const mostAttempts = 5
const defaults: HttpDeadlines = { connectMs: 10_000, headersMs: 30_000, idleMs: 30_000 }
const slowestBytesPerMs = 16

/**
 * Completes the file at `path` from an address: goes on where it ends, also after a cut, and checks size and digest.
 * Throws CPN_ERR_MODEL_DOWNLOAD with the reason, leaving what may be gone on with; the signal's reason when aborted.
 */
export async function download(url: string, path: string, wanted: Wanted, options: DownloadOptions): Promise<void> {
  const totalMs = options.deadlines?.totalMs ?? 60_000 + wanted.bytes / slowestBytesPerMs
  const deadline = AbortSignal.timeout(Math.ceil(totalMs))
  const signal = options.signal ? AbortSignal.any([options.signal, deadline]) : deadline
  try {
    await attemptAll(url, path, wanted, options, signal)
  } catch (error) {
    options.signal?.throwIfAborted()
    throw deadline.aborted ? failure(`not complete after ${Math.round(totalMs / 1000)} s`) : error
  }
}

async function attemptAll(
  url: string,
  path: string,
  wanted: Wanted,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 1; ; attempt++) {
    const before = await sizeOf(path)
    try {
      if (before !== wanted.bytes) await fetchRest(url, path, before, wanted, options, signal)
      return await checkFile(path, wanted)
    } catch (error) {
      const after = await sizeOf(path)
      // A server that cuts each time still gets us there; bytes that were wrong are worth one fresh start.
      const worthAnother = isRetryable(error) && (after > before || (after === 0 && before > 0))
      if (!worthAnother || attempt === mostAttempts) throw error
    }
  }
}

async function fetchRest(
  url: string,
  path: string,
  from: number,
  wanted: Wanted,
  options: DownloadOptions,
  signal: AbortSignal,
): Promise<void> {
  if (from > wanted.bytes) await truncate(path, 0)
  const start = from > wanted.bytes ? 0 : from
  const headers: Record<string, string> = start > 0 ? { range: `bytes=${start}-` } : {}
  await httpGet(url, headers, { ...defaults, ...options.deadlines }, signal, async (answer) => {
    const at = await beginsAt(answer, start, path)
    checkHead(answer, at, wanted)
    await append(answer, path, at, wanted, options)
  })
}

/** Where in the file the answer's body belongs: servers may ignore a range. */
async function beginsAt({ statusCode, headers }: HttpAnswer, asked: number, path: string): Promise<number> {
  if (statusCode === 200) return 0
  const range = /^bytes (\d+)-/.exec(String(headers['content-range']))
  if (statusCode === 206 && Number(range?.[1]) === asked) return asked
  if (asked === 0 || (statusCode !== 206 && statusCode !== 416)) throw failure(`the answer was HTTP ${statusCode}`)
  await rm(path, { force: true })
  throw failure('the server could not go on where the file ends', true)
}

function checkHead({ headers }: HttpAnswer, at: number, wanted: Wanted): void {
  if (/^\s*(text\/html|application\/xhtml)/i.test(String(headers['content-type']))) {
    throw failure('the answer is a web page and not the model')
  }
  const length = headers['content-length']
  if (length !== undefined && at + Number(length) !== wanted.bytes) {
    throw wrongBytes(`the file there has ${at + Number(length)} bytes and not ${wanted.bytes}`)
  }
}

async function append(
  answer: HttpAnswer,
  path: string,
  at: number,
  wanted: Wanted,
  { onProgress }: DownloadOptions,
): Promise<void> {
  let received = at
  const count = (chunk: Buffer) => {
    received += chunk.length
    if (received > wanted.bytes) throw wrongBytes(`more than the ${wanted.bytes} bytes of the model came`)
    onProgress?.(received, wanted.bytes)
  }
  try {
    await save(answer.body, path, at === 0 ? 'w' : 'a', count)
  } catch (error) {
    if (received > wanted.bytes) await rm(path, { force: true })
    throw error
  }
  if (received < wanted.bytes) throw failure(`only ${received} of ${wanted.bytes} bytes came`, true)
}

/** Writes a body to a file. Unlike stream.pipeline it also keeps what came just before a failure. */
async function save(body: Readable, path: string, flags: 'w' | 'a', onChunk: (chunk: Buffer) => void): Promise<void> {
  const file = createWriteStream(path, { flags })
  file.on('error', (error) => body.destroy(error))
  file.on('drain', () => body.resume())
  body.on('data', (chunk: Buffer) => {
    try {
      onChunk(chunk)
      if (!file.write(chunk)) body.pause()
    } catch (error) {
      body.destroy(error as Error)
    }
  })
  try {
    await finished(body)
  } finally {
    file.end()
    await finished(file)
  }
}

/** Removes a file whose bytes are wrong. */
async function checkFile(path: string, wanted: Wanted): Promise<void> {
  const found = await sha256File(path)
  if (found === wanted.sha256) return
  await rm(path, { force: true })
  throw wrongBytes(
    `the bytes are not the model: sha256 ${found.slice(0, 12)}… and not ${wanted.sha256.slice(0, 12)}…`,
    true,
  )
}

function isRetryable(error: unknown): boolean {
  return error instanceof CpnError && error.retryable
}

function wrongBytes(reason: string, retryable = false): CpnError {
  return new DownloadFault('CPN_ERR_MODEL_DOWNLOAD', reason, { retryable })
}

function failure(reason: string, retryable = false): CpnError {
  return new CpnError('CPN_ERR_MODEL_DOWNLOAD', reason, { retryable })
}

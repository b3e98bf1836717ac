import { createHash } from 'node:crypto'
import { type FileHandle, mkdir, open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable, type Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { parseArgs } from 'node:util'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import { CpnError, systemErrorCode } from '../common/errors.ts'
import { nodePaths } from '../protocol/paths.ts'
import { type ReceiveAnswer, type ReceivedFile, type ReceiveHeader, receiveHeaderSchema } from '../protocol/release.ts'
import { linkRelease, requireHome } from './link.ts'
import { ensurePrivateFolders } from './private-folder.ts'
import { StreamReader } from './stream-reader.ts'

// Files whose fsync is still under way while the next ones are decoded.
const settlingAtMost = 16

/**
 * Reads one stream of files (see receiveHeaderSchema) into `home`, then links the release it names. Every file is
 * decoded, compared with its digest, written beside its place, synced and renamed. The first wrong byte ends it with
 * CPN_ERR_DIGEST_MISMATCH; what was whole by then stays.
 */
export async function receive(home: string, input: Readable): Promise<ReceiveAnswer> {
  const reader = new StreamReader(input)
  const header = await readHeader(reader)
  await mkdir(home, { recursive: true, mode: 0o700 })
  ensurePrivateFolders(home, [join(home, 'blobs'), join(home, 'models')])
  const synced = syncAll(header.verified.map((sha256) => join(home, nodePaths.blob(sha256))))
  await Promise.all([receiveFiles(home, header.files, reader), synced])
  const answer = { received: header.files.length, damaged: [], linked: false }
  if (!header.release) return answer
  const trusted = new Set([...header.verified, ...header.files.map((file) => file.sha256)])
  return { ...answer, ...(await linkRelease(home, header.release, trusted)) }
}

async function readHeader(reader: StreamReader): Promise<ReceiveHeader> {
  const line = await reader.line(16 << 20)
  try {
    return receiveHeaderSchema.parse(JSON.parse(line))
  } catch (cause) {
    throw new CpnError('CPN_ERR_AGENT_PROTOCOL', 'the header of the upload does not parse', { cause })
  }
}

// The host's own tools have written these and could not wait for the disk.
async function syncAll(paths: string[]): Promise<void> {
  for (const path of paths) {
    await using file = await open(path)
    await file.sync()
  }
}

async function receiveFiles(home: string, files: ReceivedFile[], reader: StreamReader): Promise<void> {
  const settling = new Set<Promise<void>>()
  for (const file of files) {
    const written = await writeTemporary(home, file, reader)
    const settled = settle(written, targetOf(home, file)).finally(() => settling.delete(settled))
    settling.add(settled)
    // Rejections are taken up by the waits below.
    settled.catch(() => {})
    if (settling.size >= settlingAtMost) await Promise.race(settling)
  }
  await Promise.all(settling)
}

function targetOf(home: string, { kind, sha256 }: ReceivedFile): string {
  const paths = { blob: nodePaths.blob, model: nodePaths.model, 'model-manifest': nodePaths.modelManifest }
  return join(home, paths[kind](sha256))
}

interface Written {
  handle: FileHandle
  path: string
}

async function writeTemporary(home: string, file: ReceivedFile, reader: StreamReader): Promise<Written> {
  const path = `${targetOf(home, file)}.${process.pid}.part`
  const handle = await open(path, 'w', 0o444)
  try {
    await decodeInto(handle, file, reader)
    return { handle, path }
  } catch (error) {
    await handle.close()
    await rm(path, { force: true })
    throw error
  }
}

async function decodeInto(handle: FileHandle, file: ReceivedFile, reader: StreamReader): Promise<void> {
  const hash = createHash('sha256')
  let bytes = 0
  const source = Readable.from(reader.take(file.wireBytes), { objectMode: false })
  const sink = async (chunks: AsyncIterable<Buffer>) => {
    for await (const chunk of chunks) {
      hash.update(chunk)
      bytes += chunk.length
      if (bytes > file.bytes) throw mismatch(file)
      await writeAll(handle, chunk)
    }
  }
  const decoder = decoderFor(file.encoding)
  await (decoder ? pipeline(source, decoder, sink).catch((cause) => undecodable(file, cause)) : pipeline(source, sink))
  const right = file.kind === 'model-manifest' || hash.digest('hex') === file.sha256
  if (bytes !== file.bytes || !right) throw mismatch(file)
}

/** Bytes that are not even well packed are not those that were to come. */
function undecodable(file: ReceivedFile, cause: unknown): never {
  throw /^(Z_|ZSTD_)/.test(systemErrorCode(cause) ?? '') ? mismatch(file, cause) : cause
}

function decoderFor(encoding: ReceivedFile['encoding']): Transform | undefined {
  if (encoding === 'zstd') return createZstdDecompress({ chunkSize: 1 << 20 })
  return encoding === 'gzip' ? createGunzip({ chunkSize: 1 << 20 }) : undefined
}

async function writeAll(handle: FileHandle, chunk: Buffer): Promise<void> {
  for (let offset = 0; offset < chunk.length; ) {
    offset += (await handle.write(chunk, offset)).bytesWritten
  }
}

function mismatch(file: ReceivedFile, cause?: unknown): CpnError {
  return new CpnError('CPN_ERR_DIGEST_MISMATCH', `${file.kind} ${file.sha256} did not arrive as it was sent`, {
    retryable: true,
    cause,
  })
}

async function settle({ handle, path }: Written, target: string): Promise<void> {
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(path, target)
}

/** `agent.mjs receive --home DIR`: the stream on stdin, the answer as JSON on stdout. */
export async function receiveCommand(args: string[]): Promise<void> {
  const { values } = parseArgs({ args, options: { home: { type: 'string' } } })
  const answer = await receive(requireHome(values.home), process.stdin)
  process.stdout.write(`${JSON.stringify(answer)}\n`)
}

import { createHash, randomBytes } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { chmod, rename, rm } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { CpnError } from '../../common/errors.ts'
import { counted } from '../progress.ts'
import type { UploadOptions } from '../transport.ts'
import { uploadFailure } from '../upload-failure.ts'
import { uploadExit } from '../upload-script.ts'
import { localPath } from './path.ts'

/** Writes a file under a temporary name, compares size and digest, and gives it its name. */
export async function writeVerified(
  host: string,
  source: Readable,
  remotePath: string,
  { sha256, bytes, mode, signal, onProgress }: UploadOptions,
): Promise<void> {
  const path = localPath(remotePath)
  const temporary = `${path}.cpn-${randomBytes(6).toString('hex')}`
  const target = { temporary, path, bytes, sha256, mode }
  const fail = (exitCode: number | null, stderr: string): CpnError =>
    uploadFailure(host, target, { exitCode, signal: null, stderr })
  const hash = createHash('sha256')
  let size = 0
  try {
    const hashed = counted(source, (sent) => {
      size = sent
      onProgress?.(sent)
    })
    await pipeline(hashed, (chunks) => hashing(chunks, hash), createWriteStream(temporary, { mode: 0o600 }), { signal })
    if (size !== bytes) throw fail(uploadExit.size, String(size))
    if (hash.digest('hex') !== sha256) throw fail(uploadExit.digest, '')
    await chmod(temporary, mode)
    await rename(temporary, path)
  } catch (error) {
    await rm(temporary, { force: true })
    signal?.throwIfAborted()
    throw error instanceof CpnError ? error : fail(uploadExit.write, (error as Error).message)
  }
}

async function* hashing(chunks: AsyncIterable<Buffer>, hash: ReturnType<typeof createHash>): AsyncGenerator<Buffer> {
  for await (const chunk of chunks) {
    hash.update(chunk)
    yield chunk
  }
}

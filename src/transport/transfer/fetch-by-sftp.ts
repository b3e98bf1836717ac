import { open, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { RemoteFiles } from '../transport.ts'
import type { Entry } from './entries.ts'
import { transferError } from './failure.ts'
import { type FetchContext, setModeAndTime } from './fetched-file.ts'
import { partOf } from './large-scripts.ts'
import { below } from './scripts.ts'

interface SftpContext extends FetchContext {
  remote: RemoteFiles
  host: string
}

/**
 * Fetches files one after another. The host computes no digest to compare with: SSH keeps the bytes whole on their way,
 * and a file that has another length or time afterwards than before is an error. For the same reason nothing says that
 * a part from before is still right, so that every file starts anew.
 */
export async function fetchBySftp(files: Entry[], context: SftpContext): Promise<void> {
  for (const file of files) await fetchFile(file, context)
}

async function fetchFile(file: Entry, context: SftpContext): Promise<void> {
  const { remote, root, folder, host } = context
  const source = below(root, file.path)
  const part = join(folder, partOf(file))
  try {
    const bytes = await readInto(part, source, context)
    const after = await remote.status(source)
    if (bytes !== file.bytes || after?.bytes !== file.bytes || after.mtime !== file.mtime) {
      throw transferError(host, `cannot fetch ${file.path}: it changed meanwhile`)
    }
    await setModeAndTime(part, file)
    await rename(part, join(folder, file.path))
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

/** @returns how many bytes came */
async function readInto(part: string, source: string, { remote, onReceived }: SftpContext): Promise<number> {
  await using handle = await open(part, 'w', 0o600)
  let bytes = 0
  for await (const chunk of remote.read(source)) {
    await handle.writeFile(chunk)
    bytes += chunk.length
    onReceived(chunk.length)
  }
  return bytes
}

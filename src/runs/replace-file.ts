import { constants, type Stats } from 'node:fs'
import { access, type FileHandle, realpath, stat } from 'node:fs/promises'
import { systemErrorCode } from '../common/errors.ts'
import { outputError, writeFileDurably } from './write-file.ts'

/**
 * Writes a file that may be somebody else's, whole or not at all: a link stays a link, mode and, where permitted, owner
 * stay, and one that is protected is not replaced. Ends with CPN_ERR_OUTPUT_SPACE or CPN_ERR_OUTPUT_WRITE.
 * @param likeFile file whose rights a new one gets; default: those of any new file
 */
export async function replaceFile(path: string, content: string | Uint8Array, likeFile?: string): Promise<void> {
  try {
    const target = (await ifThere(realpath(path))) ?? path
    const there = await ifThere(stat(target))
    if (there) await access(target, constants.W_OK)
    const rights = there ?? (likeFile === undefined ? undefined : await ifThere(stat(likeFile)))
    await writeFileDurably(target, async (file) => {
      // Before there is anything to read in it.
      if (rights) await keepRights(file, rights)
      await file.writeFile(content)
    })
  } catch (error) {
    throw outputError(path, error)
  }
}

async function keepRights(file: FileHandle, { mode, uid, gid }: Stats): Promise<void> {
  // Only root may give a file away.
  await file.chown(uid, gid).catch(() => {})
  await file.chmod(mode & 0o7777)
}

async function ifThere<T>(asked: Promise<T>): Promise<T | undefined> {
  return asked.catch((error) => {
    if (systemErrorCode(error) === 'ENOENT') return undefined
    throw error
  })
}

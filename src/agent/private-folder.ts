import { chmodSync, lstatSync, mkdirSync, statSync } from 'node:fs'
import { CpnError } from '../common/errors.ts'

/** Makes sure that a folder is there, is no link, belongs to this user and is closed to everybody else. */
export function ensurePrivateFolder(path: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 })
  const stats = lstatSync(path)
  if (!stats.isDirectory() || stats.uid !== process.getuid?.()) {
    throw new CpnError('CPN_ERR_AGENT_START', `${path} is not a folder of user ${process.getuid?.()}`, {
      suggestions: [`Remove ${path} and provision the host again.`],
    })
  }
  if (stats.mode & 0o077) chmodSync(path, 0o700)
}

/** The same for all folders that programs, models and settings of a fleet lie in; remoteDir itself may be the user's link. */
export function ensurePrivateFolders(home: string, folders: string[]): void {
  const { uid, mode } = statSync(home)
  if (uid !== process.getuid?.() || mode & 0o022) {
    throw new CpnError('CPN_ERR_AGENT_START', `${home} belongs to another user or can be written by others`, {
      suggestions: ['Set remoteDir to a folder of this user alone, or close it to others: chmod go-w.'],
    })
  }
  for (const folder of folders) ensurePrivateFolder(folder)
}

import { chmodSync, lstatSync, mkdirSync } from 'node:fs'
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

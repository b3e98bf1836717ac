import { chmod, utimes } from 'node:fs/promises'
import type { Entry } from './entries.ts'

/** Where files come from and go to. */
export interface FetchContext {
  /** Folder on the host. */
  root: string
  /** Folder here. */
  folder: string
  signal: AbortSignal
  onReceived: (bytes: number) => void
}

/** Gives what was fetched the mode and time that it has on the host. */
export async function setModeAndTime(path: string, { mode, mtime }: Entry): Promise<void> {
  await chmod(path, mode)
  await utimes(path, mtime, mtime)
}

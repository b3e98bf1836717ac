import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { TransferOptions, Transferred } from '../../src/transport/transfer/entries.ts'
import { findLocal } from '../../src/transport/transfer/find-local.ts'
import { sendFiles } from '../../src/transport/transfer/send.ts'
import type { Transport } from '../../src/transport/transport.ts'
import type { SshdHost } from '../helpers/sshd.ts'
import { hostOf, Master } from './transport-fixture.ts'

export const never = new AbortController().signal

/** Connects to a test host as a master that knows its key. */
export async function connectTo(sshd: SshdHost): Promise<Transport> {
  using master = new Master().trust(sshd)
  const host = hostOf(sshd)
  return await master.connector([host]).open(host)
}

export async function send(
  transport: Transport,
  paths: string[],
  target: string,
  options: Partial<TransferOptions> = {},
): Promise<Transferred> {
  const { entries } = await findLocal(paths, never)
  return sendFiles(transport, entries, target, { signal: never, ...options })
}

/** Writes files with a mode and a time that nothing else gives them. */
export function plant(folder: string, files: Record<string, string | Buffer>, mode = 0o640): void {
  for (const [path, content] of Object.entries(files)) {
    const file = join(folder, path)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, content)
    chmodSync(file, mode)
    utimesSync(file, 1_500_000_000, 1_500_000_000)
  }
}

/** Content, mode and time of every file, by path. */
export function snapshot(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile())
  return Object.fromEntries(
    files
      .map(({ parentPath, name }) => join(parentPath, name))
      .sort()
      .map((path) => {
        const { mode, mtimeMs } = statSync(path)
        const about = `${(mode & 0o777).toString(8)} ${Math.floor(mtimeMs / 1000)}`
        return [path.slice(folder.length + 1), `${about} ${readFileSync(path).toString('base64')}`]
      }),
  )
}

import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { identifyProcess, isAlive, type ProcessIdentity } from './process-identity.ts'

/** Writes one line `pid startTime` per process, as a whole. */
export function writePidFile(path: string, identities: ProcessIdentity[]): void {
  const temporary = `${path}.${process.pid}`
  writeFileSync(temporary, identities.map(({ pid, startTime }) => `${pid} ${startTime}\n`).join(''))
  renameSync(temporary, path)
}

/** Registers this process until the returned function is called. */
export function registerPid(path: string): () => void {
  const self = identifyProcess(process.pid)
  writePidFile(path, self ? [self] : [])
  return () => rmSync(path, { force: true })
}

/** The processes named in the file that still live. A pid that was given to another process since does not count. */
export function readPidFile(path: string): ProcessIdentity[] {
  return readLines(path)
    .map((line) => /^(\d+) (.+)$/.exec(line))
    .filter((match) => match !== null)
    .map(([, pid, startTime]) => ({ pid: Number(pid), startTime: startTime ?? '' }))
    .filter(isAlive)
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

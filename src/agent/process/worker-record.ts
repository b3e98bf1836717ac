import { readPidFile, writePidFile } from './pid-file.ts'
import { identifyProcess, signalProcess } from './process-identity.ts'

/** Notes which workers live, for whoever has to end them after the supervisor was killed. */
export function recordWorkers(path: string, pids: number[]): void {
  const workers = pids.map(identifyProcess).filter((identity) => identity !== undefined)
  try {
    writePidFile(path, workers)
  } catch {
    // A full disk must not end the agent: workers notice the end of their supervisor by themselves, too.
  }
}

/** Ends workers that outlived a killed supervisor because native code kept them from noticing. */
export function endOrphans(path: string): void {
  for (const orphan of readPidFile(path)) signalProcess(orphan, 'SIGKILL')
}

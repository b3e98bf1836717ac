import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { listProcesses } from '../test/helpers/processes.ts'
import type { SshdHost } from '../test/helpers/sshd.ts'

const msPerTick = 10

/** Milliseconds, added up over all cores, since some time in the past. */
export interface ProcessorTime {
  /** Nobody had use for it. */
  idle: number
  /** Spent by the agents' workers on these hosts. */
  workers: number
}

export function processorTime(hosts: readonly SshdHost[]): ProcessorTime {
  const [, , , , idle = 0, waiting = 0] = firstLine('/proc/stat').split(/\s+/).map(Number)
  const isWorker = ({ uid, command }: { uid: number; command: string }) =>
    command.includes('/worker.mjs') && hosts.some((host) => host.uid === uid)
  const workers = listProcesses().filter(isWorker)
  const ticks = workers.reduce((sum, { pid }) => sum + processTicks(pid), 0)
  return { idle: (idle + waiting) * msPerTick, workers: ticks * msPerTick }
}

/** Parts of what the whole machine had to give in `ms`. */
export function shares(before: ProcessorTime, after: ProcessorTime, ms: number): { busy: number; workers: number } {
  const all = cpus().length * ms
  return { busy: 1 - (after.idle - before.idle) / all, workers: (after.workers - before.workers) / all }
}

/** User and system time of a process. */
function processTicks(pid: number): number {
  const fields = firstLine(`/proc/${pid}/stat`)
    .replace(/^.*\) /, '')
    .split(' ')
  return Number(fields[11]) + Number(fields[12])
}

function firstLine(file: string): string {
  return readFileSync(file, 'utf8').split('\n')[0] ?? ''
}

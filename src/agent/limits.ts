import { readFileSync } from 'node:fs'
import { availableParallelism, totalmem } from 'node:os'
import { cgroupLimits } from './cgroup.ts'

/** What this process may use of the machine. */
export interface Limits {
  /** Cores after affinity and cgroup quota; may be a fraction. */
  cores: number
  memoryBytes: number
}

/** The text of a file, or undefined where there is none. */
export type ReadText = (path: string) => string | undefined

const workerMemoryBytes = 400 * 2 ** 20

/** Limits out of the machine's size and the kernel's files. */
export function findLimits(machine: Limits, read: ReadText): Limits {
  const affinity = /^Cpus_allowed_list:\s*(\S+)$/m.exec(read('/proc/self/status') ?? '')?.[1]
  const cgroup = cgroupLimits(read)
  return {
    cores: Math.min(machine.cores, affinity ? countCpus(affinity) : Infinity, cgroup.cores),
    memoryBytes: Math.min(machine.memoryBytes, cgroup.memoryBytes),
  }
}

export function machineLimits(): Limits {
  return findLimits({ cores: availableParallelism(), memoryBytes: totalmem() }, readText)
}

/** Cores in a kernel list such as `0-3,8`. */
export function countCpus(list: string): number {
  return list
    .split(',')
    .map((range) => range.split('-').map(Number))
    .reduce((sum, [first = 0, last = first]) => sum + last - first + 1, 0)
}

/** How many workers: what was asked for, or one per whole core as far as memory goes. */
export function workerCount(asked: number | 'auto', limits: Limits): number {
  if (asked !== 'auto') return asked
  return Math.max(1, Math.min(Math.floor(limits.cores), Math.floor(limits.memoryBytes / workerMemoryBytes)))
}

/** Resident bytes at which a worker is replaced after its job: a share of the memory, within sane bounds. */
export function workerRssLimit(workers: number, limits: Limits): number {
  const share = (limits.memoryBytes * 0.8) / workers
  return Math.min(Math.max(share, 512 * 2 ** 20), 2 * 2 ** 30)
}

/** What the kernel lets one worker take. */
export interface WorkerLimits {
  /** Memory it may write to and shares with nobody; address space is no measure, V8 reserves far more than it uses. */
  dataBytes: number
  openFiles: number
  /** Processes and threads together. */
  processes: number
  /** It writes no file: the picture goes back through the supervisor. */
  fileBytes: number
  /** No image, no face in a core dump. */
  coreBytes: number
}

/** One worker may never take all of the memory; the largest image that is accepted by default fits into the least. */
export function workerLimits({ memoryBytes }: Limits): WorkerLimits {
  const dataBytes = Math.max(2 * 2 ** 30, Math.floor(memoryBytes * 0.8))
  return { dataBytes, openFiles: 256, processes: 128, fileBytes: 0, coreBytes: 0 }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

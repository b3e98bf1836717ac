import { execFileSync } from 'node:child_process'
import { cpus, loadavg, release, totalmem } from 'node:os'

export interface Machine {
  cpu: string
  cores: number
  memoryGiB: number
  kernel: string
  node: string
  openssh: string
  /** Before the measurement: what else the machine did. */
  load1: number
}

/** What figures depend on. */
export function machine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: release(),
    node: process.version,
    openssh: firstLine('sh', ['-c', 'ssh -V 2>&1']),
    load1: Math.round((loadavg()[0] ?? 0) * 100) / 100,
  }
}

/** The first line that a program prints, or 'missing'. */
export function firstLine(program: string, args: string[]): string {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? ''
  } catch {
    return 'missing'
  }
}

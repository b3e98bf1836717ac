import { readFileSync } from 'node:fs'
import { cpus } from 'node:os'
import { listProcesses } from '../test/helpers/processes.ts'
import type { SshdHost } from '../test/helpers/sshd.ts'

const msPerTick = 10
/** Fields of /proc/PID/stat behind the name: user and system time of a process, and of children it has waited for. */
const own = [11, 12]
const children = [13, 14]

/** Milliseconds, added up over all cores, since some time in the past. */
export interface ProcessorTime {
  /** Nobody had use for it. */
  idle: number
  /** Spent by the agents' workers on these hosts. */
  workers: number
  /** Spent by the agents' supervisors. */
  supervisors: number
  /** Spent by the hosts' servers, with those of connections that have ended. */
  sshd: number
}

export function processorTime(hosts: readonly SshdHost[]): ProcessorTime {
  const [, , , , idle = 0, waiting = 0] = firstLine('/proc/stat').split(/\s+/).map(Number)
  const onHosts = listProcesses().filter(({ uid }) => hosts.some((host) => host.uid === uid))
  const of = (program: RegExp) => onHosts.filter(({ command }) => program.test(command)).map(({ pid }) => pid)
  return {
    idle: (idle + waiting) * msPerTick,
    workers: spent(of(/\/worker\.mjs/), own),
    supervisors: spent(of(/\/agent\.mjs .*\brun\b/), own),
    sshd: spent(
      hosts.map(({ pid }) => pid),
      [...own, ...children],
    ),
  }
}

/** Parts of what the whole machine had to give in `ms`. */
export function shares(before: ProcessorTime, after: ProcessorTime, ms: number): { busy: number; workers: number } {
  const all = cpus().length * ms
  return { busy: 1 - (after.idle - before.idle) / all, workers: (after.workers - before.workers) / all }
}

function spent(pids: number[], fields: number[]): number {
  const ticks = pids.flatMap((pid) => {
    const values = firstLine(`/proc/${pid}/stat`)
      .replace(/^.*\) /, '')
      .split(' ')
    return fields.map((field) => Number(values[field]))
  })
  return ticks.reduce((sum, each) => sum + each, 0) * msPerTick
}

function firstLine(file: string): string {
  return readFileSync(file, 'utf8').split('\n')[0] ?? ''
}

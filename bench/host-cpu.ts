// Processor time that test hosts have used, by what used it.
import { readFileSync } from 'node:fs'
import { listProcesses } from '../test/helpers/processes.ts'
import type { SshdHost } from '../test/helpers/sshd.ts'

/** Milliseconds of user and system time. */
export interface HostCpu {
  workers: number
  supervisors: number
  /** The servers with their connections that have ended. */
  sshd: number
}

const msPerTick = 10

/** What all hosts together have used since they were started. */
export function hostCpu(hosts: SshdHost[]): HostCpu {
  const all = listProcesses()
  const sum = (pids: number[], fields: number[]) =>
    pids.reduce((total, pid) => total + ticks(pid, fields), 0) * msPerTick
  const running = (pattern: RegExp) =>
    all
      .filter(({ uid, command }) => hosts.some((host) => host.uid === uid) && pattern.test(command))
      .map(({ pid }) => pid)
  return {
    workers: sum(running(/worker\.mjs/), [14, 15]),
    supervisors: sum(running(/agent\.mjs.* run/), [14, 15]),
    // With that of children that were waited for.
    sshd: sum(
      hosts.map(({ pid }) => pid),
      [14, 15, 16, 17],
    ),
  }
}

export function difference(after: HostCpu, before: HostCpu): HostCpu {
  return {
    workers: after.workers - before.workers,
    supervisors: after.supervisors - before.supervisors,
    sshd: after.sshd - before.sshd,
  }
}

/** Fields of /proc/PID/stat, counted from 1 as in proc(5). */
function ticks(pid: number, fields: number[]): number {
  const rest = readFileSync(`/proc/${pid}/stat`, 'utf8')
    .replace(/^.*\) /s, '')
    .split(' ')
  return fields.reduce((total, field) => total + Number(rest[field - 3]), 0)
}

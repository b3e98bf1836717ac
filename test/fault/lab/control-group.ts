import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProcess } from '../../helpers/processes.ts'

const root = '/sys/fs/cgroup'
type Controller = 'cpu' | 'memory'
let groups = 0

/** Reason for leaving out what has to limit a node's processes. */
export const controlGroupsMissing: string | false =
  process.getuid?.() === 0 && (mountOf('cpu') ?? mountOf('memory')) !== undefined && canMake()
    ? false
    : 'needs root and control groups'

/** Takes processes, and all that they will start, into a group with a share of one core. */
export function slowDown(processes: TestProcess[], share: number): Disposable {
  const files = {
    v1: { 'cpu.cfs_period_us': '20000', 'cpu.cfs_quota_us': `${Math.round(share * 20_000)}` },
    v2: { 'cpu.max': `${Math.round(share * 20_000)} 20000` },
  }
  return group('cpu', processes, files)
}

/** Takes processes, and all that they will start, into a group that has no more memory than this for what is new. */
export function starve(processes: TestProcess[], bytes: number): Disposable {
  return group('memory', processes, { v1: { 'memory.limit_in_bytes': `${bytes}` }, v2: { 'memory.max': `${bytes}` } })
}

function group(
  controller: Controller,
  processes: TestProcess[],
  files: Record<'v1' | 'v2', Record<string, string>>,
): Disposable {
  const mount = mountOf(controller)!
  const folder = join(mount, `cpn-fault-${process.pid}-${++groups}`)
  mkdirSync(folder)
  for (const [file, text] of Object.entries(isV2(mount) ? files.v2 : files.v1)) writeFileSync(join(folder, file), text)
  for (const { pid } of processes) move(pid, folder)
  return {
    [Symbol.dispose]: () => {
      for (const pid of members(folder)) move(pid, mount)
      rmdirSync(folder)
    },
  }
}

function members(folder: string): number[] {
  return readFileSync(join(folder, 'cgroup.procs'), 'utf8').split('\n').filter(Boolean).map(Number)
}

/** A process that has gone meanwhile is fine. */
function move(pid: number, folder: string): void {
  try {
    writeFileSync(join(folder, 'cgroup.procs'), `${pid}`)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

function mountOf(controller: Controller): string | undefined {
  const v1 = join(root, controller)
  if (existsSync(join(v1, 'cgroup.procs'))) return v1
  const file = join(root, 'cgroup.subtree_control')
  return existsSync(file) && readFileSync(file, 'utf8').split(/\s/).includes(controller) ? root : undefined
}

function isV2(mount: string): boolean {
  return mount === root
}

function canMake(): boolean {
  try {
    const folder = join(mountOf('cpu') ?? mountOf('memory')!, `cpn-fault-${process.pid}-try`)
    mkdirSync(folder)
    rmdirSync(folder)
    return true
  } catch {
    return false
  }
}

import { readdirSync, readFileSync } from 'node:fs'

export interface TestProcess {
  pid: number
  parent: number
  uid: number
  /** Command line with its arguments joined by spaces. */
  command: string
}

/** The living processes of this machine, from /proc; those that are ending, and the kernel's own, are left out. */
export function listProcesses(): TestProcess[] {
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((entry) => readProcess(Number(entry)) ?? [])
}

/** Children, their children and so on, of one process. */
export function descendants(ancestor: number, all = listProcesses()): TestProcess[] {
  return all
    .filter((process) => process.parent === ancestor)
    .flatMap((process) => [process, ...descendants(process.pid, all)])
}

/** True for a process that was started with this HOME, or that runs a program or works on a file of that home. */
export function belongsToHome({ pid, command }: TestProcess, home: string): boolean {
  return command.includes(`${home}/`) || readProc(pid, 'environ')?.split('\0').includes(`HOME=${home}`) === true
}

/** Clock ticks between boot and the start of a process: with the pid an identity that is not used again. */
export function processStart(pid: number): string | undefined {
  return readProc(pid, 'stat')
    ?.replace(/^.*\) /s, '')
    .split(' ')[19]
}

/** Sends a signal; a process that has gone meanwhile is fine. */
export function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Kills until none is left, so that a process which forks meanwhile does not escape. */
export function killAll(find: () => TestProcess[]): void {
  for (let round = 0; round < 200; round++) {
    const left = find()
    if (left.length === 0) return
    for (const { pid } of left) signalProcess(pid, 'SIGKILL')
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 10)
  }
  throw new Error(`processes that cannot be killed: ${find().map(({ command }) => command)}`)
}

function readProcess(pid: number): TestProcess | undefined {
  const status = readProc(pid, 'status')
  // A process that ends gives its memory back first, and is to be seen without a command line for a moment.
  if (status === undefined || !/^VmRSS:/m.test(status)) return undefined
  const field = (name: string): string => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1] ?? ''
  const command = readProc(pid, 'cmdline')?.replaceAll('\0', ' ').trim()
  // Ended between the two reads.
  if (!command) return undefined
  return { pid, parent: Number(field('PPid')), uid: Number(field('Uid')), command }
}

function readProc(pid: number, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8')
  } catch {
    return undefined
  }
}

import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import { CpnError } from '../common/errors.ts'

interface Process {
  pid: number
  command: string
}

/** Of these, the first ones ask a process to end, the others kill it. */
const [rounds, asking, roundMs] = [100, 20, 50]

/**
 * Ends every process whose command line has a path below one of these folders, and comes back when none is left. Whoever
 * starts such a process anew is one of them and goes as well. Rejects with CPN_ERR_DEMO when some are left after five seconds.
 */
export async function endProcessesOf(folders: readonly string[]): Promise<void> {
  const living = () => listProcesses().filter(({ command }) => folders.some((folder) => command.includes(`${folder}/`)))
  for (let round = 0; round < rounds; round++) {
    const left = living()
    if (left.length === 0) return
    for (const { pid } of left) end(pid, round < asking ? 'SIGTERM' : 'SIGKILL')
    await setTimeout(roundMs)
  }
  const pids = living().map(({ pid }) => pid)
  if (pids.length === 0) return
  throw new CpnError('CPN_ERR_DEMO', `processes of the demo do not end: ${pids.join(', ')}`, {
    suggestions: [`Look at them: ps -fp ${pids.join(',')}`],
  })
}

export function listProcesses(): Process[] {
  return existsSync('/proc/self/cmdline') ? fromProc() : fromPs()
}

function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // It has ended by itself.
  }
}

function fromProc(): Process[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ({ pid: Number(name), command: commandOf(name) }))
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}

function fromPs(): Process[] {
  const lines = execFileSync('ps', ['-axww', '-o', 'pid=,args='], { encoding: 'utf8' }).trim().split('\n')
  return lines.map((line) => ({ pid: Number.parseInt(line, 10), command: line.trim().replace(/^\d+\s*/, '') }))
}

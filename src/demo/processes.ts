import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'

interface Process {
  pid: number
  command: string
}

/**
 * Ends every process whose command line has a path below one of these folders, and comes back when none is left. Whoever
 * starts such a process anew is one of them and goes as well.
 */
export async function endProcessesOf(folders: readonly string[]): Promise<void> {
  for (let round = 0; round < 100; round++) {
    const left = listProcesses().filter(({ command }) => folders.some((folder) => command.includes(`${folder}/`)))
    if (left.length === 0) return
    for (const { pid } of left) end(pid, round < 20 ? 'SIGTERM' : 'SIGKILL')
    await setTimeout(50)
  }
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

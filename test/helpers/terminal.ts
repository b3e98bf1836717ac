import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpnProgram } from './cli.ts'
import { onExit } from './exit-cleanup.ts'
import { pinnedNode } from './program.ts'
import type { Project } from './project.ts'

export interface TerminalOptions {
  cwd: string
  env: Record<string, string>
  /** What is typed now that this was said; nothing while it is undefined. */
  type: (output: string) => string | undefined
  /** Everything is ended after this time, and `late` says so; never without it. */
  timeoutMs?: number
}

/** Runs a command line of the shell on a pseudo terminal, until everything that has it open has ended. */
export async function typeOnTerminal(
  commandLine: string,
  { cwd, env, type, timeoutMs }: TerminalOptions,
): Promise<{ output: string; exitCode: number | null; late: boolean }> {
  const child = spawn('script', ['-qec', commandLine, '/dev/null'], { cwd, env: { ...env, TERM: 'xterm' } })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    const typed = type(output)
    if (typed !== undefined) child.stdin.write(typed)
  })
  // script hands SIGTERM on to what runs on its terminal.
  const forget = onExit(() => child.kill())
  let late = false
  const end = () => {
    late = true
    child.kill()
  }
  const timer = timeoutMs === undefined ? undefined : setTimeout(end, timeoutMs)
  const [exitCode] = (await once(child, 'close')) as [number | null]
  clearTimeout(timer)
  forget()
  return { late, output: output.replaceAll('\r', ''), exitCode }
}

/**
 * Runs cpn in a project's folder on a pseudo terminal, where passwords are answered in this order; a question too many
 * stays open.
 */
export async function onTerminal(
  home: Pick<Project, 'folder' | 'env'>,
  args: string[],
  answers: string[],
): Promise<{ output: string; exitCode: number | null }> {
  const quoted = [pinnedNode, cpnProgram, ...args].map((word) => `'${word}'`).join(' ')
  let answered = 0
  const type = (output: string) => {
    const asked = output.match(/Password (?:of|for) [^\n]*: /g)?.length ?? 0
    return asked > answered && answered < answers.length ? `${answers[answered++]}\r` : undefined
  }
  return typeOnTerminal(quoted, { cwd: home.folder, env: home.env, type })
}

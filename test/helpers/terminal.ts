import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { cpnProgram } from './cli.ts'
import { pinnedNode } from './program.ts'
import type { Project } from './project.ts'

/**
 * Runs cpn in a project's folder on a pseudo terminal, where passwords are answered in this order; a question too many
 * stays open.
 */
export async function onTerminal(
  home: Pick<Project, 'folder' | 'env'>,
  args: string[],
  answers: string[],
): Promise<{ output: string; exitCode: number }> {
  const quoted = [pinnedNode, cpnProgram, ...args].map((word) => `'${word}'`).join(' ')
  const child = spawn('script', ['-qec', quoted, '/dev/null'], {
    cwd: home.folder,
    env: { ...home.env, TERM: 'xterm' },
  })
  let output = ''
  let answered = 0
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    const asked = output.match(/Password (?:of|for) [^\n]*: /g)?.length ?? 0
    if (asked > answered && answered < answers.length) child.stdin.write(`${answers[answered++]}\r`)
  })
  const [exitCode] = (await once(child, 'close')) as [number]
  return { output: output.replaceAll('\r', ''), exitCode }
}

import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { repositoryRoot } from './shared.ts'

export const pinnedNode = realpathSync(join(repositoryRoot, 'node_modules', '.bin', 'node'))

/** A Node.js in PATH that is older than the pinned runtime. */
export const olderNode: string | undefined = findOlderNode()

/** Reason for leaving a test out where there is none. */
export const olderNodeMissing: string | false = olderNode ? false : 'needs a Node.js older than 26 in PATH'

export interface Program {
  child: ChildProcess
  output: { stdout: string; stderr: string }
  /** Resolves when all output is read, which is when every process that holds the pipes has ended. */
  closed: Promise<{ code: number | null; signal: NodeJS.Signals | null; stdout: string; stderr: string }>
  /** Resolves when stdout or stderr matches. */
  says(pattern: RegExp): Promise<RegExpExecArray>
}

/** Starts a program with piped streams; `env` is added to that of the tests, or with `onlyEnv` in its place. */
export function start(
  command: string,
  args: string[],
  { onlyEnv = false, ...options }: { env?: NodeJS.ProcessEnv; onlyEnv?: boolean; cwd?: string } = {},
): Program {
  const child = spawn(command, args, { ...options, env: onlyEnv ? options.env : { ...process.env, ...options.env } })
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      output[name] += text
      child.emit('said')
    })
  }
  const closed = new Promise<Awaited<Program['closed']>>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code, signal, ...output }))
  })
  const says = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((resolve, reject) => {
      const look = () => {
        const match = pattern.exec(output.stdout) ?? pattern.exec(output.stderr)
        if (match) resolve(match)
      }
      child.on('said', look)
      child.on('close', () => reject(new Error(`ended without ${pattern}: ${output.stdout}${output.stderr}`)))
      look()
    })
  return { child, output, closed, says }
}

function findOlderNode(): string | undefined {
  const candidates = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'))
  return candidates.find((path) => {
    if (!existsSync(path)) return false
    const { stdout } = spawnSync(path, ['-p', 'process.versions.node'], { encoding: 'utf8' })
    const major = Number.parseInt(stdout, 10)
    return major >= 20 && major < 26
  })
}

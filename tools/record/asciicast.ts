import { spawn } from 'node:child_process'
import { once } from 'node:events'

/** What a terminal showed, and when. */
export interface Recording {
  columns: number
  rows: number
  /** What was typed. */
  command: string
  events: { seconds: number; text: string }[]
  exitCode: number | null
}

export interface RecordOptions {
  columns: number
  rows: number
  cwd: string
  env: NodeJS.ProcessEnv
}

/** Runs a command of the shell on a pseudo terminal of util-linux's script, and writes down what it says when. */
export async function record(command: string, { columns, rows, cwd, env }: RecordOptions): Promise<Recording> {
  const typed = `stty cols ${columns} rows ${rows}; printf '$ %s\\n' "$TYPED"; eval "$TYPED"`
  // What npm says to its scripts would change what npm says on the terminal.
  const own = Object.entries(env).filter(([name]) => !name.startsWith('npm_'))
  const child = spawn('script', ['-qefc', typed, '/dev/null'], {
    cwd,
    env: { ...Object.fromEntries(own), TYPED: command, TERM: 'xterm-256color' },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const began = performance.now()
  const events: Recording['events'] = []
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    events.push({ seconds: (performance.now() - began) / 1000, text })
  })
  const [exitCode] = (await once(child, 'close')) as [number | null]
  return { columns, rows, command, events, exitCode }
}

/** The recording as asciinema's players read it (asciicast, version 2). */
export function toAsciicast({ columns, rows, command, events }: Recording): string {
  const header = { version: 2, width: columns, height: rows, command, env: { TERM: 'xterm-256color' } }
  const lines = events.map(({ seconds, text }) => [Number(seconds.toFixed(3)), 'o', text])
  return `${[header, ...lines].map((line) => JSON.stringify(line)).join('\n')}\n`
}

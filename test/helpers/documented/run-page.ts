import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { tempFolder } from '../temp-folder.ts'
import { typeOnTerminal } from '../terminal.ts'
import { type Block, readPage } from './blocks.ts'
import type { World } from './world.ts'

/** A command that was run, and how long until the next one. */
export interface RunCommand {
  line: number
  command: string
  seconds: number
}

const timeoutMs = 300_000
/** The last command of a session: it came to its end. */
const end = ': end'

/**
 * Runs blocks of a page as one session of bash on a terminal, where questions are answered with yes. Throws at the first
 * command that fails, with its page, line and output.
 */
export async function runPage(world: World, page: string, blocks: Block[]): Promise<RunCommand[]> {
  using scratch = tempFolder()
  const script = join(scratch.path, 'session')
  const trace = join(scratch.path, 'trace')
  writeFileSync(script, session(blocks, trace, world.substitutions(page)))
  const { output, exitCode, late } = await typeOnTerminal(`bash '${script}'`, {
    cwd: world.folder(page),
    env: world.env,
    type: (said) => (stripVTControlCharacters(said.slice(-500)).endsWith('[y/N] ') ? 'y\r' : undefined),
    timeoutMs,
  })
  const commands = readTrace(trace)
  const last = commands.pop()
  if (exitCode === 0 && last?.command === end) return commands
  const written = readPage(page).split('\n')[(last?.line ?? 1) - 1]
  const how = late ? `did not end within ${timeoutMs / 1000} s of its page` : 'failed'
  throw new Error(`${page}:${last?.line} ${how}: ${written}\nran as: ${last?.command}\n${tail(output)}`)
}

/** A script whose lines have the numbers that they have on the page. */
function session(blocks: Block[], trace: string, substitutions: [string, string][]): string {
  const lines = [
    `exec 9>'${trace}'; BASH_XTRACEFD=9; PS4='+ $EPOCHREALTIME $LINENO '; stty cols 100 rows 30; set -ex -o pipefail`,
  ]
  for (const { line, language, text } of blocks) {
    const commands = language === 'crontab' ? fromCrontab(text) : text
    const meant = substitutions.reduce((all, [written, by]) => all.replaceAll(written, by), commands)
    for (const [index, each] of meant.split('\n').entries()) lines[line - 1 + index] = each
  }
  return `${Array.from(lines, (line) => line ?? '').join('\n')}\n${end}\n`
}

/** What cron runs: by sh, without a terminal, with what is said kept for a letter. */
function fromCrontab(text: string): string {
  const setting = /^\w+=\S+$/gm
  const settings = (text.match(setting) ?? []).join(' ')
  return text
    .replace(setting, '')
    .replace(/^(?:\S+\s+){5}(.*)$/gm, (_, command: string) => `${settings} sh -c '${command}' </dev/null 2>&1 | cat`)
}

function readTrace(file: string): RunCommand[] {
  const lines = readFileSync(file, 'utf8')
    .split('\n')
    .map((line) => /^\++ ([\d.]+) (\d+) (.*)$/.exec(line))
    .filter((match) => match !== null)
  return lines.map(([, time, line, command], index) => {
    const next = lines[index + 1]?.[1] ?? time
    return { line: Number(line), command: command!, seconds: Number(next) - Number(time) }
  })
}

function tail(output: string): string {
  return stripVTControlCharacters(output).split('\n').slice(-60).join('\n')
}

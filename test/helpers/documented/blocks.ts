import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../shared.ts'

/** Blocks of these languages are commands, and are run: `sh` on a terminal, `crontab` without one. */
export const commandLanguages = ['sh', 'crontab']

/** A fenced block of a page. */
export interface Block {
  page: string
  /** Line of the page that the block's text begins in, from 1 on. */
  line: number
  /** '' when the fence names none. */
  language: string
  text: string
  /** Why it is not run: what `<!-- not run: … -->` in the line above says; '' when it gives no reason. */
  notRun: string | undefined
}

/** What people read, as paths from the repository's root. */
export const pages = [
  'README.md',
  'CONTRIBUTING.md',
  'tools/train/README.md',
  ...globSync('docs/**/*.md', { cwd: repositoryRoot }).sort(),
]

export function readPage(page: string): string {
  return readFileSync(join(repositoryRoot, page), 'utf8')
}

export function blocksOf(page: string): Block[] {
  const lines = readPage(page).split('\n')
  const blocks: Block[] = []
  let open: { fence: number; indent: number } | undefined
  for (const [index, line] of lines.entries()) {
    const fence = /^( *)```(\w*)\s*$/.exec(line)
    if (!fence) continue
    if (open) {
      const { fence: first, indent } = open
      const text = lines.slice(first + 1, index).map((each) => each.slice(indent))
      const language = /```(\w*)/.exec(lines[first]!)![1]!
      blocks.push({ page, line: first + 2, language, text: text.join('\n'), notRun: markAbove(lines, first) })
      open = undefined
    } else open = { fence: index, indent: fence[1]!.length }
  }
  return blocks
}

function markAbove(lines: string[], fence: number): string | undefined {
  return /^ *<!-- not run(?:: *(.*?))? *-->$/
    .exec(lines[fence - 1] ?? '')
    ?.slice(1)
    .map((reason) => reason ?? '')[0]
}

/** What stands between single backticks, outside of blocks, without line breaks. */
export function inlineCode(page: string): string[] {
  const prose = readPage(page).replace(/^ *```[\s\S]*?^ *```$/gm, '')
  return [...prose.matchAll(/`([^`]+)`/g)].map(([, code]) => code!.replace(/\s+/g, ' '))
}

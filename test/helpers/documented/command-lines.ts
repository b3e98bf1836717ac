import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../shared.ts'

interface Manifest {
  commands: Record<string, { examples?: string[]; flags: Record<string, { char?: string; allowNo?: boolean }> }>
}

const read = <T>(file: string): T => JSON.parse(readFileSync(join(repositoryRoot, file), 'utf8')) as T
const own = read<Manifest>('oclif.manifest.json').commands
const autocomplete = read<Manifest>('node_modules/@oclif/plugin-autocomplete/oclif.manifest.json').commands
const commands: Manifest['commands'] = { ...own, autocomplete: autocomplete.autocomplete! }
const { scripts } = read<{ scripts: Record<string, string> }>('package.json')

/** Every command of cpn, as people write it: `hosts add`. */
export const commandNames = Object.keys(own).map((id) => id.replaceAll(':', ' '))

/** Commands without an example in their help, or without `--json`. */
export const incompleteCommands = commandNames.filter((_, i) => {
  const { examples = [], flags } = Object.values(own)[i]!
  return examples.length === 0 || !('json' in flags)
})

/** Whether some command of cpn has a flag, given as it is written: `--batch`, `-f`. */
export function isFlag(written: string): boolean {
  return Object.keys(commands).some((id) => hasFlag(id, written))
}

/**
 * What is wrong with a line that a reader would type: a command, script, file or flag that does not exist. `a|b` stands for
 * one of several commands, words in capitals for what the reader puts in. Programs that are not ours are not looked at.
 */
export function wrongIn(line: string): string[] {
  return line
    .replace(/\s#\s.*$/, '')
    .split(/\s(?:&&|\|\||\||;)\s/)
    .flatMap((part) => wrongInCommand(wordsOf(part)))
    .map((problem) => `${line.trim()}: ${problem}`)
}

function wordsOf(command: string): string[] {
  const words = command.match(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g) ?? []
  const first = words.findIndex((word) => !/^[A-Z_]+=/.test(word) && word !== 'npx')
  return first < 0 ? [] : words.slice(first)
}

function wrongInCommand([program, ...words]: string[]): string[] {
  if (program === 'cpn') return wrongInCpn(words)
  if (program === 'npm') return wrongInNpm(words)
  if (program === 'node') return existsSync(join(repositoryRoot, words[0] ?? '')) ? [] : [`there is no ${words[0]}`]
  return []
}

function wrongInNpm([verb, script]: string[]): string[] {
  if (verb !== 'run')
    return ['ci', 'test', 'install', 'link', 'pack'].includes(verb!) ? [] : [`npm ${verb} is not known here`]
  return script! in scripts ? [] : [`package.json has no script ${script}`]
}

function wrongInCpn(words: string[]): string[] {
  const end = words.indexOf('--')
  const said = end < 0 ? words : words.slice(0, end)
  const [first] = said
  const flags = said.filter((word) => /^--?[a-z]/.test(word)).map((word) => word.replace(/[=,].*$/, ''))
  if (first === undefined || first.startsWith('-') || /^[A-Z]+$/.test(first)) return wrongFlags(undefined, flags)
  const ids = first in commands ? [first] : (said[1] ?? '').split('|').map((word) => `${first}:${word}`)
  const alternatives = first.includes('|') ? first.split('|') : ids
  return alternatives.flatMap((id) =>
    id in commands ? wrongFlags(id, flags) : [`there is no cpn ${id.replace(':', ' ')}`],
  )
}

function wrongFlags(id: string | undefined, flags: string[]): string[] {
  const everywhere = ['--help', '-h', '--version', '--json']
  return flags
    .filter((flag) => !everywhere.includes(flag) && !(id !== undefined && hasFlag(id, flag)))
    .map((flag) => `cpn ${id?.replace(':', ' ') ?? ''} has no ${flag}`)
}

function hasFlag(id: string, written: string): boolean {
  return Object.entries(commands[id]!.flags).some(
    ([name, { char, allowNo }]) =>
      written === `--${name}` || written === `-${char}` || (allowNo === true && written === `--no-${name}`),
  )
}

import { diffLines } from './diff.ts'
import { foldNames } from './fold-names.ts'
import { printable } from './format.ts'

export interface HostOutput {
  host: string
  output: string
}

/**
 * Identical outputs once, under the folded names of their hosts; the most common one whole, the others as a diff
 * against it.
 */
export function renderFold(outputs: HostOutput[]): string {
  const groups = [...Map.groupBy(outputs, ({ output }) => output)]
    .map(([output, hosts]) => ({ lines: linesOf(output), names: hosts.map(({ host }) => host) }))
    .sort((one, other) => other.names.length - one.names.length)
  const [common, ...others] = groups
  if (!common) return ''
  return [
    head(common.names),
    ...indented(common.lines.length > 0 ? common.lines : ['(no output)']),
    ...others.flatMap(({ lines, names }) => [
      `${head(names)} differs from ${foldNames(common.names)}:`,
      ...indented(diffLines(common.lines, lines)),
    ]),
  ].join('\n')
}

/** A line of a host's output for the terminal; tabs stay. */
export function outputLine(line: string): string {
  return line.split('\t').map(printable).join('\t')
}

function head(names: string[]): string {
  return names.length === 1 ? names[0]! : `${foldNames(names)} (${names.length} hosts)`
}

function linesOf(output: string): string[] {
  const lines = output.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

function indented(lines: string[]): string[] {
  return lines.map((line) => `  ${outputLine(line)}`)
}

/** A place in a text: offsets of its first character and of the one behind its last. */
export interface Span {
  start: number
  end: number
}

const windowColumns = 100

/** `line:column` of a place, both from 1. */
export function position(text: string, { start }: Span): string {
  const before = text.slice(0, start).split('\n')
  return `${before.length}:${before.at(-1)!.length + 1}`
}

/** The source line of a place with a caret under it; a very long line is cut around the caret. */
export function frame(text: string, span: Span): string {
  const lineStart = text.lastIndexOf('\n', span.start - 1) + 1
  const lineEnd = text.indexOf('\n', span.start)
  const line = text.slice(lineStart, lineEnd === -1 ? undefined : lineEnd)
  const column = span.start - lineStart
  const cut = Math.max(0, column - windowColumns / 2)
  const shown = printable(line.slice(cut, cut + windowColumns)).trimEnd()
  const length = Math.min(Math.max(1, span.end - span.start), Math.max(1, shown.length - (column - cut)))
  const number = String(text.slice(0, lineStart).split('\n').length)
  const margin = ' '.repeat(number.length)
  return `  ${number} | ${shown}\n  ${margin} | ${' '.repeat(column - cut)}${'^'.repeat(length)}`
}

// One column per character, and nothing that could steer the terminal.
function printable(line: string): string {
  return line.replaceAll('\t', ' ').replaceAll(/[\u0000-\u001f\u007f-\u009f]/g, ' ')
}

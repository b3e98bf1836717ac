import { displayWidth, printable, truncate } from './format.ts'

export interface Column {
  header: string
  align?: 'left' | 'right'
}

const gap = 2
const narrowest = 8

/**
 * A plain table: a line of headers and a line per row, without an ending newline. Cells are made printable.
 * @param width cells a line may take; the widest columns are cut until it fits. Default: the terminal's; no limit where there
 *   is none, or where it says 0 because it does not know
 */
export function renderTable(
  columns: Column[],
  rows: string[][],
  width = process.stdout.columns || Number.POSITIVE_INFINITY,
): string {
  const lines = [columns.map((column) => column.header), ...rows].map((row) =>
    columns.map((_column, index) => printable(row[index] ?? '')),
  )
  const widths = fit(
    columns.map((_column, index) => Math.max(...lines.map((line) => displayWidth(line[index]!)))),
    width,
  )
  return lines.map((line) => renderLine(columns, line, widths)).join('\n')
}

function renderLine(columns: Column[], cells: string[], widths: number[]): string {
  return columns
    .map((column, index) => pad(truncate(cells[index]!, widths[index]!), widths[index]!, column.align))
    .join(' '.repeat(gap))
    .trimEnd()
}

function pad(text: string, width: number, align: Column['align']): string {
  const space = ' '.repeat(width - displayWidth(text))
  return align === 'right' ? space + text : text + space
}

// Takes the space from the widest column again and again, so that short columns stay whole.
function fit(widths: number[], total: number): number[] {
  const fitted = [...widths]
  let over = fitted.reduce((sum, width) => sum + width, gap * (fitted.length - 1)) - total
  while (over > 0) {
    const widest = fitted.indexOf(Math.max(...fitted))
    if (fitted[widest]! <= narrowest) break
    fitted[widest]!--
    over--
  }
  return fitted
}

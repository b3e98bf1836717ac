import xterm, { type IBufferCell } from '@xterm/headless'
import type { Recording } from './asciicast.ts'

/** Neighbouring cells that look the same. */
export interface Run {
  column: number
  cells: number
  text: string
  /** #rrggbb, or undefined for the terminal's own. */
  colour: string | undefined
  bold: boolean
  dim: boolean
}

/** What a line of the whole session shows from one second to another; the last one of a line stays. */
export interface Piece {
  line: number
  from: number
  to: number
  runs: Run[]
}

export interface Session {
  pieces: Piece[]
  /** How many lines have left the screen at its top, from which second on. */
  scrolls: { seconds: number; lines: number }[]
  seconds: number
  /** What can be read in the end, from the first line on. */
  transcript: string[]
}

const palette = [
  ...['#3b4252', '#e06c75', '#98c379', '#e5c07b', '#61afef', '#c678dd', '#56b6c2', '#d8dee9'],
  ...['#6b7689', '#f0808a', '#b5e08f', '#f5d58b', '#82c4ff', '#dd9bf0', '#7ed3dd', '#ffffff'],
]

/** Plays a recording on a terminal without a screen, and looks at it every `interval` seconds. */
export async function play(recording: Recording, interval: number): Promise<Session> {
  const { columns, rows, events } = recording
  const terminal = new xterm.Terminal({ cols: columns, rows, scrollback: 10_000, allowProposedApi: true })
  const write = (text: string) => new Promise<void>((done) => terminal.write(text, done))
  const end = events.at(-1)?.seconds ?? 0
  const session: Session = { pieces: [], scrolls: [], seconds: end + interval, transcript: [] }
  const open = new Map<number, Piece>()
  let next = 0
  for (let seconds = 0; seconds < end + interval; seconds += interval) {
    while (next < events.length && events[next]!.seconds <= seconds) await write(events[next++]!.text)
    look(terminal, seconds, session, open)
  }
  const lines = [...open.values()].sort((a, b) => a.line - b.line)
  session.transcript = lines.map(({ runs }) => textOf(runs))
  return session
}

function look(terminal: xterm.Terminal, seconds: number, session: Session, open: Map<number, Piece>): void {
  const { active } = terminal.buffer
  if (session.scrolls.at(-1)?.lines !== active.baseY) session.scrolls.push({ seconds, lines: active.baseY })
  for (let line = 0; line < active.length; line++) {
    const runs = runsOf(terminal, line)
    const before = open.get(line)
    if (JSON.stringify(before?.runs ?? []) === JSON.stringify(runs)) continue
    if (before) before.to = seconds
    const piece = { line, from: seconds, to: session.seconds, runs }
    open.set(line, piece)
    session.pieces.push(piece)
  }
}

function runsOf(terminal: xterm.Terminal, line: number): Run[] {
  const cells = terminal.buffer.active.getLine(line)!
  const runs: Run[] = []
  for (let column = 0; column < terminal.cols; column++) {
    const cell = cells.getCell(column)
    if (!cell || cell.getWidth() === 0) continue
    const text = cell.getChars() || ' '
    const style = { colour: colourOf(cell), bold: cell.isBold() !== 0, dim: cell.isDim() !== 0 }
    const last = runs.at(-1)
    if (last && sameStyle(last, style) && last.column + last.cells === column) {
      last.text += text
      last.cells += cell.getWidth()
    } else runs.push({ column, cells: cell.getWidth(), text, ...style })
  }
  return runs.map(withoutTrailingSpace).filter(({ text }) => text !== '')
}

function sameStyle(a: Pick<Run, 'colour' | 'bold' | 'dim'>, b: Pick<Run, 'colour' | 'bold' | 'dim'>): boolean {
  return a.colour === b.colour && a.bold === b.bold && a.dim === b.dim
}

function withoutTrailingSpace(run: Run): Run {
  const text = run.text.trimEnd()
  return { ...run, text, cells: run.cells - (run.text.length - text.length) }
}

function colourOf(cell: IBufferCell): string | undefined {
  if (cell.isFgDefault()) return undefined
  const value = cell.getFgColor()
  if (cell.isFgRGB()) return `#${value.toString(16).padStart(6, '0')}`
  return palette[value] ?? cube(value)
}

/** xterm's colours from 16 on: a cube of 6 x 6 x 6, and 24 greys. */
function cube(value: number): string {
  const level = (step: number) => (step === 0 ? 0 : 55 + 40 * step)
  const index = value - 16
  const parts =
    value >= 232
      ? Array<number>(3).fill(8 + 10 * (value - 232))
      : [index / 36, (index / 6) % 6, index % 6].map((step) => level(Math.floor(step)))
  return `#${parts.map((part) => part.toString(16).padStart(2, '0')).join('')}`
}

export function textOf(runs: Run[]): string {
  return runs.reduce((line, { column, text }) => line.padEnd(column) + text, '')
}

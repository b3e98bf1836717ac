/** What a live list or a progress line shows at the bottom of the terminal. */
export interface LiveView {
  /** The lines to show now, each no wider than `columns`, at most `rows` of them. */
  lines(columns: number, rows: number): string[]
}

const frameMs = 80

let view: LiveView | undefined
let timer: NodeJS.Timeout | undefined
let drawn = 0
let paused = false
const waiting: string[] = []

/** True where lines can be drawn again in place and nothing else is live. */
export function canBeLive(): boolean {
  return process.stderr.isTTY === true && process.env.TERM !== 'dumb' && !view
}

/** Writes a line for the person, above what is live and not into a question. */
export function printLine(line: string): void {
  if (paused) {
    // A question that is open to the end must not keep what ended the program.
    if (waiting.push(line) === 1) process.once('exit', flush)
    return
  }
  erase()
  process.stderr.write(`${line}\n`)
  draw()
}

/** Draws `shown` again and again until `endLive`. There is one live view at a time. */
export function startLive(shown: LiveView): void {
  view = shown
  timer = setInterval(redraw, frameMs)
  process.once('exit', showCursor)
  redraw()
}

/** Takes the live view off the terminal. */
export function endLive(): void {
  clearInterval(timer)
  erase()
  view = undefined
  timer = undefined
  showCursor()
  process.removeListener('exit', showCursor)
}

/** Takes the live view away while `work` talks to the person. */
export async function withoutLive<T>(work: () => Promise<T>): Promise<T> {
  erase()
  if (view) showCursor()
  paused = true
  try {
    return await work()
  } finally {
    paused = false
    process.removeListener('exit', flush)
    for (const line of waiting.splice(0)) process.stderr.write(`${line}\n`)
    draw()
  }
}

/** Below the question that nobody answered. */
function flush(): void {
  process.stderr.write(['', ...waiting.splice(0), ''].join('\n'))
}

function redraw(): void {
  if (paused) return
  // One write per frame, so that nothing flickers.
  process.stderr.write(eraseSequence() + frame())
}

function draw(): void {
  if (view && !paused) process.stderr.write(frame())
}

function erase(): void {
  if (drawn > 0) process.stderr.write(eraseSequence())
}

function eraseSequence(): string {
  const sequence = drawn > 0 ? `\u001b[${drawn}A\r\u001b[0J` : ''
  drawn = 0
  return sequence
}

function frame(): string {
  const lines = view?.lines(process.stderr.columns || 80, Math.max((process.stderr.rows || 24) - 1, 1)) ?? []
  drawn = lines.length
  return lines.length > 0 ? `\u001b[?25l${lines.join('\n')}\n` : ''
}

function showCursor(): void {
  process.stderr.write('\u001b[?25h')
}

import type { Piece, Run, Session } from './screen-lines.ts'

export interface SvgOptions {
  columns: number
  rows: number
  /** What it shows, for those who do not see it. */
  title: string
  /** How many times faster than it was it plays. */
  speed: number
}

const cell = { width: 8.4, height: 19, baseline: 14 }
const padding = 14

/**
 * A session as one SVG that plays once and stays at its end. What does not play (paper, programs without CSS, people who want
 * less motion) shows the end at once. Nothing in it is loaded or run.
 */
export function toSvg({ pieces, scrolls, seconds }: Session, { columns, rows, title, speed }: SvgOptions): string {
  const [width, height] = [columns * cell.width + 2 * padding, rows * cell.height + 2 * padding]
  const shown = pieces.filter(({ runs }) => runs.length > 0)
  const lasts = new Map(pieces.map((piece) => [piece.line, piece]))
  const time = (at: number) => round(at / speed)
  const line = (piece: Piece) => lineOf(piece, lasts.get(piece.line) === piece, time)
  const steps = scrolls.map(({ seconds: at, lines }) => `${round((100 * at) / seconds)}%{${moved(lines)}}`)
  const last = scrolls.at(-1)?.lines ?? 0
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${round(width)} ${round(height)}" role="img">
<title>${escaped(title)}</title>
<style>
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d8dee9;white-space:pre}
.s{visibility:hidden;animation-name:shown}.l{animation-name:hidden}.all{${moved(last)};animation:scroll ${time(seconds)}s step-end}
@keyframes shown{from,to{visibility:visible}}@keyframes hidden{from,to{visibility:hidden}}@keyframes scroll{${steps.join('')}}
@media (prefers-reduced-motion:reduce){.s,.l,.all{animation:none!important}}
</style>
<rect width="100%" height="100%" rx="8" fill="#12161d"/>
<clipPath id="screen"><rect width="${round(width - 2 * padding)}" height="${rows * cell.height}"/></clipPath>
<g transform="translate(${padding} ${padding})" clip-path="url(#screen)"><g class="all">
${shown.map(line).join('\n')}
</g></g>
</svg>
`
}

function lineOf({ line, from, to, runs }: Piece, isLast: boolean, time: (at: number) => number): string {
  const style = isLast
    ? `animation-duration:${time(from)}s`
    : `animation-delay:${time(from)}s;animation-duration:${round(time(to) - time(from))}s`
  const y = line * cell.height + cell.baseline
  return `<text class="${isLast ? 'l' : 's'}" style="${style}" y="${y}">${runs.map(spanOf).join('')}</text>`
}

function spanOf({ column, cells, text, colour, bold, dim }: Run): string {
  const look = [
    ...(colour ? [`fill="${colour}"`] : []),
    ...(bold ? ['font-weight="bold"'] : []),
    ...(dim ? ['opacity=".6"'] : []),
  ]
  // Whatever font there is, cells stay in their columns.
  const fit = `x="${round(column * cell.width)}" textLength="${round(cells * cell.width)}" lengthAdjust="spacingAndGlyphs"`
  return `<tspan ${[fit, ...look].join(' ')}>${escaped(text)}</tspan>`
}

const moved = (lines: number) => `transform:translateY(${-lines * cell.height}px)`
const round = (value: number) => Math.round(value * 100) / 100

function escaped(text: string): string {
  const named: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
  return text.replace(/[&<>"]/g, (sign) => named[sign]!)
}

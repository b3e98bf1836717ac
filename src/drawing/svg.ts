import sharp, { type Sharp } from 'sharp'
import { type Colour, css } from './colour.ts'
import type { Point } from './skull.ts'

/** Shapes on top of each other, as SVG. */
export class Svg {
  readonly #shapes: string[] = []
  readonly #paints = new Map<string, string>()

  fill(path: string, paint: string | Colour, opacity = 1): void {
    this.#shapes.push(
      `<path d="${path}" fill="${paintOf(paint)}"${opacity < 1 ? ` fill-opacity="${short(opacity)}"` : ''}/>`,
    )
  }

  line(path: string, colour: Colour, width: number, opacity = 1): void {
    const seen = opacity < 1 ? ` stroke-opacity="${short(opacity)}"` : ''
    this.#shapes.push(
      `<path d="${path}" fill="none" stroke="${css(colour)}" stroke-width="${short(width)}" stroke-linecap="round" stroke-linejoin="round"${seen}/>`,
    )
  }

  /** A soft spot: an ellipse with two half axes that fades to its edge. */
  spot([x, y]: Point, [ax, ay]: Point, [bx, by]: Point, colour: Colour, opacity: number): void {
    const stops = `<stop stop-color="${css(colour)}"/><stop offset=".5" stop-color="${css(colour)}" stop-opacity=".5"/><stop offset="1" stop-color="${css(colour)}" stop-opacity="0"/>`
    const paint = this.#paint(`<radialGradient id="ID">${stops}</radialGradient>`)
    const matrix = [ax, ay, bx, by, x, y].map(short).join(' ')
    this.#shapes.push(`<circle r="1" transform="matrix(${matrix})" fill="${paint}" fill-opacity="${short(opacity)}"/>`)
  }

  /** A paint that goes from one colour to others along a line of the picture. */
  gradient([x1, y1]: Point, [x2, y2]: Point, stops: [at: number, colour: Colour, opacity?: number][]): string {
    const list = stops
      .map(
        ([at, colour, opacity = 1]) =>
          `<stop offset="${short(at)}" stop-color="${css(colour)}"${opacity < 1 ? ` stop-opacity="${short(opacity)}"` : ''}/>`,
      )
      .join('')
    const line = `x1="${short(x1)}" y1="${short(y1)}" x2="${short(x2)}" y2="${short(y2)}"`
    return this.#paint(`<linearGradient id="ID" gradientUnits="userSpaceOnUse" ${line}>${list}</linearGradient>`)
  }

  /** Its pixels, RGBA. @param scale pixels per unit of what was drawn */
  render(width: number, height: number, scale = 1): Sharp {
    const size = `width="${width * scale}" height="${height * scale}" viewBox="0 0 ${width} ${height}"`
    const paints = [...this.#paints].map(([text, id]) => text.replace('ID', id)).join('')
    const shapes = this.#shapes.join('')
    // An agent, whom others send images, never draws and keeps this reader blocked; a process that draws may use it.
    sharp.unblock({ operation: ['VipsForeignLoadSvg'] })
    return sharp(Buffer.from(`<svg xmlns="http://www.w3.org/2000/svg" ${size}><defs>${paints}</defs>${shapes}</svg>`))
  }

  #paint(text: string): string {
    const id = this.#paints.get(text) ?? `p${this.#paints.size}`
    this.#paints.set(text, id)
    return `url(#${id})`
  }
}

/** A closed line with straight pieces. */
export function polygon(points: readonly Point[]): string {
  return `M${points.map(pair).join('L')}Z`
}

/** An open line with straight pieces. */
export function polyline(points: readonly Point[]): string {
  return `M${points.map(pair).join('L')}`
}

/** A closed line that is smooth; it has a corner where a point comes twice. */
export function rounded(points: readonly Point[]): string {
  const parts = points.map(
    (point, index) => `Q${pair(point)} ${pair(middle(point, points[(index + 1) % points.length]!))}`,
  )
  return `M${pair(middle(points.at(-1)!, points[0]!))}${parts.join('')}Z`
}

/** An open line that is smooth. */
export function bend(points: readonly Point[]): string {
  const parts = points
    .slice(1, -1)
    .map((point, index) =>
      index === points.length - 3
        ? `Q${pair(point)} ${pair(points.at(-1)!)}`
        : `Q${pair(point)} ${pair(middle(point, points[index + 2]!))}`,
    )
  return `M${pair(points[0]!)}${parts.length > 0 ? parts.join('') : `L${pair(points.at(-1)!)}`}`
}

/** The outline around points (monotone chain). */
export function hull(points: readonly Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a[0] - b[0] || a[1] - b[1])
  return [...chain(sorted), ...chain(sorted.reverse())]
}

function chain(points: readonly Point[]): Point[] {
  const line: Point[] = []
  for (const point of points) {
    while (line.length > 1 && cross(line.at(-2)!, line.at(-1)!, point) <= 0) line.pop()
    line.push(point)
  }
  return line.slice(0, -1)
}

function cross(a: Point, b: Point, c: Point): number {
  return (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

function middle(a: Point, b: Point): Point {
  return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]
}

function pair([x, y]: Point): string {
  return `${Math.round(x * 10) / 10} ${Math.round(y * 10) / 10}`
}

function paintOf(paint: string | Colour): string {
  return typeof paint === 'string' ? paint : css(paint)
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100)
}

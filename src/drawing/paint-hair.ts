import { lit } from './colour.ts'
import { Dice } from './dice.ts'
import { angles } from './paint-skin.ts'
import type { HairStyle } from './person.ts'
import type { Sketch } from './sketch.ts'
import type { Point } from './skull.ts'
import { bend, hull, rounded } from './svg.ts'

/** How far hair stands off the skull on top and at the sides, and down to where it hangs beside the face. */
interface Cut {
  top: number
  side: number
  end: number
  curls?: number
  parted?: boolean
}

function cutOf(style: HairStyle, volume: number): Cut {
  const cuts: Record<HairStyle, Cut> = {
    bald: { top: 0, side: 0, end: 0 },
    buzz: { top: 0.02, side: 0.012, end: 0.2 },
    short: { top: 0.07 + 0.09 * volume, side: 0.03, end: 0.25 },
    swept: { top: 0.12 + 0.14 * volume, side: 0.04, end: 0.25, parted: true },
    curly: { top: 0.13 + 0.12 * volume, side: 0.1 + 0.08 * volume, end: 0.35, curls: 0.11 },
    afro: { top: 0.3 + 0.22 * volume, side: 0.28 + 0.2 * volume, end: 0.35, curls: 0.08 },
    bob: { top: 0.09 + 0.07 * volume, side: 0.1 + 0.1 * volume, end: 0.75 + 0.3 * volume, parted: true },
    long: { top: 0.08 + 0.06 * volume, side: 0.08 + 0.1 * volume, end: 1.5, parted: true },
    bun: { top: 0.04, side: 0.03, end: 0.25, parted: true },
    tail: { top: 0.05, side: 0.03, end: 0.25, parted: true },
  }
  return cuts[style]
}

/** Whether hair hangs over the ears. */
export function coversEars({ person }: Sketch): boolean {
  return cutOf(person.hair.style, person.hair.volume).end > 0.5
}

/** What lies behind neck and shoulders. */
export function paintHairBehind(sketch: Sketch): void {
  const { svg, person, view, skull } = sketch
  const { style, volume, colour } = person.hair
  const cut = cutOf(style, volume)
  if (style === 'tail') {
    const hand = person.hair.parting > 0 ? 1 : -1
    const tail: [number, number][] = [
      [0.1, -0.5],
      [0.5, -0.45],
      [0.86, -0.1],
      [0.9, 0.5],
      [0.78, 1.25],
      [0.62, 0.9],
      [0.6, 0.3],
      [0.3, 0],
    ]
    svg.fill(rounded(tail.map(([x, y]) => view.project([hand * x, y, -0.75]))), sketch.paint(lit(colour, 0.8)))
  }
  if (!coversEars(sketch)) return
  const wide = skull.halfWidth(0.1) + cut.side
  const shape: [number, number][] = [
    [-wide, -0.5],
    [-wide * 1.05, 0.2],
    [-wide * (1.02 + 0.12 * volume), cut.end * 0.8],
    [-wide * 0.9, cut.end],
    [wide * 0.9, cut.end],
    [wide * (1.02 + 0.12 * volume), cut.end * 0.8],
    [wide * 1.05, 0.2],
    [wide, -0.5],
  ]
  svg.fill(rounded(shape.map(([x, y]) => view.project([x, y, -0.35]))), sketch.paint(lit(colour, 0.62)))
}

/** The hair on the skull, beneath the skin of the face; says where the face is free of hair. */
export function paintHair(sketch: Sketch): Point[] | undefined {
  const { svg, person, view, unit } = sketch
  const { hair } = person
  if (hair.style === 'bald') return undefined
  const dice = new Dice(hair.seed)
  const cut = cutOf(hair.style, hair.volume)
  if (hair.style === 'bun') {
    const knot = view.project([0, -1.12, -0.25])
    const size = unit * (0.2 + 0.13 * hair.volume)
    svg.fill(rounded(circle(knot, size)), sketch.paint(lit(hair.colour, 0.9)))
  }
  const shell = (angle: number, y: number) => {
    const high = Math.min(1, Math.max(0, (-0.1 - y) / 0.6))
    const low = Math.max(0, (y + 0.15) / 0.4)
    return sketch.around(angle, y, (cut.side + (cut.top - cut.side) * high) * (1 - 0.5 * low * low))
  }
  const levels = [-0.96, -0.93, -0.87, -0.78, -0.65, -0.5, -0.35, -0.2, -0.05, 0.1, 0.25]
  const outline = hull(
    levels.flatMap((y) =>
      angles.filter((angle) => Math.abs(angle) >= 75 || y < -hair.line).map((angle) => shell(angle, y)),
    ),
  )
  svg.fill(rounded(outline), sketch.paint(hair.colour, 0.8))
  const around = cut.curls ? spaced(outline, unit * cut.curls * 0.9) : []
  for (const point of around) {
    const size = unit * cut.curls! * dice.between(0.7, 1.15)
    svg.fill(rounded(circle(point, size)), sketch.paint(lit(hair.colour, dice.between(0.92, 1.06)), 0.8))
  }
  paintStrands(sketch, dice, cut, shell)
  return openingOf(sketch, cut)
}

function paintStrands(sketch: Sketch, dice: Dice, cut: Cut, shell: (angle: number, y: number) => Point): void {
  const { svg, person, unit } = sketch
  const { hair } = person
  const strand = (angle: number, start: number) => {
    if (cut.curls) {
      const [x, y] = shell(angle, start)
      const size = unit * cut.curls * 0.6
      return bend([
        [x - size, y],
        [x, y - size],
        [x + size, y + size * 0.2],
      ])
    }
    const from = cut.parted ? hair.parting * 40 : angle * 0.7
    const long = dice.between(0.69, 0.81)
    return bend([0, 0.35, 0.7, 1].map((part) => shell(from + (angle - from) * part ** 0.6, start + part * long)))
  }
  // Strands of a tone are one shape: many shapes cost time.
  for (const tone of [0.6, 0.8, 1.14, 1.28]) {
    const strands = Array.from({ length: 9 }, (_, index) =>
      strand(
        dice.between(-115, 115),
        cut.parted ? -0.94 : dice.between(-0.95, -0.6) + (cut.curls ? (index % 4) * 0.16 : 0),
      ),
    )
    svg.line(strands.join(''), lit(hair.colour, tone), unit * dice.between(0.015, 0.035), dice.between(0.3, 0.5))
  }
}

/** The face's edge from temple to temple over the forehead, closed beneath the eyes. */
function openingOf(sketch: Sketch, cut: Cut): Point[] {
  const { person, skull } = sketch
  const { line, fringe, parting, style, volume } = person.hair
  // A fringe hides where the hairline recedes.
  const recedes = fringe > 0 ? 0 : person.hair.recedes
  const half = skull.halfWidth(-0.4)
  const apex = cut.parted ? parting * 0.5 : 0
  const closed = coversEars(sketch) ? 0.2 + 0.25 * volume : 0.06
  const top = Array.from({ length: 21 }, (_, index) => {
    const part = index / 10 - 1
    const reach = part < apex ? (apex - part) / (apex + 1) : (part - apex) / (1 - apex)
    const corner = cut.parted ? 0 : -recedes * Math.exp(-(((Math.abs(part) - 0.55) / 0.22) ** 2))
    const drop = cut.parted ? (0.12 + closed) * reach ** 2.2 : 0
    const peak = cut.parted ? 0 : 0.03 * Math.exp(-((part / 0.15) ** 2))
    const y = Math.max(-0.9, -line + corner + drop + peak + 0.16 * Math.abs(part) ** 5)
    return sketch.on(part * half * (style === 'buzz' ? 0.97 : 0.94), y)
  })
  const temples = (hand: number) =>
    [-0.3, -0.15, 0, 0.15, 0.3].map((y) => sketch.on(hand * skull.halfWidth(y) * (0.95 - closed * 0.25), y))
  return [...temples(-1).toReversed(), ...top, ...temples(1)]
}

/** What hangs over the forehead. */
export function paintFringe(sketch: Sketch): void {
  const { svg, person, skull } = sketch
  const { hair } = person
  if (hair.style === 'bald' || hair.style === 'buzz') return
  const cut = cutOf(hair.style, hair.volume)
  const dice = new Dice(hair.seed, 2)
  if (hair.fringe > 0 && hair.style !== 'swept') {
    const half = skull.halfWidth(-0.35) * 0.95
    const low = -hair.line + (hair.line - 0.2) * hair.fringe
    const teeth = Array.from({ length: 15 }, (_, index) => {
      const part = index / 7 - 1
      return sketch.on(part * half, low + dice.between(-0.05, 0.05) + 0.08 * part * part, 0.05)
    })
    const top = Array.from({ length: 9 }, (_, index) =>
      sketch.on((1 - index / 4) * half, -hair.line - 0.12, cut.top * 0.6),
    )
    svg.fill(rounded([...teeth, ...top]), sketch.paint(hair.colour, 0.8))
    for (const [index, point] of teeth.entries()) {
      if (index % 2)
        svg.line(
          bend([sketch.on((index / 7 - 1) * half * 0.8, -hair.line - 0.08, 0.05), point]),
          lit(hair.colour, dice.between(0.6, 1.25)),
          sketch.unit * 0.02,
          0.5,
        )
    }
  }
}

/** Hair that hangs beside the face on one side (-1 left in the picture). */
export function paintLock(sketch: Sketch, hand: number): void {
  const { svg, person, skull, view } = sketch
  const { hair } = person
  const cut = cutOf(hair.style, hair.volume)
  const dice = new Dice(hair.seed, 3 + hand)
  const wide = skull.halfWidth(0.1)
  const inner = wide * (0.98 - 0.16 * hair.volume)
  const shape: [number, number, number][] = [
    [wide * 0.9, -0.55, 0.2],
    [inner, -0.1, 0.16],
    [inner * 1.02, 0.4, 0.1],
    [inner * 0.98, cut.end * 0.85, 0],
    [wide * 1.0, cut.end, -0.1],
    [wide * 1.1 + cut.side, cut.end * 0.85, -0.1],
    [wide * 1.04 + cut.side, 0.2, -0.05],
    [wide * 0.98 + cut.side, -0.4, 0],
  ]
  svg.fill(rounded(shape.map(([x, y, z]) => view.project([hand * x, y, z]))), sketch.paint(hair.colour, 0.8))
  for (const aside of [0.25, 0.5, 0.75]) {
    const at = (y: number) => view.project([hand * (inner + (wide * 1.04 + cut.side - inner) * aside), y, 0.05])
    const strand = bend([at(-0.4), at(0.3), at(cut.end * 0.9)])
    svg.line(strand, lit(hair.colour, dice.between(0.6, 1.25)), sketch.unit * 0.03, 0.45)
  }
}

function circle([x, y]: Point, radius: number): Point[] {
  return Array.from({ length: 8 }, (_, index) => [
    x + Math.cos((index * Math.PI) / 4) * radius * 1.06,
    y + Math.sin((index * Math.PI) / 4) * radius * 1.06,
  ])
}

/** Points along a closed line, about so far apart. */
function spaced(line: readonly Point[], apart: number): Point[] {
  return line.flatMap((point, index) => {
    const next = line[(index + 1) % line.length]!
    const steps = Math.max(1, Math.round(Math.hypot(next[0] - point[0], next[1] - point[1]) / apart))
    return Array.from(
      { length: steps },
      (_, step): Point => [
        point[0] + ((next[0] - point[0]) * step) / steps,
        point[1] + ((next[1] - point[1]) * step) / steps,
      ],
    )
  })
}

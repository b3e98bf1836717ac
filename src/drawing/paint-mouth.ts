import { lit, mix } from './colour.ts'
import type { Sketch } from './sketch.ts'
import type { Point, Point3 } from './skull.ts'
import { bend, hull, polygon, rounded } from './svg.ts'

const steps = Array.from({ length: 13 }, (_, index) => index / 6 - 1)

interface Lips {
  halfWidth: number
  /** Of the line between the lips, of the upper lip's lower edge and of the lower lip's upper edge, and their outer edges. */
  line(part: number): number
  inner: { above(part: number): number; below(part: number): number }
  outer: { above(part: number): number; below(part: number): number }
}

function lipsOf({ person: { mouth }, mood }: Sketch): Lips {
  const smile = mood.smile
  const gap = mood.open * 0.17
  const corner = mouth.corners - smile * 0.055
  const tight = 1 - 0.25 * Math.max(0, smile)
  const line = (part: number) => mouth.y + corner * Math.abs(part) ** 1.7 + 0.012 * smile * (1 - part * part)
  const round = (part: number) => Math.max(0, 1 - part * part) ** 0.75
  const bow = (part: number) => 1 - mouth.bow * 0.34 * Math.exp(-((part / 0.16) ** 2))
  const inner = {
    above: (part: number) => line(part) - gap * 0.22 * round(part),
    below: (part: number) => line(part) + gap * round(part),
  }
  return {
    halfWidth: mouth.halfWidth * (1 + 0.24 * Math.max(0, smile) - 0.18 * mood.open * (1 - Math.max(0, smile))),
    line,
    inner,
    outer: {
      above: (part) => inner.above(part) - mouth.upper * tight * bow(part) * Math.max(0, 1 - Math.abs(part) ** 1.6),
      below: (part) => inner.below(part) + mouth.lower * tight * Math.max(0, 1 - part * part) ** 0.9,
    },
  }
}

/** Where a corner of the mouth is (-1 left in the picture). */
export function mouthCorner(sketch: Sketch, hand: number): Point3 {
  const { halfWidth, line } = lipsOf(sketch)
  return sketch.skull.skin(hand * halfWidth, line(1))
}

export function paintMouth(sketch: Sketch): void {
  const { svg, person, mood, unit } = sketch
  const { mouth, skin } = person
  const lips = lipsOf(sketch)
  const edge = (height: (part: number) => number, out = 0) =>
    steps.map((part) => sketch.on(part * lips.halfWidth, height(part), out * (1 - part * part)))
  const { inner, outer } = lips
  const [above, below] = [edge(inner.above), edge(inner.below)]
  if (mood.open > 0.06) {
    svg.fill(polygon([...above, ...below.toReversed()]), [58, 18, 20])
    const teeth = steps.map((part) =>
      sketch.on(
        part * lips.halfWidth * 0.9,
        Math.min(inner.above(part) + 0.07, inner.above(part) * 0.35 + inner.below(part) * 0.65),
      ),
    )
    const top = steps.map((part) => sketch.on(part * lips.halfWidth * 0.9, inner.above(part)))
    svg.fill(polygon([...top, ...teeth.toReversed()]), sketch.paint([238, 232, 222], 0.5))
    sketch.spot(0, mouth.y + mood.open * 0.15, lips.halfWidth * 0.6, 0.05, [190, 84, 84], 0.5)
  }
  svg.fill(polygon([...edge(outer.above, 0.03), ...above.toReversed()]), sketch.paint(lit(mouth.colour, 0.84)))
  svg.fill(polygon([...below, ...edge(outer.below, 0.03).toReversed()]), sketch.paint(mouth.colour))
  const shine = mouth.y + mood.open * 0.17 + mouth.lower * 0.4
  sketch.spot(0, shine, lips.halfWidth * 0.4, mouth.lower * 0.35, lit(mouth.colour, 1.5), 0.4, 0.03)
  if (mood.open <= 0.06)
    svg.line(bend(edge(lips.line)), mix(lit(mouth.colour, 0.35), [40, 10, 14], 0.4), unit * 0.022, 0.85)
  for (const hand of [-1, 1])
    sketch.spot(hand * (lips.halfWidth + 0.01), lips.line(1), 0.04, 0.035, lit(skin, 0.4), 0.6)
  sketch.spot(0, mouth.y - mouth.upper - 0.05, 0.03, 0.05, lit(skin, 0.6), 0.35)
}

/** Hair of the face, above the skin and beneath the mouth. */
export function paintBeard(sketch: Sketch): void {
  const { svg, person, skull, mood, unit, dice } = sketch
  const { beard, mouth, nose, eyes } = person
  if (beard.style === 'none') return
  const { halfWidth, line, outer } = lipsOf(sketch)
  const colour = sketch.paint(beard.colour)
  const base = eyes.y + nose.length
  const lip = mouth.y - mouth.upper
  const chin = skull.chin
  const drop = mood.open * 0.1
  const mirror = (points: [number, number][]) => [
    ...points.map(([x, y]) => sketch.on(x, y, 0.01)),
    ...points.toReversed().map(([x, y]) => sketch.on(-x, y, 0.01)),
  ]
  if (beard.style === 'stubble' || beard.style === 'full') {
    const jaw = [0.12, 0.3, 0.45, 0.6, 0.75, 0.88, 0.97].map((part) => 0.02 + (chin - 0.02) * part)
    const cheek: [number, number][] = [
      [halfWidth * 0.35, lip - 0.02],
      [halfWidth + 0.06, lip + 0.02],
      [skull.halfWidth(0.55) * 0.7, 0.6],
      [skull.halfWidth(0.35) * 0.9, 0.36],
      [skull.halfWidth(0.1) * 0.97, 0.05],
    ]
    const left = cheek.toReversed().map(([x, y]) => sketch.on(-x, y))
    const right = cheek.map(([x, y]) => sketch.on(x, y))
    const long = beard.style === 'full' ? 0.03 + 0.1 * beard.density : 0
    const under = hull(
      jaw.flatMap((y) =>
        [-95, -80, -60, -30, 0, 30, 60, 80, 95].map((angle) => sketch.around(angle, y + long * (y - 0.2), long * 0.6)),
      ),
    )
    const below = under.filter(([x, y]) => {
      // Only what lies beneath the line of the cheeks.
      const [[lx, ly], [rx, ry]] = [left[0]!, right.at(-1)!]
      return (y - ly) * (rx - lx) - (ry - ly) * (x - lx) > 0
    })
    const around = below.sort((a, b) => angleOf(a, right.at(-1)!, left[0]!) - angleOf(b, right.at(-1)!, left[0]!))
    svg.fill(
      rounded([...left, ...right, ...around]),
      colour,
      beard.style === 'full' ? 0.95 : 0.2 + 0.18 * beard.density,
    )
    if (beard.style === 'full') {
      for (let count = 0; count < 26; count++) {
        const [x, y] = [dice.between(-0.45, 0.45), dice.between(0.72, chin)]
        svg.line(
          bend([sketch.on(x, y), sketch.on(x * 1.03, y + 0.07)]),
          lit(beard.colour, dice.between(0.7, 1.5)),
          unit * 0.012,
          0.5,
        )
      }
    }
  }
  if (beard.style === 'goatee') {
    const points: [number, number][] = [
      [0.05, mouth.y + mouth.lower + 0.04 + drop],
      [halfWidth * 0.75, mouth.y + mouth.lower + 0.07 + drop],
      [halfWidth * 0.8, chin - 0.08],
      [halfWidth * 0.4, chin + 0.02],
    ]
    svg.fill(rounded(mirror(points)), colour, 0.9)
  }
  if (beard.style === 'moustache' || beard.style === 'goatee' || beard.style === 'full') {
    const wide = halfWidth * (beard.style === 'moustache' ? 0.95 + 0.35 * beard.density : 1.12)
    const points: [number, number][] = [
      [0.02, base + 0.045],
      [halfWidth * 0.55, base + 0.07],
      [wide, line(1) - 0.01],
      [wide * 0.94, line(1) + 0.02],
      [halfWidth * 0.5, outer.above(0.5) + 0.012],
      [0.03, outer.above(0.15) + 0.008],
    ]
    svg.fill(rounded(mirror(points)), colour, 0.93)
  }
}

/** How far around their middle a point is on the way from the right end to the left one, with the clock. */
function angleOf([x, y]: Point, right: Point, left: Point): number {
  const [mx, my] = [(right[0] + left[0]) / 2, (right[1] + left[1]) / 2]
  const angle = Math.atan2(y - my, x - mx) - Math.atan2(right[1] - my, right[0] - mx)
  return (angle + 2 * Math.PI) % (2 * Math.PI)
}

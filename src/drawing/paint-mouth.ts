import { lit, mix } from './colour.ts'
import type { Sketch } from './sketch.ts'
import type { Point3 } from './skull.ts'
import { bend, polygon } from './svg.ts'

const steps = Array.from({ length: 13 }, (_, index) => index / 6 - 1)

export interface Lips {
  halfWidth: number
  /** Of the line between the lips, of the upper lip's lower edge and of the lower lip's upper edge, and their outer edges. */
  line(part: number): number
  inner: { above(part: number): number; below(part: number): number }
  outer: { above(part: number): number; below(part: number): number }
}

export function lipsOf({ person: { mouth }, mood }: Sketch): Lips {
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

import { lit, mix } from './colour.ts'
import type { Sketch } from './sketch.ts'
import type { Point, Point3 } from './skull.ts'
import { bend, polygon, rounded } from './svg.ts'

/** Where the tip of the nose is. */
export function noseTip({ person: { nose, eyes }, skull }: Sketch): Point3 {
  const y = eyes.y + nose.length - 0.07 - nose.turnedUp
  const [, , z] = skull.skin(0, y)
  return [0, y, z + nose.reach]
}

export function paintNose(sketch: Sketch): void {
  for (const hand of [-1, 1]) paintFlank(sketch, hand)
  for (const hand of [-1, 1]) sketch.svg.fill(rounded(wing(sketch, hand)), sketch.paint(lit(sketch.person.skin, 0.9)))
  paintBase(sketch)
  for (const hand of [-1, 1]) paintNostril(sketch, hand)
  paintShine(sketch)
}

/** From between the brows to nearly the tip. */
const shares = [0, 0.25, 0.5, 0.75, 0.95]

/** Where the nose begins, between the eyes, and where it ends. */
function span({ person: { eyes, nose } }: Sketch): { top: number; base: number } {
  return { top: eyes.y - 0.08, base: eyes.y + nose.length }
}

function ridge(sketch: Sketch, share: number, aside = 0): Point {
  const { top } = span(sketch)
  const y = top + (noseTip(sketch)[1] - top) * share
  const out = sketch.person.nose.reach * share ** 1.15 + 0.03
  return sketch.view.project([aside, y, sketch.skull.skin(0, y)[2] + out])
}

/** A side of the nose is lighter or darker than the cheek. */
function paintFlank(sketch: Sketch, hand: number): void {
  const { nose, skin } = sketch.person
  const { top, base } = span(sketch)
  const slope: Point3 = [hand * 0.9, 0.05, 0.55]
  const shade = sketch.shade(slope) / sketch.shade([0, 0, 1])
  const foot = (share: number, wide: number) =>
    sketch.on(
      hand * wide * (nose.bridge * 1.2 + (nose.width * 0.98 - nose.bridge) * share ** 2),
      top + (base - 0.04 - top) * share,
    )
  const colour = shade < 1 ? lit(skin, 0.5) : lit(skin, 1.25)
  const strength = Math.min(0.5, Math.abs(1 - shade) * 0.9) + (shade < 1 ? 0.14 : 0)
  // Less of it is seen between the brows than above the wing; two layers make its edge softer.
  const paint = sketch.svg.gradient(ridge(sketch, 0), ridge(sketch, 1), [
    [0, colour, shade < 1 ? 0.45 : 0],
    [0.45, colour, 0.55],
    [1, colour, 1],
  ])
  for (const wide of [0.8, 1.15]) {
    const inner = shares.map((share) => ridge(sketch, share, hand * nose.bridge * (0.62 - 0.2 * wide)))
    const outer = shares.map((share) => foot(share, wide))
    sketch.svg.fill(polygon([...inner, ...outer.toReversed()]), paint, strength * 0.55)
  }
}

/** The ball of the tip, and the shadow and the edge beneath it. */
function paintBase(sketch: Sketch): void {
  const { svg, person, view, unit, light } = sketch
  const { nose, skin } = person
  const { base } = span(sketch)
  const [x, y] = view.project(noseTip(sketch))
  const size = nose.tip * unit
  svg.spot([x, y + size * 0.2], [size * 1.7, 0], [0, size * 1.5], lit(skin, 0.86), 0.75)
  sketch.spot(0, base + 0.03, nose.width * 1.15, 0.07, lit(skin, 0.45), 0.4 + 0.25 * light.contrast)
  const under = [-1, -0.45, 0, 0.45, 1].map((part) =>
    sketch.on(
      part * nose.width * 0.92,
      base - 0.012 + 0.03 * (1 - part * part) - nose.turnedUp * 0.4,
      nose.reach * 0.72 * (1 - part * part * 0.6),
    ),
  )
  svg.line(bend(under), lit(skin, 0.42), unit * 0.022, 0.55)
}

function paintNostril(sketch: Sketch, hand: number): void {
  const { svg, person, view, unit } = sketch
  const { nose, skin } = person
  const { base } = span(sketch)
  const edge: [number, number][] = [
    [1.02, -0.1],
    [1.16, -0.05],
    [1.1, 0.012],
    [0.86, 0.015],
  ]
  const fold = edge.map(([x, y]) => sketch.on(hand * nose.width * x, base + y, 0.03))
  svg.line(bend(fold), lit(skin, 0.42), unit * 0.02, 0.62)
  // From below more of it is seen.
  const seen = 1 + nose.turnedUp * 9 - view.pose.pitch * 0.025
  const middle = sketch.on(hand * nose.width * 0.48, base - 0.012, nose.reach * 0.6)
  const across = unit * nose.width * 0.27
  const down = unit * 0.024 * Math.max(0.35, Math.min(2, seen))
  svg.spot(middle, [across * 1.15, hand * across * 0.2], [0, down * 1.7], mix(lit(skin, 0.2), [40, 10, 10], 0.5), 1)
}

function paintShine(sketch: Sketch): void {
  const { svg, person, view, unit, light } = sketch
  const { nose, skin } = person
  const bright = lit(skin, 1.4)
  const paint = svg.gradient(ridge(sketch, 0.1), ridge(sketch, 1), [
    [0, bright, 0],
    [1, bright, 0.36],
  ])
  const edge = (aside: number) => shares.map((share) => ridge(sketch, share, aside))
  svg.fill(polygon([...edge(-nose.bridge * 0.3), ...edge(nose.bridge * 0.3).toReversed()]), paint)
  const [x, y] = view.project(noseTip(sketch))
  const size = nose.tip * unit
  svg.spot([x + light.from[0] * size * 0.4, y - size * 0.35], [size * 0.6, 0], [0, size * 0.5], lit(skin, 1.55), 0.6)
}

function wing(sketch: Sketch, hand: number): Point[] {
  const { base } = span(sketch)
  const { width, reach, tip } = sketch.person.nose
  const points: [x: number, y: number, out: number][] = [
    [0.2, -tip * 0.9, 0.85],
    [0.75, -tip * 1.1, 0.4],
    [1.06, -0.06, 0.1],
    [1.05, 0.0, 0.08],
    [0.6, 0.012, 0.4],
    [0.1, 0.024, 0.7],
  ]
  return points.map(([x, y, out]) => sketch.on(hand * width * x, base + y, reach * out))
}

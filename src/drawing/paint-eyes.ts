import { lit, mix, white } from './colour.ts'
import type { Sketch } from './sketch.ts'
import type { Point } from './skull.ts'
import { bend, polygon, rounded } from './svg.ts'

const steps = Array.from({ length: 13 }, (_, index) => index / 6 - 1)

/** An opened eye. Along it, -1 is the inner corner and 1 the outer one; heights are from the line between them. */
interface Eye {
  hand: number
  open: number
  /** A point beside or in the eye. */
  at(along: number, height: number): Point
  upper(along: number): number
  lower(along: number): number
}

/** One eye (-1 left in the picture) with its lids. */
export function paintEye(sketch: Sketch, hand: number): void {
  const eye = eyeOf(sketch, hand)
  const above = steps.map((along) => eye.at(along, eye.upper(along)))
  const below = steps.map((along) => eye.at(along, eye.lower(along)))
  sketch.svg.fill(polygon([...above, ...below.toReversed()]), sketch.paint([236, 232, 228], 0.6))
  if (eye.open > 0.12) {
    paintIris(sketch, eye)
    // The upper lid throws a shadow.
    sketch.svg.line(bend(above), [40, 24, 22], sketch.unit * 0.05, 0.28)
  }
  paintLashes(sketch, eye, above)
  paintLids(sketch, eye, below)
}

function eyeOf(sketch: Sketch, hand: number): Eye {
  const { person, mood } = sketch
  const { eyes } = person
  const open = Math.max(0, mood.eyes)
  const squint = Math.max(0, mood.smile) * 0.35
  return {
    hand,
    open,
    at: (along, height) =>
      sketch.on(hand * (eyes.apart + along * eyes.halfWidth), eyes.y - along * eyes.tilt + height, -0.02),
    upper: (along) => -eyes.height * open * arch(along, eyes.peak),
    lower: (along) => eyes.height * 0.62 * open * (1 - squint) * arch(along, 0.25),
  }
}

function paintIris(sketch: Sketch, { hand, open, at, upper, lower }: Eye): void {
  const { svg, person, mood, view } = sketch
  const { eyes } = person
  // Eyes go on looking at the camera when the head turns.
  const aside = hand * clamp(mood.gaze[0] * 0.3 - view.pose.yaw * 0.011, 0.45)
  const look = clamp(mood.gaze[1] * 0.3 - view.pose.pitch * 0.006, 0.3)
  const level = look * eyes.height - eyes.height * open * 0.16
  // As much of a disc as the lids leave free.
  const disc = (radius: number) =>
    polygon(
      Array.from({ length: 20 }, (_, index) => {
        const angle = (index * Math.PI) / 10
        const along = clamp(aside + (Math.cos(angle) * radius) / eyes.halfWidth, 0.98)
        const y = level + Math.sin(angle) * radius
        return at(along, Math.max(upper(along), Math.min(lower(along), y)))
      }),
    )
  const radius = 0.066
  svg.fill(disc(radius), lit(eyes.iris, 0.5))
  svg.fill(disc(radius * 0.84), sketch.paint(eyes.iris, 0.4))
  svg.fill(disc(radius * 0.48), [12, 10, 12])
  sketch.dot(at(aside - hand * 0.12, Math.max(upper(aside) * 0.7, level - 0.025)), white, 0.026, 0.9)
}

function paintLashes({ svg, person: { eyes, skin } }: Sketch, { at, upper }: Eye, lid: Point[]): void {
  const dark = mix(lit(skin, 0.3), [30, 20, 20], 0.5)
  const thick = (along: number) => (0.016 + 0.02 * eyes.lashes) * (0.5 + (0.5 * (along + 1)) / 2)
  const edge = steps.toReversed().map((along) => at(along, upper(along) - thick(along)))
  svg.fill(polygon([...lid, ...edge]), dark, 0.95)
  if (eyes.lashes <= 0.6) return
  svg.fill(polygon([at(0.8, upper(0.8)), at(1.25, upper(1) - 0.035), at(1, upper(1) + 0.01)]), dark, 0.9)
}

/** The lower lid's edge, the upper one's fold, what age hangs beneath, and the inner corner. */
function paintLids(sketch: Sketch, { open, at, upper, lower }: Eye, lid: Point[]): void {
  const { svg, person, unit } = sketch
  const { eyes, skin, age } = person
  svg.line(bend(lid), lit(skin, 0.5), unit * 0.014, 0.65)
  const over = 0.03 + 0.034 * eyes.crease + 0.02 * (1 - open)
  const fold = steps.slice(1).map((along) => at(along * 1.04, upper(along) - over))
  svg.line(bend(fold), lit(skin, 0.48), unit * 0.018, 0.35 + 0.45 * eyes.crease)
  if (age > 0.4) {
    const bag = steps.slice(2, -2).map((along) => at(along, lower(along) + 0.075))
    svg.line(bend(bag), lit(skin, 0.55), unit * 0.018, age * 0.6)
  }
  sketch.dot(at(-0.97, 0.004), mix(skin, [180, 60, 60], 0.6), 0.024, 0.8)
}

export function paintBrow(sketch: Sketch, hand: number): void {
  const { svg, person, mood, unit } = sketch
  const { brows, eyes } = person
  const raised = -0.05 * mood.brows
  const inner = eyes.apart - eyes.halfWidth * 0.95 + brows.apart * 0.5
  const spine = steps.map((part) => {
    const along = (part + 1) / 2
    const frown = mood.brows < 0 ? -mood.brows * 0.05 * (1 - along) : 0
    const y = brows.y + raised + frown - brows.arch * (1 - ((along - 0.62) / 0.62) ** 2) - brows.slant * (along - 0.5)
    const thick = brows.thickness * (along < 0.15 ? 0.7 + along * 2 : 1 - ((along - 0.15) / 0.85) ** 2 * 0.85)
    return { x: hand * (inner + along * brows.length * 1.75), y, thick }
  })
  const outline = [
    ...spine.map(({ x, y, thick }) => sketch.on(x, y - thick / 2)),
    ...spine.toReversed().map(({ x, y, thick }) => sketch.on(x, y + thick / 2)),
  ]
  svg.fill(rounded(outline), brows.colour, 0.72)
  const hairs = spine
    .slice(0, -2)
    .map(({ x, y, thick }) => bend([sketch.on(x, y + thick * 0.5), sketch.on(x + hand * 0.04, y - thick * 0.55)]))
  svg.line(hairs.join(''), brows.colour, unit * 0.022, 0.4)
}

/** 0 at both ends and 1 at the peak. */
function arch(along: number, peak: number): number {
  const shifted = along - peak * 0.45 * (1 - along * along)
  return Math.max(0, 1 - Math.abs(shifted) ** 2.2)
}

function clamp(value: number, most: number): number {
  return Math.max(-most, Math.min(most, value))
}

import { type Colour, lit, mix } from './colour.ts'
import type { Sketch } from './sketch.ts'
import type { Point } from './skull.ts'
import { bend, hull, polygon, rounded } from './svg.ts'

export const angles = Array.from({ length: 25 }, (_, index) => index * 15 - 180)

/** The skin of the whole head, or, where there is hair, of what is free of it. */
export function paintSkin(sketch: Sketch, opening?: Point[]): void {
  const { svg, skull, person, unit, light } = sketch
  const from = opening ? 0.12 : -0.95
  const levels = Array.from({ length: 16 }, (_, index) => from + ((skull.chin - from) * index) / 15)
  const shown = opening ? angles.filter((angle) => Math.abs(angle) <= 105) : angles
  const outline = hull(levels.flatMap((y) => shown.map((angle) => sketch.around(angle, y))))
  const paint = sketch.paint(person.skin)
  const path = rounded(outline) + (opening ? polygon(opening) : '')
  svg.fill(path, paint)
  // The rim turns away from the viewer and gets darker.
  const rim = lit(person.skin, 0.62)
  const [x, y] = sketch.sitting.at
  svg.fill(
    path,
    svg.gradient(
      [x - unit * 0.72, y],
      [x + unit * 0.72, y],
      [
        [0, rim, 0.55],
        [0.26, rim, 0],
        [0.74, rim, 0],
        [1, rim, 0.55],
      ],
    ),
  )
  const chin = sketch.around(0, skull.chin)
  const mouth = sketch.on(0, 0.72)
  svg.fill(
    path,
    svg.gradient(chin, mouth, [
      [0, rim, 0.35 + 0.25 * light.contrast],
      [1, rim, 0],
    ]),
  )
}

/** The relief of the face: cheeks, temples, sockets, chin, and what age draws. */
export function paintRelief(sketch: Sketch): void {
  const { person, light, mood, skull } = sketch
  const { skin, cheeks, eyes, mouth, age } = person
  const [dark, bright] = [lit(skin, 0.58), lit(skin, 1.3)]
  const side = -Math.sign(light.from[0])
  const width = skull.halfWidth(0.35)
  // The side away from the light.
  sketch.spot(side * width * 0.86, 0.2, 0.3, 0.75, dark, 0.5 * light.contrast)
  sketch.spot(0, -0.42, 0.42, 0.2, bright, 0.28)
  for (const hand of [-1, 1]) {
    const towards = hand === side ? 0.4 : 1
    sketch.spot(hand * eyes.apart, eyes.y - 0.03, eyes.halfWidth * 1.75, 0.17, dark, 0.5)
    sketch.spot(hand * width * 0.56, 0.27 - 0.03 * mood.smile, 0.19, 0.12, bright, (0.2 + 0.25 * cheeks.bone) * towards)
    sketch.spot(hand * width * 0.62, 0.4, 0.17, 0.13, mix(skin, [214, 70, 62], 0.7), 0.28 * cheeks.red + 0.1)
    sketch.spot(hand * width * 0.68, 0.58, 0.15, 0.2, dark, 0.12 + 0.3 * cheeks.bone)
    sketch.spot(hand * skull.halfWidth(-0.3) * 0.9, -0.25, 0.12, 0.25, dark, 0.25)
    sketch.spot(hand * eyes.apart * 0.94, eyes.y + 0.15, eyes.halfWidth * 0.9, 0.06, dark, 0.12 + 0.4 * age)
    paintFolds(sketch, hand, dark)
  }
  sketch.spot(0, mouth.y + mouth.lower + 0.075, 0.13, 0.05, dark, 0.42)
  sketch.spot(0, skull.chin - 0.1, 0.14, 0.08, bright, 0.24)
  for (const { x, y, size } of person.freckles)
    sketch.spot(x, y, size * 1.6, size * 1.6, mix(skin, [120, 62, 30], 0.75), 0.75)
  if (age > 0.45) paintForehead(sketch, dark, (age - 0.45) * 1.3)
}

export function paintMoles(sketch: Sketch): void {
  for (const { x, y, size } of sketch.person.moles) sketch.dot(sketch.on(x, y), [58, 34, 26], size * 2, 0.9)
}

function paintFolds(sketch: Sketch, hand: number, dark: Colour): void {
  const { svg, unit, person, mood } = sketch
  const { nose, mouth, eyes, cheeks, age } = person
  const smile = Math.max(0, mood.smile)
  const fold = Math.min(1, cheeks.fold * 0.7 + smile * 0.45)
  const corner = mouth.halfWidth * (1 + 0.22 * smile)
  const points: [number, number][] = [
    [nose.width + 0.02, nose.length - 0.05],
    [nose.width + 0.09 + 0.02 * smile, nose.length + 0.07],
    [corner + 0.07, mouth.y - 0.02 - 0.05 * smile],
    [corner + 0.06, mouth.y + 0.07],
  ]
  const path = bend(points.map(([x, y]) => sketch.on(hand * x, y)))
  svg.line(path, dark, unit * 0.045, fold * 0.32)
  svg.line(path, dark, unit * 0.016, fold * 0.6)
  if (cheeks.dimple && smile > 0.3) sketch.spot(hand * (corner + 0.12), mouth.y - 0.03, 0.025, 0.05, dark, 0.8)
  if (age > 0.5 || smile > 0.6) {
    for (const slant of [-0.05, 0.01, 0.07]) {
      const x = eyes.apart + eyes.halfWidth
      const feet = bend([
        sketch.on(hand * (x + 0.04), eyes.y + slant * 0.4),
        sketch.on(hand * (x + 0.09), eyes.y + slant),
        sketch.on(hand * (x + 0.13), eyes.y + slant * 1.8),
      ])
      svg.line(feet, dark, unit * 0.012, Math.max(age * 0.7, smile * 0.3))
    }
  }
}

function paintForehead(sketch: Sketch, dark: Colour, strength: number): void {
  for (const [at, y] of [-0.36, -0.43, -0.5].entries()) {
    const half = 0.32 - at * 0.04
    const points = [-1, -0.5, 0, 0.5, 1].map((part) => sketch.on(part * half, y + 0.02 * Math.cos(part * 5 + at)))
    sketch.svg.line(bend(points), dark, sketch.unit * 0.014, Math.min(0.7, strength))
  }
}

/** An ear on one side (-1 left in the picture). */
export function paintEar(sketch: Sketch, hand: number): void {
  const { svg, skull, person, view, unit } = sketch
  const { size, out, y: middle } = person.ears
  const root = skull.halfWidth(middle)
  // Flat on the head it lies along it; standing out it is seen from the front.
  const point = (back: number, y: number): Point =>
    view.project([
      hand * (root * 0.97 + back * size * (0.2 + 0.42 * out)),
      middle + y * size,
      -0.02 - back * size * (0.75 - 0.35 * out),
    ])
  const shape: [number, number][] = [
    [0, -0.55],
    [0.35, -0.78],
    [0.8, -0.72],
    [0.98, -0.35],
    [0.86, 0.05],
    [0.6, 0.4],
    [0.42, 0.78],
    [0.12, 0.82],
    [-0.1, 0.5],
  ]
  svg.fill(
    rounded(shape.map(([back, y]) => point(back, y))),
    sketch.paint(mix(lit(person.skin, 0.9), [200, 90, 80], 0.1)),
  )
  const inner: [number, number][] = [
    [0.28, -0.45],
    [0.66, -0.48],
    [0.7, -0.1],
    [0.42, 0.22],
    [0.2, 0.3],
  ]
  svg.line(bend(inner.map(([back, y]) => point(back, y))), lit(person.skin, 0.55), unit * 0.03, 0.6)
}

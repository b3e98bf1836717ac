import { type Colour, lit } from './colour.ts'
import type { Sketch } from './sketch.ts'
import type { Point } from './skull.ts'
import { bend, polygon, rounded } from './svg.ts'

const cloths: Colour[] = [
  [40, 54, 92],
  [150, 42, 46],
  [58, 104, 74],
  [212, 178, 72],
  [226, 222, 214],
  [48, 48, 54],
  [116, 140, 172],
  [168, 108, 132],
  [92, 72, 60],
  [70, 130, 140],
]

/** Neck, shoulders and clothes; clothes are new on every picture. */
export function paintBody(sketch: Sketch, bottom: number): void {
  const { svg, person, view, unit, dice, skull } = sketch
  const { neck, shoulders } = person.build
  const [x0, y0] = view.project([0, 0.72, -0.22])
  const turn = view.pose.yaw * 0.012
  const at = (x: number, y: number): Point => [x0 + (x - turn * (y > 0.5 ? 0.25 : 0.1)) * unit, y0 + y * unit]
  const down = Math.max(1.6, (bottom - y0) / unit) + 1.5
  const skin = sketch.paint(lit(person.skin, 0.88))
  const throat = [
    at(-neck, -0.35),
    at(-neck, 0.3),
    at(-neck * 1.6, 0.62),
    at(-0.5, 1.15),
    at(0.5, 1.15),
    at(neck * 1.6, 0.62),
    at(neck, 0.3),
    at(neck, -0.35),
  ]
  svg.fill(rounded(throat), skin)
  const chin = skull.chin - 0.72
  svg.spot(at(0, chin + 0.05), [unit * neck * 1.3, 0], [0, unit * 0.3], lit(person.skin, 0.35), 0.7)
  const cloth = dice.pick(cloths)
  const slope = dice.between(0.5, 0.62)
  const outline: Point[] = []
  const collar = dice.pick(['crew', 'crew', 'vee', 'shirt', 'high'] as const)
  const deep = collar === 'vee' ? 1.05 : collar === 'high' ? 0.3 : 0.66
  const shoulderLine: [number, number][] = [
    [neck * 1.12, collar === 'high' ? 0.14 : 0.36],
    [neck * 1.7, slope],
    [shoulders * 0.74, slope + 0.16],
    [shoulders * 0.96, slope + 0.36],
    [shoulders * 1.06, slope + 0.9],
    [shoulders * 1.1, down],
  ]
  const neckline: [number, number][] =
    collar === 'vee'
      ? [
          [0, deep],
          [0, deep],
        ]
      : [
          [-neck * 0.6, deep],
          [neck * 0.6, deep],
        ]
  for (const [x, y] of neckline) outline.push(at(x, y))
  for (const [x, y] of shoulderLine) outline.push(at(x, y))
  for (const [x, y] of shoulderLine.toReversed()) outline.push(at(-x, y))
  svg.fill(
    rounded([
      ...outline.slice(0, 2),
      at(neck * 1.12, shoulderLine[0]![1]),
      ...outline.slice(2),
      at(-neck * 1.12, shoulderLine[0]![1]),
    ]),
    sketch.paint(cloth, 0.9),
  )
  for (const hand of [-1, 1]) {
    svg.line(
      bend([
        at(hand * shoulders * 0.78, slope + 0.75),
        at(hand * shoulders * 0.74, slope + 1.2),
        at(hand * shoulders * 0.8, down),
      ]),
      lit(cloth, 0.6),
      unit * 0.05,
      0.6,
    )
    svg.line(
      bend([at(hand * shoulders * 0.4, slope + 0.3), at(hand * shoulders * 0.3, slope + 0.7)]),
      lit(cloth, 0.7),
      unit * 0.04,
      0.3,
    )
  }
  if (collar === 'shirt') {
    const light = lit(cloth, 1.25)
    for (const hand of [-1, 1])
      svg.fill(
        polygon([at(hand * neck * 1.15, 0.26), at(0, 0.72), at(hand * 0.26, 0.98), at(hand * neck * 1.55, 0.5)]),
        sketch.paint(light),
      )
    svg.line(bend([at(0, 0.74), at(0, down)]), lit(cloth, 0.65), unit * 0.03, 0.7)
  } else if (collar !== 'vee') {
    svg.line(
      bend([
        at(-neck * 1.14, shoulderLine[0]![1]),
        at(-neck * 0.6, deep + 0.02),
        at(neck * 0.6, deep + 0.02),
        at(neck * 1.14, shoulderLine[0]![1]),
      ]),
      lit(cloth, 0.75),
      unit * 0.05,
      0.7,
    )
  }
  if (dice.chance(0.25)) {
    const stripe = lit(cloth, dice.chance(0.5) ? 1.35 : 0.65)
    for (let y = slope + 0.75; y < down; y += 0.3)
      svg.line(bend([at(-shoulders * 0.72, y), at(0, y + 0.06), at(shoulders * 0.72, y)]), stripe, unit * 0.08, 0.8)
  }
}

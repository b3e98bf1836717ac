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

type Collar = 'crew' | 'vee' | 'shirt' | 'high'

/** A body below a head; heights are from the neck down, in a person's lengths. */
interface Body {
  sketch: Sketch
  at(x: number, y: number): Point
  /** Beneath the picture. */
  down: number
  neck: number
  shoulders: number
  /** Where the shoulders begin. */
  slope: number
  cloth: Colour
  collar: Collar
  /** Where the collar lies at the side of the neck and in front. */
  collarEdge: { side: number; front: number }
}

/** Neck, shoulders and clothes; clothes are new on every picture. */
export function paintBody(sketch: Sketch, bottom: number): void {
  const body = bodyOf(sketch, bottom)
  paintThroat(body)
  paintClothes(body)
  paintSleeves(body)
  paintCollar(body)
  if (sketch.dice.chance(0.25)) paintStripes(body)
}

function bodyOf(sketch: Sketch, bottom: number): Body {
  const { person, view, unit, dice } = sketch
  const [x0, y0] = view.project([0, 0.72, -0.22])
  // Shoulders turn less than the head.
  const turn = view.pose.yaw * 0.012
  const cloth = dice.pick(cloths)
  const slope = dice.between(0.5, 0.62)
  const collar = dice.pick(['crew', 'crew', 'vee', 'shirt', 'high'] as const)
  return {
    sketch,
    at: (x, y) => [x0 + (x - turn * (y > 0.5 ? 0.25 : 0.1)) * unit, y0 + y * unit],
    down: Math.max(1.6, (bottom - y0) / unit) + 1.5,
    ...person.build,
    slope,
    cloth,
    collar,
    collarEdge: {
      side: collar === 'high' ? 0.14 : 0.36,
      front: collar === 'vee' ? 1.05 : collar === 'high' ? 0.3 : 0.66,
    },
  }
}

function paintThroat({ sketch, at, neck }: Body): void {
  const { svg, person, unit, skull } = sketch
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
  svg.fill(rounded(throat), sketch.paint(lit(person.skin, 0.88)))
  // The chin's shadow.
  svg.spot(at(0, skull.chin - 0.67), [unit * neck * 1.3, 0], [0, unit * 0.3], lit(person.skin, 0.35), 0.7)
}

function paintClothes({ sketch, at, down, neck, shoulders, slope, cloth, collar, collarEdge }: Body): void {
  const { side, front } = collarEdge
  // A point that comes twice is a corner.
  const half = collar === 'vee' ? 0 : neck * 0.6
  const shoulder: [number, number][] = [
    [neck * 1.12, side],
    [neck * 1.12, side],
    [neck * 1.7, slope],
    [shoulders * 0.74, slope + 0.16],
    [shoulders * 0.96, slope + 0.36],
    [shoulders * 1.06, slope + 0.9],
    [shoulders * 1.1, down],
  ]
  const outline = [
    at(-half, front),
    at(half, front),
    ...shoulder.map(([x, y]) => at(x, y)),
    ...shoulder.toReversed().map(([x, y]) => at(-x, y)),
  ]
  sketch.svg.fill(rounded(outline), sketch.paint(cloth, 0.9))
}

function paintSleeves({ sketch, at, down, shoulders, slope, cloth }: Body): void {
  const { svg, unit } = sketch
  for (const hand of [-1, 1]) {
    const x = (share: number) => hand * shoulders * share
    const sleeve = bend([at(x(0.78), slope + 0.75), at(x(0.74), slope + 1.2), at(x(0.8), down)])
    svg.line(sleeve, lit(cloth, 0.6), unit * 0.05, 0.6)
    svg.line(bend([at(x(0.4), slope + 0.3), at(x(0.3), slope + 0.7)]), lit(cloth, 0.7), unit * 0.04, 0.3)
  }
}

function paintCollar({ sketch, at, down, neck, cloth, collar, collarEdge }: Body): void {
  const { svg, unit } = sketch
  const { side, front } = collarEdge
  if (collar === 'shirt') {
    for (const hand of [-1, 1]) {
      const flap = [at(hand * neck * 1.15, 0.26), at(0, 0.72), at(hand * 0.26, 0.98), at(hand * neck * 1.55, 0.5)]
      svg.fill(polygon(flap), sketch.paint(lit(cloth, 1.25)))
    }
    svg.line(bend([at(0, 0.74), at(0, down)]), lit(cloth, 0.65), unit * 0.03, 0.7)
  } else if (collar !== 'vee') {
    const [wide, half] = [neck * 1.14, neck * 0.6]
    const hem = bend([at(-wide, side), at(-half, front + 0.02), at(half, front + 0.02), at(wide, side)])
    svg.line(hem, lit(cloth, 0.75), unit * 0.05, 0.7)
  }
}

function paintStripes({ sketch, at, down, shoulders, slope, cloth }: Body): void {
  const { svg, unit, dice } = sketch
  const stripe = lit(cloth, dice.chance(0.5) ? 1.35 : 0.65)
  for (let y = slope + 0.75; y < down; y += 0.3)
    svg.line(bend([at(-shoulders * 0.72, y), at(0, y + 0.06), at(shoulders * 0.72, y)]), stripe, unit * 0.08, 0.8)
}

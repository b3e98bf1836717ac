import { type Colour, lit, mix } from './colour.ts'
import type { Dice } from './dice.ts'
import type { Person } from './person.ts'
import { type Point, type Point3, Skull } from './skull.ts'
import { polyline, type Svg } from './svg.ts'
import { type Pose, View } from './view.ts'

/** What a face does at the moment. */
export interface Mood {
  /** -0.3 sad .. 1 laughing. */
  smile: number
  /** Mouth, 0 closed .. 1 wide open. */
  open: number
  /** Eyes, 0 closed .. 1.15 wide open. */
  eyes: number
  /** -1 frowning .. 1 raised. */
  brows: number
  /** Where the eyes look, -1..1 each. */
  gaze: Point
}

export interface Light {
  /** From which side of the picture it comes, length 1. */
  from: Point3
  /** 0 from everywhere .. 1 hard. */
  contrast: number
}

export interface Sitting {
  person: Person
  pose: Pose
  mood: Mood
  /** Where the middle of the head is in the picture, and pixels per length of a person. */
  at: Point
  unit: number
}

/** What the painters of the parts of one person share. */
export class Sketch {
  readonly svg: Svg
  readonly sitting: Sitting
  readonly light: Light
  readonly dice: Dice
  readonly skull: Skull
  readonly view: View
  readonly person: Person
  readonly mood: Mood
  readonly unit: number

  constructor(svg: Svg, sitting: Sitting, light: Light, dice: Dice) {
    this.svg = svg
    this.sitting = sitting
    this.light = light
    this.dice = dice
    this.person = sitting.person
    this.mood = sitting.mood
    this.unit = sitting.unit
    this.skull = new Skull(sitting.person)
    this.view = new View(sitting.pose, sitting.unit, sitting.at)
  }

  /** Where a point of the face's surface lies in the picture. */
  on(x: number, y: number, out = 0): Point {
    return this.view.project(this.skull.skin(x, y, out))
  }

  around(degrees: number, y: number, out = 0): Point {
    return this.view.project(this.skull.around(degrees, y, out))
  }

  /** A soft spot on the skin. */
  spot(x: number, y: number, across: number, down: number, colour: Colour, opacity: number, out = 0): void {
    const middle = this.on(x, y, out)
    const [right, below] = [this.on(x + across, y, out), this.on(x, y + down, out)]
    this.svg.spot(middle, minus(right, middle), minus(below, middle), colour, opacity)
  }

  dot(at: Point, colour: Colour, size: number, opacity = 1): void {
    this.svg.line(polyline([at, [at[0] + 0.01, at[1]]]), colour, size * this.unit, opacity)
  }

  /** How much light a surface gets that looks into a direction: about 0.4 .. 1.15. */
  shade(direction: Point3): number {
    const [x, y, z] = this.view.turn(direction)
    const { from, contrast } = this.light
    const towards = (x * from[0] + y * from[1] + z * from[2]) / Math.hypot(x, y, z)
    return 1 + contrast * (towards < 0 ? -0.5 + towards * 0.12 : towards * 0.62 - 0.5)
  }

  /** A colour over the whole head as the light falls on it. */
  paint(colour: Colour, deep = 1): string {
    const [x, y] = this.sitting.at
    const { from, contrast } = this.light
    const reach = this.unit * 0.95
    const flat = Math.hypot(from[0], from[1])
    const [dx, dy] = [(from[0] / flat) * reach, (from[1] / flat) * reach]
    const side = contrast * flat * deep
    return this.svg.gradient(
      [x + dx, y + dy],
      [x - dx, y - dy],
      [
        [0, lit(colour, 1 + 0.16 * side)],
        [0.4, colour],
        [1, mix(lit(colour, 1 - 0.62 * side), [70, 40, 50], 0.06 * side)],
      ],
    )
  }
}

function minus(a: Point, b: Point): Point {
  return [a[0] - b[0], a[1] - b[1]]
}

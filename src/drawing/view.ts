import type { Point, Point3 } from './skull.ts'

/** Degrees: yaw turns to the right of the picture, pitch down, roll with the clock. */
export interface Pose {
  yaw: number
  pitch: number
  roll: number
}

/** Distance of the camera in a person's lengths: what is nearer is a bit larger. */
const camera = 9

/** How a head lies in a picture: turns points of it and projects them. */
export class View {
  readonly pose: Pose
  readonly #unit: number
  readonly #at: Point
  readonly #rows: [Point3, Point3, Point3]

  /** @param unit pixels per length of a person, @param at where the middle of the head lies in the picture */
  constructor(pose: Pose, unit: number, at: Point) {
    this.pose = pose
    this.#unit = unit
    this.#at = at
    const [yaw, pitch, roll] = [pose.yaw, pose.pitch, pose.roll].map((degrees) => (degrees * Math.PI) / 180)
    const [sy, cy, sp, cp, sr, cr] = [sin(yaw!), cos(yaw!), sin(pitch!), cos(pitch!), sin(roll!), cos(roll!)]
    // Yaw first, then pitch, then roll.
    const turned: [Point3, Point3, Point3] = [
      [cy, 0, sy],
      [-sy * sp, cp, cy * sp],
      [-sy * cp, -sp, cy * cp],
    ]
    const [across, down, deep] = turned
    this.#rows = [
      [cr * across[0] - sr * down[0], cr * across[1] - sr * down[1], cr * across[2] - sr * down[2]],
      [sr * across[0] + cr * down[0], sr * across[1] + cr * down[1], sr * across[2] + cr * down[2]],
      deep,
    ]
  }

  /** A direction as the viewer sees it. */
  turn(point: Point3): Point3 {
    const [a, b, c] = this.#rows
    return [dot(a, point), dot(b, point), dot(c, point)]
  }

  project(point: Point3): Point {
    const [x, y, z] = this.turn(point)
    const scale = (this.#unit * camera) / (camera - z)
    return [this.#at[0] + x * scale, this.#at[1] + y * scale]
  }
}

const { sin, cos } = Math

function dot(a: Point3, b: Point3): number {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

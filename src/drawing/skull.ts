import type { Person } from './person.ts'

export type Point = readonly [x: number, y: number]
/** x to the right of the picture, y down, z towards the viewer. */
export type Point3 = readonly [x: number, y: number, z: number]

/** Where the hair of the crown grows. */
export const crown = -0.96

/** Rounder is 2; a face is flatter at its front. */
const squareness = 2.35

/** The surface of a head, in a person's lengths: a level at each height, half an oval to the front and half to the back. */
export class Skull {
  readonly chin: number
  readonly #width: (y: number) => number
  readonly #front: (y: number) => number
  readonly #back: (y: number) => number

  constructor({ face }: Person) {
    const { temple, cheek, jaw, chin, length, depth } = face
    this.chin = length + 0.03
    this.#width = curve([
      [crown, 0],
      [-0.9, temple * 0.46],
      [-0.78, temple * 0.74],
      [-0.5, temple * 0.98],
      [-0.2, (temple + cheek) / 2],
      [0.2, cheek],
      [length * 0.63, jaw],
      [length * 0.84, jaw * 0.42 + chin * 0.7],
      [length * 0.96, chin * 0.72],
      [length + 0.03, chin * 0.2],
    ])
    this.#front = curve([
      [crown, 0],
      [-0.9, depth * 0.48],
      [-0.78, depth * 0.74],
      [-0.5, depth * 0.94],
      [-0.2, depth],
      [0.3, depth * 0.99],
      [length * 0.7, depth],
      [length * 0.96, depth * 0.97],
      [length + 0.03, depth * 0.7],
    ])
    this.#back = curve([
      [crown, 0],
      [-0.9, 0.5],
      [-0.75, 0.76],
      [-0.4, 0.92],
      [0, 0.84],
      [0.4, 0.5],
      [0.7, 0.1],
      [length + 0.03, 0],
    ])
  }

  halfWidth(y: number): number {
    return this.#width(y)
  }

  /** The point of the face that is seen at a place from the front; `out` lifts it off the skin. */
  skin(x: number, y: number, out = 0): Point3 {
    const side = Math.max(-0.985, Math.min(0.985, x / Math.max(0.05, this.#width(y))))
    const z = this.#front(y) * (1 - Math.abs(side) ** squareness) ** (1 / squareness)
    return [x, y, z + out]
  }

  /** The point at an angle around the neck, 0 in front and ±180 at the back, at a distance from the skin. */
  around(degrees: number, y: number, out = 0): Point3 {
    const angle = (degrees * Math.PI) / 180
    const [sine, cosine] = [Math.sin(angle), Math.cos(angle)]
    const deep = (cosine > 0 ? this.#front(y) : this.#back(y)) + out
    const power = 2 / (cosine > 0 ? squareness : 2)
    const upwards = Math.max(0, (-0.4 - y) / (-0.4 - crown))
    return [
      Math.sign(sine) * Math.abs(sine) ** power * (this.#width(y) + out * (1 - 0.45 * upwards ** 2)),
      y - out * upwards ** 1.5,
      Math.sign(cosine) * Math.abs(cosine) ** power * deep,
    ]
  }
}

/** A smooth line through points with growing y (Hermite, slopes of neighbours), ends held. */
function curve(points: [y: number, value: number][]): (y: number) => number {
  const slope = points.map(([y, value], index) => {
    const [before, after] = [points[index - 1] ?? [y, value], points[index + 1] ?? [y, value]]
    return (after[1] - before[1]) / (after[0] - before[0])
  })
  return (y) => {
    if (y <= points[0]![0]) return points[0]![1]
    const next = points.findIndex((point) => point[0] > y)
    if (next < 0) return points.at(-1)![1]
    const [[y0, v0], [y1, v1]] = [points[next - 1]!, points[next]!]
    const [wide, t] = [y1 - y0, (y - y0) / (y1 - y0)]
    const [t2, t3] = [t * t, t * t * t]
    const value =
      v0 * (2 * t3 - 3 * t2 + 1) +
      v1 * (3 * t2 - 2 * t3) +
      wide * (slope[next - 1]! * (t3 - 2 * t2 + t) + slope[next]! * (t3 - t2))
    return Math.max(0, value)
  }
}

import { lit } from './colour.ts'
import { lipsOf } from './paint-mouth.ts'
import type { Sketch } from './sketch.ts'
import type { Point } from './skull.ts'
import { bend, hull, rounded } from './svg.ts'

/** Hair of the face, above the skin and beneath the mouth. */
export function paintBeard(sketch: Sketch): void {
  const { style, density } = sketch.person.beard
  if (style === 'stubble') paintJaw(sketch, 0, 0.2 + 0.18 * density)
  if (style === 'full') {
    paintJaw(sketch, 0.03 + 0.1 * density, 0.95)
    paintHairs(sketch)
  }
  if (style === 'goatee') paintGoatee(sketch)
  if (style === 'moustache' || style === 'goatee' || style === 'full') paintMoustache(sketch)
}

/** From ear to ear, up to a line over the cheeks; `long` is how far it hangs off the skin. */
function paintJaw(sketch: Sketch, long: number, opacity: number): void {
  const { svg, person, skull } = sketch
  const { beard, mouth } = person
  const { halfWidth } = lipsOf(sketch)
  const lip = mouth.y - mouth.upper
  const cheek: [number, number][] = [
    [halfWidth * 0.35, lip - 0.02],
    [halfWidth + 0.06, lip + 0.02],
    [Math.max(halfWidth + 0.09, skull.halfWidth(0.55) * 0.7), 0.58],
    [skull.halfWidth(0.35) * 0.9, 0.36],
    [skull.halfWidth(0.1) * 0.97, 0.05],
  ]
  const left = cheek.toReversed().map(([x, y]) => sketch.on(-x, y))
  const right = cheek.map(([x, y]) => sketch.on(x, y))
  const levels = [0, 0.12, 0.3, 0.45, 0.6, 0.75, 0.88, 0.97].map((part) => 0.05 + (skull.chin - 0.05) * part)
  const outline = hull(
    levels.flatMap((y) =>
      [-95, -80, -60, -30, 0, 30, 60, 80, 95].map((angle) =>
        sketch.around(angle, y + long * (y - 0.05), long * y * 0.6),
      ),
    ),
  )
  // The outline goes with the clock: from the right end beneath the chin to the left one.
  const [start, end] = [nearest(outline, right.at(-1)!), nearest(outline, left[0]!)]
  const around = [...outline.slice(start), ...outline.slice(0, start)]
  const below = around.slice(0, ((end - start + outline.length) % outline.length) + 1)
  svg.fill(rounded([...left, ...right, ...below]), sketch.paint(beard.colour), opacity)
}

function paintHairs(sketch: Sketch): void {
  const { svg, person, skull, unit, dice } = sketch
  for (const tone of [0.7, 1.2, 1.4]) {
    const hairs = Array.from({ length: 9 }, () => {
      const y = dice.between(0.74, skull.chin - 0.03)
      const x = dice.between(-0.75, 0.75) * skull.halfWidth(y)
      return bend([sketch.on(x, y), sketch.on(x * 1.03, y + 0.07)])
    })
    svg.line(hairs.join(''), lit(person.beard.colour, tone), unit * 0.012, 0.5)
  }
}

function paintGoatee(sketch: Sketch): void {
  const { person, skull, mood } = sketch
  const { halfWidth } = lipsOf(sketch)
  const top = person.mouth.y + person.mouth.lower + 0.04 + mood.open * 0.1
  paintBoth(sketch, [
    [0.05, top],
    [halfWidth * 0.75, top + 0.03],
    [halfWidth * 0.8, skull.chin - 0.08],
    [halfWidth * 0.4, skull.chin + 0.02],
  ])
}

function paintMoustache(sketch: Sketch): void {
  const { eyes, nose, beard } = sketch.person
  const { halfWidth, line, outer } = lipsOf(sketch)
  const base = eyes.y + nose.length
  const wide = halfWidth * (beard.style === 'moustache' ? 0.95 + 0.35 * beard.density : 1.12)
  paintBoth(sketch, [
    [0.02, base + 0.045],
    [halfWidth * 0.55, base + 0.07],
    [wide, line(1) - 0.01],
    [wide * 0.94, line(1) + 0.02],
    [halfWidth * 0.5, outer.above(0.5) + 0.012],
    [0.03, outer.above(0.15) + 0.008],
  ])
}

/** One shape of which the other half is the same mirrored. */
function paintBoth(sketch: Sketch, half: [x: number, y: number][]): void {
  const points = [
    ...half.map(([x, y]) => sketch.on(x, y, 0.01)),
    ...half.toReversed().map(([x, y]) => sketch.on(-x, y, 0.01)),
  ]
  sketch.svg.fill(rounded(points), sketch.paint(sketch.person.beard.colour), 0.92)
}

function nearest(line: readonly Point[], [x, y]: Point): number {
  const away = line.map((point) => Math.hypot(point[0] - x, point[1] - y))
  return away.indexOf(Math.min(...away))
}

import { white } from './colour.ts'
import type { Sketch } from './sketch.ts'
import type { Point } from './skull.ts'
import { bend, polygon, rounded } from './svg.ts'

export function paintGlasses(sketch: Sketch): void {
  const { svg, person, view, unit, skull } = sketch
  const { glasses, eyes } = person
  if (!glasses) return
  const depth = skull.skin(0, eyes.y)[2] + 0.05
  const middle = eyes.apart * 1.03
  const across = 0.235 * glasses.size
  const down = (glasses.shape === 'wide' ? 0.13 : glasses.shape === 'square' ? 0.17 : 0.215) * glasses.size
  const power = glasses.shape === 'round' ? 2 : 3.6
  // Glasses are flat, faces are not: the outer ends lie a bit further back.
  const at = (x: number, y: number): Point => view.project([x, eyes.y + 0.02 + y, depth - 0.16 * x * x])
  const width = unit * glasses.thick
  for (const hand of [-1, 1]) {
    const rim = Array.from({ length: 24 }, (_, index): Point => {
      const angle = (index * Math.PI) / 12
      const [c, s] = [Math.cos(angle), Math.sin(angle)]
      const x = Math.sign(c) * Math.abs(c) ** (2 / power) * Math.min(across, middle - 0.03)
      return at(hand * middle + x, Math.sign(s) * Math.abs(s) ** (2 / power) * down)
    })
    svg.fill(rounded(rim), white, 0.07)
    svg.line(rounded(rim), glasses.colour, width)
    const glare = [
      at(hand * middle - 0.1, -down * 0.5),
      at(hand * middle - 0.02, -down * 0.6),
      at(hand * middle - 0.1, down * 0.3),
      at(hand * middle - 0.15, down * 0.2),
    ]
    svg.fill(polygon(glare), white, 0.16)
    const hinge = at(hand * (middle + across * 0.98), -down * 0.35)
    const ear = view.project([hand * (skull.halfWidth(0) + 0.01), eyes.y - 0.02, 0.1])
    svg.line(bend([hinge, ear]), glasses.colour, width * 0.8)
  }
  const edge = middle - Math.min(across, middle - 0.03)
  svg.line(bend([at(-edge, -down * 0.2), at(0, -down * 0.45), at(edge, -down * 0.2)]), glasses.colour, width)
}

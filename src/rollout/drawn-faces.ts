import { encodePng } from '../common/png.ts'
import type { Box } from '../protocol/messages.ts'

/** A picture whose true faces are known. */
export interface DrawnPicture {
  name: string
  bytes: Buffer
  truth: Box[]
}

type Colour = readonly [red: number, green: number, blue: number]

/** A drawn head: centre and half of its height in pixels. */
interface Head {
  x: number
  y: number
  size: number
  skin: Colour
  hair: Colour
}

const light: Pick<Head, 'skin' | 'hair'> = { skin: [226, 178, 148], hair: [74, 48, 30] }
const dark: Pick<Head, 'skin' | 'hair'> = { skin: [141, 94, 66], hair: [28, 22, 20] }

/** Small pictures of faces that cpn draws itself, so that nobody's photograph is needed; the same bytes at any time. */
export function drawnPictures(): DrawnPicture[] {
  return [
    draw('one.png', 320, 320, [{ x: 160, y: 165, size: 95, ...light }]),
    draw('two.png', 480, 320, [
      { x: 140, y: 165, size: 80, ...dark },
      { x: 345, y: 155, size: 62, ...light },
    ]),
    draw('three.png', 640, 360, [
      { x: 110, y: 180, size: 48, ...light },
      { x: 320, y: 170, size: 56, ...dark },
      { x: 530, y: 190, size: 40, ...light },
    ]),
    draw('none.png', 320, 240, []),
  ]
}

function draw(name: string, width: number, height: number, heads: Head[]): DrawnPicture {
  const pixels = new Uint8Array(width * height * 3)
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      let colour: Colour = [118 + (x * 40) / width, 136 + (y * 30) / height, 150 - (y * 30) / height]
      for (const head of heads)
        colour = paintHead(colour, head, (x + 0.5 - head.x) / head.size, (y + 0.5 - head.y) / head.size)
      pixels.set(colour.map(Math.round), (y * width + x) * 3)
    }
  }
  return { name, bytes: encodePng(width, height, pixels), truth: heads.map(boxOf) }
}

/** What detectors call a face: from the forehead to the chin. */
function boxOf({ x, y, size }: Head): Box {
  return [x - size * 0.7, y - size * 0.8, size * 1.4, size * 1.8]
}

/** The colour of a point of a head; u goes right and v down, both from its centre in halves of its height. */
function paintHead(under: Colour, { skin, hair, size }: Head, u: number, v: number): Colour {
  // Edges are about a pixel wide and, in what is rounded, softer.
  const edge = 1.2 / size
  if (Math.abs(u) > 1 || v < -1.3 || v > 1.6) return under
  const shade = 1.06 - 0.22 * u * u - 0.1 * v - 0.08 * u
  const skinHere = scaled(skin, shade)
  let colour = under
  colour = on(hair, ellipse(u, v + 0.14, 0.8, 0.98, edge), colour)
  colour = on(scaled(skin, 0.72 * shade), ellipse(u, v - 1.05, 0.36, 0.4, edge), colour)
  colour = on(skinHere, ellipse(u, v - 0.06, 0.68, 0.94, edge), colour)
  colour = on(hair, ellipse(u, v + 0.86, 0.62, 0.34, 0.08), colour)
  for (const side of [-1, 1]) {
    const eye = u - side * 0.29
    colour = on(scaled(skin, 0.7), 0.6 * ellipse(eye, v + 0.1, 0.21, 0.14, 0.1), colour)
    colour = on(hair, 0.9 * ellipse(eye, v + 0.3 + 0.25 * eye * eye, 0.2, 0.045, 0.03), colour)
    colour = on([238, 234, 230], ellipse(eye, v + 0.1, 0.14, 0.07, edge), colour)
    colour = on([52, 38, 30], ellipse(eye, v + 0.1, 0.07, 0.075, edge), colour)
    colour = on(scaled(skin, 1.12), 0.35 * ellipse(eye - side * 0.06, v - 0.28, 0.16, 0.14, 0.14), colour)
  }
  colour = on(scaled(skin, 0.78), 0.5 * ellipse(u - 0.07, v - 0.12, 0.06, 0.26, 0.08), colour)
  colour = on(scaled(skin, 1.15), 0.5 * ellipse(u + 0.01, v - 0.16, 0.06, 0.2, 0.06), colour)
  for (const side of [-1, 1])
    colour = on(scaled(skin, 0.5), 0.8 * ellipse(u - side * 0.08, v - 0.36, 0.05, 0.03, 0.03), colour)
  colour = on([158, 78, 74], 0.9 * ellipse(u, v - 0.58, 0.26, 0.085, 0.03), colour)
  colour = on([92, 38, 38], 0.9 * ellipse(u, v - 0.575, 0.24, 0.018, 0.02), colour)
  colour = on(scaled(skin, 0.75), 0.4 * ellipse(u, v - 0.76, 0.2, 0.06, 0.06), colour)
  return colour
}

/** A colour over another one, where it covers that. */
function on(colour: Colour, cover: number, below: Colour): Colour {
  if (cover === 0) return below
  const [red, green, blue] = below
  return [red + (colour[0] - red) * cover, green + (colour[1] - green) * cover, blue + (colour[2] - blue) * cover]
}

function scaled([red, green, blue]: Colour, by: number): Colour {
  return [Math.min(255, red * by), Math.min(255, green * by), Math.min(255, blue * by)]
}

/** How much of a point an ellipse around the origin covers, 0..1, with an edge of the given width. */
function ellipse(u: number, v: number, halfWidth: number, halfHeight: number, edge: number): number {
  const inside = 1 - Math.hypot(u / halfWidth, v / halfHeight)
  return Math.max(0, Math.min(1, 0.5 + (inside * Math.min(halfWidth, halfHeight)) / edge))
}

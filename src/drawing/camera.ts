import sharp, { type Sharp } from 'sharp'
import type { Colour } from './colour.ts'
import type { Dice } from './dice.ts'

const gamma = 2.2

/** What a camera makes of what is before it. */
export interface Shot {
  /** Stops. */
  exposure: number
  /** -1 blue .. 1 yellow, and -1 green .. 1 magenta. */
  warmth: number
  tint: number
  /** 1 as it is. */
  contrast: number
  /** Standard deviation of the noise, in steps of 255. */
  noise: number
  /** Of the lens or the hand, in pixels; below 0.3 there is none. */
  blur: number
  /** Of the JPEG. */
  quality: number
}

/** A shot of people with some skins: cameras expose for faces, though not by all that would be needed. */
export function shotOf(skins: Colour[], dice: Dice): Shot {
  const brightness = skins.map((skin) => Math.log2((skin[1] / 150) ** gamma))
  const mean = brightness.reduce((sum, stops) => sum + stops, 0) / Math.max(1, brightness.length)
  return {
    exposure: dice.around(-0.1, 0.9) - 0.5 * mean,
    warmth: dice.around(0, 1),
    tint: dice.around(0, 0.5),
    contrast: dice.around(1, 0.13),
    noise: dice.between(0, 1) ** 2 * 9,
    blur: dice.chance(0.4) ? dice.between(0.3, 1.1) : 0,
    quality: dice.integer(62, 95),
  }
}

/** Pixels as a camera sees and keeps them: a JPEG. */
export async function develop(image: Sharp, shot: Shot, dice: Dice): Promise<Buffer> {
  if (shot.blur >= 0.3) image.blur(shot.blur)
  const { data, info } = await image.removeAlpha().raw().toBuffer({ resolveWithObject: true })
  expose(data, shot, dice)
  const { width, height } = info
  return sharp(data, { raw: { width, height, channels: 3 } })
    .jpeg({ quality: shot.quality })
    .toBuffer()
}

function expose(pixels: Buffer, shot: Shot, dice: Dice): void {
  const gains = [
    1 + 0.2 * shot.warmth + 0.05 * shot.tint,
    1 - 0.08 * shot.tint,
    1 - 0.28 * shot.warmth + 0.05 * shot.tint,
  ]
  const curves = gains.map((gain) =>
    Float32Array.from({ length: 256 }, (_, value) => {
      const linear = (value / 255) ** gamma * gain * 2 ** shot.exposure
      const seen = shoulder(linear) ** (1 / gamma)
      return ((seen - 0.5) * shot.contrast + 0.5) * 255
    }),
  )
  // A handful of random numbers, read from changing places, is noise enough for an eye and a network.
  const noise = Float32Array.from({ length: 8191 }, () => dice.around(0, shot.noise * 2))
  const [red, green, blue] = curves as [Float32Array, Float32Array, Float32Array]
  let at = 0
  for (let index = 0; index < pixels.length; index += 3) {
    at = (at * 5 + 3571 + index) % 8191
    const grain = noise[at]!
    pixels[index] = clamp(red[pixels[index]!]! + grain + noise[(at + 1009) % 8191]! * 0.5)
    pixels[index + 1] = clamp(green[pixels[index + 1]!]! + grain)
    pixels[index + 2] = clamp(blue[pixels[index + 2]!]! + grain + noise[(at + 4001) % 8191]! * 0.6)
  }
}

/** Highlights get dense before they are white. */
function shoulder(linear: number): number {
  return linear < 0.6 ? linear : 0.6 + 0.4 * (1 - Math.exp((0.6 - linear) / 0.4))
}

function clamp(value: number): number {
  return value < 0 ? 0 : value > 255 ? 255 : value
}

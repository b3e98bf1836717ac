/** 0..255 each. */
export type Colour = readonly [red: number, green: number, blue: number]

export const black: Colour = [0, 0, 0]
export const white: Colour = [255, 255, 255]

export function mix(a: Colour, b: Colour, share: number): Colour {
  return [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share, a[2] + (b[2] - a[2]) * share]
}

/** Darker below 1, lighter above it. */
export function lit(colour: Colour, by: number): Colour {
  return by <= 1 ? mix(black, colour, by) : mix(colour, white, by - 1)
}

export function css(colour: Colour): string {
  return `#${colour
    .map((part) =>
      Math.round(Math.max(0, Math.min(255, part)))
        .toString(16)
        .padStart(2, '0'),
    )
    .join('')}`
}

import type { Colour } from './colour.ts'
import { lit, mix } from './colour.ts'
import { Dice } from './dice.ts'

/**
 * What stays the same about a person on all pictures. Lengths are in parts of the distance from the line of the eyes to
 * an average chin; x goes to the right, y down from the line of the eyes.
 */
export interface Person {
  id: number
  skin: Colour
  /** 0 young .. 1 old. */
  age: number
  /** Half widths from top to bottom, where the chin ends, and how flat the face is. */
  face: { temple: number; cheek: number; jaw: number; chin: number; length: number; depth: number }
  eyes: {
    /** From the middle of the face. */
    apart: number
    y: number
    halfWidth: number
    height: number
    /** How much the outer corner is higher. */
    tilt: number
    /** Where the upper lid is highest: -1 inside .. 1 outside. */
    peak: number
    /** How much of the lid is seen above the eye. */
    crease: number
    iris: Colour
    lashes: number
  }
  brows: { y: number; thickness: number; length: number; arch: number; slant: number; apart: number; colour: Colour }
  nose: { length: number; bridge: number; width: number; reach: number; tip: number; turnedUp: number }
  mouth: { y: number; halfWidth: number; upper: number; lower: number; bow: number; corners: number; colour: Colour }
  ears: { size: number; out: number; y: number }
  hair: {
    style: HairStyle
    colour: Colour
    /** Height of the hairline over the eyes, how far it recedes at the temples, where it is parted (-1..1). */
    line: number
    recedes: number
    parting: number
    volume: number
    fringe: number
    seed: number
  }
  beard: { style: BeardStyle; density: number; colour: Colour }
  glasses?: { shape: 'round' | 'square' | 'wide'; size: number; thick: number; colour: Colour }
  /** On the skin, in the plane of the face. */
  freckles: { x: number; y: number; size: number }[]
  moles: { x: number; y: number; size: number }[]
  cheeks: { bone: number; fold: number; dimple: number; red: number }
  build: { neck: number; shoulders: number }
}

export type HairStyle = 'bald' | 'buzz' | 'short' | 'swept' | 'curly' | 'afro' | 'bob' | 'long' | 'bun' | 'tail'
export type BeardStyle = 'none' | 'stubble' | 'moustache' | 'goatee' | 'full'

/** Few, and closer than in life: people are to be told by their features. */
const skins: Colour[] = [
  [240, 202, 176],
  [228, 184, 150],
  [210, 162, 126],
  [186, 136, 102],
  [156, 108, 80],
  [126, 86, 64],
]
const hairs: Colour[] = [
  [28, 23, 22],
  [58, 40, 30],
  [100, 68, 42],
  [178, 138, 84],
  [136, 66, 36],
]
const grey: Colour = [176, 174, 172]
const irises: Colour[] = [
  [64, 42, 28],
  [98, 66, 38],
  [92, 108, 62],
  [78, 112, 140],
  [104, 116, 122],
]
const frames: Colour[] = [
  [24, 24, 28],
  [84, 46, 26],
  [130, 132, 138],
  [120, 28, 36],
  [28, 48, 96],
]

/** The person of a number: the same number is the same person anywhere. */
export function personOf(id: number): Person {
  const dice = new Dice(id, 0x70657273)
  const masculine = dice.chance(0.5)
  const tone = dice.integer(0, skins.length - 1)
  const skin = skins[tone]!
  const age = dice.between(0, 1) ** 1.4
  const natural = hairs[tone >= 3 ? dice.integer(0, 1) : dice.integer(0, hairs.length - 1)]!
  const hairColour = mix(natural, grey, age > 0.65 ? dice.between(0, 1) : 0)
  const cheek = dice.around(0.66, 0.09)
  const browColour = mix(lit(natural, 0.8), grey, age > 0.85 ? 0.5 : 0)
  return {
    id,
    skin,
    age,
    face: {
      cheek,
      temple: cheek * dice.around(0.93, 0.07),
      jaw: cheek * dice.around(masculine ? 0.83 : 0.77, 0.13),
      chin: cheek * dice.around(masculine ? 0.42 : 0.34, 0.17),
      length: dice.around(1.02, 0.14),
      depth: dice.around(0.74, 0.06),
    },
    eyes: {
      apart: cheek * dice.around(0.45, 0.07),
      y: dice.around(0, 0.03),
      halfWidth: dice.around(0.152, 0.038),
      height: dice.around(0.082, 0.034),
      tilt: dice.around(0.01, 0.045),
      peak: dice.around(0, 0.45),
      crease: dice.between(0, 1),
      iris: irises[tone >= 3 ? dice.integer(0, 1) : dice.integer(0, irises.length - 1)]!,
      lashes: masculine ? dice.between(0.2, 0.6) : dice.between(0.5, 1),
    },
    brows: {
      y: dice.around(-0.205, 0.07),
      thickness: masculine ? dice.around(0.062, 0.036) : dice.around(0.042, 0.026),
      length: dice.around(0.2, 0.05),
      arch: dice.around(0.035, 0.05),
      slant: dice.around(0, 0.05),
      apart: dice.around(0, 0.06),
      colour: browColour,
    },
    nose: {
      length: dice.around(0.43, 0.1),
      bridge: dice.around(0.062, 0.026),
      width: dice.around(0.142, 0.055),
      reach: dice.around(0.24, 0.09),
      tip: dice.around(0.074, 0.03),
      turnedUp: dice.around(0, 0.05),
    },
    mouth: {
      y: dice.around(0.665, 0.06),
      halfWidth: dice.around(0.225, 0.065),
      upper: dice.around(0.052, 0.034),
      lower: dice.around(0.072, 0.04),
      bow: dice.between(0, 1),
      corners: dice.around(0, 0.03),
      colour: mix(
        mix(skin, [150, 52, 54], dice.between(0.3, 0.55)),
        [170, 30, 48],
        !masculine && dice.chance(0.4) ? dice.between(0.3, 0.7) : 0,
      ),
    },
    ears: { size: dice.around(0.27, 0.07), out: dice.between(0.2, 1), y: dice.around(0.12, 0.06) },
    hair: {
      style: hairStyle(dice, masculine, age),
      colour: hairColour,
      line: dice.around(0.56, 0.14),
      recedes: masculine ? dice.between(0, 0.12 + 0.25 * age) : dice.between(0, 0.1),
      parting: dice.between(-0.8, 0.8),
      volume: dice.between(0, 1),
      fringe: dice.chance(masculine ? 0.25 : 0.4) ? dice.between(0.3, 1) : 0,
      seed: dice.integer(0, 1e9),
    },
    beard: {
      style: masculine ? dice.pick(['none', 'none', 'stubble', 'moustache', 'goatee', 'full'] as const) : 'none',
      density: dice.between(0.6, 1),
      colour: mix(lit(natural, 0.9), grey, age > 0.65 ? dice.between(0, 0.9) : 0),
    },
    ...(dice.chance(0.3)
      ? {
          glasses: {
            shape: dice.pick(['round', 'square', 'wide'] as const),
            size: dice.around(1, 0.2),
            thick: dice.between(0.016, 0.042),
            colour: dice.pick(frames),
          },
        }
      : {}),
    freckles: dice.chance(tone < 3 ? 0.25 : 0)
      ? Array.from({ length: dice.integer(14, 40) }, () => ({
          x: dice.around(0, 0.4),
          y: dice.around(0.26, 0.2),
          size: dice.between(0.008, 0.016),
        }))
      : [],
    moles: Array.from({ length: dice.chance(0.45) ? dice.integer(1, 2) : 0 }, () => ({
      x: dice.pick([-1, 1]) * dice.between(0.14, 0.42),
      y: dice.between(0.2, 0.82),
      size: dice.between(0.013, 0.022),
    })),
    cheeks: {
      bone: dice.between(0, 1),
      fold: Math.min(1, age * 0.8 + dice.between(0, 0.3)),
      dimple: dice.chance(0.25) ? 1 : 0,
      red: dice.between(0, 1),
    },
    build: {
      neck: (masculine ? 0.4 : 0.33) + dice.around(0, 0.05),
      shoulders: (masculine ? 1.55 : 1.32) + dice.around(0, 0.14),
    },
  }
}

function hairStyle(dice: Dice, masculine: boolean, age: number): HairStyle {
  if (!masculine) return dice.pick(['short', 'curly', 'afro', 'bob', 'bob', 'long', 'long', 'bun', 'tail'] as const)
  if (dice.chance(age * 0.4)) return 'bald'
  return dice.pick(['buzz', 'short', 'short', 'swept', 'swept', 'curly', 'afro', 'long'] as const)
}

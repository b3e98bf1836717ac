import { type Colour, lit, mix } from './colour.ts'
import type { Dice } from './dice.ts'
import type { Point } from './skull.ts'
import { bend, polygon, rounded, Svg } from './svg.ts'

export const places = ['indoors', 'park', 'beach', 'wall', 'plain', 'street'] as const
export type Place = (typeof places)[number]

/** What is behind people, out of focus; nothing of it looks like a face. */
export function paintBackground(place: Place, width: number, height: number, dice: Dice): Svg {
  const svg = new Svg()
  const scene: Scene = { svg, width, height, dice }
  painters[place](scene)
  return svg
}

interface Scene {
  svg: Svg
  width: number
  height: number
  dice: Dice
}

const painters: Record<Place, (scene: Scene) => void> = {
  indoors(scene) {
    const { svg, width, height, dice } = scene
    const wall = dice.pick<Colour>([
      [206, 196, 180],
      [168, 184, 190],
      [190, 172, 160],
      [150, 160, 140],
      [120, 110, 116],
    ])
    fade(scene, 0, height, lit(wall, 1.1), lit(wall, 0.75))
    const floor = height * dice.between(0.72, 0.85)
    box(scene, 0, floor, width, height - floor, lit([128, 92, 64], dice.between(0.6, 1.2)))
    for (let x = width * dice.between(-0.1, 0.15); x < width; ) {
      const wide = width * dice.between(0.12, 0.24)
      const top = height * dice.between(0.05, 0.2)
      if (dice.chance(0.4)) window(scene, x, top, wide, height * 0.45)
      else if (dice.chance(0.5)) shelf(scene, x, top, wide, floor - top)
      else {
        box(scene, x, top, wide * 0.9, height * 0.24, [70, 50, 36])
        box(
          scene,
          x + wide * 0.06,
          top + wide * 0.06,
          wide * 0.78,
          height * 0.24 - wide * 0.12,
          lit(dice.pick(bright), 0.8),
        )
      }
      x += wide + width * dice.between(0.04, 0.16)
    }
    svg.fill(
      polygon([
        [0, floor - height * 0.015],
        [width, floor - height * 0.015],
        [width, floor],
        [0, floor],
      ]),
      lit(wall, 0.6),
    )
  },
  park(scene) {
    const { svg, width, height, dice } = scene
    const horizon = height * dice.between(0.4, 0.62)
    fade(scene, 0, horizon, mix([112, 168, 222], [226, 222, 210], dice.between(0, 0.7)), [222, 230, 232])
    fade(scene, horizon, height, [126, 152, 74], [74, 110, 46])
    for (let x = -width * 0.05; x < width * 1.05; x += width * dice.between(0.05, 0.16)) {
      const tall = height * dice.between(0.2, 0.5)
      const green = mix([44, 84, 40], [110, 138, 52], dice.between(0, 1))
      box(scene, x - width * 0.008, horizon - tall * 0.5, width * 0.016, tall * 0.55, [74, 56, 42])
      for (let leaf = 0; leaf < 7; leaf++) {
        const size = tall * dice.between(0.2, 0.34)
        ellipse(
          svg,
          [x + dice.around(0, tall * 0.2), horizon - tall * dice.between(0.45, 1)],
          size,
          size * 0.7,
          lit(green, dice.between(0.75, 1.15)),
        )
      }
    }
    for (let count = 0; count < 14; count++) {
      const y = dice.between(horizon, height)
      svg.line(
        bend([
          [0, y],
          [width * 0.5, y + dice.around(0, 12)],
          [width, y],
        ]),
        lit([96, 130, 56], dice.between(0.7, 1.25)),
        height * 0.02,
        0.35,
      )
    }
  },
  beach(scene) {
    const { svg, width, height, dice } = scene
    const [horizon, shore] = [height * dice.between(0.32, 0.5), height * dice.between(0.62, 0.75)]
    const evening = dice.between(0, 1) ** 2
    fade(
      scene,
      0,
      horizon,
      mix([88, 156, 218], [150, 120, 160], evening),
      mix([214, 230, 236], [250, 190, 130], evening),
    )
    fade(
      scene,
      horizon,
      shore,
      mix([38, 104, 142], [70, 80, 120], evening),
      mix([104, 178, 184], [170, 140, 140], evening),
    )
    fade(scene, shore, height, [232, 210, 168], [196, 166, 122])
    for (let count = 0; count < 9; count++) {
      const y = dice.between(horizon + 6, shore)
      const x = dice.between(0, width)
      svg.line(
        bend([
          [x, y],
          [x + width * 0.12, y - 2],
          [x + width * 0.25, y + 1],
        ]),
        [236, 244, 246],
        height * 0.006,
        0.6,
      )
    }
    svg.line(
      bend([
        [0, shore],
        [width * 0.3, shore + 8],
        [width * 0.7, shore - 6],
        [width, shore + 4],
      ]),
      [246, 246, 240],
      height * 0.018,
      0.8,
    )
    for (let count = 0; count < 4; count++)
      ellipse(
        svg,
        [dice.between(0, width), dice.between(0, horizon * 0.7)],
        width * dice.between(0.08, 0.2),
        height * 0.03,
        [255, 252, 248],
        0.55,
      )
  },
  wall(scene) {
    const { svg, width, height, dice } = scene
    const brick = dice.pick<Colour>([
      [150, 84, 66],
      [176, 156, 138],
      [120, 116, 112],
      [196, 190, 182],
    ])
    box(scene, 0, 0, width, height, lit(brick, 0.72))
    const [wide, tall] = [width * dice.between(0.07, 0.12), height * dice.between(0.05, 0.08)]
    for (let row = 0, y = 0; y < height; row++, y += tall) {
      for (let x = -wide * (row % 2 ? 0.5 : 0); x < width; x += wide)
        box(scene, x + 1, y + 1, wide - width * 0.006, tall - height * 0.008, lit(brick, dice.between(0.86, 1.14)))
    }
    svg.fill(
      polygon([
        [0, 0],
        [width, 0],
        [width, height],
        [0, height],
      ]),
      svg.gradient(
        [0, 0],
        [width, height],
        [
          [0, [255, 240, 220], 0.2],
          [1, [10, 10, 20], 0.35],
        ],
      ),
    )
  },
  plain(scene) {
    const { svg, width, height, dice } = scene
    const colour = lit(dice.pick(bright), dice.between(0.6, 1.2))
    fade(scene, 0, height, lit(colour, 1.15), lit(colour, 0.7))
    svg.spot(
      [width * dice.between(0.2, 0.8), height * 0.35],
      [width * 0.6, 0],
      [0, height * 0.6],
      lit(colour, 1.45),
      0.5,
    )
  },
  street(scene) {
    const { width, height, dice } = scene
    fade(scene, 0, height * 0.6, [170, 190, 208], [222, 222, 216])
    const ground = height * dice.between(0.7, 0.82)
    for (let x = -10; x < width; ) {
      const wide = width * dice.between(0.14, 0.28)
      const top = height * dice.between(0, 0.3)
      const front = lit(
        dice.pick<Colour>([
          [196, 170, 140],
          [160, 150, 146],
          [150, 96, 80],
          [206, 196, 176],
          [110, 124, 138],
        ]),
        dice.between(0.8, 1.1),
      )
      box(scene, x, top, wide, ground - top, front)
      const [columns, rows] = [dice.integer(2, 4), dice.integer(3, 5)]
      for (let column = 0; column < columns; column++)
        for (let row = 0; row < rows; row++)
          box(
            scene,
            x + (wide * (column + 0.25)) / columns,
            top + ((ground - top) * (row + 0.25)) / rows,
            wide / columns / 2,
            (ground - top) / rows / 2,
            lit([90, 108, 124], dice.between(0.6, 1.5)),
          )
      x += wide
    }
    fade(scene, ground, height, [128, 126, 124], [92, 90, 92])
  },
}

const bright: Colour[] = [
  [176, 92, 80],
  [90, 128, 168],
  [118, 150, 104],
  [206, 172, 104],
  [140, 120, 156],
  [150, 152, 154],
  [206, 200, 190],
]

function window(scene: Scene, x: number, y: number, width: number, height: number): void {
  box(scene, x, y, width, height, [232, 230, 226])
  const pane = (column: number, row: number) =>
    box(
      scene,
      x + width * (0.05 + column * 0.47),
      y + height * (0.04 + row * 0.48),
      width * 0.43,
      height * 0.44,
      [206, 226, 238],
    )
  for (const column of [0, 1]) for (const row of [0, 1]) pane(column, row)
}

function shelf(scene: Scene, x: number, y: number, width: number, height: number): void {
  box(scene, x, y, width, height, [96, 70, 50])
  const rows = 4
  for (let row = 0; row < rows; row++) {
    const [top, tall] = [y + (height * (row + 0.1)) / rows, (height * 0.82) / rows]
    box(scene, x + width * 0.04, top, width * 0.92, tall, [58, 42, 32])
    for (let book = x + width * 0.05; book < x + width * 0.88; ) {
      const wide = width * scene.dice.between(0.04, 0.09)
      const high = tall * scene.dice.between(0.6, 0.95)
      box(scene, book, top + tall - high, wide * 0.9, high, lit(scene.dice.pick(bright), scene.dice.between(0.5, 1.1)))
      book += wide
    }
  }
}

function box({ svg }: Scene, x: number, y: number, width: number, height: number, colour: Colour): void {
  svg.fill(
    polygon([
      [x, y],
      [x + width, y],
      [x + width, y + height],
      [x, y + height],
    ]),
    colour,
  )
}

/** From one height to another over the whole width. */
function fade({ svg, width }: Scene, top: number, bottom: number, above: Colour, below: Colour): void {
  const shape = polygon([
    [0, top],
    [width, top],
    [width, bottom],
    [0, bottom],
  ])
  svg.fill(
    shape,
    svg.gradient(
      [0, top],
      [0, bottom],
      [
        [0, above],
        [1, below],
      ],
    ),
  )
}

function ellipse(svg: Svg, [x, y]: Point, across: number, down: number, colour: Colour, opacity = 1): void {
  const points = Array.from(
    { length: 8 },
    (_, index): Point => [x + Math.cos((index * Math.PI) / 4) * across, y + Math.sin((index * Math.PI) / 4) * down],
  )
  svg.fill(rounded(points), colour, opacity)
}

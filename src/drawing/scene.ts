import sharp from 'sharp'
import { type Place, paintBackground, places } from './background.ts'
import { develop, shotOf } from './camera.ts'
import { Dice } from './dice.ts'
import { type DrawnFace, paintPerson } from './head.ts'
import { personOf } from './person.ts'
import type { Light, Mood, Sitting } from './sketch.ts'
import type { Point3 } from './skull.ts'
import { Svg } from './svg.ts'
import type { Pose } from './view.ts'

/** A drawn photo and who is where on it. */
export interface DrawnPhoto {
  width: number
  height: number
  jpeg: Buffer
  faces: DrawnFace[]
}

/** One person, head and shoulders, in any pose, mood and light. The same bytes for the same person and seed. */
export async function drawPortrait(person: number, seed: number, width = 240, height = 280): Promise<DrawnPhoto> {
  const dice = new Dice(person, seed, 1)
  const unit = height * dice.between(0.2, 0.36)
  const at: [number, number] = [width * dice.around(0.5, 0.06), height * dice.around(0.45, 0.05)]
  const sitting: Sitting = { person: personOf(person), pose: poseOf(dice, 1), mood: moodOf(dice), at, unit }
  return photograph([sitting], dice.pick(places), width, height, dice)
}

/** People together, none to eight, left to right and back to front. The same bytes for the same people and seed. */
export async function drawGroup(people: number[], seed: number, width = 960, height = 640): Promise<DrawnPhoto> {
  const dice = new Dice(seed, 2, ...people)
  return photograph(arrange(people, width, height, dice), dice.pick(places), width, height, dice)
}

async function photograph(
  sittings: Sitting[],
  place: Place,
  width: number,
  height: number,
  dice: Dice,
): Promise<DrawnPhoto> {
  const light = lightOf(dice)
  const svg = new Svg()
  const faces = sittings.map((sitting) => paintPerson(svg, sitting, light, dice, height))
  // Drawn small and enlarged, what is behind is out of focus at no cost.
  const backdrop = await paintBackground(place, width, height, dice)
    .render(width, height, dice.between(0.22, 0.5))
    .resize(width, height, { kernel: 'cubic', fit: 'fill' })
    .removeAlpha()
    .raw()
    .toBuffer()
  const people = await svg.render(width, height).raw().toBuffer()
  lay(people, backdrop)
  const image = sharp(backdrop, { raw: { width, height, channels: 3 } })
  const skins = sittings.map(({ person }) => person.skin)
  return { width, height, faces, jpeg: await develop(image, shotOf(skins, dice), dice) }
}

/** Pixels with alpha over others without. */
function lay(above: Buffer, below: Buffer): void {
  for (let from = 0, to = 0; from < above.length; from += 4, to += 3) {
    const cover = above[from + 3]! / 255
    if (cover === 0) continue
    below[to] = below[to]! + (above[from]! - below[to]!) * cover
    below[to + 1] = below[to + 1]! + (above[from + 1]! - below[to + 1]!) * cover
    below[to + 2] = below[to + 2]! + (above[from + 2]! - below[to + 2]!) * cover
  }
}

/** One row, or two of which the back one stands higher and looks through the gaps of the front one. */
function arrange(people: number[], width: number, height: number, dice: Dice): Sitting[] {
  const front = people.length <= 4 ? people.length : Math.floor(people.length / 2)
  const rows = [people.slice(front), people.slice(0, front)].filter((row) => row.length > 0)
  const most = Math.max(...rows.map((row) => row.length))
  const even = rows.length === 2 && rows[0]!.length === rows[1]!.length
  const room = width / (most + (even ? 0.7 : 0.2))
  const unit = Math.min(height * (rows.length === 2 ? 0.135 : 0.185), room / 2.7) * dice.between(0.75, 1)
  const gap = Math.min(room, unit * 3.3)
  return rows.flatMap((row, index) => {
    const stagger = even ? gap * (index - 0.5) * 0.5 : 0
    const left = (width - gap * (row.length - 1)) / 2 + stagger
    const level = rows.length === 1 ? height * dice.between(0.36, 0.46) : unit * (1.75 + 2.25 * index)
    return row.map(
      (person, place): Sitting => ({
        person: personOf(person),
        pose: poseOf(dice, 0.75),
        mood: moodOf(dice),
        at: [left + place * gap + dice.around(0, gap * 0.04), level + dice.around(0, unit * 0.14)],
        unit: unit * dice.around(index === rows.length - 1 ? 1.02 : 0.92, 0.07),
      }),
    )
  })
}

function poseOf(dice: Dice, reach: number): Pose {
  return { yaw: dice.around(0, 24 * reach), pitch: dice.around(0, 12 * reach), roll: dice.around(0, 11 * reach) }
}

function moodOf(dice: Dice): Mood {
  const smile = dice.chance(0.6) ? dice.between(0.2, 1) : dice.between(-0.3, 0.2)
  const open = dice.chance(0.35) ? dice.between(0.1, 0.75) : 0
  return {
    smile,
    open,
    eyes: dice.chance(0.04) ? 0.12 : dice.between(0.7, 1.12),
    brows: dice.around(0, 0.45),
    gaze: [dice.around(0, 0.5), dice.around(0, 0.4)],
  }
}

function lightOf(dice: Dice): Light {
  const [x, y] = [dice.around(0, 0.7), dice.between(-0.75, -0.1)]
  const z = Math.sqrt(Math.max(0.05, 1 - x * x - y * y))
  const length = Math.hypot(x, y, z)
  return { from: [x / length, y / length, z / length] as Point3, contrast: dice.between(0.15, 1) }
}

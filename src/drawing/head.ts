import type { Dice } from './dice.ts'
import { paintBeard } from './paint-beard.ts'
import { paintBody } from './paint-body.ts'
import { paintBrow, paintEye } from './paint-eyes.ts'
import { paintGlasses } from './paint-glasses.ts'
import { coversEars, paintFringe, paintHair, paintHairBehind, paintLock } from './paint-hair.ts'
import { mouthCorner, paintMouth } from './paint-mouth.ts'
import { noseTip, paintNose } from './paint-nose.ts'
import { paintEar, paintMoles, paintRelief, paintSkin } from './paint-skin.ts'
import { type Light, type Sitting, Sketch } from './sketch.ts'
import type { Point } from './skull.ts'
import type { Svg } from './svg.ts'

/** A face in a picture as detectors say it. */
export interface DrawnFace {
  person: number
  /** From the forehead to the chin: left, top, width, height in pixels; may reach out of the picture. */
  box: [x: number, y: number, width: number, height: number]
  /** Right eye, left eye, tip of the nose, right and left corner of the mouth; the right ones are left in the picture. */
  keypoints: [Point, Point, Point, Point, Point]
}

/** Draws a person down to the bottom of the picture. */
export function paintPerson(svg: Svg, sitting: Sitting, light: Light, dice: Dice, bottom: number): DrawnFace {
  const sketch = new Sketch(svg, sitting, light, dice)
  paintHairBehind(sketch)
  paintBody(sketch, bottom)
  const opening = paintHair(sketch)
  // The face hides what is on the side that turns away, and what is on the other one lies over it.
  const turned = (hand: number) => hand * sitting.pose.yaw
  const ears = coversEars(sketch) ? [] : [-1, 1]
  const locks = coversEars(sketch) ? [-1, 1] : []
  for (const hand of ears.filter((hand) => turned(hand) >= -7)) paintEar(sketch, hand)
  for (const hand of locks.filter((hand) => turned(hand) > 9)) paintLock(sketch, hand)
  paintSkin(sketch, opening)
  for (const hand of ears.filter((hand) => turned(hand) < -7)) paintEar(sketch, hand)
  paintRelief(sketch)
  paintBeard(sketch)
  paintMouth(sketch)
  for (const hand of [-1, 1]) {
    paintEye(sketch, hand)
    paintBrow(sketch, hand)
  }
  paintNose(sketch)
  paintMoles(sketch)
  paintGlasses(sketch)
  paintFringe(sketch)
  for (const hand of locks.filter((hand) => turned(hand) <= 9)) paintLock(sketch, hand)
  return truthOf(sketch)
}

function truthOf(sketch: Sketch): DrawnFace {
  const { person, skull, view } = sketch
  const { eyes } = person
  const skin = [-0.56, -0.4, -0.2, 0, 0.2, 0.4, 0.6, 0.8, skull.chin].flatMap((y) =>
    [-75, -50, -25, 0, 25, 50, 75].map((angle) => sketch.around(angle, y)),
  )
  const [xs, ys] = [skin.map(([x]) => x), skin.map(([, y]) => y)]
  const [left, top] = [Math.min(...xs), Math.min(...ys)]
  const points = [
    sketch.on(-eyes.apart, eyes.y),
    sketch.on(eyes.apart, eyes.y),
    view.project(noseTip(sketch)),
    view.project(mouthCorner(sketch, -1)),
    view.project(mouthCorner(sketch, 1)),
  ]
  return {
    person: person.id,
    box: [tenths(left), tenths(top), tenths(Math.max(...xs) - left), tenths(Math.max(...ys) - top)],
    keypoints: points.map(([x, y]): Point => [tenths(x), tenths(y)]) as DrawnFace['keypoints'],
  }
}

function tenths(value: number): number {
  return Math.round(value * 10) / 10
}

import type { CpnError } from '../common/errors.ts'
import type { Box, Face } from '../protocol/messages.ts'
import type { NodeResult } from '../scheduler/scheduler.ts'
import type { GoldenPicture } from './golden-pictures.ts'
import { pairUp } from './pair-up.ts'

/** What a node says of a golden picture: a result, or that the picture cannot be used. */
export type Opinion = { result: NodeResult } | { error: CpnError }

/** How the faces of one side differ from those of the other, over all golden pictures. */
export interface Difference {
  /** Faces of the side that is compared with. */
  before: number
  after: number
  /** Faces of both, as pairUp tells. */
  same: number
  /** Pictures with a face that only one side has. */
  pictures: number
  /** Mean IoU of the faces of both; null without any. */
  iou: number | null
}

const none: Difference = { before: 0, after: 0, same: 0, pictures: 0, iou: null }

/** New answers against those of the version before. */
export function differenceOfVersions(before: readonly Opinion[], after: readonly Opinion[]): Difference {
  return sum(after.map((opinion, index) => differenceOfBoxes(boxesOf(before[index]!), boxesOf(opinion))))
}

/** Answers against what is known of the pictures; undefined where nothing is. */
export function differenceFromTruth(
  pictures: readonly GoldenPicture[],
  said: readonly Opinion[],
): Difference | undefined {
  const known = pictures.flatMap(({ truth }, index) => (truth ? differenceOfBoxes(truth, boxesOf(said[index]!)) : []))
  return known.length > 0 ? sum(known) : undefined
}

/** Share of the faces before that are gone, 0..1. */
export const lostShare = ({ before, same }: Difference): number => (before === 0 ? 0 : 1 - same / before)

const boxesOf = (opinion: Opinion): Box[] => ('error' in opinion ? [] : opinion.result.answer.faces.map(boxOf))
const boxOf = ({ box }: Face): Box => box

function sum(differences: Difference[]): Difference {
  return differences.reduce((all, each) => {
    const same = all.same + each.same
    const ious = (all.iou ?? 0) * all.same + (each.iou ?? 0) * each.same
    return {
      before: all.before + each.before,
      after: all.after + each.after,
      same,
      pictures: all.pictures + each.pictures,
      iou: same > 0 ? ious / same : null,
    }
  }, none)
}

function differenceOfBoxes(before: readonly Box[], after: readonly Box[]): Difference {
  const overlaps = pairUp(before, after).map(({ iou }) => iou)
  const same = overlaps.length
  return {
    before: before.length,
    after: after.length,
    same,
    pictures: same < before.length || same < after.length ? 1 : 0,
    iou: same > 0 ? overlaps.reduce((all, each) => all + each, 0) / same : null,
  }
}

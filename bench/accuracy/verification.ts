// Whether two photos show the same person: LFW's pairs, the threshold chosen on one fold and tested on the other.
import { lfwPairs, similarities } from '../../test/helpers/lfw.ts'
import { share } from './confidence.ts'
import type { Row } from './row.ts'

export const needs = ['lfw-a']

/** What is known of a pair of faces. */
export interface Judged {
  similarity: number
  same: boolean
}

export async function measureVerification(): Promise<Row[]> {
  const pairs = lfwPairs()
  const judged = (await similarities(pairs, 'mobilefacenet-112')).map((similarity, i) => ({
    similarity,
    same: pairs[i]!.same,
  }))
  const folds = [judged.slice(0, judged.length / 2), judged.slice(judged.length / 2)] as const
  const [first, second] = [bestThreshold(folds[0]), bestThreshold(folds[1])]
  const right = countRight(folds[1], first) + countRight(folds[0], second)
  return [
    {
      name: 'lfw-a: same person or not',
      value: share(right, judged.length),
      floor: '≥ 99.0 %',
      reference: '99.0 % of 6,000 pairs',
      detail: `thresholds ${first.toFixed(3)} and ${second.toFixed(3)}, each chosen on the other half of ${judged.length} pairs`,
    },
  ]
}

/** The middle of the thresholds that judge most pairs rightly. */
export function bestThreshold(pairs: Judged[]): number {
  const candidates = Array.from({ length: 1001 }, (_, i) => i / 1000)
  const scores = candidates.map((threshold) => countRight(pairs, threshold))
  const most = Math.max(...scores)
  const best = candidates.filter((_, i) => scores[i] === most)
  return best[Math.floor(best.length / 2)]!
}

function countRight(pairs: Judged[], threshold: number): number {
  return pairs.filter((pair) => judgedRightly(pair, threshold)).length
}

export function judgedRightly({ similarity, same }: Judged, threshold: number): boolean {
  return similarity >= threshold === same
}

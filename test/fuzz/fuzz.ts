import { randomOf } from '../helpers/random.ts'
import type { Target } from './target.ts'
import { answersTarget } from './targets/answers.ts'
import { galleriesTarget } from './targets/galleries.ts'
import { imagesTarget } from './targets/images.ts'
import { inventoriesTarget } from './targets/inventories.ts'
import { ledgersTarget } from './targets/ledgers.ts'
import { manifestsTarget } from './targets/manifests.ts'
import { requestsTarget } from './targets/requests.ts'

/** What is damaged, and which share of all mutations it gets. */
const kinds: Record<string, { share: number; open: () => Promise<Target> }> = {
  images: { share: 0.3, open: imagesTarget },
  inventories: { share: 0.1, open: inventoriesTarget },
  manifests: { share: 0.15, open: manifestsTarget },
  requests: { share: 0.1, open: requestsTarget },
  answers: { share: 0.1, open: answersTarget },
  galleries: { share: 0.1, open: galleriesTarget },
  ledgers: { share: 0.15, open: ledgersTarget },
}
export const kindNames = Object.keys(kinds)

export interface Findings {
  kind: string
  mutations: number
  /** How often each verdict was given. */
  verdicts: Map<string, number>
  /** Mutations without a verdict: number and what happened instead. */
  faults: string[]
  slowestMs: number
}

const checkEvery = 500

/** Gives seeded mutations to one kind of reader; the same ones for the same seed and number. */
export async function fuzzKind(kind: string, seed: number, from: number, count: number): Promise<Findings> {
  await using target = await kinds[kind]!.open()
  const found: Findings = { kind, mutations: count, verdicts: new Map(), faults: [], slowestMs: 0 }
  const one = async (number: number): Promise<void> => {
    const started = performance.now()
    try {
      const verdict = await target.one(randomOf(seed * 1_000_003 + number))
      found.verdicts.set(verdict, (found.verdicts.get(verdict) ?? 0) + 1)
    } catch (error) {
      found.faults.push(`${kind} ${number} of seed ${seed}: ${error}`)
    }
    found.slowestMs = Math.max(found.slowestMs, performance.now() - started)
  }
  let next = from
  let sinceCheck = 0
  const lane = async (): Promise<void> => {
    while (next < from + count) {
      await one(next++)
      if (++sinceCheck % checkEvery === 0) await target.check?.()
    }
  }
  await Promise.all(Array.from({ length: target.atOnce ?? 1 }, lane))
  await target.check?.()
  return found
}

/** Mutations of each kind when there are so many in all. */
export function shareOf(kind: string, total: number): number {
  return Math.ceil(kinds[kind]!.share * total)
}

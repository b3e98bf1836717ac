import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Box } from '../protocol/messages.ts'
import { pairUp } from '../rollout/pair-up.ts'
import type { Truth } from './cast.ts'

/** How right a run was, against what is known of the photos. */
export interface Score {
  faces: {
    drawn: number
    found: number
    /** Found where nobody is. */
    extra: number
  }
  /** Of the faces that were found and are of somebody enrolled. */
  names: { right: number; wrong: number; unnamed: number }
  /** Of the faces that were found and are of nobody enrolled, by whether they got a name. */
  strangers: { named: number; unnamed: number }
}

/** A face as predictions.jsonl has it. */
interface FoundFace {
  box: Box
  person: string | null
}

/** Compares OUT/predictions.jsonl with the truth. A photo without a line has no face that was found. */
export async function scoreOf(out: string, truth: Truth): Promise<Score> {
  const lines = (await readFile(join(out, 'predictions.jsonl'), 'utf8')).split('\n').filter(Boolean)
  const said = new Map(
    lines.map((line) => {
      const { path, faces = [] } = JSON.parse(line) as { path: string; faces?: FoundFace[] }
      return [path, faces]
    }),
  )
  return score(truth, said)
}

export function score(truth: Truth, said: ReadonlyMap<string, FoundFace[]>): Score {
  const total: Score = {
    faces: { drawn: 0, found: 0, extra: 0 },
    names: { right: 0, wrong: 0, unnamed: 0 },
    strangers: { named: 0, unnamed: 0 },
  }
  for (const [path, faces] of truth) {
    const found = said.get(path) ?? []
    const pairs = pairUp(faces.map(boxOf), found.map(boxOf))
    total.faces.drawn += faces.length
    total.faces.found += pairs.length
    total.faces.extra += found.length - pairs.length
    for (const { i, j } of pairs) count(total, faces[i]!.person, found[j]!.person)
  }
  return total
}

function count({ names, strangers }: Score, whose: string | null, said: string | null): void {
  if (whose === null) strangers[said === null ? 'unnamed' : 'named']++
  else names[said === null ? 'unnamed' : said === whose ? 'right' : 'wrong']++
}

const boxOf = ({ box }: { box: Box }): Box => box

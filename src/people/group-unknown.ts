import { type GroupOptions, groupFaces } from '../matching/group.ts'
import { type LinkedFace, printOf } from '../runs/face-links.ts'
import type { FaceGroup, FaceRef, GroupLedger } from '../runs/group-ledger.ts'
import { isForgotten, type NamedFace } from '../runs/job-record.ts'
import type { Run } from '../runs/ledger.ts'
import { numberGroups } from './group-names.ts'
import { isClear } from './judge-photo.ts'

/**
 * Groups the faces of a run whom nobody has named and keeps that in the ledger. Faces that are too small or too soft to say
 * who they are are left out. Groups that somebody split or merged stay as they are, without faces that have a name now.
 * @param progress gets the share of the work that is done, 0 to 1
 * @returns how many faces were looked at
 */
export function groupUnknown(
  ledger: GroupLedger,
  run: Run,
  options: GroupOptions,
  progress?: (done: number) => void,
): number {
  const before = ledger.groups(run.id)
  const former = new Map<string, FaceGroup>()
  for (const group of before) for (const face of group.faces) former.set(keyOf(face), group)

  const kept = new Map<number, FaceGroup>()
  const refs: LinkedFace[] = []
  const vectors: Float32Array[] = []
  for (const { job, faces, embeddings } of ledger.embedded(run.id)) {
    for (const [face, about] of faces.entries()) {
      if (!isUnknown(about) || isForgotten(embeddings[face]!)) continue
      const ref = { job, face }
      const group = former.get(keyOf(ref))
      if (group?.byHand) {
        kept.getOrInsertComputed(group.number, () => ({ ...group, faces: [] })).faces.push(ref)
      } else if (isClear(about)) {
        refs.push({ ...ref, print: printOf(embeddings[face]!) })
        vectors.push(embeddings[face]!)
      }
    }
  }
  const groupedBy = groupedWith(options)
  const links = ledger.links(run.id, groupedBy)
  const earlier = links && { neighbours: links.neighbours, numbers: numbersNow(links.faces, refs) }
  const { labels, neighbours } = groupFaces(joined(vectors), options, { earlier, progress })
  const numbers = numberGroups(
    labels,
    refs.map((ref) => former.get(keyOf(ref))?.number ?? 0),
    ledger.lastGroup(run.id),
  )
  const made = new Map<number, FaceGroup>()
  for (const [i, ref] of refs.entries()) {
    const number = numbers.get(labels[i]!)
    if (number === undefined) continue
    made.getOrInsertComputed(number, () => ({ number, byHand: false, faces: [] })).faces.push(ref)
  }
  ledger.setGroups(run, [...kept.values(), ...made.values()], groupedBy, { faces: refs, neighbours })
  return refs.length
}

/** How the ledger says with what the groups of a run were made. */
export const groupedWith = (options: GroupOptions): string => JSON.stringify(options)

export const isUnknown = ({ person }: NamedFace): boolean => (person ?? null) === null

/** One after another. */
export function joined(vectors: readonly Float32Array[]): Float32Array {
  const size = vectors[0]?.length ?? 0
  const all = new Float32Array(vectors.length * size)
  for (const [i, vector] of vectors.entries()) all.set(vector, i * size)
  return all
}

/** The number that each face of an earlier grouping has now; -1 for one that is not there any more, or is another. */
function numbersNow(before: readonly LinkedFace[], now: readonly LinkedFace[]): Int32Array {
  const numbers = new Map(now.map((face, number) => [printedKeyOf(face), number]))
  return Int32Array.from(before, (face) => numbers.get(printedKeyOf(face)) ?? -1)
}

const printedKeyOf = (face: LinkedFace) => `${keyOf(face)} ${face.print}`
const keyOf = ({ job, face }: FaceRef) => `${job} ${face}`

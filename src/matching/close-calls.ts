import type { Candidate } from './assign.ts'

/**
 * For each face the persons that it would be called if a little more spoke for it, best first; empty where the names of
 * `assign` are clear. A name is a close call when another way to give names costs less than `margin`: the face takes
 * somebody else (who gives their face up or swaps), or another face takes the name.
 *
 * @param persons what `assign` made of the same candidates and threshold
 */
export function closeCalls(
  candidates: readonly (readonly Candidate[])[],
  persons: readonly (number | undefined)[],
  threshold: number,
  margin: number,
): Candidate[][] {
  const scores = candidates.map((list) => new Map(list.map(({ person, score }) => [person, score])))
  const faceOf = new Map<number, number>()
  for (const [face, person] of persons.entries()) if (person !== undefined) faceOf.set(person, face)

  /** What is lost in all when `face` takes `person`, from whoever has that name. */
  const lossOf = (face: number, { person, score }: Candidate): number => {
    const own = persons[face]
    const holder = faceOf.get(person)
    const before = (own === undefined ? threshold : scores[face]!.get(own)!) - score
    if (holder === undefined || holder === face) return before
    const instead = own === undefined ? threshold : Math.max(threshold, scores[holder]!.get(own) ?? threshold)
    return before + scores[holder]!.get(person)! - instead
  }

  const calls = candidates.map((list, face): Set<Candidate> => {
    const own = persons[face]
    const rivals = list.filter((candidate) => candidate.person !== own && lossOf(face, candidate) < margin)
    // Without a name of its own, a face only counts where it reaches the threshold.
    return new Set(own === undefined ? rivals.filter(({ score }) => score >= threshold) : rivals)
  })
  for (const [face, rivals] of calls.entries()) {
    if (rivals.size === 0) continue
    for (const { person } of [...rivals]) {
      const holder = faceOf.get(person)
      if (holder !== undefined) addOwn(holder, person)
    }
    const own = persons[face]
    if (own !== undefined) addOwn(face, own)
  }
  return calls.map((call, face) => candidates[face]!.filter((candidate) => call.has(candidate)))

  function addOwn(face: number, person: number): void {
    const own = candidates[face]!.find((candidate) => candidate.person === person)
    if (own) calls[face]!.add(own)
  }
}

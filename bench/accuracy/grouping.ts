import { groupFaces } from '../../src/matching/group.ts'
import { joined, seededRandom } from '../../test/helpers/embeddings.ts'
import { meanShare } from './confidence.ts'
import { type Person, peopleOf } from './photos.ts'
import type { Row } from './row.ts'

/** Links of grouping are stronger than those that name: one wrong link joins two people. */
export const groupingThreshold = 0.5

/** Grouping by B-cubed (Bagga and Baldwin 1998): per face, how pure its group is, and how much of its person is in it. */
export async function measureGrouping(): Promise<Row[]> {
  return [
    ...rowsOf('lfw-color-10x10', await peopleOf('lfw-color-10x10')),
    ...rowsOf('lfw-a-train', await peopleOf('lfw-a-train')),
  ]
}

function rowsOf(set: string, people: readonly Person[]): Row[] {
  const faces = people.flatMap(({ faces }, person) => faces.map((face) => ({ face, person, key: 0 })))
  const random = seededRandom(1)
  for (const face of faces) face.key = random()
  faces.sort((a, b) => a.key - b.key)
  const { labels: groups } = groupFaces(joined(faces.map(({ face }) => face)), { threshold: groupingThreshold })
  // A loner is a group of its own.
  const labels = [...groups].map((group, i) => (group === -1 ? -1 - i : group))
  const persons = faces.map(({ person }) => person)
  const together = countOf(labels.map((label, i) => `${label} ${persons[i]}`))
  const precision = shareOf(together, labels, persons, countOf(labels.map(String)), labels)
  const recall = shareOf(together, labels, persons, countOf(persons.map(String)), persons)
  const detail = `${faces.length} faces of ${people.length} people, threshold ${groupingThreshold}; ${Math.max(...groups) + 1} groups`
  return [
    {
      name: `grouping ${set}, B-cubed precision`,
      value: byPerson(precision, persons),
      floor: '≥ 98 %',
      detail,
    },
    { name: `grouping ${set}, B-cubed recall`, value: byPerson(recall, persons), floor: '≥ 94 %', detail },
  ]
}

/** Per face: the faces of its person in its group, over all that are in its group or of its person. */
function shareOf(
  together: Map<string, number>,
  labels: readonly number[],
  persons: readonly number[],
  totals: Map<string, number>,
  keys: readonly number[],
): number[] {
  return labels.map((label, i) => together.get(`${label} ${persons[i]}`)! / totals.get(String(keys[i]))!)
}

/** The mean over faces; the interval comes from drawing people, whose faces are not independent. */
function byPerson(values: readonly number[], persons: readonly number[]): string {
  const people = Map.groupBy(values.keys(), (i) => persons[i]!)
  return meanShare([...people.values()].map((faces) => faces.map((i) => values[i]!)))
}

function countOf(keys: readonly string[]): Map<string, number> {
  const counts = new Map<string, number>()
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1)
  return counts
}

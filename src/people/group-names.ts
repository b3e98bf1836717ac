/** How a group is called in commands and folders: unknown-001. */
export const groupName = (number: number): string => `unknown-${String(number).padStart(3, '0')}`

/** The number of a group's name; undefined for any other name. */
export function groupNumber(name: string): number | undefined {
  const digits = /^unknown-(\d{1,9})$/i.exec(name.trim())?.[1]
  return digits === undefined ? undefined : Number(digits)
}

/**
 * Numbers for groups that were made anew: each keeps that of the former group with which it shares most faces, unless
 * another one shares more. The others get numbers that no group had before, the largest first.
 * @param labels the new group of each face, -1 for none
 * @param former the former number of each face, 0 for none
 * @param last the highest number that was ever given
 * @returns by label
 */
export function numberGroups(labels: Int32Array, former: ArrayLike<number>, last: number): Map<number, number> {
  const sizes = new Map<number, number>()
  const shared = new Map<string, { label: number; number: number; faces: number }>()
  for (const [face, label] of labels.entries()) {
    if (label < 0) continue
    sizes.set(label, (sizes.get(label) ?? 0) + 1)
    const number = former[face]!
    if (number > 0) shared.getOrInsertComputed(`${label} ${number}`, () => ({ label, number, faces: 0 })).faces++
  }
  const numbers = new Map<number, number>()
  const taken = new Set<number>()
  const pairs = [...shared.values()].sort((a, b) => b.faces - a.faces || a.number - b.number || a.label - b.label)
  for (const { label, number } of pairs) {
    if (numbers.has(label) || taken.has(number)) continue
    numbers.set(label, number)
    taken.add(number)
  }
  let next = last
  // Equals in the order of their first faces, which is that of the map.
  for (const [label] of [...sizes].sort(([, a], [, b]) => b - a)) if (!numbers.has(label)) numbers.set(label, ++next)
  return numbers
}

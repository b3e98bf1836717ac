/** Names as one pattern: node1, node2, node3 and lab become node[1-3],lab. */
export function foldNames(names: string[]): string {
  const all = names.map(partsOf)
  const padded = new Set(all.filter(({ digits }) => /^0\d/.test(digits)).map(shapeOf))
  // Numbers with leading zeros have a width: 01 and 1 are different names, and 09 is followed by 10.
  const groups = Map.groupBy(all, (part) =>
    padded.has(shapeOf(part)) ? shapeOf(part) : `${part.before}\0${part.after}`,
  )
  return [...groups.values()].map(foldGroup).join(',')
}

interface Parts {
  before: string
  /** The last number of the name; empty without one. */
  digits: string
  after: string
}

function partsOf(name: string): Parts {
  const found = /^(?<before>.*?)(?<digits>\d+)(?<after>\D*)$/.exec(name)?.groups
  return { before: found?.before ?? name, digits: found?.digits ?? '', after: found?.after ?? '' }
}

function shapeOf({ before, digits, after }: Parts): string {
  return `${before}\0${digits.length}\0${after}`
}

function foldGroup(group: Parts[]): string {
  const { before, digits, after } = group[0]!
  if (group.length === 1) return before + digits + after
  const sorted = group.map((part) => part.digits).sort((one, other) => Number(one) - Number(other))
  return `${before}[${rangesOf(sorted).join(',')}]${after}`
}

function rangesOf(sorted: string[]): string[] {
  const ranges: [first: string, last: string][] = []
  for (const digits of sorted) {
    const range = ranges.at(-1)
    if (range && Number(digits) === Number(range[1]) + 1) range[1] = digits
    else ranges.push([digits, digits])
  }
  return ranges.map(([first, last]) => (first === last ? first : `${first}-${last}`))
}

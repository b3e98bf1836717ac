/** Equal lines shown around a difference. */
const contextLines = 2
/** Cells of the comparison's table; above it everything in the middle counts as different. */
const maxCells = 4_000_000

/** What leads from one text to another: lines that begin with `- `, `+ ` or two spaces; long equal stretches are left out. */
export function diffLines(from: string[], to: string[]): string[] {
  let start = 0
  while (start < Math.min(from.length, to.length) && from[start] === to[start]) start++
  let end = 0
  const room = Math.min(from.length, to.length) - start
  while (end < room && from.at(-1 - end) === to.at(-1 - end)) end++
  const middle = diffMiddle(from.slice(start, from.length - end), to.slice(start, to.length - end))
  const equal = (lines: string[]): string[] => lines.map((line) => `  ${line}`)
  return shortened([...equal(from.slice(0, start)), ...middle, ...equal(from.slice(from.length - end))])
}

function diffMiddle(from: string[], to: string[]): string[] {
  const gone = (lines: string[]): string[] => lines.map((line) => `- ${line}`)
  const come = (lines: string[]): string[] => lines.map((line) => `+ ${line}`)
  if (from.length * to.length > maxCells) return [...gone(from), ...come(to)]
  const common = commonLengths(from, to)
  const diff: string[] = []
  let [i, j] = [0, 0]
  while (i < from.length && j < to.length) {
    if (from[i] === to[j]) {
      diff.push(`  ${from[i]}`)
      i++
      j++
    } else if (common[i + 1]![j]! >= common[i]![j + 1]!) diff.push(...gone([from[i++]!]))
    else diff.push(...come([to[j++]!]))
  }
  return [...diff, ...gone(from.slice(i)), ...come(to.slice(j))]
}

/** Lengths of the longest common subsequence of what is left from each pair of places on. */
function commonLengths(from: string[], to: string[]): Uint32Array[] {
  const table = Array.from({ length: from.length + 1 }, () => new Uint32Array(to.length + 1))
  for (let i = from.length - 1; i >= 0; i--) {
    for (let j = to.length - 1; j >= 0; j--) {
      table[i]![j] = from[i] === to[j] ? table[i + 1]![j + 1]! + 1 : Math.max(table[i + 1]![j]!, table[i]![j + 1]!)
    }
  }
  return table
}

function shortened(diff: string[]): string[] {
  const near = new Set<number>()
  for (const [index, line] of diff.entries()) {
    if (line.startsWith('  ')) continue
    for (let at = index - contextLines; at <= index + contextLines; at++) near.add(at)
  }
  return diff.flatMap((line, index) => (near.has(index) ? [line] : near.has(index - 1) || index === 0 ? ['  …'] : []))
}

/** Somebody a face may be, by number, and how much it speaks for that. */
export interface Candidate {
  person: number
  /** A whole number, so that sums are exact. */
  score: number
}

/**
 * Who is whom on one photo: each face gets one person at most and each person one face, so that what the scores exceed
 * `threshold` by adds up to the most. (The excess, not the score: two faces that barely reach the threshold do not take
 * the names from one that surely has one.) The Hungarian method with potentials, in the order of faces and persons.
 *
 * @param candidates of each face, best first
 * @returns the person of each face
 */
export function assign(candidates: readonly (readonly Candidate[])[], threshold: number): (number | undefined)[] {
  // Beyond its n best candidates no face of n has to go: the others take n - 1 at most.
  const possible = candidates.map((list) => list.slice(0, candidates.length).filter(({ score }) => score >= threshold))
  const persons = [...new Set(possible.flat().map(({ person }) => person))].sort((a, b) => a - b)
  const columnOf = new Map(persons.map((person, column) => [person, column]))
  const costs = possible.map((list) => {
    // The last columns, one for each face, are "nobody".
    const row = new Array<number>(persons.length + candidates.length).fill(0)
    row.fill(1, 0, persons.length)
    for (const { person, score } of list) row[columnOf.get(person)!] = threshold - score
    return row
  })
  return assignCheapest(costs).map((column) => persons[column])
}

/** Column of each row at the least total cost; there are at least as many columns as rows. */
function assignCheapest(costs: readonly (readonly number[])[]): number[] {
  const columns = costs[0]?.length ?? 0
  const rowPrice = new Array<number>(costs.length).fill(0)
  const columnPrice = new Array<number>(columns).fill(0)
  const rowOf = new Array<number>(columns).fill(-1)
  for (let start = 0; start < costs.length; start++) {
    // The cheapest way from the new row over assigned ones to a free column, as Dijkstra finds it.
    const distance = new Array<number>(columns).fill(Number.POSITIVE_INFINITY)
    const cameFrom = new Array<number>(columns).fill(-1)
    const settled = new Array<boolean>(columns).fill(false)
    let row = start
    let column = -1
    let far = 0
    while (true) {
      let next = -1
      for (let j = 0; j < columns; j++) {
        if (settled[j]) continue
        const way = far + costs[row]![j]! - rowPrice[row]! - columnPrice[j]!
        if (way < distance[j]!) {
          distance[j] = way
          cameFrom[j] = column
        }
        if (next === -1 || distance[j]! < distance[next]!) next = j
      }
      column = next
      settled[column] = true
      far = distance[column]!
      if (rowOf[column] === -1) break
      row = rowOf[column]!
    }
    rowPrice[start]! += far
    for (let j = 0; j < columns; j++) {
      if (!settled[j]) continue
      columnPrice[j]! += distance[j]! - far
      if (rowOf[j] !== -1) rowPrice[rowOf[j]!]! += far - distance[j]!
    }
    for (let j = column; j !== -1; j = cameFrom[j]!) rowOf[j] = cameFrom[j] === -1 ? start : rowOf[cameFrom[j]!]!
  }
  const columnOf = new Array<number>(costs.length)
  rowOf.forEach((row, column) => {
    if (row !== -1) columnOf[row] = column
  })
  return columnOf
}

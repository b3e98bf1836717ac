// npm run test:fuzz -- [--seed N] [--count N] [--kind NAME] [--from N]: seeded mutations of good files. One that has no
// typed verdict is named, and comes again with --kind KIND --from NUMBER --count 1.
import { parseArgs } from 'node:util'
import { fuzzKind, kindNames, shareOf } from './fuzz.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    count: { type: 'string', default: '20000' },
    from: { type: 'string', default: '0' },
    kind: { type: 'string' },
  },
})
const [seed, count, from] = [Number(values.seed), Number(values.count), Number(values.from)]
let faults = 0
let mutations = 0
for (const kind of values.kind === undefined ? kindNames : [values.kind]) {
  const found = await fuzzKind(kind, seed, from, values.kind === undefined ? shareOf(kind, count) : count)
  const verdicts = [...found.verdicts].sort(([, a], [, b]) => b - a).map(([verdict, times]) => `${verdict} ${times}`)
  console.log(`${kind}: ${found.mutations}, slowest ${Math.round(found.slowestMs)} ms: ${verdicts.join(', ')}`)
  for (const fault of found.faults.slice(0, 20)) console.log(`  ✖ ${fault}`)
  faults += found.faults.length
  mutations += found.mutations
}
const rss = Math.round(process.resourceUsage().maxRSS / 1024)
console.log(`seed ${seed}: ${mutations} mutations, ${faults} without a typed verdict; most memory here ${rss} MB`)
process.exitCode = faults === 0 ? 0 : 1

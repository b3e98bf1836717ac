import { after, before, describe, test } from 'node:test'
import { sshdMissing } from '../helpers/sshd.ts'
import { clockOfFile, faketimeMissing } from '../helpers/strange-host.ts'
import { faults } from './faults/index.ts'
import { Lab } from './lab/lab.ts'
import { drawPictures } from './lab/pictures.ts'
import { play } from './lab/play.ts'
import { table } from './table.ts'

/** `npm run test:fault` plays the whole table, the suite its short part; CPN_FAULT_ROWS chooses rows by a pattern. */
const wanted = process.env.CPN_FAULT_ROWS
const rows = table.filter(({ fault, short }) => (wanted ? new RegExp(wanted).test(fault) : short))

describe('results are as in peace', { skip: sshdMissing }, () => {
  let lab: Lab
  before(async () => {
    const settings = { workers: 1 }
    const isRoot = process.getuid?.() === 0
    const clock = isRoot && !faketimeMissing ? { config: [clockOfFile], files: { '.faketimerc': '+0\n' } } : {}
    lab = await Lab.open({
      nodes: [
        { host: { name: 'node1', ...clock }, settings, diskMegabytes: isRoot ? 600 : 0 },
        { host: { name: 'node2' }, settings },
      ],
      spare: { host: { name: 'node3' }, settings },
      sets: {
        many: (folder) => drawPictures(folder, 150),
        large: (folder) => drawPictures(folder, 40, 400_000),
      },
    })
  })
  after(() => lab[Symbol.asyncDispose]())
  for (const row of rows) {
    const fault = faults[row.fault]!
    const skip = fault.missing ?? false
    test(`${row.fault}, after ${row.moment.written} pictures`, { skip, timeout: 240_000 }, () => play(lab, row, fault))
  }
})

import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { drawnPhoto } from '../helpers/drawn-images.ts'
import { addTinyDetector } from '../helpers/drawn-job.ts'
import { startLinkedHosts } from '../helpers/linked-hosts.ts'
import { project } from '../helpers/project.ts'
import { readSummary } from '../helpers/run-output.ts'
import { sshdMissing } from '../helpers/sshd.ts'
import { vethMissing } from '../helpers/veth-link.ts'

const photographs = 6
const bytes = 5_000_000

// Five megabytes take 40 s: what goes to four slots side by side is longer on its way than an image may take.
test('large photographs over a link of 1 Mbit/s: each is sent once', {
  skip: sshdMissing || vethMissing(),
}, async () => {
  await using fleet = await startLinkedHosts(1)
  await using home = project(fleet.hosts)
  const detector = await addTinyDetector(home)
  await home.ok(['provision', '--yes'])
  const folder = join(home.folder, 'photos')
  mkdirSync(folder)
  for (let index = 0; index < photographs; index++) {
    const photo = await drawnPhoto({ width: 640, height: 480, squares: [[40, 40, 80]] })
    writeFileSync(join(folder, `${index}.jpg`), Buffer.concat([photo, randomBytes(bytes - photo.length)]))
  }
  for (const link of fleet.links) link.limit(1)
  const out = join(home.folder, 'out')
  await home.ok(['predict', '--pipeline', 'faces', folder, '--detector', detector, '--out', out], {
    timeoutMs: 600_000,
  })
  assert.equal(readSummary(out).done, photographs)
  assert.deepEqual(attempts(home.folder), [`${photographs} started`, `${photographs} done`])
})

/** How many attempts ended how: a node that was lost meanwhile, or that was given too little time, shows as a failed one. */
function attempts(folder: string): string[] {
  using ledger = new DatabaseSync(join(folder, '.cpn', 'ledger.db'), { readOnly: true })
  const rows = ledger
    .prepare('SELECT state, error, count(*) AS attempts FROM attempts GROUP BY state, error ORDER BY state DESC')
    .all() as { state: string; error: string | null; attempts: number }[]
  return rows.map(({ state, error, attempts }) => [attempts, state, error].filter((part) => part !== null).join(' '))
}

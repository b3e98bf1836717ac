import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { withDeadlyBug } from '../helpers/broken-bundle.ts'
import { drawnPhoto } from '../helpers/drawn-images.ts'
import { addTinyDetector } from '../helpers/drawn-job.ts'
import { signalProcess } from '../helpers/processes.ts'
import { type Project, project } from '../helpers/project.ts'
import { readSummary } from '../helpers/run-output.ts'

const marker = 'a picture that no decoder survives'

test('the command that is told for a quarantined image does the same to it once more', {
  timeout: 120_000,
}, async () => {
  await using home = project()
  const detector = await addTinyDetector(home)
  const pictures = join(home.folder, 'two words')
  mkdirSync(pictures)
  const picture = await drawnPhoto({ width: 64, height: 48, squares: [] })
  writeFileSync(join(pictures, 'good.jpg'), picture)
  const options = ['--detector', detector, '--score-threshold', '0.7', '--annotate', 'full', '--max-megapixels', '50']
  await home.ok(['predict', pictures, ...options, '--out', 'first', '--yes'])
  plantBug(home)
  writeFileSync(join(pictures, "it's deadly.jpg"), Buffer.concat([picture, Buffer.from(marker)]))
  const { stderr, exitCode } = await home.cpn(['predict', pictures, ...options, '--out', 'second'])
  assert.equal(exitCode, 7, stderr)
  const [, command] = /See it happen: cpn (.*)/.exec(stderr) ?? []
  assert.ok(command, stderr)

  const words = execFileSync('sh', ['-c', `printf '%s\\0' ${command}`], { encoding: 'utf8' })
    .split('\0')
    .slice(0, -1)
  const again = await home.cpn([...words, '--out', 'third'])
  assert.equal(again.exitCode, 7, again.stderr)
  const { inputs, quarantined } = readSummary(join(home.folder, 'third'))
  assert.deepEqual([inputs, quarantined], [1, 1])
  assert.equal(new Set(pipelines(home)).size, 1, command)
  await home.cpn(['unprovision', 'all', '--yes'])
})

/** Plants the bug into what the next workers of this machine's agent run. */
function plantBug(home: Project): void {
  const [program] = globSync(join(home.env.HOME!, '.cpn/fleets/*/current/agent/worker.mjs'))
  writeFileSync(program!, withDeadlyBug(readFileSync(program!, 'utf8'), marker))
  const workers = home.processes().filter(({ command }) => command.includes('worker.mjs'))
  assert.ok(workers.length > 0)
  for (const { pid } of workers) signalProcess(pid, 'SIGKILL')
}

/** Digests of what the runs did to their images, one per run. */
function pipelines({ env }: Project): string[] {
  using ledger = new DatabaseSync(join(env.HOME!, '.local/state/cpn/ledger.db'), { readOnly: true })
  const rows = ledger.prepare('SELECT pipeline_digest AS digest FROM runs').all()
  assert.equal(rows.length, 3)
  return rows.map(({ digest }) => digest as string)
}

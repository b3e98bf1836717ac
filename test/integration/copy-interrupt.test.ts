import assert from 'node:assert/strict'
import { existsSync, linkSync, readdirSync, statSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { sha256File } from '../../src/common/digest.ts'
import { project } from '../helpers/project.ts'
import { type SshdHost, type SshdOptions, startHosts, usersMissing } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const bytes = 200_000_000
const endMs = 5_000

const ways: Record<string, SshdOptions> = {
  'through commands': {},
  'by SFTP': { subsystem: false, config: ['Subsystem sftp internal-sftp', 'ForceCommand internal-sftp'] },
}

for (const [way, options] of Object.entries(ways)) {
  for (const signal of ['SIGINT', 'SIGKILL'] as const) {
    test(`a copy ${way} that ends by ${signal} leaves a part, no process and no half file, and is continued`, {
      skip: usersMissing,
      timeout: 240_000,
    }, async () => {
      await using hosts = await startHosts({ name: 'node', ...options })
      const host = hosts[0]!
      await using home = project(hosts)
      const local = join(home.folder, 'big')
      writeFileSync(local, 'not all zeros', { mode: 0o644 })
      truncateSync(local, bytes)
      const run = home.spawn(['copy', 'big', 'node:copied'])
      await until(
        () => parts(host).some((path) => (statSync(path, { throwIfNoEntry: false })?.size ?? 0) > bytes / 8),
        'a part of it is there',
      )
      run.kill(signal)
      const { exitCode } = await run.exited
      assert.equal(exitCode, signal === 'SIGINT' ? 130 : null, run.describe())
      const isQuiet = (): boolean => host.processes().length === 0 && host.connections().length === 0
      await until(isQuiet, 'nothing runs on the host', endMs)
      assert.ok(!existsSync(join(host.home, 'copied')), 'nothing has the final name')
      const [part, ...others] = parts(host)
      assert.deepEqual(others, [])
      assert.match(part!, /\.part$/, 'it has the name under which it is looked for')
      assert.ok(statSync(part!).size < bytes, 'it was interrupted')
      // As long as this one is there no other file gets its number.
      const kept = join(host.home, 'kept')
      linkSync(part!, kept)
      await home.ok(['copy', 'big', 'node:copied'])
      assert.equal(statSync(join(host.home, 'copied')).ino, statSync(kept).ino, 'the part became the file')
      unlinkSync(kept)
      assert.equal(await sha256File(join(host.home, 'copied')), await sha256File(local))
      assert.deepEqual(parts(host), [])
    })
  }
}

function parts({ home }: SshdHost): string[] {
  return readdirSync(home)
    .filter((name) => name.startsWith('.cpn-'))
    .map((name) => join(home, name))
}

import assert from 'node:assert/strict'
import { execFileSync } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { project } from '../helpers/project.ts'
import { mountMissing } from '../helpers/strange-host.ts'
import { assertTold } from './hostile-fixture.ts'
import type { Told } from './hostile-hosts.ts'

const good = 'version: 1\nhosts:\n  node1: { address: 192.0.2.1, tags: [lab] }\n'
const host = (text: string): string => `version: 1\nhosts:\n  node1: ${text}\n`
const bomb = Array.from({ length: 9 }, (_, i) => `x${i + 1}: &x${i + 1} [${Array(9).fill(`*x${i}`).join(', ')}]\n`)
const large = Array.from({ length: 40_000 }, (_, i) => `  host${i}: { address: 192.0.2.1, user: user${i} }\n`)
const syntax = 'CPN_ERR_INVENTORY_SYNTAX'
const schema = 'CPN_ERR_INVENTORY_SCHEMA'
const unknown = 'CPN_ERR_HOST_UNKNOWN'
const run = ['run-remote', 'all', '--', 'true']

/** An inventory (none at all without text), a command, and what is told. */
const table: [what: string, text: string | undefined, command: string[], told: Told][] = [
  ['none', undefined, run, { code: 'CPN_ERR_INVENTORY_MISSING', cause: /no inventory at/, remedy: /hosts add NAME/ }],
  ['an empty one', '', run, { code: schema, cause: /:1:1: .*begins with "version: 1"/, remedy: /inventory\.example/ }],
  ['no YAML', host('{ a: [b'), run, { code: syntax, cause: /:3:/, remedy: /close the bracket/ }],
  ['a tab', 'version: 1\nhosts:\n\ta: {}', run, { code: syntax, cause: /:3:1: a tab/, remedy: /YAML wants spaces/ }],
  ['a host twice', `${good}  node1: {}\n`, run, { code: syntax, cause: /:4:3: .*twice/, remedy: /remove or rename/ }],
  ['an unknown key', host('{ adress: x }'), run, { code: schema, cause: /"adress"/, remedy: /mean "address"\?/ }],
  ['a wrong type', host('{ port: "22" }'), run, { code: schema, cause: /:3:18: port/, remedy: /from 1 to 65535/ }],
  ['port 0', host('{ port: 0 }'), run, { code: schema, cause: /:3:18: port/, remedy: /from 1 to 65535/ }],
  ['a circle', host('{ jump: node1 }'), run, { code: schema, cause: /through itself/, remedy: /break the circle/ }],
  [
    'an alias bomb',
    `version: 1\nx0: &x0 [a, a]\n${bomb.join('')}`,
    run,
    { code: syntax, cause: /aliases multiply/, remedy: /write the values out/ },
  ],
  [
    'two megabytes',
    `version: 1\nhosts:\n${large.join('')}`,
    run,
    { code: 'CPN_ERR_INVENTORY_READ', cause: /larger than 1 MiB/, remedy: /names the right file/ },
  ],
  ['an unknown host', good, ['provision', 'nod1'], { code: unknown, cause: /"nod1"/, remedy: /mean "node1"\?/ }],
  ['an unknown tag', good, ['status', 'tag:lap'], { code: unknown, cause: /tag "lap"/, remedy: /mean "lab"\?/ }],
]

describe('a bad inventory or pattern is told in one short message, and left as it is', () => {
  for (const [what, text, command, told] of table) {
    test(what, async () => {
      await using home = project()
      if (text !== undefined) writeFileSync(home.inventory, text)
      const { exitCode, stderr } = await home.cpn(command, { env: { CPN_INVENTORY: home.inventory } })
      assert.equal(exitCode, 3, stderr)
      assertTold(stderr.trimEnd().split('\n'), told, what)
      assert.equal(existsSync(home.inventory) ? readFileSync(home.inventory, 'utf8') : undefined, text)
    })
  }

  test('a disk that is read-only', { skip: mountMissing }, async () => {
    await using home = project()
    const file = join(home.folder, 'lab', 'inventory.yaml')
    mkdirSync(dirname(file))
    writeFileSync(file, good)
    writeFileSync(join(home.folder, 'ssh_config'), 'Host other\n  HostName 192.0.2.2\n')
    execFileSync('mount', ['--bind', dirname(file), dirname(file)])
    try {
      execFileSync('mount', ['-o', 'remount,bind,ro', dirname(file)])
      const env = { CPN_INVENTORY: file }
      const imported = await home.cpn(['hosts', 'import', '--ssh-config', 'ssh_config', '--yes'], { env })
      assert.equal(imported.exitCode, 3, imported.stderr)
      const write = { code: 'CPN_ERR_INVENTORY_WRITE', cause: /disk is read-only/, remedy: /folder writable/ } as const
      assertTold(toldFrom(imported.stderr), write, 'hosts import')
      const ran = await home.cpn(run, { env })
      assert.equal(ran.exitCode, 3, ran.stderr)
      const state = {
        code: 'CPN_ERR_STATE_DIR',
        cause: /\.cpn cannot be used: the disk is read-only/,
        remedy: /writable/,
      }
      assertTold(toldFrom(ran.stderr), state as Told, 'run-remote')
    } finally {
      execFileSync('umount', [dirname(file)])
    }
  })
})

function toldFrom(stderr: string): string[] {
  return stderr.slice(stderr.indexOf('✖')).trimEnd().split('\n')
}

import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { type SshdHost, startHosts, startSshd, usersMissing } from '../helpers/sshd.ts'
import { onTerminal } from '../helpers/terminal.ts'
import { assertTold, toldOf } from './hostile-fixture.ts'

const password = 'correct horse'
const limits = ['MaxSessions 1', 'MaxStartups 2:100:3']
const names = Array.from({ length: 12 }, (_, index) => ({ name: `inner${index + 1}` }))

describe('hosts behind a bastion', { skip: usersMissing, timeout: 120_000 }, () => {
  test(
    'twelve hosts behind one that asks for a password and allows little: one question, one login, all answer',
    leakFree(async () => {
      await using bastion = await startSshd({ name: 'bastion', password, config: limits })
      await using inner = await startHosts(...names)
      await using home = behind(bastion, inner)
      // The bastion takes no key.
      editInventory(home, (text) => text.replace(/(bastion: .*), identityFile: \S+/, '$1'))
      const { output, exitCode } = await onTerminal(home, ['run-remote', 'all', '--', 'echo', 'works'], [password])
      assert.equal(exitCode, 0, output)
      for (const { name } of inner) assert.match(output, new RegExp(`^${name}: works$`, 'm'))
      assert.equal(output.match(/Password of/g)?.length, 1)
      assert.equal(bastion.log().match(/Accepted password/g)?.length, 1)
      assert.doesNotMatch(output, new RegExp(password), 'a password is not shown')
      await assertIdle([bastion, ...inner])
    }),
  )

  test(
    'one that dies in the middle of a run ends the commands behind it at once, and no others',
    leakFree(async () => {
      await using bastion = await startSshd({ name: 'bastion' })
      await using inner = await startHosts({ name: 'inner1' }, { name: 'inner2' })
      await using direct = await startSshd({ name: 'direct' })
      await using home = behind(bastion, inner, direct)
      const command = 'echo begun; while [ -e wait ]; do sleep 0.1; done'
      for (const host of [...inner, direct]) writeFileSync(join(host.home, 'wait'), '')
      const run = home.spawn(['run-remote', 'all', '--', command])
      for (const { name } of [...inner, direct]) await run.waitFor(new RegExp(`^${name}: begun$`, 'm'), 'stdout')
      bastion.stop()
      for (const { name } of inner) await run.waitFor(new RegExp(`^✖ ${name}: `, 'm'))
      rmSync(join(direct.home, 'wait'))
      const result = await run.exited
      assert.equal(result.exitCode, 7, run.describe())
      for (const { name } of inner) {
        const told = {
          code: 'CPN_ERR_CONNECTION_LOST',
          cause: /connection to .* is lost with the one to bastion/,
          remedy: /bastion is up/,
        } as const
        assertTold(toldOf(result, name), told, name)
      }
      assert.doesNotMatch(result.stderr, /✖ direct/)
      await assertIdle([...inner, direct])

      const next = await home.cpn(['run-remote', 'all', '--', 'true'])
      assert.equal(next.exitCode, 7, next.stderr)
      for (const { name } of inner) {
        const told = {
          code: 'CPN_ERR_JUMP',
          cause: /bastion.*nothing listens there/,
          remedy: /jump host bastion/,
        } as const
        assertTold(toldOf(next, name), told, name)
      }
    }),
  )
})

/** A project whose inventory has a bastion, hosts behind it and hosts beside it. */
function behind(bastion: SshdHost, inner: SshdHost[], ...direct: SshdHost[]): Project {
  const home = project([bastion, ...inner, ...direct])
  editInventory(home, (text) =>
    text.replaceAll(/inner\d+: \{/g, '$& jump: bastion,').replace('bastion: {', '$& provision: false,'),
  )
  return home
}

function editInventory({ inventory }: Project, edit: (text: string) => string): void {
  writeFileSync(inventory, edit(readFileSync(inventory, 'utf8')))
}

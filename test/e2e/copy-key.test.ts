import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { makeKey, publicKey } from '../helpers/host-files.ts'
import { assertIdle, leakFree } from '../helpers/leaks.ts'
import { type Project, project } from '../helpers/project.ts'
import { type SshdHost, startSshd, usersMissing } from '../helpers/sshd.ts'
import { onTerminal } from '../helpers/terminal.ts'

const password = 'correct horse'

describe('hosts add --copy-key on a terminal', { skip: usersMissing, timeout: 60_000 }, () => {
  test(
    'asks again after a wrong password, adds a line of its own, and is done when it is run again',
    leakFree(async () => {
      await using host = await startSshd({ name: 'node1', password })
      await using home = project()
      const { args, identityFile } = copyKeyTo(host, home)
      const authorizedKeys = join(host.home, '.ssh', 'authorized_keys')
      writeFileSync(authorizedKeys, '# without a newline at the end')
      const first = await onTerminal(home, args, ['wrong', password])
      assert.equal(first.exitCode, 0, first.output)
      assert.match(first.output, /Added node1 .*\nCopied the key/)
      const text = readFileSync(authorizedKeys, 'utf8')
      assert.match(text, /^# without a newline at the end\n[^\n]+\n$/)
      assert.ok(text.includes(publicKey(`${identityFile}.pub`)))
      const { stdout } = await home.ok(args)
      assert.match(stdout, /^Kept node1 .*\nIt had the key/)
      assert.equal(readFileSync(authorizedKeys, 'utf8'), text)
      await assertIdle([host])
    }),
  )

  test(
    'a server that does not wait for the answer is named below the open question',
    leakFree(async () => {
      await using host = await startSshd({ name: 'node1', password, config: ['LoginGraceTime 2'] })
      await using home = project()
      const { output, exitCode } = await onTerminal(home, copyKeyTo(host, home).args, [])
      assert.equal(exitCode, 4, output)
      assert.match(output, /Password of .*\n.*✖.* node1: .* hung up during the login\n/)
      assert.match(output, /CPN_ERR_CONNECTION_LOST/)
    }),
  )
})

/** The command for a host that takes only a password from this person, whose key is a new one. */
function copyKeyTo(host: SshdHost, home: Project): { args: string[]; identityFile: string } {
  const identityFile = join(home.env.HOME!, 'id_new')
  makeKey(identityFile)
  const where = ['--address', host.address, '--port', `${host.port}`, '--user', host.user]
  const trust = ['--identity-file', identityFile, '--host-key', host.hostKeyFingerprint]
  return { args: ['hosts', 'add', host.name, ...where, ...trust, '--copy-key'], identityFile }
}

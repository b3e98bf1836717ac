import assert from 'node:assert/strict'
import { readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { addTinyDetector } from '../helpers/drawn-job.ts'
import { type Project, project } from '../helpers/project.ts'
import { type SshdHost, startSshd, usersMissing } from '../helpers/sshd.ts'
import { onTerminal } from '../helpers/terminal.ts'

const password = 'correct horse'
const wrong = 'battery staple'
/** As typed, and as they would stand in what is encoded. */
const secrets = [password, wrong].flatMap((text) => [text, Buffer.from(text).toString('base64'), encodeURI(text)])
const longest = 2 ** 20

describe('passwords typed at the prompt', { skip: usersMissing, timeout: 120_000 }, () => {
  test('reach no log of master or node, no output, and no file on either side', async () => {
    await using host = await startSshd({ name: 'node1', password })
    using _ = sudoer(host)
    await using home = project([host])
    await addTinyDetector(home)
    takesPasswordsOnly(home)
    const loud = { ...home.env, CPN_DEBUG: '1', CPN_LOG_LEVEL: 'trace' }
    const outputs: string[] = []
    const ends = async (code: number, args: string[], answers: string[]): Promise<void> => {
      const { output, exitCode } = await onTerminal({ folder: home.folder, env: loud }, args, answers)
      assert.equal(output.match(/Password (?:of|for) [^\n]*: /g)?.length, answers.length, output)
      assert.equal(exitCode, code, output)
      outputs.push(output)
    }
    // The verification logs in by itself.
    await ends(0, ['provision', 'node1', '--yes'], [wrong, password, password])
    const sudo = ['run-remote', 'node1', '--sudo']
    await ends(0, [...sudo, '--', 'id', '-u'], [password, password])
    await ends(0, [...sudo, '--json', '--', 'id', '-u'], [password, password])
    await ends(7, [...sudo, '--json', '--', 'true'], [password, wrong])

    const logs = [join(home.folder, '.cpn', 'logs', 'cpn.ndjson'), ...agentLogs(host)].map((path) =>
      readFileSync(path, 'utf8'),
    )
    assert.match(logs[0]!, /"command":"run-remote"/)
    assert.match(logs[1]!, /agent started/)
    assert.match(outputs.join(''), /"event":"command-began"/)
    const written = [home.folder, home.env.HOME!, host.home].flatMap(smallFiles)
    for (const text of [...outputs, ...logs, ...written]) {
      for (const secret of secrets) assert.ok(!text.includes(secret), `${secret} in ${text.slice(0, 200)}`)
    }
  })
})

/** Lets a test host's user use sudo with a password, until it is disposed of. */
function sudoer({ user }: SshdHost): Disposable {
  const file = `/etc/sudoers.d/${user}`
  writeFileSync(file, `${user} ALL=(ALL) ALL\n`, { mode: 0o440 })
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) }
}

function takesPasswordsOnly({ inventory }: Project): void {
  writeFileSync(inventory, readFileSync(inventory, 'utf8').replace(/, identityFile: \S+/, ''))
}

function agentLogs({ home }: SshdHost): string[] {
  const fleets = join(home, '.cpn', 'fleets')
  const folder = join(fleets, readdirSync(fleets)[0]!, 'log')
  return readdirSync(folder).map((name) => join(folder, name))
}

/** Texts of all files below a folder that are no programs, models or libraries. */
function smallFiles(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true })
  const paths = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name))
  return paths.filter((path) => statSync(path).size < longest).map((path) => readFileSync(path, 'latin1'))
}

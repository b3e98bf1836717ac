import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { rmSync, writeFileSync } from 'node:fs'
import { PassThrough } from 'node:stream'
import { test } from 'node:test'
import { runRemote } from '../../src/actions/run-remote/run-remote.ts'
import { CpnError } from '../../src/common/errors.ts'
import { loadInventory } from '../../src/inventory/load.ts'
import { listProcesses } from '../helpers/processes.ts'
import { project } from '../helpers/project.ts'
import { quietContext } from '../helpers/provisioned.ts'
import { type SshdHost, sshdMissing, startSshd, usersMissing } from '../helpers/sshd.ts'
import { until } from '../helpers/until.ts'

const password = "it's a secret"
const sudoMissing = usersMissing || (spawnSync('sudo', ['--version']).error ? 'needs sudo on this machine' : false)
/** What the command's processes may take to be gone. */
const endsWithinMs = 5000

/** Lets a test host's user use sudo until it is disposed of. */
function sudoer(host: SshdHost, rule: string): Disposable {
  const file = `/etc/sudoers.d/${host.user}`
  writeFileSync(file, `${host.user} ALL=(ALL) ${rule}\n`, { mode: 0o440 })
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) }
}

let families = 0

/** A command with a child and a grandchild, and how many of their processes live. */
function family() {
  const seconds = 200_000 + process.pid * 10 + families++
  const sleeping = () => listProcesses().filter(({ command }) => command === `sleep ${seconds}`)
  return { script: `echo begun; sh -c 'sleep ${seconds} & sleep ${seconds}; :'; :`, sleeping }
}

for (const sudo of [false, true]) {
  for (const stdin of [false, true]) {
    for (const signal of ['SIGINT', 'SIGKILL'] as const) {
      const how = `${sudo ? 'with' : 'without'} sudo, ${stdin ? 'with' : 'without'} stdin`
      test(`${signal} of cpn ends the remote family (${how})`, { skip: sudo ? sudoMissing : sshdMissing }, async () => {
        await using host = await startSshd({ name: 'node1' })
        using _ = sudo ? sudoer(host, 'NOPASSWD: ALL') : undefined
        await using fleet = project([host])
        const { script, sleeping } = family()
        const input = stdin ? 'some input\n' : ''
        const command = stdin ? `read -r line; echo "$line"; ${script}` : script
        const args = ['run-remote', 'node1', ...(sudo ? ['--sudo'] : []), '--json', '--', command]
        const cpn = fleet.spawn(args, { input })
        await until(() => sleeping().length === 2, `the family sleeps: ${cpn.describe()}`)
        assert.ok(!sudo || sleeping().every(({ uid }) => uid === 0))
        cpn.kill(signal)
        const { stdout, exitCode } = await cpn.exited
        await until(() => sleeping().length === 0, 'nothing of it is left', endsWithinMs)
        if (signal === 'SIGKILL') return
        assert.equal(exitCode, 130)
        const [result] = JSON.parse(stdout).hosts
        assert.equal(result.stdout, stdin ? 'some input\nbegun\n' : 'begun\n')
        assert.equal(result.error.code, 'CPN_ERR_INTERRUPTED')
      })
    }
  }
}

test("sudo's password is asked for once and reaches nothing but sudo", { skip: sudoMissing }, async () => {
  await using host = await startSshd({ name: 'node1', password })
  using _ = sudoer(host, 'ALL')
  await using fleet = project([host])
  const inventory = await loadInventory(fleet.inventory)
  const run = async (secret: string, input?: string) => {
    const stdin = input === undefined ? undefined : new PassThrough()
    stdin?.end(input)
    const options = {
      inventory,
      hosts: ['all'],
      command: ['id -u; cat'],
      sudo: true,
      parallel: 1,
      maxFail: Number.POSITIVE_INFINITY,
    }
    const [result] = await runRemote({ ...options, stdin, keepOutput: true }, quietContext(secret))
    return result!
  }
  const plain = await run(password)
  assert.deepEqual([plain.exitCode, plain.stdout], [0, '0\n'], plain.stderr)
  const fed = await run(password, 'text\n')
  assert.deepEqual([fed.exitCode, fed.stdout], [0, '0\ntext\n'], fed.stderr)
  const wrong = await run('not this', 'text\n')
  assert.equal(wrong.error?.code, 'CPN_ERR_SUDO')
})

for (const hasStdin of [false, true]) {
  const what = `a command of root is ended when it was started with a password, ${hasStdin ? 'with' : 'without'} stdin`
  test(what, { skip: sudoMissing }, async () => {
    await using host = await startSshd({ name: 'node1', password })
    using _ = sudoer(host, 'ALL')
    await using fleet = project([host])
    const { script, sleeping } = family()
    const stop = new AbortController()
    const stdin = hasStdin ? new PassThrough() : undefined
    stdin?.write('more to come')
    const options = {
      hosts: ['all'],
      command: [script],
      sudo: true,
      parallel: 1,
      maxFail: Number.POSITIVE_INFINITY,
      keepOutput: true,
      stdin,
    }
    const inventory = await loadInventory(fleet.inventory)
    const running = runRemote({ inventory, ...options }, { ...quietContext(password), signal: stop.signal })
    await until(() => sleeping().length === 2, 'the family sleeps')
    stop.abort(new CpnError('CPN_ERR_INTERRUPTED', 'interrupted'))
    const [result] = await running
    assert.deepEqual([result!.stdout, result!.error?.code], ['begun\n', 'CPN_ERR_INTERRUPTED'])
    await until(() => sleeping().length === 0, 'nothing of it is left', endsWithinMs)
  })
}

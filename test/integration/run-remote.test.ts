import assert from 'node:assert/strict'
import { once } from 'node:events'
import { appendFileSync, chmodSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { cpnProgram } from '../helpers/cli.ts'
import { pinnedNode, start } from '../helpers/program.ts'
import { type Project, project } from '../helpers/project.ts'
import { type SshdHost, sshdMissing, startHosts } from '../helpers/sshd.ts'
import { freePort } from '../helpers/sshd-process.ts'
import { tempFolder } from '../helpers/temp-folder.ts'
import { until } from '../helpers/until.ts'

interface RemoteJson {
  hosts: {
    name: string
    exitCode: number | null
    signal: string | null
    stdout: string
    stderr: string
    seconds: number
    error: { code: string; message: string } | null
  }[]
}

describe('run-remote', { skip: sshdMissing }, () => {
  let hosts: SshdHost[] & AsyncDisposable
  let fleet: Project
  before(async () => {
    hosts = await startHosts({ name: 'node1' }, { name: 'node2' }, { name: 'node3' })
    fleet = project(hosts)
  })
  after(async () => {
    await fleet[Symbol.asyncDispose]()
    await hosts[Symbol.asyncDispose]()
  })

  test('whole lines of stdout and stderr begin with their host, made harmless for a terminal', async () => {
    const line = "printf 'one\\ntwo\\033[31m'; echo oops >&2"
    const { stdout, stderr, exitCode } = await fleet.cpn(['run-remote', 'node[1-2]', '--', line])
    assert.equal(exitCode, 0, stderr)
    const lines = ['node1: one', 'node1: two\\x1b[31m', 'node2: one', 'node2: two\\x1b[31m']
    assert.deepEqual(stdout.trimEnd().split('\n').sort(), lines)
    assert.deepEqual(stderr.trimEnd().split('\n').sort(), ['node1: oops', 'node2: oops'])
  })

  test('a line is shown while its command still runs', async () => {
    using folder = tempFolder()
    chmodSync(folder.path, 0o755)
    const go = join(folder.path, 'go')
    const cpn = fleet.spawn([
      'run-remote',
      'node1',
      '--',
      `echo waiting; until [ -e ${go} ]; do sleep 0.1; done; echo gone`,
    ])
    await cpn.waitFor(/^node1: waiting$/m, 'stdout')
    writeFileSync(go, '')
    assert.equal((await cpn.exited).stdout, 'node1: waiting\nnode1: gone\n')
  })

  test('as many hosts as --parallel says are at work at once', async () => {
    using folder = tempFolder()
    chmodSync(folder.path, 0o777)
    const run = (parallel: number, command: string) =>
      fleet.ok(['run-remote', 'all', '--parallel', `${parallel}`, '--', command])
    const taken = join(folder.path, 'taken')
    await run(1, `mkdir ${taken} && sleep 0.2 && rmdir ${taken}`)
    // Each of them ends only when it has seen all the others.
    const seen = join(folder.path, 'seen')
    await run(3, `: > ${seen}.$$; until [ $(ls ${folder.path} | grep -c seen) -ge 3 ]; do sleep 0.1; done`)
  })

  test('an end by a signal is told from an exit', async () => {
    const { stdout, exitCode } = await fleet.cpn(['run-remote', 'node1', '--json', '--', 'kill -9 $$'])
    const [result] = (JSON.parse(stdout) as RemoteJson).hosts
    assert.deepEqual([exitCode, result!.exitCode === 0, result!.error], [7, false, null])
    const shown = await fleet.cpn(['run-remote', 'node1', '--', 'kill -9 $$'])
    assert.match(shown.stderr, /^✖ node1: (ended by SIGKILL|exit code 137) after/m)
  })

  test('words are joined by spaces and read by sh on the host, flags of the command included', async () => {
    const { stdout } = await fleet.ok(['run-remote', 'node1', '--', 'echo', '--json', '$((2', '+', '3))'])
    assert.equal(stdout, 'node1: --json 5\n')
  })

  test('every host gets all of stdin', async () => {
    const input = 'a line of text\n'.repeat(20_000)
    const { stdout } = await fleet.ok(['run-remote', 'all', '--json', '--', 'cksum'], { input })
    const { hosts: results } = JSON.parse(stdout) as RemoteJson
    assert.equal(results.length, 3)
    assert.equal(new Set(results.map(({ stdout }) => stdout)).size, 1)
    assert.match(results[0]!.stdout, new RegExp(` ${input.length}$`, 'm'))
  })

  test('a command that leaves its stdin unread does not hold up the others', async () => {
    const input = 'x'.repeat(3_000_000)
    const { stdout } = await fleet.ok(['run-remote', 'all', '--', '[ -e unread ] || wc -c'], { input })
    assert.equal(stdout.match(/3000000/g)?.length, 3)
  })

  test('a failed command and a dead host are results, and the exit code is 7', async () => {
    const dead = project(hosts.slice(0, 2))
    await using _ = dead
    appendFileSync(dead.inventory, `  gone: { address: 127.0.0.1, port: ${await freePort('127.0.0.1')} }\n`)
    const args = ['run-remote', 'all', '--json', '--', 'echo here; echo there >&2; [ $PPID = 0 ]']
    const { stdout, exitCode } = await dead.cpn(args)
    assert.equal(exitCode, 7)
    const [one, two, gone] = (JSON.parse(stdout) as RemoteJson).hosts
    for (const result of [one!, two!]) {
      assert.deepEqual([result.exitCode, result.stdout, result.stderr, result.error], [1, 'here\n', 'there\n', null])
    }
    assert.deepEqual([gone!.exitCode, gone!.error?.code], [null, 'CPN_ERR_CONNECT_REFUSED'])
    const shown = await dead.cpn(['run-remote', 'all', '--', 'exit 3'])
    assert.match(shown.stderr, /✖ node1: exit code 3 /)
    assert.match(shown.stderr, /3 of 3 hosts failed: node\[1-2\],gone/)
    assert.equal((await dead.cpn(['run-remote', 'gone', '--', 'true'])).exitCode, 4)
  })

  test('a command that takes too long is ended there, and what it said is kept', async () => {
    const line = 'echo before; sleep 1234 & sleep 1234'
    const { stdout, exitCode } = await fleet.cpn(['run-remote', 'node1', '--timeout', '1', '--json', '--', line])
    assert.equal(exitCode, 7)
    const [result] = (JSON.parse(stdout) as RemoteJson).hosts
    assert.deepEqual([result!.stdout, result!.error?.code], ['before\n', 'CPN_ERR_REMOTE_TIMEOUT'])
    const left = () => hosts[0]!.processes().filter(({ command }) => command.startsWith('sleep'))
    await until(() => left().length === 0, 'nothing of it is left', 5000)
  })

  test('no further host begins once more have failed than may', async () => {
    const args = ['run-remote', 'all', '--json', '--', 'exit 1']
    const codes = async (more: string[]) => {
      const { stdout } = await fleet.cpn([...args.slice(0, 2), ...more, ...args.slice(2)])
      return (JSON.parse(stdout) as RemoteJson).hosts.map(({ exitCode, error }) => error?.code ?? exitCode)
    }
    assert.deepEqual(await codes(['--parallel', '1']), [1, 1, 1])
    assert.deepEqual(await codes(['--batch', '1']), [1, 'CPN_ERR_NOT_RUN', 'CPN_ERR_NOT_RUN'])
    assert.deepEqual(await codes(['--batch', '1', '--max-fail', '1']), [1, 1, 'CPN_ERR_NOT_RUN'])
    assert.deepEqual(await codes(['--parallel', '1', '--max-fail', '1']), [1, 1, 'CPN_ERR_NOT_RUN'])
  })

  test('folded output is shown once, and what differs as a diff', async () => {
    const line = `echo same; case $HOME in ${hosts[2]!.home}) echo other;; *) echo usual;; esac`
    const { stdout } = await fleet.ok(['run-remote', 'all', '--fold', '--', line])
    const expected = ['node[1-2] (2 hosts)', '  same', '  usual', 'node3 differs from node[1-2]:']
    assert.equal(stdout, [...expected, '    same', '  - usual', '  + other', ''].join('\n'))
  })

  test('a host that says nothing delays no other', async () => {
    const silent = createServer().listen(0, '127.0.0.1')
    await once(silent, 'listening')
    await using other = project(hosts.slice(0, 2))
    appendFileSync(
      other.inventory,
      `  silent: { address: 127.0.0.1, port: ${(silent.address() as AddressInfo).port} }\n`,
    )
    const cpn = other.spawn(['run-remote', 'all', '--', 'echo hi'])
    await Promise.all([cpn.waitFor(/^node1: hi$/m, 'stdout'), cpn.waitFor(/^node2: hi$/m, 'stdout')])
    cpn.kill('SIGINT')
    const { exitCode, stderr } = await cpn.exited
    silent.close()
    assert.equal(exitCode, 130)
    assert.match(stderr, /^✖ silent: interrupted$/m)
  })

  test('a stdin that never says anything keeps no command waiting that does not read it', async () => {
    const args = [cpnProgram, 'run-remote', 'all', '--', 'echo hi']
    const { closed } = start(pinnedNode, args, { cwd: fleet.folder, env: fleet.env })
    const { stdout } = await closed
    assert.deepEqual(stdout.trimEnd().split('\n').sort(), ['node1: hi', 'node2: hi', 'node3: hi'])
  })

  test('a pattern and a command are required', async () => {
    for (const args of [['--', 'true'], ['all'], ['all', '--']]) {
      const { exitCode, stderr } = await fleet.cpn(['run-remote', ...args])
      assert.equal(exitCode, 2, stderr)
    }
  })

  test('a host that only leads to others can be named', async () => {
    await using other = project(hosts.slice(0, 1))
    const text = `  door: { address: ${hosts[0]!.address}, port: ${hosts[0]!.port}, user: ${hosts[0]!.user}, identityFile: ${hosts[0]!.identityFile}, provision: false }\n`
    appendFileSync(other.inventory, text)
    appendFileSync(join(other.folder, '.cpn', 'known_hosts'), `${hosts[0]!.knownHostsLine('door')}\n`)
    assert.equal((await other.ok(['run-remote', 'door', '--', 'echo hi'])).stdout, 'door: hi\n')
  })

  test('this machine is a host like the others', async () => {
    await using other = project(hosts.slice(0, 1))
    appendFileSync(other.inventory, '  here: { transport: local }\n')
    const { stdout } = await other.ok(['run-remote', 'all', '--', 'cat; echo ok'], { input: 'text\n' })
    assert.deepEqual(stdout.trimEnd().split('\n').sort(), ['here: ok', 'here: text', 'node1: ok', 'node1: text'])
  })
})

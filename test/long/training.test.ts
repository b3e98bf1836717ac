import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../../src/common/digest.ts'
import { repositoryRoot, shared, sharedMissing } from '../helpers/shared.ts'
import { tempFolder } from '../helpers/temp-folder.ts'

const python = '/usr/bin/python3'
const torchMissing =
  spawnSync(python, ['-c', 'import cv2, numpy, onnx, torch']).status === 0
    ? false
    : 'needs Debian’s python3-torch, python3-opencv, python3-numpy and python3-onnx'
const skip = sharedMissing || torchMissing
const tool = (path: string) => join(repositoryRoot, 'tools', 'train', path)

/** What it says on stdout. */
function run(program: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  assert.equal(status, 0, `${args.join(' ')}\n${stderr}`)
  return stdout
}

/** Starts a training, interrupts it once it has begun to learn, and lets the same command finish. */
async function runInTwoParts(args: string[], checkpoint: string, begun: RegExp): Promise<void> {
  const child = spawn(python, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  let said = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text))
  const exited = once(child, 'exit')
  while (!begun.test(said) && child.exitCode === null) await sleep(50)
  await sleep(1000)
  assert.equal(child.exitCode, null, 'it is still learning')
  child.kill('SIGTERM')
  assert.deepEqual(await exited, [0, null])
  assert.ok(existsSync(checkpoint))
  run(python, ...args)
}

const digestOf = (file: string) => sha256(readFileSync(file))

test('equal seeds give equal embedders, also across an interruption', { skip }, async () => {
  using folder = tempFolder()
  const at = (...parts: string[]) => join(folder.path, ...parts)
  // Five of these are set aside for validation.
  const people = ['--first-person', '100', '--people', '60']
  run(process.execPath, tool('draw.ts'), at('drawn'), ...people, '--portraits', '4', '--seed', '11')
  const cut = [tool('faces.ts'), at('drawn'), shared('models', 'yunet-s-dynamic.onnx')]
  run(process.execPath, ...cut, `drawn:${at('drawn', 'portraits')}`)
  const teach = [tool('teach.ts'), shared('models', 'mobilefacenet-foamliu-112.onnx')]
  run(process.execPath, ...teach, at('drawn', 'crops.u8'))
  for (const store of ['store', 'store-again']) {
    run(python, tool('embedder/mix.py'), at('drawn'), at(store), '--shards', '1')
  }
  assert.equal(digestOf(at('store', '0000.u8')), digestOf(at('store-again', '0000.u8')))
  run(process.execPath, ...teach, at('store', '0000.u8'))

  const train = (out: string) => [
    ...[tool('embedder/train.py'), at('drawn'), at('store'), at(out)],
    ...['--drawn', at('drawn'), '--steps', '270'],
  ]
  const made = (out: string) => {
    run(python, tool('embedder/export.py'), at(out, 'checkpoint.pt'), at(`${out}.onnx`))
    return digestOf(at(`${out}.onnx`))
  }
  run(python, ...train('whole'))
  await runInTwoParts(train('parts'), at('parts', 'checkpoint.pt'), /"step": 250/)
  assert.equal(made('parts'), made('whole'))
  run(python, ...train('other'), '--seed', '2')
  assert.notEqual(made('other'), made('whole'))
  const thresholds = [tool('embedder/thresholds.py'), at('whole', 'checkpoint.pt'), at('drawn')]
  assert.match(
    run(python, ...thresholds, '--drawn-held-out', at('drawn')),
    /^verification: 0\.\d\d\nidentification: 0\.\d\d$/m,
  )
})

test('equal seeds give equal detectors, also across an interruption', { skip }, async () => {
  using folder = tempFolder()
  const at = (...parts: string[]) => join(folder.path, ...parts)
  run(process.execPath, tool('draw.ts'), at('drawn'), '--people', '40', '--scenes', '20', '--seed', '11')
  for (const pool of ['pool', 'pool-again']) {
    const prepare = [tool('detector/prepare.py'), '--teacher', shared('models', 'yunet-s-dynamic.onnx')]
    run(python, ...prepare, '--out', at(pool), '--seed', '2', '--files', '1', '--drawn', at('drawn'))
  }
  assert.equal(digestOf(at('pool', '0000.npz')), digestOf(at('pool-again', '0000.npz')))

  const train = (out: string) => [
    ...[tool('detector/train.py'), '--pool', at('pool'), '--checkpoint', at(`${out}.pt`), '--steps', '115'],
  ]
  const made = (out: string) => {
    run(python, tool('detector/export.py'), at(`${out}.pt`), at(`${out}.onnx`))
    return digestOf(at(`${out}.onnx`))
  }
  run(python, ...train('whole'))
  await runInTwoParts(train('parts'), at('parts.pt'), /step 100/)
  assert.equal(made('parts'), made('whole'))
  run(python, ...train('other'), '--seed', '2')
  assert.notEqual(made('other'), made('whole'))
})

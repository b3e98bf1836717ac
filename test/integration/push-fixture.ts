import assert from 'node:assert/strict'
import { appendFileSync, existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { PushReport } from '../../src/actions/models/push-report.ts'
import type { ProvisionOptions } from '../../src/actions/nodes/provision.ts'
import { sha256 } from '../../src/common/digest.ts'
import { drawMany } from '../helpers/drawn-job.ts'
import { type Project, project } from '../helpers/project.ts'
import { provisionAll, setting } from '../helpers/provisioned.ts'
import type { SshdHost } from '../helpers/sshd.ts'
import { tinyDetector, tinyDetectorVersion } from '../helpers/tiny-model.ts'

/** sha256 of both versions of the tests' detector. */
export const digests = { first: sha256(tinyDetector()), second: sha256(tinyDetectorVersion('2')) }

/** What `models push --json` prints, with its errors as they are told. */
export type Pushed = Omit<PushReport, 'nodes' | 'error'> & {
  nodes: (Omit<PushReport['nodes'][number], 'error'> & { error: { code: string; message: string } | null })[]
  error: { code: string; message: string } | null
}

export interface PushSetting extends AsyncDisposable {
  home: Project
  options: ProvisionOptions
  /** Folder of golden pictures with a face each. */
  golden: string
  push(...args: string[]): Promise<{ exitCode: number | null; report: Pushed; stderr: string }>
}

/**
 * Provisioned nodes on which faces@2 is in use, which is tiny-squares@1; faces@3 is defined, with tiny-squares@2, which
 * none of them has.
 */
export async function pushSetting(
  hosts: SshdHost[],
  releaseOf: (name: string) => ProvisionOptions['release'] | undefined = () => undefined,
): Promise<PushSetting> {
  const home = project(hosts)
  // What a second worker of each host does, the first shows as well.
  appendFileSync(home.inventory, 'defaults: { workers: 1 }\n')
  const { options } = await setting(home)
  const golden = join(home.folder, 'golden')
  await drawMany(golden, 3)
  const push = async (...args: string[]) => {
    const { exitCode, stdout, stderr } = await home.cpn(['models', 'push', ...args, '--golden', golden, '--json'])
    return { exitCode, report: JSON.parse(stdout) as Pushed, stderr }
  }
  await Promise.all(
    hosts.map(async ({ name }) => {
      const release = releaseOf(name) ?? options.release
      for (const [, { error }] of await provisionAll({ ...options, hosts: [name], ...(release && { release }) })) {
        assert.ifError(error)
      }
    }),
  )
  await home.ok(['models', 'define', 'faces@2', '--detector', 'tiny-squares@1'])
  const first = await push('faces@2', '--max-lost', '100')
  assert.equal(first.report.active, 'faces@2', first.stderr)
  const file = join(home.folder, 'second.onnx')
  writeFileSync(file, tinyDetectorVersion('2'))
  const details = ['--name', 'tiny-squares', '--model-version', '2', '--family', 'yunet', '--licence', 'Apache-2.0']
  await home.ok(['models', 'add', file, ...details])
  await home.ok(['models', 'define', 'faces@3', '--detector', 'tiny-squares@2'])
  return {
    home,
    options,
    golden,
    push,
    async [Symbol.asyncDispose]() {
      await home.cpn(['unprovision', 'all', '--yes'])
      await home[Symbol.asyncDispose]()
    },
  }
}

/** Model files on a host, parts of them too. */
export function modelsOn(host: SshdHost): string[] {
  const folder = join(host.home, '.cpn', 'models')
  return existsSync(folder) ? readdirSync(folder).sort() : []
}

/** What each node became. */
export const states = ({ nodes }: Pushed): string => nodes.map(({ name, state }) => `${name} ${state}`).join(', ')

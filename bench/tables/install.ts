// What somebody who tries cpn waits for and gives room to: package, installation, first run, demo.
import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { drawGroup } from '../../src/drawing/scene.ts'
import { cpnProgram } from '../../test/helpers/cli.ts'
import { pinnedNode, start } from '../../test/helpers/program.ts'
import { repositoryRoot } from '../../test/helpers/shared.ts'
import { tempFolder } from '../../test/helpers/temp-folder.ts'
import type { Report } from '../report.ts'

const rounds = Number(process.env.CPN_BENCH_ROUNDS ?? 3)
const photos = 20
const mebibyte = 2 ** 20

export async function measure(): Promise<Report> {
  using folder = tempFolder()
  const tarball = pack(folder.path)
  const runs: Steps[] = []
  for (let round = 0; round < rounds; round++) runs.push(await installAndRun(join(folder.path, `${round}`), tarball))
  const row = (what: string, unit: string, of: keyof Steps) => ({
    what,
    unit,
    values: runs.map((run) => run[of]),
  })
  return {
    title: 'first steps',
    rows: [
      { what: 'the package that npm packs', unit: 'MiB', values: [statSync(tarball).size / mebibyte] },
      row('installed, with all that it depends on', 'MiB', 'installedMiB'),
      row('of that cpn itself', 'MiB', 'ownMiB'),
      row('npm install, out of npm’s cache', 's', 'installSeconds'),
      row(`first predict --pipeline persons-lite, ${photos} photos`, 's', 'firstSeconds'),
      row('the same command for another folder', 's', 'secondSeconds'),
      row('cpn demo', 's', 'demoSeconds'),
    ],
    ratios: [],
    notes: [
      'The first predict packs a release, provisions this machine and starts its agent. Nothing is downloaded by either.',
    ],
  }
}

/** Of one round: seconds, and MiB that it takes. */
type Steps = Record<
  'installSeconds' | 'firstSeconds' | 'secondSeconds' | 'demoSeconds' | 'installedMiB' | 'ownMiB',
  number
>

async function installAndRun(root: string, tarball: string): Promise<Steps> {
  const [project, home] = [join(root, 'project'), join(root, 'home')]
  for (const each of [project, home]) mkdirSync(each, { recursive: true })
  writeFileSync(join(project, 'package.json'), '{ "private": true }')
  const installSeconds = await timed(() =>
    npm(['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error', tarball], project),
  )
  for (const name of ['first', 'second']) await draw(join(project, name))
  const env = { PATH: process.env.PATH, LANG: 'C.UTF-8', HOME: home }
  const program = join(project, 'node_modules', 'cpn', 'bin', 'run.js')
  const cpn = async (...args: string[]) => {
    const { code, stderr } = await start(pinnedNode, [program, ...args], { cwd: project, env, onlyEnv: true }).closed
    if (code !== 0) throw new Error(`cpn ${args.join(' ')} ended with ${code}: ${stderr}`)
  }
  const firstSeconds = await timed(() => cpn('predict', 'first', '--pipeline', 'persons-lite'))
  const secondSeconds = await timed(() => cpn('predict', 'second', '--pipeline', 'persons-lite'))
  await cpn('unprovision', 'all', '--yes')
  const demoSeconds = await timed(() => cpn('demo'))
  const installedMiB = sizeOf(join(project, 'node_modules'))
  const ownMiB = sizeOf(join(project, 'node_modules', 'cpn'))
  rmSync(root, { recursive: true })
  return { installSeconds, firstSeconds, secondSeconds, demoSeconds, installedMiB, ownMiB }
}

async function timed(work: () => Promise<void> | void): Promise<number> {
  const started = performance.now()
  await work()
  return (performance.now() - started) / 1000
}

async function draw(folder: string): Promise<void> {
  mkdirSync(folder)
  for (let index = 0; index < photos; index++) {
    const { jpeg } = await drawGroup([8_000_001, 8_000_002, 8_000_003], index)
    writeFileSync(join(folder, `${index}.jpg`), jpeg)
  }
}

/** The build that is measured, as it is: scripts would build anew. */
function pack(folder: string): string {
  const built = dirname(dirname(cpnProgram))
  npm(['pack', '--ignore-scripts', `--pack-destination=${folder}`], built)
  const { name, version } = JSON.parse(readFileSync(join(built, 'package.json'), 'utf8'))
  return join(folder, `${name}-${version}.tgz`)
}

function npm(args: string[], cwd: string): void {
  // npm's own settings for this run, and the checkout's programs, are not for the project.
  const path = (process.env.PATH ?? '').split(delimiter).filter((each) => !each.startsWith(repositoryRoot))
  const others = Object.entries(process.env).filter(([key]) => !/^(npm_|INIT_CWD$|NODE_)/.test(key))
  const inPath = [...path, dirname(pinnedNode)].join(delimiter)
  // Its install script would download libraries for graphics cards.
  const env = { ...Object.fromEntries(others), PATH: inPath, ONNXRUNTIME_NODE_INSTALL: 'skip' }
  execFileSync('npm', args, { cwd, env, stdio: ['ignore', 'ignore', 'inherit'] })
}

const sizeOf = (folder: string) =>
  Number.parseInt(execFileSync('du', ['-sB1', folder], { encoding: 'utf8' }), 10) / mebibyte

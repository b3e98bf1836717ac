import { chmodSync, copyFileSync, cpSync, existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { catalogue } from '../../../src/models/catalogue/index.ts'
import { cpnProgram } from '../cli.ts'
import { makeKey, publicKey } from '../host-files.ts'
import { pinnedNode } from '../program.ts'
import { type Project, project } from '../project.ts'
import { repositoryRoot, shared } from '../shared.ts'
import { type SshdHost, startHosts } from '../sshd.ts'
import { tinyClassifier } from '../tiny-labelled-models.ts'

/** Names that the pages give to hosts, and the addresses by which they reach them. */
const addresses: Record<string, string> = {
  node1: '192.0.2.11',
  node2: 'node2.lab',
  node3: '192.0.2.13',
  node4: '192.0.2.14',
}
/** Hosts that are in ~/.ssh/config under their names; the others are known there by address only. */
const inSshConfig = ['node1', 'node2', 'node3']
/** What a page leaves for the pages after it: its hosts, their keys, what is believed of them, and models. */
const fleet = ['inventory.yaml', '.cpn/fleet-id', '.cpn/known_hosts', '.cpn/hosts', '.cpn/models']

/**
 * Where the pages' commands are true: somebody's home with photos, keys and programs, and hosts that are called as the pages
 * call them. Real sshd processes listen at other addresses than 192.0.2.x, which is what ~/.ssh/config is for.
 */
export class World implements AsyncDisposable {
  readonly hosts: SshdHost[]
  readonly #home: Project
  readonly #parts: AsyncDisposableStack

  constructor(home: Project, hosts: SshdHost[], parts: AsyncDisposableStack) {
    this.hosts = hosts
    this.#home = home
    this.#parts = parts
  }

  get env(): Record<string, string> {
    return { ...this.#home.env, PATH: `${join(this.#home.env.HOME!, 'bin')}:${this.#home.env.PATH}` }
  }

  /** What a reader puts in for what stands in the pages. */
  substitutions(page: string): [written: string, meant: string][] {
    return [
      ['--user me', `--user ${this.hosts[0]!.user}`],
      ['/srv/photos', this.folder(page)],
      ['PATH=/usr/local/bin', `PATH=${join(this.#home.env.HOME!, 'bin')}`],
      ['~/.cpn/fleets/<fleet>', join(this.hosts[0]!.home, '.cpn/fleets', this.#fleetId(page))],
    ]
  }

  /** The folder that a page's commands begin in; who contributes is in a checkout. */
  folder(page: string): string {
    if (page === 'CONTRIBUTING.md') return repositoryRoot
    return join(this.#home.folder, page.replaceAll('/', '-').replace(/\.md$/, ''))
  }

  /** Makes that folder, with the files that the page's commands are given; with the fleet of an earlier page where that is said. */
  prepare(page: string, fleetOf?: string): void {
    const folder = this.folder(page)
    mkdirSync(folder, { recursive: true })
    for (const [file, fill] of Object.entries(filesOf[page] ?? {})) {
      mkdirSync(dirname(join(folder, file)), { recursive: true })
      fill(join(folder, file))
    }
    for (const part of fleetOf ? fleet : [])
      cpSync(join(this.folder(fleetOf!), part), join(folder, part), { recursive: true })
  }

  /** Takes cpn off the hosts that the pages have left as nodes. */
  async unprovision(page: string): Promise<void> {
    await this.#home.ok(['unprovision', 'all', '--yes'], { cwd: this.folder(page) })
  }

  #fleetId(page: string): string {
    const file = join(this.folder(page), '.cpn/fleet-id')
    return existsSync(file) ? readFileSync(file, 'utf8').trim() : '<fleet>'
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#parts.disposeAsync()
  }
}

export async function openWorld(): Promise<World> {
  await using parts = new AsyncDisposableStack()
  const home = parts.use(project())
  const { HOME } = home.env as { HOME: string }
  makeKey(join(HOME, '.ssh/admin'))
  const authorizedKeys = [publicKey(join(HOME, '.ssh/admin.pub'))]
  const hosts = parts.use(await startHosts(...Object.keys(addresses).map((name) => ({ name, authorizedKeys }))))
  writeFileSync(join(HOME, '.ssh/config'), sshConfig(hosts))
  makePrograms(join(HOME, 'bin'))
  photos(join(HOME, 'Pictures/holiday'), 'ultraface-groups/{1,3,10}.jpg')
  photos(join(HOME, 'Pictures/portraits'), 'lfw-color-10x10/{Ar,C,D,G,H}*/*_000[6-9].jpg')
  return new World(home, hosts, parts.move())
}

function sshConfig(hosts: SshdHost[]): string {
  const lines = hosts.flatMap(({ name, address, port, user, identityFile }) => {
    const settings = [`HostName ${address}`, `Port ${port}`, `User ${user}`, `IdentityFile ${identityFile}`]
    const heads = [...(inSshConfig.includes(name) ? [`Host ${name}`] : []), `Match originalhost ${addresses[name]}`]
    return heads.flatMap((head) => [head, ...settings.map((line) => `  ${line}`)])
  })
  return `${lines.join('\n')}\n`
}

/** Programs that a reader has: cpn itself, and those that wait for Ctrl-C, which comes after a while. */
function makePrograms(folder: string): void {
  const untilCtrlC = (program: string, flags: string) =>
    `#!/bin/sh
for word; do case $word in --) break ;; ${flags}) timeout --foreground -s INT 1 ${program} "$@" || [ $? = 124 ]; exit ;; esac; done
exec ${program} "$@"
`
  const programs = {
    cpn: untilCtrlC(`${pinnedNode} ${cpnProgram}`, '-f|--follow'),
    curl: untilCtrlC('/usr/bin/curl', '-N|--no-buffer'),
    open: '#!/bin/sh\nexec test -s "$1"\n',
  }
  mkdirSync(folder, { recursive: true })
  for (const [name, text] of Object.entries(programs)) {
    writeFileSync(join(folder, name), text)
    chmodSync(join(folder, name), 0o755)
  }
}

/** Copies of photographs of the shared test data. */
function photos(folder: string, pattern: string): void {
  mkdirSync(folder, { recursive: true })
  for (const file of globSync(shared('photos', pattern))) copyFileSync(file, join(folder, basename(file)))
}

const { name, version, family, sha256, preprocess } = catalogue().find(({ name }) => name === 'yunet-s-dynamic')!
const model = { name, version, family, sha256, preprocess }
/** As docs/protocol.md shows one. */
const pipeline = {
  kind: 'faces',
  detector: { model, scoreThreshold: 0.6, nmsThreshold: 0.3 },
  annotate: 'preview',
  maxPixels: 100_000_000,
}

const text = (content: string) => (path: string) => writeFileSync(path, content)
const photosOf = (pattern: string) => (path: string) => photos(path, pattern)
const ada = { ada: photosOf('lfw-color-10x10/Jacques_Chirac/*_000[3-6].jpg') }

/** Files that a page's commands are given. */
const filesOf: Record<string, Record<string, (path: string) => void>> = {
  'README.md': ada,
  'docs/people.md': ada,
  'docs/operations.md': {
    'hosts.ini': text(`[lab]\nnode1 ansible_host=${addresses.node1}\n`),
    'notes.txt': text('notes\n'),
    'script.sh': text('uname -r\n'),
    photos: photosOf('ultraface-groups/{1,12}.jpg'),
    'photos/one.jpg': (path) => copyFileSync(shared('photos/ultraface-groups/3.jpg'), path),
    incoming: photosOf('ultraface-groups/5.jpg'),
  },
  'docs/protocol.md': {
    'image.jpg': (path) => copyFileSync(shared('photos/ultraface-groups/3.jpg'), path),
    'pipeline.json': text(JSON.stringify(pipeline, null, 2)),
  },
  'docs/models.md': {
    'mine.onnx': (path) => writeFileSync(path, ofAnotherProducer(shared('models/mobilefacenet-foamliu-112.onnx'))),
    'birds.onnx': (path) => writeFileSync(path, tinyClassifier()),
    'birds.txt': text('robin\ncardinal\nbluebird\n'),
    garden: photosOf('objects/*.jpg'),
    photos: photosOf('ultraface-groups/3.jpg'),
  },
}

/** The same model in a file with another digest: field 2 of an ONNX file says who made it, and the last one counts. */
function ofAnotherProducer(file: string): Buffer {
  return Buffer.concat([readFileSync(file), Buffer.from([0x12, 4]), Buffer.from('mine')])
}

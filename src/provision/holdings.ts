import { nodePaths } from '../protocol/paths.ts'

/** What a host has of cpn already: the answer to "what do you have". */
export interface Holdings {
  /** remoteDir exists. */
  present: boolean
  blobs: HeldFiles
  /** Models and their manifests (`<sha256>.json`). */
  models: HeldFiles
  /** Files of each folder in releases/ by its name; temporary ones are among them. */
  releases: Map<string, HeldFiles>
  fleets: Map<string, HeldFleet>
  /** Text of this fleet's agent.json and models.json; '' without one. */
  config: string
  modelList: string
}

/** By name, or by path in the release. */
export type HeldFiles = Map<string, HeldFile>

export interface HeldFleet {
  /** Digests of the releases that its links lead to; '' without one. */
  current: string
  previous: string
  /** It never had a release that was verified. */
  unverified: boolean
  /** The last provisioning that changed something was not verified. */
  unfinished: boolean
}

export interface HeldFile {
  bytes: number
  /** Hard links: a blob with one is in no release. */
  links: number
}

/** The question. It follows words that have set $dir to remoteDir, absolute. */
export function holdingsWords(fleetId: string): string {
  return `
LC_ALL=C; export LC_ALL
cd "$dir" 2>/dev/null || exit 0
echo '== files'
ls -lnAR blobs models releases 2>/dev/null
echo '== fleets'
ls -lnd fleets/*/* 2>/dev/null
echo '== config'
cat ${nodePaths.config(fleetId)} 2>/dev/null
echo
echo '== modelList'
cat ${modelListPath(fleetId)} 2>/dev/null
echo
`
}

/** Models that a fleet put on the host, so that another fleet's removal leaves them alone. */
export function modelListPath(fleetId: string): string {
  return `${nodePaths.fleet(fleetId)}/models.json`
}

export function parseHoldings(output: string): Holdings {
  const sections = sectionsOf(output)
  const section = (name: string) => sections.get(name) ?? []
  const folders = listedFolders(section('files'))
  const { blobs = new Map(), models = new Map() } = Object.fromEntries(folders)
  return {
    present: sections.has('files'),
    blobs,
    models,
    releases: releasesIn(folders),
    fleets: fleetsIn(section('fleets')),
    config: section('config').join('\n').trim(),
    modelList: section('modelList').join('\n').trim(),
  }
}

/** Lines of an answer by the heading (`== name`) above them. */
export function sectionsOf(output: string): Map<string, string[]> {
  const sections = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of output.split('\n')) {
    const name = /^== (\w+)$/.exec(line)?.[1]
    if (name === undefined) {
      lines.push(line)
      continue
    }
    lines = []
    sections.set(name, lines)
  }
  return sections
}

// POSIX `ls -ln`: mode, links, uid, gid, bytes, three fields of time, name.
const row = /^([-dl])\S{9}\S*\s+(\d+)\s+\d+\s+\d+\s+(\d+)\s+\S+\s+\S+\s+\S+\s+(.+)$/

// `-R` puts "folder:" above each part.
function listedFolders(lines: string[]): Map<string, HeldFiles> {
  const folders = new Map<string, HeldFiles>()
  let files: HeldFiles = new Map()
  for (const line of lines) {
    const [, type, links, bytes, name] = row.exec(line) ?? []
    if (type === '-') files.set(name!, { links: Number(links), bytes: Number(bytes) })
    if (type !== undefined || !line.endsWith(':')) continue
    files = new Map()
    folders.set(line.slice(0, -1), files)
  }
  return folders
}

function releasesIn(folders: Map<string, HeldFiles>): Map<string, HeldFiles> {
  const releases = new Map<string, HeldFiles>()
  for (const [folder, files] of folders) {
    const [top, name, ...below] = folder.split('/')
    if (top !== 'releases' || name === undefined) continue
    const release = releases.getOrInsertComputed(name, () => new Map())
    for (const [file, held] of files) release.set([...below, file].join('/'), held)
  }
  return releases
}

// "… fleets/ID/current -> ../../releases/DIGEST": every entry of every fleet's folder.
function fleetsIn(lines: string[]): Map<string, HeldFleet> {
  const fleets = new Map<string, HeldFleet>()
  for (const line of lines) {
    const [, id, name, target = ''] =
      /fleets\/([^/]+)\/(\w+)(?: -> (?:.*\/)?([^/]+))?$/.exec(row.exec(line)?.[4] ?? '') ?? []
    if (id === undefined) continue
    const fleet = fleets.getOrInsertComputed(id, () => ({ ...noFleet }))
    if (name === 'current' || name === 'previous') fleet[name] = target
    if (name === 'unverified' || name === 'unfinished') fleet[name] = true
  }
  return fleets
}

const noFleet: HeldFleet = { current: '', previous: '', unverified: false, unfinished: false }

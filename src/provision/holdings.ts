import { nodePaths } from '../protocol/paths.ts'
import { quote } from '../transport/shell.ts'

/** What a host has of cpn already: the answer to "what do you have". */
export interface Holdings {
  /** remoteDir exists. */
  present: boolean
  blobs: Map<string, HeldFile>
  /** Models and their manifests (`<sha256>.json`) by file name. */
  models: Map<string, HeldFile>
  /** Files of the asked release by path; empty when it is not there. */
  release: Map<string, HeldFile>
  /** Names in releases/, temporary ones included. */
  releases: string[]
  fleets: Map<string, HeldFleet>
  /** Text of this fleet's agent.json and models.json; '' without one. */
  config: string
  modelList: string
}

export interface HeldFleet {
  /** Digests of the releases that its links lead to; '' without one. */
  current: string
  previous: string
  /** It never had a release that was verified. */
  unverified: boolean
}

export interface HeldFile {
  bytes: number
  /** Hard links: a blob with one is in no release. */
  links: number
}

/** The question, one round trip. `dir` is absolute; without a release only shared things are asked for. */
export function holdingsScript(dir: string, fleetId: string, release: string): string {
  return `
LC_ALL=C; export LC_ALL
cd ${quote(dir)} 2>/dev/null || exit 0
lead() { to=$(CDPATH='' cd -P -- "$1" 2>/dev/null && pwd -P) && echo "\${to##*/}" || echo -; }
echo '== present'
for d in blobs models; do echo "== $d"; ls -ln "$d" 2>/dev/null; done
echo '== release'
[ -d ${nodePaths.release(release)} ] && (cd ${nodePaths.release(release)} && ls -lnR .)
echo '== releases'
ls -A releases 2>/dev/null
echo '== fleets'
for d in fleets/*/; do
  [ -d "$d" ] || continue
  f=\${d#fleets/}
  [ -e "\${d}unverified" ] && mark=unverified || mark=
  echo "\${f%/} $(lead "$d"current) $(lead "$d"previous) $mark"
done
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
  const sections = new Map<string, string[]>()
  let lines: string[] = []
  for (const line of output.split('\n')) {
    const name = /^== (\w+)$/.exec(line)?.[1]
    if (!name) {
      lines.push(line)
      continue
    }
    lines = []
    sections.set(name, lines)
  }
  const section = (name: string) => sections.get(name) ?? []
  return {
    present: sections.has('present'),
    blobs: listedFiles(section('blobs')),
    models: listedFiles(section('models')),
    release: listedFiles(section('release')),
    releases: section('releases').filter(Boolean),
    fleets: new Map(section('fleets').flatMap(fleetLine)),
    config: section('config').join('\n').trim(),
    modelList: section('modelList').join('\n').trim(),
  }
}

// POSIX `ls -ln`: mode, links, uid, gid, bytes, three fields of time, name; `-R` puts "folder:" above each part.
function listedFiles(lines: string[]): Map<string, HeldFile> {
  const files = new Map<string, HeldFile>()
  let folder = ''
  for (const line of lines) {
    const heading = /^\.\/?(.*):$/.exec(line)
    if (heading) folder = heading[1] ? `${heading[1]}/` : ''
    const row = /^-\S+\s+(\d+)\s+\d+\s+\d+\s+(\d+)\s+\S+\s+\S+\s+\S+\s+(.+)$/.exec(line)
    if (row) files.set(folder + row[3]!, { links: Number(row[1]), bytes: Number(row[2]) })
  }
  return files
}

function fleetLine(line: string): [string, HeldFleet][] {
  const [id, current = '-', previous = '-', mark] = line.split(' ')
  const digest = (name: string) => (name === '-' ? '' : name)
  return id ? [[id, { current: digest(current), previous: digest(previous), unverified: mark === 'unverified' }]] : []
}

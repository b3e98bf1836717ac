import { canonicalJson, sha256 } from '../common/digest.ts'
import { nodePaths } from '../protocol/paths.ts'
import { quote } from '../transport/shell.ts'
import { sectionsOf } from './holdings.ts'
import { debs, type HostRequirements, type RequirementFile, wheels } from './requirements.ts'

/** What a host lacks of its requirements. */
export interface RequirementState {
  apt: string[]
  commands: string[]
  files: RequirementFile[]
  debs: RequirementFile[]
  /** The Python packages have to be installed (again). */
  pip: boolean
}

/** Folder of an uploaded file, relative to remoteDir: its name says its content. */
export function fileFolder(fleetId: string, file: RequirementFile): string {
  return `${nodePaths.fleet(fleetId)}/files/${file.sha256}`
}

export function venvPath(fleetId: string): string {
  return `${nodePaths.fleet(fleetId)}/venv`
}

/** Names what the venv was made of; written when all of it is installed. */
export function venvStamp(requirements: HostRequirements): string {
  return sha256(canonicalJson({ pip: requirements.pip, wheels: wheels(requirements).map((file) => file.sha256) }))
}

/** Asks what is there; nothing is written. It follows words that have set $dir to remoteDir, absolute. */
export function requirementWords(fleetId: string, requirements: HostRequirements): string {
  const root = (path: string) => `"$dir"/${quote(path)}`
  return [
    'LC_ALL=C; export LC_ALL',
    "echo '== requirements'",
    ...requirements.apt.map((name) => `[ "${dpkgStatus(quote(name))}" = installed ] && echo ${quote(`apt ${name}`)}`),
    ...requirements.commands.map(
      (name) => `command -v ${quote(name)} >/dev/null 2>&1 && echo ${quote(`command ${name}`)}`,
    ),
    ...requirements.files.map((file) => {
      const path = `${fileFolder(fleetId, file)}/${file.name}`
      return `[ "$(ls -ln ${root(path)} 2>/dev/null | { read -r _ _ _ _ b _; echo "$b"; })" = ${file.bytes} ] && echo file ${file.sha256}`
    }),
    ...debs(requirements).map((file) => {
      const folder = fileFolder(fleetId, file)
      const name = `$(cat ${root(`${folder}/.installed`)} 2>/dev/null)`
      return `p=${name}; [ -n "$p" ] && [ "${dpkgStatus('"$p"')}" = installed ] && echo deb ${file.sha256}`
    }),
    `[ -x ${root(`${venvPath(fleetId)}/bin/python`)} ] && echo "venv $(cat ${root(`${venvPath(fleetId)}/.cpn`)} 2>/dev/null)"`,
    'echo end\n',
  ].join('\n')
}

function dpkgStatus(name: string): string {
  return `$(dpkg-query -W -f '\${db:Status-Status}' ${name} 2>/dev/null)`
}

export function parseRequirementState(output: string, requirements: HostRequirements): RequirementState {
  const said = new Set(sectionsOf(output).get('requirements'))
  const needsVenv = requirements.pip.length > 0 || wheels(requirements).length > 0
  return {
    apt: requirements.apt.filter((name) => !said.has(`apt ${name}`)),
    commands: requirements.commands.filter((name) => !said.has(`command ${name}`)),
    files: requirements.files.filter((file) => !said.has(`file ${file.sha256}`)),
    debs: debs(requirements).filter((file) => !said.has(`deb ${file.sha256}`)),
    pip: needsVenv && !said.has(`venv ${venvStamp(requirements)}`),
  }
}

export const nothingMissing: RequirementState = { apt: [], commands: [], files: [], debs: [], pip: false }

/** True when something has to be installed or sent; a missing command alone is not written by us. */
export function isMissing({ apt, files, debs: packages, pip }: RequirementState): boolean {
  return apt.length + files.length + packages.length > 0 || pip
}

export function describeMissing(state: RequirementState): string[] {
  return [
    ...(state.files.length > 0 ? [`send ${state.files.map(({ name }) => name).join(', ')}`] : []),
    ...(state.apt.length > 0 ? [`install with apt: ${state.apt.join(' ')}`] : []),
    ...(state.debs.length > 0 ? [`install with dpkg: ${state.debs.map(({ name }) => name).join(' ')}`] : []),
    ...(state.pip ? ['install Python packages into the fleet’s venv'] : []),
  ]
}

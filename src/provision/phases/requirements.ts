import { createReadStream } from 'node:fs'
import { CpnError } from '../../common/errors.ts'
import { quote } from '../../transport/shell.ts'
import type { Phase } from '../phase.ts'
import { execAsRoot } from '../privileged.ts'
import type { Provisioning } from '../provisioning.ts'
import { fileFolder, isMissing, venvPath, venvStamp } from '../requirement-state.ts'
import { isNothing, type RequirementFile, wheels } from '../requirements.ts'

const installTimeoutMs = 1_200_000
const defaultLockSeconds = 300

/** Gives the host what the inventory requires besides the release. */
export const requirements: Phase = {
  name: 'requirements',
  title: 'installing requirements',
  timeoutMs: 2_400_000,
  settled({ missing, requirements: wanted }) {
    if (isNothing(wanted)) return 'skipped'
    return isMissing(missing) || missing.commands.length > 0 ? undefined : 'unchanged'
  },
  async run(provisioning, signal) {
    const { missing } = provisioning
    for (const file of missing.files) await sendFile(provisioning, file, signal)
    if (missing.apt.length > 0) await installPackages(provisioning, missing.apt, signal)
    if (missing.debs.length > 0) await installDebs(provisioning, missing.debs, signal)
    if (missing.pip) await installPython(provisioning, signal)
    if (missing.commands.length > 0) await requireCommands(provisioning, missing.commands, signal)
    return isMissing(missing) ? 'changed' : 'unchanged'
  },
}

async function sendFile(p: Provisioning, file: RequirementFile, signal: AbortSignal): Promise<void> {
  const folder = fileFolder(p.options.fleetId, file)
  const prepare = `umask 077\nmkdir -p ${p.quoted(folder)}`
  await p.run(prepare, 'a folder for required files could not be made', { signal })
  await p.transport.upload(() => createReadStream(file.source), p.path(`${folder}/${file.name}`), {
    sha256: file.sha256,
    bytes: file.bytes,
    mode: 0o644,
    signal,
    onProgress: (sent) => p.progress(sent, file.bytes),
  })
}

async function installPackages(p: Provisioning, names: string[], signal: AbortSignal): Promise<void> {
  const what = `install ${names.join(' ')} with apt`
  if (!p.facts.tools.includes('apt-get')) throw failed(p.host.name, what, 'the host has no apt-get')
  const install = `${aptInstall(p)} ${names.map(quote).join(' ')}`
  // Package lists may be too old to find a file that has moved on; they are fetched only then.
  await root(p, what, `${install} || { ${aptUpdate(p)} && ${install}; }`, signal)
}

async function installDebs(p: Provisioning, files: RequirementFile[], signal: AbortSignal): Promise<void> {
  const paths = files.map((file) => p.quoted(`${fileFolder(p.options.fleetId, file)}/${file.name}`)).join(' ')
  const what = `install ${files.map(({ name }) => name).join(' ')}`
  if (!p.facts.tools.includes('dpkg')) throw failed(p.host.name, what, 'the host has no dpkg')
  await root(p, what, p.facts.tools.includes('apt-get') ? `${aptInstall(p)} ${paths}` : dpkgInstall(p, paths), signal)
  const notes = files.map((file) => {
    const folder = fileFolder(p.options.fleetId, file)
    return `dpkg-deb -f ${p.quoted(`${folder}/${file.name}`)} Package >${p.quoted(`${folder}/.installed`)} || exit 1`
  })
  await p.run(notes.join('\n'), 'what was installed could not be noted', { signal })
}

const lockSeconds = (p: Provisioning) => p.options.packageLockSeconds ?? defaultLockSeconds
const aptGet = (p: Provisioning) =>
  `LC_ALL=C DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=${lockSeconds(p)}`
const aptInstall = (p: Provisioning) => `${aptGet(p)} install -y --no-install-recommends`
const aptUpdate = (p: Provisioning) => `${aptGet(p)} update`

// dpkg alone does not wait for its lock.
function dpkgInstall(p: Provisioning, paths: string): string {
  return `n=0
until said=$(LC_ALL=C dpkg -i ${paths} 2>&1); do
  case $said in *lock*) ;; *) echo "$said" >&2; exit 1 ;; esac
  n=$((n + 1)); [ $n -lt ${lockSeconds(p)} ] || { echo "$said" >&2; exit 1; }
  sleep 1
done`
}

async function root(p: Provisioning, what: string, script: string, signal: AbortSignal): Promise<void> {
  const { exitCode, stdout, stderr } = await execAsRoot(p, script, what, { signal, timeoutMs: installTimeoutMs })
  if (exitCode === 0) return
  const said = stderr.trim() || stdout.trim()
  const locked = /^.*(could not get lock|unable to acquire|locked by another process).*$/im.exec(said)
  throw locked ? packagesLocked(p, what, locked[0]) : failed(p.host.name, what, lastLines(said))
}

function packagesLocked(p: Provisioning, what: string, said: string): CpnError {
  const message = `another package manager was at work for ${lockSeconds(p)} s, so it was not possible to ${what}: ${said}`
  return new CpnError('CPN_ERR_REQUIREMENT', message, {
    host: p.host.name,
    retryable: true,
    suggestions: ['Wait until it has ended there (ps -e | grep -e apt -e dpkg), then provision the host again.'],
  })
}

// Wheels that were sent along make the host need no internet: then nothing is looked for elsewhere.
async function installPython(p: Provisioning, signal: AbortSignal): Promise<void> {
  const { fleetId } = p.options
  const sent = wheels(p.requirements)
  const offline = sent.map((file) => `--find-links ${p.quoted(fileFolder(fleetId, file))}`)
  const where = sent.length > 0 ? `--no-index ${offline.join(' ')}` : ''
  const what = [
    ...p.requirements.pip.map(quote),
    ...sent.map((file) => p.quoted(`${fileFolder(fleetId, file)}/${file.name}`)),
  ]
  const venv = p.quoted(venvPath(fleetId))
  const script = `umask 077
[ -x ${venv}/bin/python ] || python3 -m venv ${venv} || exit 1
${venv}/bin/python -m pip install --no-input --no-cache-dir --disable-pip-version-check ${where} ${what.join(' ')} >&2 || exit 1
echo ${venvStamp(p.requirements)} >${venv}/.cpn`
  const { exitCode, stderr, stdout } = await p.transport.exec(script, { signal, timeoutMs: installTimeoutMs })
  if (exitCode !== 0) throw failed(p.host.name, 'install Python packages', lastLines(`${stdout}\n${stderr}`))
}

async function requireCommands(p: Provisioning, names: string[], signal: AbortSignal): Promise<void> {
  const script = names.map((name) => `command -v ${quote(name)} >/dev/null 2>&1 || echo ${quote(name)}`).join('\n')
  const { stdout } = await p.transport.exec(script, { signal })
  const missing = stdout.split('\n').filter(Boolean)
  if (missing.length === 0) return
  throw new CpnError('CPN_ERR_REQUIREMENT', `the host lacks required programs: ${missing.join(', ')}`, {
    host: p.host.name,
    suggestions: [
      'Install them there, or name the Debian packages that hold them under `apt` in the inventory’s requirements.',
    ],
  })
}

function failed(host: string, what: string, said: string): CpnError {
  return new CpnError('CPN_ERR_REQUIREMENT', `it was not possible to ${what}: ${said}`, {
    host,
    suggestions: [`Try it there by hand, or send the packages along: \`files\` in the inventory’s requirements.`],
  })
}

function lastLines(text: string): string {
  return text.trim().split('\n').slice(-3).join('\n')
}

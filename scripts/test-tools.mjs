// The programs that tests run besides Node: real SSH servers, pseudo terminals, namespaces, what reads results.
import { spawnSync } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { join } from 'node:path'

const tools = [
  { program: 'sshd', debian: 'openssh-server' },
  { program: 'ssh', debian: 'openssh-client' },
  { program: 'ssh-keygen', debian: 'openssh-client' },
  { program: 'ssh-agent', debian: 'openssh-client' },
  { program: 'script', debian: 'bsdutils' },
  { program: 'unshare', debian: 'util-linux' },
  { program: 'ip', debian: 'iproute2' },
  { program: 'sudo', debian: 'sudo' },
  { program: 'systemctl', debian: 'systemd' },
  { program: 'busybox', debian: 'busybox' },
  { program: 'faketime', debian: 'faketime' },
  { program: 'zstd', debian: 'zstd' },
  { program: 'strace', debian: 'strace' },
  // Real HEIC files, and a reader of metadata that is not ours.
  { program: 'heif-enc', debian: 'libheif-examples' },
  { program: 'exiftool', debian: 'libimage-exiftool-perl' },
  { program: 'chromium', debian: 'chromium' },
  // Login shells that are not sh.
  { program: 'zsh', debian: 'zsh' },
  { program: 'tcsh', debian: 'tcsh' },
  { program: 'fish', debian: 'fish' },
]

/** Installs what is missing where that is allowed, and says what stays missing. */
export function installTestTools() {
  const missing = missingTools()
  if (missing.length === 0) return
  const packages = [...new Set(missing.map((tool) => tool.debian))]
  if (!aptInstall(packages)) console.log(`Cannot install ${packages.join(', ')} here (needs apt-get and root or sudo).`)
  const absent = missingTools().map((tool) => `${tool.program} (package ${tool.debian})`)
  if (absent.length > 0) console.log(`Not installed: ${absent.join(', ')}. Tests that need it are left out.`)
}

function missingTools() {
  const folders = [...(process.env.PATH ?? '').split(':'), '/usr/sbin', '/sbin', '/usr/local/sbin']
  return tools.filter(({ program }) => !folders.some((folder) => isExecutable(join(folder, program))))
}

function aptInstall(packages) {
  const prefix = process.getuid() === 0 ? [] : ['sudo', '-n']
  const run = (...command) => {
    const [program, ...args] = [...prefix, 'env', 'DEBIAN_FRONTEND=noninteractive', ...command]
    return spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] }).status === 0
  }
  if (!isExecutable('/usr/bin/apt-get') || !run('true')) return false
  console.log(`Installing ${packages.join(', ')} for the tests.`)
  const install = () => run('apt-get', 'install', '-y', '-q', '--no-install-recommends', ...packages)
  return install() || (run('apt-get', 'update', '-q') && install())
}

function isExecutable(path) {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

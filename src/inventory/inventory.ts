/** A host with the defaults applied and `~` of the master expanded; what the rest of the program works with. */
export interface Host {
  name: string
  transport: 'ssh' | 'local'
  /** Address or ssh_config alias; the name itself when the inventory gives none. */
  address: string
  /** Unset fields are left to ~/.ssh/config, then to SSH's defaults. */
  port?: number
  user?: string
  identityFile?: string
  /** Inventory name, ssh_config alias or user@host:port of the jump host; several, comma separated, outermost first. */
  jump?: string
  tags: string[]
  /** False for hosts that only lead to others. */
  provision: boolean
  /** Where cpn lives on the host; `~` is the remote home. */
  remoteDir: string
  workers: 'auto' | number
  /** Niceness of the workers, 0..19. */
  nice: number
}

/** What nodes must have besides the release. Applies to hosts with any of the tags, or to all without tags. */
export interface Requirement {
  tags: string[]
  /** Debian packages. */
  apt: string[]
  /** Python packages, installed into a venv of the fleet. */
  pip: string[]
  /** Local files (globs, relative to the inventory) sent along: .deb and .whl are installed from. */
  files: string[]
  /** Programs that must be in the node's PATH. */
  commands: string[]
}

export interface Inventory {
  /** Absolute path of the YAML file; undefined for the built-in one-machine inventory. */
  file: string | undefined
  /** Absolute path of the state folder (.cpn beside the inventory). */
  stateDir: string
  hosts: Host[]
  requirements: Requirement[]
}

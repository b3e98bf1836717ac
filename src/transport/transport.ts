import type { Duplex, Readable, Writable } from 'node:stream'

/** Result of a command whose output was collected. */
export interface ExecResult {
  /** null when the process was ended by a signal. */
  exitCode: number | null
  signal: string | null
  stdout: string
  stderr: string
}

export interface ExecOptions {
  /** Sent to the command's stdin, which is then closed. */
  stdin?: Uint8Array | Readable
  signal?: AbortSignal
  /** Milliseconds from the start to the exit; ends with CPN_ERR_REMOTE_TIMEOUT. Default 60,000. */
  timeoutMs?: number
  /** Bytes kept of stdout and of stderr each; the rest is dropped. Default 4 MiB. */
  maxOutputBytes?: number
  /** The login's key is locked: the script is words for the program that it is locked to, and has no stdin. */
  locked?: boolean
}

export interface SpawnOptions {
  signal?: AbortSignal
  /** False: the script gets an empty stdin, and the process's own must not be written to. */
  stdin?: boolean
  /** As in ExecOptions. */
  locked?: boolean
}

/** A running command. Its streams have to be read; `destroy` ends it and its process group. */
export interface RemoteProcess {
  readonly stdin: Writable
  readonly stdout: Readable
  readonly stderr: Readable
  /** Resolves when the process has ended and its output is complete; rejects with CPN_ERR_CONNECTION_LOST. */
  readonly exited: Promise<{ exitCode: number | null; signal: string | null }>
  destroy(): void
}

export interface UploadOptions {
  /** Lower-case hex sha256 of the bytes; compared on the host before the file gets its name. */
  sha256: string
  bytes: number
  /** File mode, e.g. 0o644. */
  mode: number
  signal?: AbortSignal
  /** Called with the bytes sent so far. */
  onProgress?: (sent: number) => void
}

/** What is at a path of a host. */
export interface FileStatus {
  kind: 'file' | 'folder' | 'other'
  bytes: number
  /** Permission bits, e.g. 0o644. */
  mode: number
  /** Seconds since 1970. */
  mtime: number
}

/**
 * Files of a host by SFTP, for where no command runs: one thing at a time. Paths are absolute or relative to the home,
 * which `~` names too. Everything rejects with CPN_ERR_TRANSFER, or with the reason of the signal that it was opened with.
 */
export interface RemoteFiles extends AsyncDisposable {
  /** Undefined when nothing is there. A link is followed, or is itself what is looked at: kind `other`. */
  status(path: string, ofLink?: boolean): Promise<FileStatus | undefined>
  /** Names in a folder, in order, without `.` and `..`. */
  list(path: string): Promise<string[]>
  /** Absolute, without links. */
  realPath(path: string): Promise<string>
  /** Makes one folder whose parent is there. */
  makeFolder(path: string): Promise<void>
  /** The bytes from `start` on. */
  read(path: string, start?: number): AsyncGenerator<Buffer>
  /**
   * Writes from `start` on into a file that is there; without it into a new one (mode 0600), and nothing may have the
   * name then. Leaves what it wrote.
   */
  write(path: string, chunks: AsyncIterable<Buffer>, start?: number): Promise<void>
  setModeAndTime(path: string, mode: number, mtime: number): Promise<void>
  /** Replaces what has the name already, at once where the server can do that. */
  rename(from: string, to: string): Promise<void>
  /** Removes a file; none is fine. */
  remove(path: string): Promise<void>
}

/** What a host's server allows besides commands. */
export interface Allowed {
  sftp: boolean
  /** Whether connections to Unix sockets are forwarded; undefined when that could not be tried. */
  forwarding: boolean | undefined
}

/**
 * Bytes to one host. Implemented by ssh/ and local/. Every wait has a deadline and ends with a CpnError that names the
 * host. Scripts are POSIX sh, whatever the login shell is.
 */
export interface Transport extends AsyncDisposable {
  /** Inventory name. */
  readonly host: string
  readonly kind: 'ssh' | 'local'
  /** How agent connections travel: known after the first openAgent. */
  readonly tunnel: 'streamlocal' | 'bridge' | 'socket' | undefined
  /** Fingerprint (SHA256:…) of the verified host key; undefined for local. */
  readonly hostKey: string | undefined
  /** Aborts with CPN_ERR_CONNECTION_LOST when the connection is gone for whatever reason but close(). */
  readonly lost: AbortSignal
  /**
   * Runs a script and collects its output. A non-zero exit is a result, not an error. Rejects with CPN_ERR_KEY_LOCKED
   * where the login's key lets no scripts run.
   */
  exec(script: string, options?: ExecOptions): Promise<ExecResult>
  /** Starts a script with open streams. With `stdin: false` its stdin is empty, which saves round trips. */
  spawn(script: string, options?: SpawnOptions): Promise<RemoteProcess>
  /**
   * Writes a file: temporary name beside it, digest compared on the host, rename. `path` is absolute or relative to the
   * remote home; its folder has to exist. Ends with CPN_ERR_UPLOAD, leaving nothing behind.
   */
  upload(source: () => Readable, path: string, options: UploadOptions): Promise<void>
  /** The host's files by SFTP. Rejects where the server has none. Dispose it before the transport is closed. */
  openFiles(signal?: AbortSignal): Promise<RemoteFiles>
  /**
   * A connection to the agent's Unix socket at `socketPath` (absolute). Where sshd forbids forwarding it runs
   * `bridgeCommand` once and multiplexes connections over it. Ends with CPN_ERR_AGENT_UNREACHABLE when nothing listens.
   * @param locked the login's key is locked: `bridgeCommand` is words for the program that it is locked to
   */
  openAgent(socketPath: string, bridgeCommand: string, signal?: AbortSignal, locked?: boolean): Promise<Duplex>
  /**
   * Finds out what the server allows; it never fails for a refusal. `sockets` are absolute paths of Unix sockets that
   * somebody listens on: a connection to one of them is opened and closed.
   */
  probe(sockets: string[], signal?: AbortSignal): Promise<Allowed>
  /** Lets running commands end, then disconnects. */
  close(): Promise<void>
  /** Disconnects now. */
  destroy(error?: Error): void
}

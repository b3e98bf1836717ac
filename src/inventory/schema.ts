import * as z from 'zod'

/** Host names, as in `cpn status node1`. */
export const hostNamePattern = /^[a-z0-9][a-z0-9-]{0,62}$/

// Words that mean something else where a host may be named.
const reservedNames = ['all', 'none']

/** What is wrong with a host name, or undefined. */
export function hostNameFault(name: string): string | undefined {
  if (reservedNames.includes(name)) return `"${name}" cannot name a host, it has a meaning of its own: choose another`
  if (hostNamePattern.test(name)) return undefined
  return `"${name}" is no host name: use up to 63 of a-z, 0-9 and -, beginning with a letter or a digit`
}

/** Text that is not empty, cannot be taken for an option and has no control characters. */
const text = (what: string, example: string) =>
  z
    .string({ error: `${what} has to be text, such as ${example} (in quotes where YAML would read something else)` })
    .min(1, `${what} is empty: write for example ${example}`)
    .refine((value) => !value.startsWith('-'), `${what} cannot begin with "-"`)
    .refine((value) => !/[\u0000-\u001f\u007f]/.test(value), `${what} cannot hold control characters`)

const wholeNumber = (what: string, min: number, max: number) => {
  const error = `${what} is a whole number from ${min} to ${max}, without quotes`
  return z.number({ error }).int(error).min(min, error).max(max, error)
}

const yesNo = (what: string) => z.boolean({ error: `${what} has to be true or false` })

const list = (what: string, item: z.ZodType<string>, example: string) =>
  z.array(item, { error: `${what} has to be a list, such as [${example}]` })

const address = text('address', '192.0.2.11')
  .refine((value) => !/\s/.test(value), 'address cannot hold spaces')
  .refine((value) => !value.includes('@'), 'address holds a user: write it as user: NAME beside it')
  .refine((value) => !/^\[.*\]/.test(value), 'address is in brackets: write an IPv6 address without them')
  .refine((value) => !/^[^:]+:\d+$/.test(value), 'address holds a port: write it as port: NUMBER beside it')

const identityFile = text('identityFile', '~/.ssh/id_ed25519').refine(
  (value) => !/^~[^/]/.test(value) && value !== '~',
  'only "~/" stands for a home folder in identityFile: write the path out',
)

// unprovision deletes what is in it, so nothing that could be a home or a system folder is accepted.
const remoteDir = text('remoteDir', '~/.cpn')
  .refine((value) => /^(~\/|\/)/.test(value), 'remoteDir has to begin with "~/" (the remote home) or "/"')
  .refine(
    (value) => !value.split('/').some((part) => part === '..' || part === '.'),
    'remoteDir cannot go through "." or ".."',
  )
  .refine((value) => /^(~\/|\/[^/]+\/)[^/]/.test(value), 'remoteDir has to be a folder of its own, such as ~/.cpn')

const tag = text('a tag', 'lab').regex(/^[A-Za-z0-9][\w.-]*$/, 'a tag has letters, digits, "_", "." and "-" only')

const workersFault = 'workers has to be auto or a whole number from 1 to 1024'
const workers = z
  .union([z.literal('auto'), z.int()], { error: workersFault })
  .refine((value) => value === 'auto' || (value >= 1 && value <= 1024), workersFault)

const shared = {
  user: text('user', 'cpn').refine((value) => !/[\s@]/.test(value), 'user is a name alone, without spaces and "@"'),
  port: wholeNumber('port', 1, 65535),
  identityFile,
  remoteDir,
  workers,
  nice: wholeNumber('nice', 0, 19),
}

const mapping = 'has to be a mapping of "key: value" pairs'

export const defaultsSchema = z.strictObject(shared, { error: `defaults ${mapping}` }).partial()

export const hostSchema = z
  .strictObject(
    {
      transport: z.enum(['ssh', 'local'], { error: 'transport has to be ssh or local' }),
      address,
      jump: text('jump', 'bastion'),
      tags: list('tags', tag, 'lab'),
      provision: yesNo('provision'),
      ...shared,
    },
    { error: `a host ${mapping}, such as { address: 192.0.2.11 }` },
  )
  .partial()
export type HostEntry = z.infer<typeof hostSchema>

const entry = (what: string, pattern: RegExp, example: string) =>
  text(what, example).regex(pattern, `${what} is written like ${example}`)

export const requirementSchema = z
  .strictObject(
    {
      tags: list('tags', tag, 'lab'),
      apt: list(
        'apt',
        entry('a Debian package', /^[a-z0-9][a-z0-9+.-]*(:[a-z0-9]+)?([=/]\S+)?$/, 'libgomp1').refine(
          (value) => !value.endsWith('-'),
          'a Debian package cannot end in "-": apt would remove it',
        ),
        'libgomp1',
      ),
      pip: list('pip', text('a Python package', 'numpy'), 'numpy'),
      files: list('files', text('a file', './debs/*.deb'), './debs/*.deb'),
      commands: list('commands', entry('a command', /^[\w.+-]+$/, 'nvidia-smi'), 'nvidia-smi'),
    },
    { error: `a requirement ${mapping}, such as { apt: [libgomp1] }` },
  )
  .partial()

const hosts = z
  .record(z.string(), hostSchema.nullable(), {
    error: 'hosts has to be a mapping of names, such as node1: { address: … }',
  })
  .superRefine((value, context) => {
    for (const name of Object.keys(value)) {
      const message = hostNameFault(name)
      if (message) context.addIssue({ code: 'custom', message, path: [name], params: { key: name } })
    }
  })

/** The YAML file as it is written; a section without content counts as missing. */
export const inventorySchema = z.strictObject(
  {
    version: z.literal(1, {
      error: ({ input }) =>
        input === undefined
          ? '"version: 1" is missing: write it on a line of its own'
          : 'version has to be 1, the only one this cpn reads',
    }),
    defaults: defaultsSchema.nullish(),
    hosts: hosts.nullish(),
    requirements: z
      .array(requirementSchema, { error: 'requirements has to be a list, each beginning with "- "' })
      .nullish(),
  },
  { error: 'an inventory is a mapping that begins with "version: 1"' },
)
export type InventoryEntries = z.infer<typeof inventorySchema>

/** Keys that the schema knows at a path; for suggestions. */
export function knownKeys(path: PropertyKey[]): string[] {
  const [section, , deeper] = path
  if (section === undefined) return Object.keys(inventorySchema.shape)
  if (section === 'defaults') return Object.keys(defaultsSchema.shape)
  if (deeper !== undefined) return []
  return Object.keys((section === 'hosts' ? hostSchema : requirementSchema).shape)
}

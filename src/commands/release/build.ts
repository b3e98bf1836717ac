import { Flags } from '@oclif/core'
import { prepareRelease, type ReleaseReport } from '../../actions/nodes/release.ts'
import { releasePlatforms } from '../../protocol/release.ts'
import { hostPlatform } from '../../provision/release/platform.ts'
import { formatBytes } from '../../ui/format.ts'
import { BaseCommand } from '../base.ts'

export default class ReleaseBuild extends BaseCommand {
  static override summary = 'Prepare what provisioning puts on a host.'

  static override description =
    'Provisioning does this by itself. Do it in advance for a platform other than this machine’s, or to work without ' +
    'a network later: its parts come from the npm registry once, are checked and kept in ~/.cache/cpn.'

  static override examples = [
    '<%= config.bin %> <%= command.id %> --platform linux-arm64',
    '<%= config.bin %> <%= command.id %> --platform linux-x64 --out ./release',
  ]

  static override flags = {
    platform: Flags.option({ options: releasePlatforms, description: 'Default: the platform of this machine.' })(),
    out: Flags.string({ helpValue: 'DIR', description: 'Unpack the release into this new folder as well.' }),
  }

  async run(): Promise<ReleaseReport> {
    const { flags } = await this.parse(ReleaseBuild)
    const platform = flags.platform ?? hostPlatform()
    const report = await prepareRelease({ platform, out: flags.out }, this.context())
    this.log(describe(report))
    return report
  }
}

function describe({ platform, digest, version, nodeVersion, files, bytes, packedBytes, out }: ReleaseReport): string {
  return [
    `release ${digest}`,
    `${platform}, cpn ${version}, Node.js ${nodeVersion}`,
    `${files} files, ${formatBytes(bytes)}, ${formatBytes(packedBytes)} on the way`,
    ...(out === null ? [] : [`unpacked into ${out}`]),
  ].join('\n')
}

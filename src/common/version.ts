/** Version of this program; scripts/build.mjs and a test hold it equal to package.json. */
export const version = '0.1.0'
